"""Social IQa: one JSON object a line (context, question, answerA to answerC), and a file of labels 1 to 3."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from xstilts.data.examples import ChoiceExample
from xstilts.data.reading import json_lines, malformed, numbered_lines

NAMES = ("context", "question", "answerA", "answerB", "answerC")


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[ChoiceExample]:
    """One question a line; its id is made of the line's index. `paths` are the questions and the labels."""
    path, labels_path = paths
    for index, (row, line) in enumerate(zip_longest(json_lines(path), numbered_lines(labels_path))):
        if row is None or line is None:
            short = path if row is None else labels_path
            raise malformed(short, index + 1, "the file ends before its other part does")
        try:
            context, question, *choices = (row[1][name] for name in NAMES)
        except KeyError as error:
            raise malformed(path, index + 1, f"the key {error} is missing") from error
        if not all(isinstance(text, str) for text in (context, question, *choices)):
            raise malformed(path, index + 1, "context, question and answers must be texts")
        if line[1] not in ("1", "2", "3"):
            raise malformed(labels_path, index + 1, f"the label '{line[1]}' is none of 1, 2, 3")
        key = f"{dataset}-{split}-{language}-{index}"
        yield ChoiceExample(key, language, context, question, tuple(choices), int(line[1]) - 1)
