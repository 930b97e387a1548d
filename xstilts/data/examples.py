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
    """A sentence and its English translation (retrieval: line i of one side answers line i of the other).

    A side may be missing (mining). Where each sentence has an id of its own, that of a pair is `own:english`.
    """

    id: str
    language: str
    text: str
    english: str


@dataclass(frozen=True, slots=True)
class QueryExample:
    """A query and the text that answers it, to be found in a pool of candidates.

    `context` is what stands around the answer, if anything. `candidates` are the ids of those that answer
    the query: the one of the query's own file, or those of all languages (see xstilts.data.queries.pooled).
    Where only the candidates' own file has the texts, answer and context are empty. `origin` are the sentence
    and the article that a query with marks in it was taken from: what is compared to keep them out of
    training.
    """

    id: str
    language: str
    query: str
    answer: str
    context: str
    candidates: tuple[str, ...]
    origin: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text of the pool that queries search, and what stands around it, if anything; it is no example."""

    id: str
    language: str
    text: str
    context: str


Example = PairExample | ChoiceExample | SpanExample | TaggedExample | ParallelExample | QueryExample


def sentence_ids(example: ParallelExample) -> tuple[str, str]:
    """The publisher's ids of both sides, where it gives any; that of a side without a sentence is empty."""
    if example.text and example.english:
        own, _, english = example.id.partition(":")
        return own, english
    return (example.id, "") if example.text else ("", example.id)
