"""SICK: one file of all splits with a header; the columns are found by their names."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from xstilts.data.examples import PairExample
from xstilts.data.reading import malformed, numbered_lines

COLUMNS = ("pair_ID", "sentence_A", "sentence_B", "entailment_label", "SemEval_set")
LABELS = ("entailment", "neutral", "contradiction")
SPLITS = ("train", "trial", "test")


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[PairExample]:
    """The pairs of the split that the column SemEval_set names; ids are the publisher's."""
    (path,) = paths
    places: list[int] = []
    width = 0
    for number, line in numbered_lines(path):
        values = line.split("\t")
        if number == 1:
            if missing := [name for name in COLUMNS if name not in values]:
                raise malformed(path, number, f"the column '{missing[0]}' is missing")
            places, width = [values.index(name) for name in COLUMNS], len(values)
            continue
        if len(values) != width:
            raise malformed(path, number, f"expected {width} fields between tabs, found {len(values)}")
        key, first, second, label, part = (values[place] for place in places)
        if label.lower() not in LABELS or part.lower() not in SPLITS:
            raise malformed(path, number, f"'{label}' is no label of SICK, or '{part}' none of its splits")
        if part.lower() == split:
            yield PairExample(f"{dataset}-{split}-{language}-{key}", language, first, second, label.lower())
