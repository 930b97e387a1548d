"""The scripts that score and collect, run as the workflow runs them, on a small source folder."""

import gzip
import json
import os
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.integration.workflow import light
from xstilts.prediction import stamps
from xstilts.tables import read_table

ROOT = Path(__file__).parents[2]
KEY = {"run": "micro", "model": "tiny", "recipe": "mnli", "intermediate": "mnli", "seed": 1}
TAGS = ["DET", "NOUN", "VERB"]


def entry(
    task_type: str, dataset: str, split: str, metrics: list[str], labels: list[str] | None = None
) -> str:
    data = {"dataset": dataset, "split": split}
    return json.dumps({"type": task_type, "labels": labels or [], "data": data, "metrics": metrics})


ENTRIES = {
    "tatoeba": entry("retrieval", "tatoeba", "test", ["accuracy"]),
    "xnli": entry("classification", "xnli", "dev", ["accuracy"], ["entailment", "neutral", "contradiction"]),
    "udpos": entry("tagging", "udpos", "dev", ["f1", "tag_accuracy"], TAGS),
    "xquad": entry("span", "xquad", "test", ["f1", "exact_match"]),
}


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = light(script, *map(str, arguments))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    question = {"id": "q1", "question": "?", "answers": [{"text": "in Bern", "answer_start": 3}]}
    squad = {
        "data": [{"title": "t", "paragraphs": [{"context": "Er in Bern", "qas": [question]}]}],
        "version": "1.1",
    }
    files = {
        "tatoeba/tatoeba.deu-eng.deu": "Good Tag\nTokyo\nBerlin\n",
        "tatoeba/tatoeba.deu-eng.eng": "Good day\nTokyo\nBerlin\n",
        "tatoeba/tatoeba.nob-eng.nob": "God dag\nTokyo\n",
        "tatoeba/tatoeba.nob-eng.eng": "Good day\nTokyo\n",
        "xnli/dev-de.tsv": "a\tb\tneutral\nc\td\tentailment\n",
        "udpos/dev-de.tsv": "der\tDET\nHund\tNOUN\n\nbellt\tVERB\n",
        "xquad/xquad.de.json": json.dumps(squad),
    }
    for name, text in files.items():
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "source"


def run_file(name: str, text: str) -> str:
    """The rankings of one candidate each behind a file of retrieval."""
    ids = f"tatoeba-{name.removesuffix('.tsv')}"
    found = enumerate(text.split())
    return "".join(f"{ids}-{line} Q0 {ids}-{index} 1 0.5 tag\n" for line, index in found)


def score(
    source: Path, task: str, predictions: dict[str, str], output: str = "out"
) -> subprocess.CompletedProcess[str]:
    folder = source.parent / "predictions" / task
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in predictions.items():
        (folder / name).write_text(text, encoding="utf-8")
        if task == "tatoeba":
            (folder / name).with_suffix(".trec.gz").write_bytes(gzip.compress(run_file(name, text).encode()))
        stamps.write(folder / name, {"parameters": 7, "setting": "-"})
    languages = sorted({name.partition("-")[2].partition(".")[0] for name in predictions}, reverse=True)
    return run(
        "score_predictions.py", "--predictions", folder, "--languages", " ".join(languages),
        "--task", task, "--entry", ENTRIES[task], "--root", source, "--key", json.dumps(KEY),
        "--scores", source.parent / f"{output}.tsv", "--outcomes", source.parent / f"{output}.parquet",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("task", "predictions", "expected", "outcomes"),
    [
        (
            "tatoeba",
            {"test-de.tsv": "0\n1\n1\n", "test-no.tsv": "1\n1\n"},
            [("de", "accuracy", 3, 0.666667), ("no", "accuracy", 2, 0.5)],
            [1, 1, 0, 0, 1],
        ),
        ("xnli", {"dev-de.tsv": "neutral\nneutral\n"}, [("de", "accuracy", 2, 0.5)], [1, 0]),
        (
            "udpos",
            {"dev-de.tsv": "DET\nVERB\n\nVERB\n"},
            [("de", "f1", 2, 0.666667), ("de", "tag_accuracy", 3, 0.666667)],
            [0.5, 1],
        ),
        (
            "xquad",
            {"test-de.json": '{"q1": "Bern"}'},
            [("de", "exact_match", 1, 0), ("de", "f1", 1, 0.666667)],
            [0, pytest.approx(2 / 3)],
        ),
    ],
)
def test_predictions_become_scores_and_outcomes(
    source: Path,
    task: str,
    predictions: dict[str, str],
    expected: list[tuple[str, str, int, float]],
    outcomes: list[float],
) -> None:
    for output in ("one", "two"):
        done = score(source, task, predictions, output)
        assert (done.returncode, done.stderr) == (0, "")
    for suffix in ("tsv", "parquet"):
        assert (source.parent / f"one.{suffix}").read_bytes() == (
            source.parent / f"two.{suffix}"
        ).read_bytes()
    table = read_table(source.parent / "one.tsv")
    assert list(zip(table["language"], table["metric"], table["n"], table["value"], strict=True)) == expected
    assert set(table["recipe"]) == {"mnli"}
    assert set(table["target"]) == set(table["setting"]) == {"-"}
    rows = pq.read_table(source.parent / "one.parquet").to_pandas()
    assert list(rows["value"]) == outcomes
    assert set(rows["seed"]) == {1}


