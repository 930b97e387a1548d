"""XNLI in XTREME's layout: `premise<TAB>hypothesis<TAB>label`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from xstilts.data.examples import PairExample
from xstilts.data.reading import fields, malformed

LABELS = ("entailment", "neutral", "contradiction")


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[PairExample]:
    """One pair a line; the files of all languages are aligned, and so are the ids' indices."""
    (path,) = paths
    for number, (premise, hypothesis, label) in fields(path, "premise hypothesis label"):
        if label not in LABELS:
            raise malformed(path, number, f"the label '{label}' is none of {', '.join(LABELS)}")
        yield PairExample(f"{dataset}-{split}-{language}-{number - 1}", language, premise, hypothesis, label)
