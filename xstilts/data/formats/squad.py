"""SQuAD's JSON, versions 1.1 and 2.0, which XQuAD, XQuAD-R, MLQA and TyDiQA-GoldP share.

XTREME withholds the answers of its test sets by giving each as an empty text; such an answer is kept
as it is (see xstilts.data.labels.is_labelled).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from xstilts.data.examples import SpanExample
from xstilts.data.reading import json_document, malformed


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[SpanExample]:
    """One example a question, in the file's order.

    Ids are the publisher's where they are unique (TyDiQA-GoldP v1.1's training files repeat theirs),
    else made of the question's index.

    Raises:
        DataError: if the file is not in this format, or an answer does not stand at its offset.
    """
    (path,) = paths
    questions = list(_questions(path))
    ids = [question["id"] for _, question in questions]
    unique = len(set(ids)) == len(ids)
    for index, (context, question) in enumerate(questions):
        key = ids[index] if unique else f"{dataset}-{split}-{language}-{index}"
        answers = tuple(answer["text"] for answer in question["answers"])
        starts = tuple(answer["answer_start"] for answer in question["answers"])
        for text, start in zip(answers, starts, strict=True):
            if start < 0 or context[start : start + len(text)] != text:
                found = context[max(start, 0) : start + len(text)]
                what = f"the answer '{text}' is not at its offset {start}, where '{found}' stands"
                raise malformed(path, f"question {ids[index]}", what)
        yield SpanExample(key, language, context, question["question"], answers, starts)


def _questions(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
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
