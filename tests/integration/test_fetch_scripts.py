"""Fetching from the hub with the real client against a stand-in: what arrives, and each way to fail."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest
from datasets import ClassLabel, Dataset, Features, Sequence, Value

from tests.integration.hub_stand_in import StandIn
from xstilts.data.examples import PairExample
from xstilts.data.formats.tagged import render
from xstilts.data.lock import sha256_of
from xstilts.data.sources import FolderSource, open_source
from xstilts.errors import DataError
from xstilts.registry.hub import hub_dataset

REPOSITORY = Path(__file__).parents[2]
TEXT = Value("string")
NLI = ["entailment", "neutral", "contradiction"]
UPOS = ["ADJ", "NOUN", "VERB"]
SHARD = "00000-of-00001.parquet"


def publish(root: Path, dataset: str, path: str, rows: list[dict[str, Any]], **features: Any) -> Path:
    """Put a Parquet file, as `datasets` writes them, where the hub has that data set."""
    entry = hub_dataset(dataset)
    file = root / "datasets" / entry.repository / entry.revision / path
    file.parent.mkdir(parents=True, exist_ok=True)
    Dataset.from_list(rows, features=Features(features)).to_parquet(file)
    return file


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def environment(endpoint: str, home: Path) -> dict[str, str]:
    """A job's environment, with an empty cache of the client."""
    own = {
        "PYTHONPATH": str(REPOSITORY),
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home),
        "HF_HUB_OFFLINE": "0",
    }
    return {**os.environ, **own, "HF_HUB_DISABLE_XET": "1", "PYTHONUTF8": "1"}


def script(
    name: str, hub: str, folder: Path, *arguments: str, prepare: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, f"scripts/{name}.py", *arguments, "--state", str(folder / "state")]
    return subprocess.run(
        command,
        cwd=REPOSITORY,
        env=environment(hub, folder / "home"),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=prepare,
    )


def fetch(
    hub: str, folder: Path, dataset: str, split: str, part: str, **entry: Any
) -> subprocess.CompletedProcess[str]:
    prepare = entry.pop("prepare", None)
    wanted = hub_dataset(dataset).of_part(dataset, split, part).model_copy(update=entry)
    output = folder / "source" / dataset / split / part
    return script(
        "fetch_data",
        hub,
        folder,
        *("--entry", wanted.model_dump_json(), "--output", str(output)),
        prepare=prepare,
    )


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[StandIn]:
    """The hub with XNLI in three languages."""
    for language in ("de", "en", "sw"):
        rows = [{"premise": f"{language} {i}", "hypothesis": "?", "label": i % 3} for i in range(300)]
        publish(
            *(tmp_path / "hub", "xnli", f"{language}/validation-{SHARD}", rows),
            premise=TEXT,
            hypothesis=TEXT,
            label=ClassLabel(names=NLI),
        )
    with StandIn(tmp_path / "hub") as stand_in:
        yield stand_in


