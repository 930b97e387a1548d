"""CommonsenseQA: one JSON object a line (id, question.stem, question.choices, answerKey)."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from xstilts.data.examples import ChoiceExample
from xstilts.data.reading import json_lines, malformed


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[ChoiceExample]:
    """One question a line, of three choices in v1.0 and five later; a test set has no answers."""
    (path,) = paths
    for number, record in json_lines(path):
        try:
            key, stem = record["id"], record["question"]["stem"]
            choices = tuple(choice["text"] for choice in record["question"]["choices"])
            letters = [choice["label"] for choice in record["question"]["choices"]]
        except KeyError as error:
            raise malformed(path, number, f"the key {error} is missing") from error
        except TypeError as error:
            raise malformed(path, number, f"not in CommonsenseQA's format: {error}") from error
        if not all(isinstance(text, str) for text in (key, stem, *choices)) or len(choices) < 2:
            raise malformed(path, number, "expected texts: an id, a stem and at least two choices")
        answer = record.get("answerKey") or None
        if answer is not None and answer not in letters:
            raise malformed(path, number, f"the answer '{answer}' is none of the choices {letters}")
        label = None if answer is None else letters.index(answer)
        yield ChoiceExample(key, language, "", stem, choices, label)
