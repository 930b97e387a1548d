"""SQuAD's JSON: articles of paragraphs of questions, whose types are checked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xstilts.data.reading import json_document, malformed


def questions(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Paragraph and question (id, question, answers with text and answer_start), in the file's order.

    Raises:
        DataError: if the file is not in this format.
    """
    document = json_document(path)
    place = "the top"
    try:
        for i, article in enumerate(document["data"]):
            for j, paragraph in enumerate(article["paragraphs"]):
                place = f"article {i}, paragraph {j}"
                for question in paragraph["qas"]:
                    place = f"article {i}, paragraph {j}, question {question['id']}"
                    _check_types(paragraph["context"], question)
                    yield paragraph["context"], question
    except KeyError as error:
        raise malformed(path, place, f"the key {error} is missing") from error
    except TypeError as error:
        raise malformed(path, place, f"not in SQuAD's format: {error}") from error


def _check_types(context: object, question: dict[str, Any]) -> None:
    texts = [context, question["id"], question["question"], *(a["text"] for a in question["answers"])]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("context, id, question and answers must be texts")
    if not all(isinstance(answer["answer_start"], int) for answer in question["answers"]):
        raise TypeError("answer_start must be a whole number")
