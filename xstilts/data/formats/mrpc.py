"""Microsoft Research Paraphrase Corpus: `quality<TAB>id<TAB>id<TAB>sentence<TAB>sentence`, after a header.

The header (`Quality ...`) may be missing; quotation marks are part of the sentences.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from xstilts.data.examples import PairExample
from xstilts.data.reading import fields, malformed


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[PairExample]:
    """One pair a line, label `0` or `1` (1: paraphrases); its id is made of the sentences'."""
    (path,) = paths
    for number, (label, one, other, first, second) in fields(path, "quality id id sentence sentence"):
        if number == 1 and label == "Quality":
            continue
        if label not in ("0", "1"):
            raise malformed(path, number, f"the quality '{label}' is neither 0 nor 1")
        yield PairExample(f"{dataset}-{split}-{language}-{one}-{other}", language, first, second, label)
