"""MultiNLI as XNLI's authors machine-translated it: `premise<TAB>hypo<TAB>label`, after one line of names."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from xstilts.data.examples import PairExample
from xstilts.data.reading import fields, malformed

LABELS = {"entailment": "entailment", "neutral": "neutral", "contradictory": "contradiction"}


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[PairExample]:
    """One pair a line; line i of every language is the same pair."""
    (path,) = paths
    for number, (premise, hypothesis, label) in islice(fields(path, "premise hypo label"), 1, None):
        if label not in LABELS:
            raise malformed(path, number, f"the label '{label}' is none of {', '.join(LABELS)}")
        key = f"{dataset}-{split}-{language}-{number - 2}"
        yield PairExample(key, language, premise, hypothesis, LABELS[label])
