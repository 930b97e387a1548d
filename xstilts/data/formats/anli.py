"""ANLI: one JSON object a line (uid, context, hypothesis, label e, n or c), a file for each round."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from xstilts.data.examples import PairExample
from xstilts.data.reading import json_lines, malformed

LABELS = {"e": "entailment", "n": "neutral", "c": "contradiction"}


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[PairExample]:
    """One pair a line, round by round; the context is the premise, and the ids are the publisher's."""
    for path in paths:
        for number, record in json_lines(path):
            try:
                values = [record[name] for name in ("uid", "context", "hypothesis", "label")]
            except KeyError as error:
                raise malformed(path, number, f"the key {error} is missing") from error
            if not all(isinstance(value, str) for value in values):
                raise malformed(path, number, "uid, context, hypothesis and label must be texts")
            key, premise, hypothesis, label = values
            if label not in LABELS:
                raise malformed(path, number, f"the label '{label}' is none of {', '.join(LABELS)}")
            yield PairExample(key, language, premise, hypothesis, LABELS[label])