def test_the_examples_are_those_of_the_publishers_files(tmp_path: Path) -> None:
    """One data set of each task type, written both ways from the same examples."""
    hub, mirror = tmp_path / "hub", tmp_path / "mirror"
    pairs = [(f"p{i}\u2028", f"h “{i}”", i % 3) for i in range(7)]
    rows: list[dict[str, Any]]
    rows = [{"premise": p, "hypothesis": h, "label": label} for p, h, label in pairs]
    publish(
        hub,
        "xnli",
        f"de/validation-{SHARD}",
        rows,
        premise=TEXT,
        hypothesis=TEXT,
        label=ClassLabel(names=NLI),
    )
    write(mirror / "xnli/dev-de.tsv", "".join(f"{p}\t{h}\t{NLI[label]}\n" for p, h, label in pairs))

    pairs = [("a", "b", 1), ("", "b", 0), ("c", "NS", 1), ("d", "e", 0)]
    rows = [
        {"id": i, "sentence1": p, "sentence2": h, "label": label} for i, (p, h, label) in enumerate(pairs, 1)
    ]
    publish(
        *(hub, "pawsx", f"ja/validation-{SHARD}", rows),
        id=Value("int32"),
        sentence1=TEXT,
        sentence2=TEXT,
        label=ClassLabel(names=["0", "1"]),
    )
    write(mirror / "pawsx/dev-ja.tsv", "".join(f"{p}\t{h}\t{label}\n" for p, h, label in pairs))

    rows = [
        *(
            {"premise": "p", "choice1": "x", "choice2": "y", "question": q, "label": n, "idx": 40 + n}
            for n, q in enumerate(("cause", "effect"))
        ),
    ]
    number = Value("int32")
    publish(
        *(hub, "xcopa", f"qu/test-{SHARD}", rows),
        **dict.fromkeys(("premise", "choice1", "choice2", "question"), TEXT),
        label=number,
        idx=number,
    )
    write(mirror / "xcopa/test.qu.jsonl", "".join(json.dumps(row) + "\n" for row in rows))

    letters = ["A", "B", "C"]
    rows = [
        {
            "id": "k1",
            "question": "Where?",
            "choices": {"label": letters, "text": ["x", "y", "z"]},
            "answerKey": "C",
        },
        {
            "id": "k2",
            "question": "Who?",
            "choices": {"label": letters, "text": ["x", "y", "z"]},
            "answerKey": "",
        },
    ]
    publish(
        *(hub, "csqa", f"data/validation-{SHARD}", rows),
        id=TEXT,
        question=TEXT,
        choices={"label": Sequence(TEXT), "text": Sequence(TEXT)},
        answerKey=TEXT,
    )
    lines = [
        {
            "id": row["id"],
            "answerKey": row["answerKey"],
            "question": {
                "stem": row["question"],
                "choices": [{"label": a, "text": t} for a, t in zip(letters, "xyz", strict=True)],
            },
        }
        for row in rows
    ]
    write(mirror / "csqa_v1.0/dev_rand_split.jsonl", "".join(json.dumps(line) + "\n" for line in lines))

    qas = [
        {"id": f"swahili-{i}-0", "question": "Nani?", "answers": [{"text": "mtu", "answer_start": 3 + i}]}
        for i in range(3)
    ]
    contexts = [" " * i + "Ni mtu, si mtu mwingine." for i in range(3)]
    document = {
        "data": [{"paragraphs": [{"context": c, "qas": [qa]}]} for c, qa in zip(contexts, qas, strict=True)]
    }
    for folder, name in (("xquad", "xquad.sw.json"), ("tydiqa_goldp", "tydiqa.goldp.sw.dev.json")):
        write(mirror / folder / name, json.dumps(document))
    rows = [
        {
            "id": qa["id"],
            "title": "",
            "context": c,
            "question": qa["question"],
            "answers": {"text": ["mtu"], "answer_start": [3 + i]},
        }
        for i, (c, qa) in enumerate(zip(contexts, qas, strict=True))
    ]
    other = [{**rows[0], "id": "finnish-0-0"}]
    answers = {"text": Sequence(TEXT), "answer_start": Sequence(number)}
    publish(
        hub,
        "tydiqa",
        f"tydiqa/validation-{SHARD}",
        other + rows,
        id=TEXT,
        title=TEXT,
        context=TEXT,
        question=TEXT,
        answers=answers,
    )

    tagged = [{"tokens": ["Güzel", "ev"], "pos_tags": [0, 1]}, {"tokens": ["Gitti"], "pos_tags": [2]}]
    publish(
        hub,
        "udpos",
        f"udpos.Turkish/validation-{SHARD}",
        tagged,
        tokens=Sequence(TEXT),
        pos_tags=Sequence(ClassLabel(names=UPOS)),
    )
    words = "Güzel\tADJ\nev\tNOUN\n\nGitti\tVERB\n\n"
    write(mirror / "udpos/dev-tr.tsv", words)

    sides = [("eins", "one"), ("zwei\u0085 drei", "two three")]
    rows = [{"source_sentence": f"{a}\n", "target_sentence": f"{b}\n"} for a, b in sides]
    publish(
        hub, "tatoeba", f"tatoeba.deu/validation-{SHARD}", rows, source_sentence=TEXT, target_sentence=TEXT
    )
    write(mirror / "tatoeba/tatoeba.deu-eng.deu", "".join(f"{a}\n" for a, _ in sides))
    write(mirror / "tatoeba/tatoeba.deu-eng.eng", "".join(f"{b}\n" for _, b in sides))

    wanted = [("xnli", "dev", "de"), ("pawsx", "dev", "ja"), ("xcopa", "test", "qu"), ("csqa", "dev", "en")]
    wanted += [("tydiqa", "dev", "sw"), ("udpos", "dev", "tr"), ("tatoeba", "test", "de")]
    published = FolderSource(mirror)
    with StandIn(hub) as stand_in:
        for dataset, split, language in wanted:
            done = fetch(
                stand_in.endpoint, tmp_path, dataset, split, hub_dataset(dataset).part(split, language)
            )
            assert done.returncode == 0, done.stderr
    fetched = open_source(tmp_path / "source", "hub")
    for dataset, split, language in wanted:
        ours = fetched.read(dataset, split, language)
        assert ours == published.read(dataset, split, language), dataset
        assert fetched.dropped(dataset, split, language) == published.dropped(dataset, split, language)
        assert fetched.holds(dataset, split)
        assert fetched.splits(dataset) == [split]
    assert fetched.languages("tatoeba", "test") == ["de"]
    assert fetched.languages("tydiqa", "dev") == hub_dataset("tydiqa").languages
    assert len(fetched.read("tydiqa", "dev", "fi")) == 1
    assert fetched.dropped("pawsx", "dev", "ja") == 2
    assert render(fetched.read("udpos", "dev", "tr")) == words
    fetched.check([f"{dataset}/{split}" for dataset, split, _ in wanted if dataset != "tydiqa"])


