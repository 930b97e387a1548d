"""One normalised example per task type; every parser yields these and every head reads them.

Ids are stable: they come from the publisher where it gives any, else from data set, split,
language and line number, so that outcomes of different runs can be joined.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PairExample:
    """Classification of a text, or of a pair of texts."""

    id: str
    language: str
    first: str
    second: str | None
    label: str | None


@dataclass(frozen=True, slots=True)
class ChoiceExample:
    """Multiple choice: which of `choices` goes with `context` and `question`; `label` is its index."""

    id: str
    language: str
    context: str
    question: str
    choices: tuple[str, ...]
    label: int | None


@dataclass(frozen=True, slots=True)
class SpanExample:
    """Extractive question answering; `starts` are character offsets of `answers` in `context`.

    An unanswerable question (SQuAD v2.0) has no answers.
    """

    id: str
    language: str
    context: str
    question: str
    answers: tuple[str, ...]
    starts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TaggedExample:
    """A sentence of words with one tag each."""

    id: str
    language: str
    words: tuple[str, ...]
    tags: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class ParallelExample:
    """A sentence and its English translation (retrieval: line i of one side answers line i of the other)."""

    id: str
    language: str
    text: str
    english: str


Example = PairExample | ChoiceExample | SpanExample | TaggedExample | ParallelExample
