"""Plain text, one sentence a line; empty lines are left out."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from xstilts.data.reading import numbered_lines


def lines(paths: Sequence[Path]) -> Iterator[str]:
    """The sentences, without white space around them."""
    (path,) = paths
    for _, line in numbered_lines(path):
        if sentence := line.strip():
            yield sentence
