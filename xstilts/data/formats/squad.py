"""SQuAD's JSON, versions 1.1 and 2.0, which XQuAD, XQuAD-R, MLQA and TyDiQA-GoldP share.

XTREME withholds the answers of its test sets by giving each as an empty text; such an answer is kept
as it is (see xstilts.data.labels.is_labelled).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from xstilts.data.examples import SpanExample
from xstilts.data.reading import malformed
from xstilts.data.squad_json import questions


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[SpanExample]:
    """One example a question, in the file's order.

    Ids are the publisher's where they are unique (TyDiQA-GoldP v1.1's training files repeat theirs),
    else made of the question's index.

    Raises:
        DataError: if the file is not in this format, or an answer does not stand at its offset.
    """
    (path,) = paths
    found = list(questions(path))
    ids = [question["id"] for _, question in found]
    unique = len(set(ids)) == len(ids)
    for index, (context, question) in enumerate(found):
        key = ids[index] if unique else f"{dataset}-{split}-{language}-{index}"
        answers = tuple(answer["text"] for answer in question["answers"])
        starts = tuple(answer["answer_start"] for answer in question["answers"])
        for text, start in zip(answers, starts, strict=True):
            if start < 0 or context[start : start + len(text)] != text:
                there = context[max(start, 0) : start + len(text)]
                what = f"the answer '{text}' is not at its offset {start}, where '{there}' stands"
                raise malformed(path, f"question {ids[index]}", what)
        yield SpanExample(key, language, context, question["question"], answers, starts)
