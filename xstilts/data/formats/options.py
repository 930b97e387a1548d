"""Multiple choice, one JSON object a line: context, question, options, and the answer, one of the options."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from xstilts.data.examples import ChoiceExample
from xstilts.data.reading import json_lines, malformed


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[ChoiceExample]:
    """One question a line; its id is made of the line's index. Of equal options the first is the answer."""
    (path,) = paths
    for number, record in json_lines(path):
        try:
            context, question, answer = record["context"], record["question"], record["answer"]
            options = list(record["options"])
        except (KeyError, TypeError) as error:
            raise malformed(path, number, f"not a question with options and answer: {error}") from error
        if not all(isinstance(text, str) for text in (context, question, answer, *options)):
            raise malformed(path, number, "context, question, answer and options must be texts")
        if answer not in options:
            raise malformed(path, number, f"the answer '{answer}' is none of the options")
        key, choices = f"{dataset}-{split}-{language}-{number - 1}", tuple(options)
        yield ChoiceExample(key, language, context, question, choices, options.index(answer))
