"""Tagged sentences (UD POS, WikiANN) in XTREME's layout: `word<TAB>tag`, an empty line after a sentence."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from xstilts.data.examples import TaggedExample
from xstilts.data.reading import malformed, numbered_lines


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[TaggedExample]:
    """One sentence a block; its id is made of the sentence's index."""
    (path,) = paths
    for index, block in enumerate(_blocks(path)):
        words, tags = zip(*block, strict=True)
        yield TaggedExample(f"{dataset}-{split}-{language}-{index}", language, words, tags)


def render(examples: Iterable[TaggedExample]) -> str:
    """The file that `parse` reads; a sentence without tags has its words alone."""
    lines: list[str] = []
    for example in examples:
        if example.tags is None:
            lines.extend(example.words)
        else:
            lines.extend(f"{word}\t{tag}" for word, tag in zip(example.words, example.tags, strict=True))
        lines.append("")
    return "\n".join(lines) + "\n"


def _blocks(path: Path) -> Iterator[list[tuple[str, str]]]:
    block: list[tuple[str, str]] = []
    for number, line in numbered_lines(path):
        if line:
            word, tab, tag = line.partition("\t")
            if not (word and tab and tag) or "\t" in tag:
                raise malformed(path, number, "expected a word and its tag between tabs")
            block.append((word, tag))
        elif block:
            yield block
            block = []
    if block:
        yield block
