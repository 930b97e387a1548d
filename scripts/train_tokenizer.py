"""Learn the tokenizer of the models that the run pre-trains."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.command_line import from_json, run
from xstilts.data.reading import numbered_lines
from xstilts.job_settings import TokenizerSettings
from xstilts.training import tokenizer


def main(
    corpus: Annotated[Path, Option(help="Prepared pre-training text")],
    settings: Annotated[str, Option(help="Tokenizer settings, as JSON")],
    output: Annotated[Path, Option(help="Folder for tokenizer.json")],
) -> None:
    """Train a tokenizer on the run's text."""
    chosen = from_json(TokenizerSettings, settings, "--settings")
    tokenizer.train(list(_texts(corpus, chosen.lines)), chosen.vocabulary, chosen.coverage, output)


def _texts(corpus: Path, cap: int | None) -> Iterator[str]:
    """Text and both sides of the pairs, at most `cap` lines per file."""
    for file in sorted([*corpus.glob("text/*.txt"), *corpus.glob("pairs/*.tsv")]):
        lines = [line for _, line in numbered_lines(file)]
        if cap is not None and len(lines) > cap:
            lines = random.Random(file.stem).sample(lines, cap)
        for line in lines:
            yield from line.split("\t")


if __name__ == "__main__":
    run(main)
