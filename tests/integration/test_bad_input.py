"""Bad input: one clear message, exit status not 0, no traceback, and nothing that was finished is lost."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.integration.workflow import TINY, Clone

MIRRORED = ("csqa", "mnli", "tatoeba", "text", "xnli")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone with a small mirror, its lock, a run that reads it, and one finished result."""
    made = Clone.make(tmp_path_factory.mktemp("clone"))
    config = yaml.safe_load((made.folder / TINY).read_text(encoding="utf-8"))
    settings = json.dumps(config["data"].pop("micro"))
    for dataset in MIRRORED:
        script(made, "generate_micro", "--dataset", dataset, "--settings", settings, "--output", "mirror")
    script(made, "lock_data", "--mirror", "mirror", "--output", "mirror.lock")
    config["run"] |= {"evaluations": [{"recipes": ["mlm"], "tasks": ["xnli"]}]}
    config["data"] |= {"source": "mirror", "mirror": "mirror", "lock": "mirror.lock"}
    config["studies"]["typology"]["recipes"] = ["mlm"]
    (made.folder / "mirrored.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    made.build("languages", "results/tiny/data/evaluation_keys.parquet", config="mirrored.yaml")
    return made


def script(clone: Clone, name: str, *options: str) -> None:
    """Run one of the project's scripts in the clone."""
    subprocess.run(
        [sys.executable, f"scripts/{name}.py", *options],
        cwd=clone.folder,
        env=clone.environment(),
        check=True,
    )


def snapshot(clone: Clone) -> dict[str, str]:
    """Hashes of all finished results."""
    files = [path for path in clone.results().rglob("*") if path.is_file() and "logs" not in path.parts]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def refused(clone: Clone, *arguments: str, changes: dict[str, object] | None = None) -> str:
    """What Snakemake says when it refuses; `changes` overlay the configuration."""
    before = snapshot(clone)
    (clone.folder / "changes.yaml").write_text(yaml.safe_dump(changes or {}), encoding="utf-8")
    done = clone.snakemake(*arguments, config="mirrored.yaml changes.yaml")
    said = done.stdout + done.stderr
    assert done.returncode != 0, said
    assert "Traceback" not in said
    assert snapshot(clone) == before
    return said


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"run": {"sedes": [1]}}, ["ConfigError", "run.sedes: unknown key"]),
        ({"training": {"epochs": "many"}}, ["ConfigError", "training.epochs", "'many'"]),
        ({"run": {"seeds": "one"}}, ["ConfigError", "run.seeds"]),
        (
            {"training": {"learning_rate": {"*/*/mnli": 1e-4}}},
            ["ConfigError", "training.learning_rate", "fallback"],
        ),
        ({"run": {"models": ["nobody"]}}, ["ConfigError", "unknown model 'nobody'"]),
        ({"run": {"languages": ["en", "xx"]}}, ["RegistryError", "'xx'"]),
        ({"run": {"languages": ["he", "iw", "de"]}}, ["RegistryError", "twice"]),
        (
            {"run": {"evaluations": [{"recipes": ["mlm"], "tasks": ["nothing"]}]}},
            ["ConfigError", "unknown evaluation task 'nothing'"],
        ),
        (
            {"run": {"evaluations": [{"recipes": ["mlm", "nothing"], "tasks": ["xnli"]}]}},
            ["RecipeError", "unknown task 'nothing'"],
        ),
        (
            {"run": {"evaluations": [{"recipes": ["mnli--csqa"], "tasks": ["xnli"]}]}},
            ["RecipeError", "position 6", "^"],
        ),
        ({"run": {"languages": ["en", "de", "yo"]}}, ["DataError", "no tatoeba/test in yo"]),
        (
            {"run": {"evaluations": [{"recipes": ["ccg"], "tasks": ["tatoeba"]}]}},
            ["DataError", "Linguistic Data Consortium", "data.folders.ccg", "run.without: [ccg]"],
        ),
    ],
)
def test_a_wrong_configuration(clone: Clone, changes: dict[str, object], expected: list[str]) -> None:
    said = refused(clone, "--dry-run", changes=changes)
    for words in expected:
        assert words in said, said
    assert said.count(f"{expected[0]}: ") == 1


