"""XQuAD-R and MLQA-R (LAReQA, Roy et al. 2020): SQuAD's JSON with the `sentence_breaks` of each paragraph.

The candidates are all sentences of all paragraphs, cut from the paragraph by its breaks as LAReQA's code does
(the texts in `sentences` differ from that twice in XQuAD-R's Turkish file). A question's answer is the
sentence in which the gold answer begins; a few gold answers reach into the next one.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xstilts.data.examples import Candidate, QueryExample
from xstilts.data.queries import candidate_id
from xstilts.data.reading import json_document, malformed


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[QueryExample]:
    """One query a question, in the file's order; questions of one id ask the same in every language.

    Raises:
        DataError: if the file is not in this format, an answer does not stand at its offset, or begins in
            no sentence.
    """
    (path,) = paths
    for number, context, breaks, questions in _paragraphs(path):
        for question in questions:
            place = f"question {question['id']}"
            (answer,) = question["answers"]
            start, text = answer["answer_start"], answer["text"]
            if start < 0 or not context.startswith(text, start):
                raise malformed(path, place, f"the answer '{text}' is not at its offset {start}")
            inside = [index for index, (begin, end) in enumerate(breaks) if begin <= start < end]
            if not inside:
                raise malformed(path, place, f"the answer '{text}' begins in no sentence")
            begin, end = breaks[inside[0]]
            name = candidate_id(language, number, inside[0])
            query = question["question"]
            yield QueryExample(question["id"], language, query, context[begin:end], context, (name,))


def candidates(files: Mapping[str, Sequence[Path]]) -> Iterator[Candidate]:
    """Every sentence of every paragraph, language by language, with its paragraph as context."""
    for language, (path,) in files.items():
        for number, context, breaks, _ in _paragraphs(path):
            for index, (begin, end) in enumerate(breaks):
                name = candidate_id(language, number, index)
                yield Candidate(name, language, context[begin:end], context)


Paragraph = tuple[int, str, list[tuple[int, int]], list[dict[str, Any]]]


def _paragraphs(path: Path) -> Iterator[Paragraph]:
    """Number from 1, text, sentence breaks and questions of each paragraph."""
    document = json_document(path)
    number, place = 0, "the top"
    try:
        for article in document["data"]:
            for paragraph in article["paragraphs"]:
                number += 1
                place = f"paragraph {number}"
                yield number, *_checked(paragraph)
    except KeyError as error:
        raise malformed(path, place, f"the key {error} is missing") from error
    except (TypeError, ValueError) as error:
        raise malformed(path, place, f"not in the format of XQuAD-R: {error}") from error


def _checked(paragraph: dict[str, Any]) -> tuple[str, list[tuple[int, int]], list[dict[str, Any]]]:
    context, questions = paragraph["context"], paragraph["qas"]
    breaks = [(int(begin), int(end)) for begin, end in paragraph["sentence_breaks"]]
    for begin, end in breaks:
        if not 0 <= begin < end <= len(context):
            raise ValueError(f"the sentence from {begin} to {end} is not in the paragraph")
    for question in questions:
        answers = question["answers"]
        if len(answers) != 1:
            raise ValueError(f"question {question['id']} has {len(answers)} answers instead of one")
        texts = [context, question["id"], question["question"], answers[0]["text"]]
        if not all(isinstance(text, str) for text in texts) or not isinstance(
            answers[0]["answer_start"], int
        ):
            raise TypeError("context, id, question and answer must be texts, answer_start a whole number")
    return context, breaks, questions
