"""Tatoeba test sets (LASER, Artetxe and Schwenk 2019): two files whose lines are aligned."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from xstilts.data.examples import ParallelExample
from xstilts.data.reading import malformed, numbered_lines


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[ParallelExample]:
    """One sentence pair a line; `paths` are the language's file and the English one.

    Raises:
        DataError: if one file is longer than the other, or a line is empty.
    """
    path, english_path = paths
    sides = zip_longest(numbered_lines(path), numbered_lines(english_path))
    for index, (text, english) in enumerate(sides):
        if text is None or english is None:
            short = path if text is None else english_path
            raise malformed(short, index + 1, "the file ends before its other side does")
        for side, line in ((path, text[1]), (english_path, english[1])):
            if not line.strip():
                raise malformed(side, index + 1, "an empty sentence")
        yield ParallelExample(f"{dataset}-{split}-{language}-{index}", language, text[1], english[1])
