"""HellaSwag: one JSON object a line (ctx, endings, label); a test set has no labels."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from xstilts.data.examples import ChoiceExample
from xstilts.data.reading import json_lines, malformed


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[ChoiceExample]:
    """One context a line with four endings; its id is made of the line's index."""
    (path,) = paths
    for number, record in json_lines(path):
        try:
            context, endings, label = record["ctx"], record["endings"], record.get("label")
        except KeyError as error:
            raise malformed(path, number, f"the key {error} is missing") from error
        if not isinstance(endings, list) or not all(isinstance(text, str) for text in (context, *endings)):
            raise malformed(path, number, "ctx must be a text, and endings a list of texts")
        if label is not None and label not in range(len(endings)):
            raise malformed(path, number, f"the label {label!r} is none of the {len(endings)} endings")
        key = f"{dataset}-{split}-{language}-{number - 1}"
        yield ChoiceExample(key, language, context, "", tuple(endings), label)