def test_a_run_goes_on_without_a_licensed_task_if_told_so(clone: Clone) -> None:
    run = {"evaluations": [{"recipes": ["mlm", "ccg", "ccg-mnli"], "tasks": ["xnli"]}], "without": ["ccg"]}
    (clone.folder / "without.yaml").write_text(yaml.safe_dump({"run": run}), encoding="utf-8")
    planned = clone.snakemake("--dry-run", "scores", config="mirrored.yaml without.yaml")
    assert planned.returncode == 0, planned.stderr
    assert "train_stage" in planned.stdout
    assert "ccg" not in planned.stdout
    done = clone.snakemake("results/tiny/rulegraph.svg", config="mirrored.yaml without.yaml")
    assert done.returncode == 0, done.stderr
    assert "without ccg: what it needs is in run.without\n" in done.stdout + done.stderr


def test_two_languages_with_one_code(clone: Clone) -> None:
    path = clone.folder / "xstilts/registry/languages.yaml"
    content = path.read_text(encoding="utf-8")
    entries = yaml.safe_load(content)
    try:
        path.write_text(yaml.safe_dump({**entries, "d2": entries["de"]}), encoding="utf-8")
        assert "same language (deu)" in refused(clone, "--dry-run")
        path.write_text(content + "\nde: {}\n", encoding="utf-8")
        assert "the key 'de' is given twice" in refused(clone, "--dry-run")
    finally:
        path.write_text(content, encoding="utf-8")


def test_no_mirror(clone: Clone) -> None:
    said = refused(clone, "scores", changes={"data": {"mirror": "elsewhere"}})
    assert "DataError: the data folder is missing" in said
    assert "data.mirror" in said


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda content: content[:-1] + bytes([content[-1] ^ 1]), "differs from the lock"),
        (lambda content: content[: len(content) // 2], "truncated download"),
        (lambda content: b"", "truncated download"),
    ],
)
def test_a_damaged_file_of_the_mirror(clone: Clone, damage: Callable[[bytes], bytes], expected: str) -> None:
    path = clone.folder / "mirror/csqa_v1.0/dev_rand_split.jsonl"
    content = path.read_bytes()
    try:
        path.write_bytes(damage(content))
        said = refused(clone, "results/tiny/data/training/csqa/train.jsonl")
        assert expected in said
        assert "csqa_v1.0/dev_rand_split.jsonl" in said
    finally:
        path.write_bytes(content)


def test_an_empty_language_file_without_a_lock(clone: Clone) -> None:
    shutil.copytree(clone.folder / "mirror", clone.folder / "emptied")
    (clone.folder / "emptied/xnli/dev-de.tsv").write_bytes(b"")
    changes = {"run": {"name": "unlocked"}, "data": {"mirror": "emptied", "lock": None}}
    said = refused(clone, "results/unlocked/data/evaluation_keys.parquet", changes=changes)
    assert "is empty" in said
    assert "xnli/dev-de.tsv" in said


@pytest.mark.parametrize("damage", ["missing", "truncated", "lacking"])
def test_an_unreadable_checkpoint(clone: Clone, damage: str) -> None:
    folder = clone.folder / f"model-{damage}"
    clone.build("results/tiny/checkpoints/micro/untrained/seed0", config="mirrored.yaml")
    if damage != "missing":
        shutil.copytree(clone.results() / "checkpoints/micro/untrained/seed0", folder)
        weights = folder / "model.safetensors"
        if damage == "truncated":
            weights.write_bytes(weights.read_bytes()[:1000])
        else:
            rename_a_weight(weights)
    changes = {
        "run": {"models": ["outside"]},
        "models": {"outside": {"source": "folder", "folder": folder.name}},
    }
    said = refused(clone, "results/tiny/checkpoints/outside/mlm/seed0", changes=changes)
    assert "CheckpointError" in said
    assert folder.name in said


def rename_a_weight(path: Path) -> None:
    """Give one encoder weight a name that the encoder does not know."""
    from safetensors.numpy import load_file, save_file

    tensors = load_file(path)
    name = next(name for name in sorted(tensors) if "query.weight" in name)
    tensors["lost." + name] = tensors.pop(name)
    save_file(tensors, path, metadata={"format": "pt"})
