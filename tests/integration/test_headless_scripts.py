"""Mining and sweeps as the workflow runs them: from a checkpoint and published files to tables."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.unit.tiny_models import ARCHITECTURE, LINES, train_tokenizer
from xstilts.tables import read_table

ROOT = Path(__file__).parents[2]
LETTERS = "abcdefghijkl"
KEY = {"run": "r", "model": "tiny", "recipe": "mlm", "seed": 0}
BUCC = {"type": "mining", "data": {"dataset": "bucc2018", "split": "dev"}}
TATOEBA = {"type": "retrieval", "data": {"dataset": "tatoeba", "split": "test"}}
METRICS = ["accuracy", "recall_at_5", "recall_at_10", "mrr"]
RETRIEVAL = {"layer": 1, "pool": "mean", "direction": "en2xx", "similarity": "cosine", "batch_tokens": 500}


def run(script: str, *arguments: object) -> None:
    command = [sys.executable, str(ROOT / "scripts" / script), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint, and a source in which both sides are the same, so that an untrained encoder finds all."""
    folder = tmp_path_factory.mktemp("headless")
    run(
        "initialise_model.py", "--model", "tiny", "--tokenizer", train_tokenizer(folder / "tokenizer"),
        "--architecture", ARCHITECTURE.model_dump_json(), "--code", "c", "--output", folder / "checkpoint",
    )  # fmt: skip
    texts = [f"{line} {letter}" for letter in LETTERS for line in LINES[:3]]
    files = {
        "bucc2018/zh-en.dev.zh": [f"zh-{i:03d}\t{text}" for i, text in enumerate(texts)],
        "bucc2018/zh-en.dev.en": [f"en-{i:03d}\t{text}" for i, text in enumerate(texts[::-1])],
        "bucc2018/zh-en.dev.gold": [f"zh-{i:03d}\ten-{35 - i:03d}" for i in range(36)],
        "tatoeba/tatoeba.deu-eng.deu": texts,
        "tatoeba/tatoeba.deu-eng.eng": texts,
    }
    for name, lines in files.items():
        path = folder / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return folder


def predict(place: Path, kind: str, task: str, language: str, entry: object, settings: object) -> None:
    run(
        f"predict_{kind}.py", "--checkpoint", place / "checkpoint", "--task", task,
        "--entry", json.dumps(entry), "--languages", language, "--root", place / "source",
        "--settings", json.dumps(settings), "--threads", 1, "--device", "cpu", "--code", "c",
        "--output", place / "predictions" / task,
    )  # fmt: skip


def score(place: Path, task: str, language: str, entry: dict[str, object]) -> pd.DataFrame:
    run(
        "score_predictions.py", "--predictions", place / "predictions" / task, "--task", task,
        "--entry", json.dumps(entry), "--languages", language,
        "--root", place / "source", "--key", json.dumps(KEY), "--scores", place / f"{task}.tsv",
        "--outcomes", place / f"{task}.parquet",
    )  # fmt: skip
    return read_table(place / f"{task}.tsv")


def test_pairs_are_mined_scored_and_compared_with_ngrams(place: Path) -> None:
    settings = {"layer": None, "pool": "mean", "pairs": "max", "neighbours": 4, "batch_tokens": 500}
    entry = {**BUCC, "metrics": ["f1", "precision", "recall"]}
    predict(place, "mining", "bucc2018", "zh", BUCC, settings)
    mined = (place / "predictions/bucc2018/dev-zh.tsv").read_text(encoding="utf-8").splitlines()
    golden = (place / "source/bucc2018/zh-en.dev.gold").read_text(encoding="utf-8").splitlines()
    assert sorted(mined) == golden
    scores = score(place, "bucc2018", "zh", entry)
    assert list(zip(scores["metric"], scores["value"], strict=True)) == [
        ("f1", 1.0), ("precision", 1.0), ("recall", 1.0),
    ]  # fmt: skip
    assert set(scores["setting"]) == {"1-mean-max-margin"}
    assert set(scores["split"]) == {"dev-half"}
    assert len(set(scores["n"])) == 1
    assert 0 < scores["n"].iloc[0] < 36
    run(
        "score_controls.py", "--task", "bucc2018", "--entry", json.dumps(entry), "--languages", "zh",
        "--root", place / "source", "--run", "r", "--settings", "{}", "--scores", place / "controls.tsv",
    )  # fmt: skip
    controls = read_table(place / "controls.tsv")
    assert set(controls["model"]) == {"tfidf"}
    assert set(controls["setting"]) == {"char-ngrams-max-margin"}
    assert set(controls["split"]) == {"dev-half"}
    golden_pairs = controls[controls["metric"] != "precision"]["n"]
    assert set(golden_pairs) == set(scores["n"])


