"""A sample of HellaSwag as one JSON object: a list of questions for each split.

A question has an `id`, a `question` (the context), `choices` by letter, and the letter of its `answer`.
The ids, HellaSwag's own, occur more than once, so the list's index stands in for them.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from xstilts.data.examples import ChoiceExample
from xstilts.data.reading import json_document, malformed


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[ChoiceExample]:
    """The questions of the list that is named as the split is."""
    (path,) = paths
    document = json_document(path)
    if not isinstance(document, dict) or not isinstance(document.get(split), list):
        raise malformed(path, "the top", f"expected an object with a list '{split}'")
    for index, record in enumerate(document[split]):
        place = f"{split} {index}"
        try:
            context, letters = record["question"], list(record["choices"])
            choices, answer = tuple(record["choices"].values()), record["answer"]
        except (AttributeError, KeyError, TypeError) as error:
            raise malformed(path, place, f"not a question with choices and answer: {error}") from error
        if not all(isinstance(text, str) for text in (context, *choices)):
            raise malformed(path, place, "question and choices must be texts")
        if answer not in letters:
            raise malformed(path, place, f"the answer '{answer}' is none of the choices {letters}")
        key = f"{dataset}-{split}-{language}-{index}"
        yield ChoiceExample(key, language, context, "", choices, letters.index(answer))
