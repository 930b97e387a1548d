"""Quora Question Pairs in GLUE's layout: tabs, a header, and `0` or `1` (duplicates) last.

A few questions hold line ends, which nothing quotes: such a row lacks fields, is dropped and counted.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from xstilts.data.examples import PairExample
from xstilts.data.reading import malformed, numbered_lines

HEADER = ["id", "qid1", "qid2", "question1", "question2", "is_duplicate"]


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[PairExample]:
    """One pair a line; its id is made of the publisher's."""
    for path, number, values in _rows(paths):
        if len(values) == len(HEADER):
            key, _, _, first, second, label = values
            if label not in ("0", "1"):
                raise malformed(path, number, f"the label '{label}' is neither 0 nor 1")
            yield PairExample(f"{dataset}-{split}-{language}-{key}", language, first, second, label)


def dropped(paths: Sequence[Path]) -> int:
    """The number of rows that lack fields."""
    return sum(len(values) != len(HEADER) for _, _, values in _rows(paths))


def _rows(paths: Sequence[Path]) -> Iterator[tuple[Path, int, list[str]]]:
    (path,) = paths
    for number, line in numbered_lines(path):
        values = line.split("\t")
        if number == 1:
            if values != HEADER:
                raise malformed(path, number, f"expected the header {' '.join(HEADER)}")
            continue
        if len(values) > len(HEADER):
            raise malformed(path, number, f"expected {len(HEADER)} fields between tabs, found {len(values)}")
        yield path, number, values
