"""Sentence pairs with a label, one JSON object a line.

Keys are premise, hypothesis and label, or the publishers' own (MultiNLI, SNLI): sentence1, sentence2,
gold_label and pairID, where a gold label `-` (no majority) makes a row no example.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from xstilts.data.examples import PairExample
from xstilts.data.reading import json_lines, malformed

LABELS = ("entailment", "neutral", "contradiction")
NAMES = {"premise": "sentence1", "hypothesis": "sentence2", "label": "gold_label"}


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[PairExample]:
    """One pair a line; its id is the publisher's, else made of the line's index."""
    for number, record in _rows(paths):
        if record["label"] != "-":
            key = record["key"] or f"{dataset}-{split}-{language}-{number - 1}"
            yield PairExample(key, language, record["premise"], record["hypothesis"], record["label"])


def dropped(paths: Sequence[Path]) -> int:
    """The number of rows without a majority label."""
    return sum(record["label"] == "-" for _, record in _rows(paths))


def _rows(paths: Sequence[Path]) -> Iterator[tuple[int, dict[str, Any]]]:
    (path,) = paths
    for number, record in json_lines(path):
        row = {name: record.get(name, record.get(other)) for name, other in NAMES.items()}
        for name, value in row.items():
            if not isinstance(value, str):
                raise malformed(path, number, f"the key '{name}' is missing or not a text")
        if row["label"] not in (*LABELS, "-"):
            raise malformed(path, number, f"the label '{row['label']}' is none of {', '.join(LABELS)}")
        yield number, row | {"key": record.get("pairID")}
