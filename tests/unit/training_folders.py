"""Checkpoints without weights: what a card and a log tell of a training."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts.data.examples import PairExample
from xstilts.data.storage import write_examples
from xstilts.tables import write_table

LABELS = ["entailment", "neutral", "contradiction"]
ENTRY = {
    "type": "classification",
    "labels": LABELS,
    "train": {"dataset": "mnli", "split": "train"},
    "dev": {"dataset": "mnli", "split": "dev"},
}
COST = {"training_seconds": 60.0, "examples_per_second": 20.0, "pieces_per_second": 900.0}
COST |= {"peak_memory_mib": 512, "energy_kilojoules": None}


def trained(folder: Path, run: str, rows: list[dict[str, Any]], **facts: Any) -> Path:
    """A checkpoint `<model>/<recipe>/seed<k>` with the rows of its log and the facts of its card."""
    path = folder / run
    write_table(pd.DataFrame(rows), path / "training_log.tsv")
    card = {"device": "cpu", "dtype": "float32", "collapsed": [], "faults": [], **COST, **facts}
    (path / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return path


def selection(step: int, value: float, *, task: str = "mnli", collapsed: bool = False) -> dict[str, Any]:
    """A row of a log."""
    values = (step, 1.0 / step, task, "accuracy", value, collapsed)
    return dict(zip(["step", "loss", "task", "metric", "value", "collapsed"], values, strict=True))


def prepared(folder: Path) -> Path:
    """Prepared examples of `mnli`, half of whose dev set is neutral."""
    labels = ["neutral", "neutral", "entailment", "contradiction"]
    for split in ("train", "dev"):
        examples = [PairExample(f"{split}-{i}", "en", "a", "b", label) for i, label in enumerate(labels)]
        write_examples(folder / "mnli" / f"{split}.jsonl", examples)
    return folder
