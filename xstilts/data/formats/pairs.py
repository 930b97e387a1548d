"""Phrases with English translations: `phrase<TAB>english`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from xstilts.data.examples import ParallelExample
from xstilts.data.reading import fields, malformed


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[ParallelExample]:
    """One pair a line; its id is made of the line's index."""
    (path,) = paths
    for number, (text, english) in fields(path, "phrase english"):
        if not text.strip() or not english.strip():
            raise malformed(path, number, "one side of the pair is empty")
        yield ParallelExample(f"{dataset}-{split}-{language}-{number - 1}", language, text, english)