def test_a_threshold_is_tuned_on_one_split_and_another_is_scored_whole(place: Path) -> None:
    for part in ("zh", "en", "gold"):
        dev = (place / f"source/bucc2018/zh-en.dev.{part}").read_text(encoding="utf-8")
        (place / f"source/bucc2018/zh-en.test.{part}").write_text(dev.replace("-0", "-1"), encoding="utf-8")
    settings = {"layer": None, "pool": "mean", "pairs": "max", "neighbours": 4, "batch_tokens": 500}
    test = {"dataset": "bucc2018", "split": "test"}
    entry = {**BUCC, "data": test, "tune": BUCC["data"]}
    predict(place, "mining", "tuned", "zh", entry, settings)
    folder = place / "predictions/tuned"
    files = {path.name for path in folder.iterdir()}
    assert files == {
        f"{split}-zh.{suffix}" for split in ("dev", "test") for suffix in ("tsv", "trec.gz", "tsv.stamp.json")
    }
    golden = (place / "source/bucc2018/zh-en.test.gold").read_text(encoding="utf-8").splitlines()
    assert sorted((folder / "test-zh.tsv").read_text(encoding="utf-8").splitlines()) == golden
    whole = {**entry, "metrics": ["f1", "precision", "recall"]}
    scores = score(place, "tuned", "zh", whole)
    assert (set(scores["split"]), set(scores["n"]), set(scores["value"])) == ({"test"}, {36}, {1.0})
    run(
        "score_controls.py", "--task", "tuned", "--entry", json.dumps(whole), "--languages", "zh",
        "--root", place / "source", "--run", "r", "--settings", "{}", "--scores", place / "tuned.tsv",
    )  # fmt: skip
    controls = read_table(place / "tuned.tsv")
    assert (set(controls["split"]), controls["n"].max()) == ({"test"}, 36)


def test_a_sweep_agrees_with_the_scores(place: Path) -> None:
    entry = {**TATOEBA, "metrics": METRICS}
    predict(place, "retrieval", "tatoeba", "de", TATOEBA, RETRIEVAL)
    scores = score(place, "tatoeba", "de", entry)
    assert sorted(scores["metric"]) == sorted(METRICS)
    assert set(scores["value"]) == {1.0}
    run(
        "score_sweep.py", "--checkpoint", place / "checkpoint", "--task", "tatoeba",
        "--entry", json.dumps(entry), "--languages", "de", "--root", place / "source",
        "--settings", json.dumps(RETRIEVAL), "--key", json.dumps(KEY), "--threads", 1, "--device", "cpu",
        "--scores", place / "sweep.tsv",
    )  # fmt: skip
    sweep = read_table(place / "sweep.tsv")
    settings = {f"{k}-{pool}-en2xx-cosine" for k in range(3) for pool in ("mean", "mean_words", "cls")}
    assert set(sweep["setting"]) == settings
    assert len(sweep) == len(settings) * len(METRICS)
    same = sweep[sweep["setting"] == "1-mean-en2xx-cosine"].reset_index(drop=True)
    pd.testing.assert_frame_equal(same, scores)
    first = sweep[
        sweep["setting"] == "0-cls-en2xx-cosine"
    ]  # the first piece's own embedding is always the same
    assert dict(zip(first["metric"], first["value"], strict=True))["accuracy"] == pytest.approx(
        1 / 36, abs=1e-6
    )


def test_a_kept_language_is_not_predicted_again(place: Path) -> None:
    predict(place, "retrieval", "tatoeba", "de", TATOEBA, RETRIEVAL)
    folder = place / "predictions/tatoeba"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(before) == {"test-de.tsv", "test-de.trec.gz", "test-de.tsv.stamp.json"}
    marked = folder / "test-de.tsv"
    marked.write_text("kept\n", encoding="utf-8")
    predict(place, "retrieval", "tatoeba", "de", TATOEBA, RETRIEVAL)
    assert marked.read_text(encoding="utf-8") == "kept\n"
    (folder / "test-de.trec.gz").unlink()
    predict(place, "retrieval", "tatoeba", "de", TATOEBA, RETRIEVAL)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_sweep_of_mining_agrees_with_the_scores(place: Path) -> None:
    settings = {"layer": None, "pool": "mean", "pairs": "max", "neighbours": 4, "batch_tokens": 500}
    entry = {**BUCC, "metrics": ["f1", "precision", "recall"]}
    predict(place, "mining", "bucc2018", "zh", BUCC, settings)
    scores = score(place, "bucc2018", "zh", entry)
    run(
        "score_sweep.py", "--checkpoint", place / "checkpoint", "--task", "bucc2018",
        "--entry", json.dumps(entry), "--languages", "zh", "--root", place / "source",
        "--settings", json.dumps(settings), "--key", json.dumps(KEY), "--threads", 1, "--device", "cpu",
        "--scores", place / "sweep.tsv",
    )  # fmt: skip
    sweep = read_table(place / "sweep.tsv")
    pools = ("mean", "mean_words", "cls")
    assert set(sweep["setting"]) == {f"{layer}-{pool}-max-margin" for layer in range(3) for pool in pools}
    same = sweep[sweep["setting"] == "1-mean-max-margin"].reset_index(drop=True)
    pd.testing.assert_frame_equal(same, scores)
