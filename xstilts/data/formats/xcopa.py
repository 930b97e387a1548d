"""XCOPA and COPA: one JSON object a line (premise, choice1, choice2, question, label, idx)."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from xstilts.data.examples import ChoiceExample
from xstilts.data.reading import json_lines, malformed


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[ChoiceExample]:
    """One question a line; `question` is `cause` or `effect`."""
    (path,) = paths
    for number, record in json_lines(path):
        try:
            premise, question, key = record["premise"], record["question"], record["idx"]
            choices = (record["choice1"], record["choice2"])
            label = record.get("label")
        except KeyError as error:
            raise malformed(path, number, f"the key {error} is missing") from error
        if not all(isinstance(text, str) for text in (premise, *choices)):
            raise malformed(path, number, "premise and choices must be texts")
        if question not in ("cause", "effect") or label not in (0, 1, None):
            raise malformed(path, number, "question must be cause or effect, and label 0 or 1")
        yield ChoiceExample(
            f"{dataset}-{split}-{language}-{key}", language, premise, question, choices, label
        )