def test_only_what_is_needed_is_downloaded_and_only_once(hub: StandIn, tmp_path: Path) -> None:
    assert fetch(hub.endpoint, tmp_path, "xnli", "dev", "sw").returncode == 0
    assert hub.downloaded == [f"sw/validation-{SHARD}"]
    part = tmp_path / "source/xnli/dev/sw"
    assert sorted(path.relative_to(part).as_posix() for path in part.rglob("*") if path.is_file()) == [
        "lock.json",
        f"sw/validation-{SHARD}",
    ]
    entry = hub_dataset("xnli")
    original = hub.root / "datasets" / entry.repository / entry.revision / f"sw/validation-{SHARD}"
    assert sha256_of(part / f"sw/validation-{SHARD}") == sha256_of(original)
    locked = open_source(tmp_path / "source", "hub").lock
    assert locked
    file = locked.file("xnli", f"xnli/dev/sw/sw/validation-{SHARD}")
    assert (file.bytes, file.sha256) == (original.stat().st_size, sha256_of(original))
    assert file.origin == f"{entry.repository}@{entry.revision}/sw/validation-{SHARD}"
    assert not (tmp_path / "state").exists()


def test_the_client_library_reads_the_same_labels(hub: StandIn, tmp_path: Path) -> None:
    assert fetch(hub.endpoint, tmp_path, "xnli", "dev", "en").returncode == 0
    file = tmp_path / f"source/xnli/dev/en/en/validation-{SHARD}"
    table = datasets.load_dataset("parquet", data_files=str(file), cache_dir=str(tmp_path / "cache"))["train"]
    names = table.features["label"]
    ours = open_source(tmp_path / "source", "hub").read("xnli", "dev", "en")
    assert [(e.first, e.second, e.label) for e in ours if isinstance(e, PairExample)] == [
        (row["premise"], row["hypothesis"], names.int2str(row["label"])) for row in table
    ]


