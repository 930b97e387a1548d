"""The scripts of the data flow as programs: a small mirror in, prepared data out, errors in one message."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from xstilts import registry
from xstilts.data.storage import read_examples
from xstilts.tables import read_table

REPOSITORY = Path(__file__).parents[2]


def script(name: str | Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPOSITORY / "scripts" / f"{name}.py"), *map(str, arguments)]
    environment = {"PYTHONPATH": str(REPOSITORY), "PATH": "", "PYTHONUTF8": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def write(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    root = tmp_path / "mirror"
    rows = [
        json.dumps({"premise": f"p{i}", "hypothesis": f"a hypothesis {i}", "label": "neutral"})
        for i in range(60)
    ]
    write(root / "mnli" / "dev_matched.jsonl", *rows)
    write(root / "xnli" / "dev-en.tsv", "p3\ta hypothesis 3\tneutral")
    write(root / "text" / "en.txt", "A hypothesis 3!", "another line of text")
    return root


def test_a_mirror_is_locked_checked_and_prepared(mirror: Path, tmp_path: Path) -> None:
    lock, out = tmp_path / "data.lock", tmp_path / "out"
    where = ("--root", mirror, "--lock", lock)
    entry = registry.training_tasks()["mnli_dev"].model_dump_json()
    keys, train, dev = out / "keys.parquet", out / "train.jsonl", out / "dev.jsonl"
    reports = [out / "task.tsv", out / "text.tsv"]
    steps: list[tuple[str | Path, ...]] = [
        ("lock_data", "--mirror", mirror, "--output", lock),
        ("check_data", *where, "--datasets", "mnli", "--datasets", "xnli/dev"),
        ("collect_evaluation_keys", *where, "--output", keys),
        (
            *("prepare_training", *where, "--task", "mnli_dev", "--entry", entry, "--keys", keys),
            *("--train", train, "--dev", dev, "--leakage", reports[0]),
        ),
        (
            *("prepare_text", *where, "--languages", "en de", "--keys", keys, "--max-lines", "9"),
            *("--output", out / "corpus", "--corpus", out / "corpus.tsv", "--leakage", reports[1]),
        ),
        ("collect_leakage", *reports, "--output", out / "leakage.tsv"),
    ]
    for step in steps:
        done = script(*step)
        assert done.returncode == 0, done.stderr
    assert len(read_examples(train)) + len(read_examples(dev)) == 59
    assert (out / "corpus" / "text" / "en.txt").read_text(encoding="utf-8") == "another line of text\n"
    assert read_table(out / "corpus.tsv").values.tolist() == [["en", 1, 21, 0]]
    rows = read_table(out / "leakage.tsv")[["trained_on", "evaluation", "removed", "of"]].values.tolist()
    assert rows == [
        ["mnli_dev", "any", 1, 60],
        ["mnli_dev", "xnli", 1, 60],
        ["text", "any", 1, 2],
        ["text", "xnli", 1, 2],
    ]

    path = mirror / "text" / "en.txt"
    path.write_bytes(path.read_bytes().replace(b"another", b"anether"))
    broken = script(*steps[4])
    assert broken.returncode == 1
    assert "text/en.txt differs from the lock: expected sha256" in broken.stderr
    assert "Traceback" not in broken.stderr
    assert (out / "corpus" / "text" / "en.txt").is_file(), "finished results stay"


def test_a_licensed_data_set_is_read_from_a_folder_of_its_own(mirror: Path, tmp_path: Path) -> None:
    for section in ("00", "02", "10", "20"):
        tree = f"(<L N/{section} NN NN word N>)"
        write(tmp_path / "ldc" / "data" / "AUTO" / section / "a.auto", f"ID=a_{section}.1 PARSER=GOLD", tree)
    keys, out = tmp_path / "keys.parquet", tmp_path / "out"
    assert script("collect_evaluation_keys", "--root", mirror, "--lock", "", "--output", keys).returncode == 0
    entry = registry.training_tasks()["ccg"].model_dump_json()
    command = ["prepare_training", "--root", mirror, "--task", "ccg", "--entry", entry, "--keys", keys]
    command += ["--train", out / "train.jsonl", "--dev", out / "dev.jsonl", "--leakage", out / "leakage.tsv"]
    without = script(*command)
    assert without.returncode == 1
    assert "data/AUTO/0[2-9]/*.auto is missing" in without.stderr
    done = script(*command, "--folders", json.dumps({"ccg": str(tmp_path / "ldc")}))
    assert done.returncode == 0, done.stderr
    assert [example.id for example in read_examples(out / "train.jsonl")] == ["a_02.1", "a_10.1", "a_20.1"]
    assert "ccg/train, en: 3 examples; published are 39604" in done.stderr


def test_a_missing_mirror_is_one_clear_message(tmp_path: Path) -> None:
    done = script("check_data", "--root", tmp_path / "nowhere", "--datasets", "tatoeba")
    assert done.returncode == 1
    assert done.stderr.startswith("DataError: the data folder is missing\n")
    assert "data.mirror" in done.stderr
    assert "Traceback" not in done.stderr
