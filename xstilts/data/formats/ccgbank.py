"""CCGbank's machine-readable derivations (`.auto`, LDC2005T13), read for their words and supertags.

A sentence is a line `ID=... PARSER=GOLD ...` and one with its derivation, whose leaves are
`(<L category modified-tag original-tag word category-with-indices>)`.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from xstilts.data.examples import TaggedExample
from xstilts.data.reading import malformed, numbered_lines

NAME = re.compile(r"ID=(\S+) ")
LEAF = re.compile(r"\(<L (\S+) \S+ \S+ (\S+) \S+>\)")


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[TaggedExample]:
    """One sentence a derivation, in the order of the files; ids are the publisher's (wsj_0001.1)."""
    for path in paths:
        name = ""
        for number, line in numbered_lines(path):
            if found := NAME.match(line):
                name = found[1]
                continue
            leaves = LEAF.findall(line)
            if not name or not leaves or line.count("(<L ") != len(leaves):
                raise malformed(path, number, "expected a derivation after the line that names it")
            tags, words = zip(*leaves, strict=True)
            yield TaggedExample(name, language, words, tags)
            name = ""