def failed(done: subprocess.CompletedProcess[str], folder: Path, *messages: str) -> None:
    """One clear error, exit status not 0, and nothing where the data should be."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.count("DataError: ") == 1, done.stderr
    assert "Traceback" not in done.stderr
    for message in (*messages, "Where: ", "Hint: "):
        assert message in done.stderr, f"{message!r} is not in {done.stderr}"
    assert not (folder / "source").exists()
    assert not list(folder.rglob("*.incomplete"))


def test_a_wrong_revision(hub: StandIn, tmp_path: Path) -> None:
    done = fetch(hub.endpoint, tmp_path, "xnli", "dev", "sw", revision="0" * 40)
    failed(done, tmp_path, f"facebook/xnli has no revision {'0' * 40}", "datasets/facebook/xnli", "40 digits")


def test_a_repository_that_is_not_there(hub: StandIn, tmp_path: Path) -> None:
    done = fetch(hub.endpoint, tmp_path, "xnli", "dev", "sw", repository="facebook/xmli")
    failed(done, tmp_path, "the hub has no dataset facebook/xmli", "check the name")


def test_a_missing_file(hub: StandIn, tmp_path: Path) -> None:
    done = fetch(hub.endpoint, tmp_path, "xnli", "dev", "th")
    failed(done, tmp_path, "th/validation-*.parquet is missing at revision b8dd5d7", "in th there is nothing")


def test_a_missing_shard(hub: StandIn, tmp_path: Path) -> None:
    entry = hub_dataset("xnli")
    folder = hub.root / "datasets" / entry.repository / entry.revision / "sw"
    (folder / f"validation-{SHARD}").rename(folder / "validation-00000-of-00002.parquet")
    failed(
        fetch(hub.endpoint, tmp_path, "xnli", "dev", "sw"),
        tmp_path,
        "sw/validation-00001-of-00002.parquet is missing",
    )


def test_a_connection_that_breaks_for_good(hub: StandIn, tmp_path: Path) -> None:
    hub.broken[f"sw/validation-{SHARD}"] = 100
    done = fetch(hub.endpoint, tmp_path, "xnli", "dev", "sw")
    failed(done, tmp_path, "facebook/xnli at b8dd5d7af511: no connection, or one that broke", "run again")
    hub.broken.clear()
    assert fetch(hub.endpoint, tmp_path, "xnli", "dev", "sw").returncode == 0
    assert len(open_source(tmp_path / "source", "hub").read("xnli", "dev", "sw")) == 300


def test_a_connection_that_breaks_once_is_taken_up_again(hub: StandIn, tmp_path: Path) -> None:
    hub.broken[f"sw/validation-{SHARD}"] = 1
    done = fetch(hub.endpoint, tmp_path, "xnli", "dev", "sw")
    assert done.returncode == 0, done.stderr
    assert len(hub.downloaded) == 2
    assert len(open_source(tmp_path / "source", "hub").read("xnli", "dev", "sw")) == 300


def test_files_that_are_complete_are_not_fetched_again(hub: StandIn, tmp_path: Path) -> None:
    """The second of two shards breaks; the next attempt fetches that one only."""
    entry = hub_dataset("xnli")
    folder = hub.root / "datasets" / entry.repository / entry.revision / "sw"
    first = (folder / f"validation-{SHARD}").rename(folder / "validation-00000-of-00002.parquet")
    second = folder / "validation-00001-of-00002.parquet"
    rows = [{"premise": "more", "hypothesis": "?", "label": 2}]
    features = {"premise": TEXT, "hypothesis": TEXT, "label": ClassLabel(names=NLI)}
    publish(hub.root, "xnli", f"sw/{second.name}", rows, **features)
    hub.broken[f"sw/{second.name}"] = 100
    failed(fetch(hub.endpoint, tmp_path, "xnli", "dev", "sw"), tmp_path, "one that broke")
    hub.broken.clear()
    hub.asked.clear()
    assert fetch(hub.endpoint, tmp_path, "xnli", "dev", "sw").returncode == 0
    assert hub.downloaded == [f"sw/{second.name}"]
    examples = open_source(tmp_path / "source", "hub").read("xnli", "dev", "sw")
    assert (len(examples), examples[-1].id) == (301, "xnli-dev-sw-300")
    assert first.is_file()


def test_other_bytes_than_announced(hub: StandIn, tmp_path: Path) -> None:
    hub.wrong.add(f"sw/validation-{SHARD}")
    done = fetch(hub.endpoint, tmp_path, "xnli", "dev", "sw")
    failed(done, tmp_path, "differs from what the hub says of it: expected sha256", "fetched anew")
    hub.wrong.clear()
    assert fetch(hub.endpoint, tmp_path, "xnli", "dev", "sw").returncode == 0


def test_no_network(tmp_path: Path) -> None:
    with StandIn(tmp_path) as gone:
        endpoint = gone.endpoint
    done = fetch(endpoint, tmp_path, "xnli", "dev", "sw")
    failed(done, tmp_path, "facebook/xnli at b8dd5d7af511: no connection", "the target `fetch`")


def test_a_full_disk(hub: StandIn, tmp_path: Path) -> None:
    """A file cannot grow beyond what the system allows the job to write."""
    size = 2000
    done = fetch(
        hub.endpoint,
        tmp_path,
        *("xnli", "dev", "sw"),
        prepare=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )
    failed(done, tmp_path, "the disk is full", "free some room")
    assert not [path for path in tmp_path.glob("state/**/*.parquet") if path.is_file()]
    assert fetch(hub.endpoint, tmp_path, "xnli", "dev", "sw").returncode == 0


def test_an_edited_file_is_noticed(hub: StandIn, tmp_path: Path) -> None:
    assert fetch(hub.endpoint, tmp_path, "xnli", "dev", "sw").returncode == 0
    file = tmp_path / f"source/xnli/dev/sw/sw/validation-{SHARD}"
    content = bytearray(file.read_bytes())
    content[20] ^= 1
    file.write_bytes(content)
    with pytest.raises(DataError, match="expected sha256"):
        open_source(tmp_path / "source", "hub").read("xnli", "dev", "sw")


def test_a_sentence_encoder_is_fetched_with_its_modules(hub: StandIn, tmp_path: Path) -> None:
    revision = "2" * 40
    repository = hub.root / "models/someone/encoder" / revision
    wanted = ["modules.json", "config.json", "tokenizer.json", "model.safetensors", "1_Pooling/config.json"]
    wanted += ["sentence_bert_config.json", "config_sentence_transformers.json"]
    for name in [*wanted, "pytorch_model.bin", "custom.py", "onnx/model.onnx"]:
        write(repository / name, f"{{}} {name}")
    options = (
        "--repository",
        "someone/encoder",
        "--revision",
        revision,
        "--output",
        str(tmp_path / "encoder"),
    )
    done = script("fetch_sentence_encoder", hub.endpoint, tmp_path, *options)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "encoder"
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {*wanted, "lock.json"}


def test_a_model_is_fetched_without_pickles(hub: StandIn, tmp_path: Path) -> None:
    revision = "1" * 40
    repository = hub.root / "models/someone/tiny" / revision
    names = [
        "config.json",
        "tokenizer.json",
        "model.safetensors",
        "pytorch_model.bin",
        "onnx/model.safetensors",
    ]
    for name in names:
        write(repository / name, f"{{}} {name}")
    wanted = ("--repository", "someone/tiny", "--revision", revision, "--output", str(tmp_path / "model"))
    done = script("fetch_model", hub.endpoint, tmp_path, *wanted)
    assert done.returncode == 0, done.stderr
    found = {path.relative_to(tmp_path / "model").as_posix() for path in (tmp_path / "model").rglob("*")}
    assert found == {*names[:3], "lock.json"}
    (repository / "model.safetensors").unlink()
    done = script("fetch_model", hub.endpoint, tmp_path / "again", *wanted[:5], str(tmp_path / "again/model"))
    assert done.returncode == 1
    assert "*.safetensors is missing at revision 1111" in done.stderr
