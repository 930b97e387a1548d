"""A small micro-XTREME, and how its files are read."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xstilts.micro.generate import files_of
from xstilts.micro.settings import MicroSettings

SMALL = MicroSettings(
    text_lines=1500,
    pair_lines=1500,
    fewest_lines=60,
    retrieval_phrases=60,
    train_examples=300,
    dev_examples=60,
    evaluation_examples=30,
    tydiqa_train_examples=40,
)


def lines(root: Path, dataset: str, split: str) -> Iterator[tuple[str, list[list[str]]]]:
    """Per language, the lines of each of its files."""
    for language, paths in files_of(dataset, SMALL)[split].items():
        yield language, [(root / path).read_text(encoding="utf-8").split("\n")[:-1] for path in paths]


def questions(root: Path, dataset: str, split: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Language, context and question of every example in SQuAD's layout."""
    for language, (content,) in lines(root, dataset, split):
        for article in json.loads(content[0])["data"]:
            for paragraph in article["paragraphs"]:
                for question in paragraph["qas"]:
                    yield language, paragraph["context"], question


def sentences(content: list[str]) -> list[list[list[str]]]:
    """Words and tags of the sentences of a tagged file."""
    blocks = "\n".join(content).strip().split("\n\n")
    return [[line.split("\t") for line in block.split("\n")] for block in blocks]
