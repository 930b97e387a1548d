"""BUCC 2018: two files `id<TAB>sentence` and the gold pairs `id<TAB>id`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from xstilts.data.examples import ParallelExample
from xstilts.data.reading import fields, malformed


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[ParallelExample]:
    """All sentences: first those of the language, then the English ones that no gold pair holds.

    A sentence without a translation has an empty other side. Ids are the publisher's, `zh-1:en-7`
    for a gold pair.

    Raises:
        DataError: if a gold pair names an unknown sentence, or a sentence is in two gold pairs.
    """
    path, english_path, gold_path = paths
    texts, english = _sentences(path), _sentences(english_path)
    gold = _gold(gold_path, texts, english)
    for key, text in texts.items():
        pair = gold.get(key)
        name, other = (f"{key}:{pair}", english[pair]) if pair else (key, "")
        yield ParallelExample(name, language, text, other)
    paired = set(gold.values())
    for key, text in english.items():
        if key not in paired:
            yield ParallelExample(key, language, "", text)


def _sentences(path: Path) -> dict[str, str]:
    sentences: dict[str, str] = {}
    for number, (key, text) in fields(path, "id sentence"):
        if key in sentences:
            raise malformed(path, number, f"the id '{key}' is given twice")
        sentences[key] = text
    return sentences


def _gold(path: Path, texts: dict[str, str], english: dict[str, str]) -> dict[str, str]:
    gold: dict[str, str] = {}
    taken: set[str] = set()
    for number, (key, other) in fields(path, "id english-id"):
        if key not in texts or other not in english:
            raise malformed(path, number, f"the gold pair {key} {other} names an unknown sentence")
        if key in gold or other in taken:
            raise malformed(path, number, f"a sentence of {key} {other} is in two gold pairs")
        gold[key] = other
        taken.add(other)
    return gold