@pytest.mark.parametrize(
    ("task", "name", "text", "message"),
    [
        ("tatoeba", "test-de.tsv", "0\n1\n", "1 of 3 examples have no prediction: tatoeba-test-de-2"),
        ("tatoeba", "test-de.tsv", "0\n1\n3\n", "there is no candidate tatoeba-test-de-3"),
        ("xnli", "dev-de.tsv", "neutral\nmaybe\n", "'maybe' is not a label"),
        ("udpos", "dev-de.tsv", "DET\n\nVERB\n", "1 tags for 2 words"),
        ("xquad", "test-de.json", '{"q2": "x"}', "no prediction: q1; 1 predictions belong to no example: q2"),
        ("xnli", "dev-fr.tsv", "neutral\n", "xnli/dev-fr.tsv"),
    ],
)
def test_faults_are_one_message_and_leave_finished_results(
    source: Path, task: str, name: str, text: str, message: str
) -> None:
    finished = source.parent / "out.tsv"
    finished.write_text("finished", encoding="utf-8")
    done = score(source, task, {name: text})
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert finished.read_text(encoding="utf-8") == "finished"
    assert not (source.parent / "out.parquet").exists()


def test_missing_predictions_are_named(source: Path) -> None:
    score(source, "xnli", {"dev-de.tsv": "neutral\nneutral\n"})
    (source.parent / "predictions" / "xnli" / "dev-de.tsv").rename(source.parent / "elsewhere")
    done = run(
        "score_predictions.py", "--predictions", source.parent / "predictions" / "xnli",
        "--languages", "de", "--task", "xnli", "--entry", ENTRIES["xnli"], "--root", source,
        "--key", json.dumps(KEY), "--scores", source.parent / "a", "--outcomes", source.parent / "b",
    )  # fmt: skip
    assert done.returncode == 1
    assert "predictions are missing" in done.stderr
    assert "Traceback" not in done.stderr


def controls(source: Path, task: str, output: str) -> subprocess.CompletedProcess[str]:
    return run(
        "score_controls.py", "--task", task, "--entry", ENTRIES[task], "--languages", "no de",
        "--root", source, "--run", "micro", "--settings", "{}", "--scores", source.parent / output,
    )  # fmt: skip


def test_controls_stand_beside_the_scores(source: Path) -> None:
    score(source, "tatoeba", {"test-de.tsv": "0\n1\n1\n", "test-no.tsv": "1\n1\n"})
    done = controls(source, "tatoeba", "controls.tsv")
    assert (done.returncode, done.stderr) == (0, "")
    output = source.parent / "scores.tsv"
    for order in ([source.parent / "out.tsv", source.parent / "controls.tsv"], None):
        inputs = order or [source.parent / "controls.tsv", source.parent / "out.tsv"]
        done = run("collect_scores.py", *inputs, "--output", output)
        assert (done.returncode, done.stderr) == (0, "")
        table = read_table(output)
        assert list(table["model"]) == ["chance", "chance", "tfidf", "tfidf", "tiny", "tiny"]
        assert list(table["language"]) == ["de", "no"] * 3
        assert list(table["value"][:2]) == [0.333333, 0.5]
    tfidf = table[table["model"] == "tfidf"]
    assert list(tfidf["value"]) == [1, 1]
    assert set(tfidf["setting"]) == {"char-ngrams-en2xx-cosine"}
    assert set(table["parameters"][:4]) == set(table["seed"][:4]) == {0}
    assert set(table["recipe"][:4]) == {"-"}


def test_scores_of_one_key_are_refused(source: Path) -> None:
    score(source, "xnli", {"dev-de.tsv": "neutral\nneutral\n"})
    scores, output = source.parent / "out.tsv", source.parent / "all.tsv"
    done = run("collect_scores.py", scores, scores, "--output", output)
    assert done.returncode == 1
    assert "model=tiny" in done.stderr
    assert not output.exists()


def test_controls_are_for_retrieval(source: Path) -> None:
    done = controls(source, "xnli", "controls.tsv")
    assert done.returncode == 1
    assert "controls are for retrieval" in done.stderr
