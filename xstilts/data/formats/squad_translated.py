"""Machine-translated SQuAD (XTREME's translate-train): SQuAD's JSON, whose answers may have been lost.

An answer that does not stand at its offset was not found again in the translated paragraph. A question
none of whose answers stands there is no example: it is dropped and counted.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from xstilts.data.examples import SpanExample
from xstilts.data.squad_json import questions


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[SpanExample]:
    """One example a question; its id is that of the question that was translated."""
    (path,) = paths
    for context, question in questions(path):
        if answers := _found(context, question):
            texts, starts = zip(*answers, strict=True)
            yield SpanExample(question["id"], language, context, question["question"], texts, starts)


def dropped(paths: Sequence[Path]) -> int:
    """The number of questions whose answers do not stand where they should."""
    (path,) = paths
    return sum(not _found(context, question) for context, question in questions(path))


def _found(context: str, question: dict[str, Any]) -> list[tuple[str, int]]:
    pairs = [(answer["text"], answer["answer_start"]) for answer in question["answers"]]
    return [(text, at) for text, at in pairs if text and at >= 0 and context[at : at + len(text)] == text]
