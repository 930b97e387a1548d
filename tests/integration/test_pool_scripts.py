"""Predicting and scoring one pool, as the workflow calls the programs, with an encoder of random weights."""

import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.integration.test_scoring_scripts import run
from tests.unit.test_queries import paragraph, write
from tests.unit.tiny_models import tiny, train_tokenizer
from xstilts import card
from xstilts.fingerprint import ROOT
from xstilts.model import checkpoint
from xstilts.tables import read_table

DATA = {"dataset": "xquad_r", "split": "test"}
METRICS = ["map_at_20", "recall_at_1", "recall_at_10", "recall_at_10_ceiling", "mrr"]
ENTRY = {"type": "dual_encoder", "labels": [], "data": DATA}
SETTINGS = {"head": "lareqa", "max_length": 32, "embedding": "cls", "batch_tokens": 64}
KEY = {"run": "r", "model": "m", "recipe": "lareqa", "intermediate": "-", "target": "lareqa", "seed": 1}


def run_model(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / script), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = tiny(train_tokenizer(tmp_path / "tokenizer"))
    model.add_head("lareqa", "dual_encoder", [])
    checkpoint.save(model, tmp_path / "checkpoint")
    card.write(tmp_path / "checkpoint", time.monotonic(), parameters=7)
    for language in ("de", "en"):
        write(tmp_path / "source" / "xquad_r" / f"{language}.json", paragraph(language))
    return tmp_path


def predicted(
    folder: Path, languages: str, start: Callable[..., subprocess.CompletedProcess[str]] = run_model
) -> subprocess.CompletedProcess[str]:
    return start(
        "predict_pool.py", "--checkpoint", folder / "checkpoint", "--task", "lareqa",
        "--entry", json.dumps(ENTRY), "--languages", languages, "--root", folder / "source",
        "--settings", json.dumps(SETTINGS), "--threads", 1, "--device", "cpu", "--code", "c",
        "--output", folder / "predictions",
    )  # fmt: skip


def test_predictions_are_ranked_and_scored(folder: Path) -> None:
    done = predicted(folder, "en de")
    assert done.returncode == 0, done.stderr
    lines = gzip.decompress((folder / "predictions" / "test-de.trec.gz").read_bytes()).decode().splitlines()
    ranked = [line.split() for line in lines]
    assert [fields[0] for fields in ranked] == ["q1"] * 4
    assert {fields[2] for fields in ranked} == {"de_1_0", "de_1_1", "en_1_0", "en_1_1"}
    scored = run(
        "score_predictions.py", "--predictions", folder / "predictions",
        "--languages", "en de", "--task", "lareqa", "--entry", json.dumps({**ENTRY, "metrics": METRICS}),
        "--root", folder / "source", "--key", json.dumps(KEY),
        "--scores", folder / "scores.tsv", "--outcomes", folder / "outcomes.parquet",
    )  # fmt: skip
    assert scored.returncode == 0, scored.stderr
    table = read_table(folder / "scores.tsv")
    assert set(table["setting"]) == {"2-cls-xx2all-cosine"} and set(table["n"]) == {1}
    hits = np.array([fields[2] in ("de_1_1", "en_1_1") for fields in ranked])
    precision = hits.cumsum() / np.arange(1, 5)
    expected = {
        "map_at_20": precision[hits].mean(),
        "recall_at_1": hits[0] / 2,
        "recall_at_10": 1,
        "recall_at_10_ceiling": 1,
        "mrr": 1 / (hits.argmax() + 1),
    }
    german = table[table["language"] == "de"].set_index("metric")["value"].to_dict()
    assert german == pytest.approx(expected, abs=1e-6)
    outcomes = pq.read_table(folder / "outcomes.parquet").to_pylist()
    assert len(outcomes) == 2 * len(METRICS)
    assert {(row["language"], row["id"]) for row in outcomes} == {("de", "q1"), ("en", "q1")}


def test_predictions_that_hold_are_kept_without_a_model(folder: Path) -> None:
    assert predicted(folder, "en de").returncode == 0
    before = (folder / "predictions" / "test-en.json").read_bytes()
    (folder / "checkpoint" / "model.safetensors").unlink()
    assert predicted(folder, "de en", start=run).returncode == 0  # nor with torch
    assert (folder / "predictions" / "test-en.json").read_bytes() == before
    assert predicted(folder, "en").returncode != 0  # another pool needs the model


def test_controls_stand_beside(folder: Path) -> None:
    done = run(
        "score_controls.py", "--task", "lareqa", "--entry", json.dumps({**ENTRY, "metrics": METRICS}),
        "--languages", "en de", "--root", folder / "source", "--run", "r", "--settings", "{}",
        "--scores", folder / "controls.tsv",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    table = read_table(folder / "controls.tsv")
    values = table.set_index(["language", "model", "metric"])["value"].to_dict()
    assert values["de", "chance", "recall_at_1"] == 0.25
    assert values["en", "chance", "mrr"] == pytest.approx((3 / 6 + 2 / 6 / 2 + 1 / 6 / 3), abs=1e-6)
    assert set(table["setting"]) == {"-", "char-ngrams-xx2all-cosine"}


def test_controls_are_scored_on_the_queries_that_models_are_scored_on(folder: Path) -> None:
    """A cap leaves candidates in the pool; of two questions with one right sentence each, one is asked."""
    for language in ("de", "en"):
        one = paragraph(language)
        (asked,) = one["qas"]
        start = one["sentence_breaks"][0][0]
        answer = {"answer_start": start, "text": one["context"][start : start + 2]}
        one["qas"] = [asked, asked | {"id": "q2", "answers": [answer]}]
        write(folder / "source" / "xquad_r" / f"{language}.json", one)
    counts = []
    for cap in (None, 1):
        done = run(
            "score_controls.py", "--task", "lareqa", "--languages", "en de", "--run", "r", "--settings", "{}",
            "--entry", json.dumps({**ENTRY, "metrics": METRICS, "cap": cap}), "--root", folder / "source",
            "--scores", folder / "controls.tsv",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        table = read_table(folder / "controls.tsv")
        counts.append(set(table["n"]))
        assert set(table.loc[table["metric"] == "recall_at_1", "model"]) == {"chance", "tfidf"}
        chance = table[(table["model"] == "chance") & (table["metric"] == "recall_at_1")]
        assert set(chance["value"]) == {0.25}, "the pool stays whole"
    assert counts == [{2}, {1}]
