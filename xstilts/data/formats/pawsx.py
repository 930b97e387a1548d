"""PAWS-X: `sentence1<TAB>sentence2<TAB>label` (XTREME), or with a header and an id first (PAWS-Wiki).

A row with an empty text or `NS` (not translated) is no valid pair: it is dropped and counted, and the
ids of the others keep their indices.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from xstilts.data.examples import PairExample
from xstilts.data.reading import malformed, numbered_lines

HEADER = ["id", "sentence1", "sentence2", "label"]


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[PairExample]:
    """One pair a line, label `0` or `1` (1: paraphrases)."""
    for key, first, second, label in _rows(paths):
        if _valid(first, second):
            yield PairExample(f"{dataset}-{split}-{language}-{key}", language, first, second, label)


def dropped(paths: Sequence[Path]) -> int:
    """The number of rows that are no valid pairs."""
    return sum(not _valid(first, second) for _, first, second, _ in _rows(paths))


def _valid(*texts: str) -> bool:
    return all(text.strip() not in ("", "NS") for text in texts)


def _rows(paths: Sequence[Path]) -> Iterator[tuple[str, str, str, str]]:
    (path,) = paths
    with_ids = False
    for number, line in numbered_lines(path):
        values = line.split("\t")
        if number == 1 and values == HEADER:
            with_ids = True
            continue
        key = values.pop(0) if with_ids else str(number - 1)
        if len(values) != 3:
            raise malformed(path, number, "expected two sentences and a label between tabs")
        first, second, label = values
        if label not in ("0", "1"):
            raise malformed(path, number, f"the label '{label}' is neither 0 nor 1")
        yield key, first, second, label
