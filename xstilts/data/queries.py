"""Queries and the candidates that answer them (LAReQA, Roy et al. 2020; Mewsli-X)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from xstilts.data.examples import Example, QueryExample, SpanExample
from xstilts.data.sentences import sentence_at, sentence_spans
from xstilts.data.sources import FolderSource
from xstilts.registry import PredictionTask


def as_queries(examples: Iterable[Example]) -> list[Example]:
    """Questions about English paragraphs as queries that a sentence answers; queries stay as they are.

    As in LAReQA, the sentence is the one in which the (first) answer begins, and the paragraph its context. A
    question without an answer has no sentence to find and is left out. Of equal sentences of one paragraph
    the first stands for all. What queries were taken from (`origin`) is for the leakage filter, and left out.
    """
    numbers: dict[str, int] = {}
    found: list[Example] = []
    for example in examples:
        if isinstance(example, SpanExample):
            number = numbers.setdefault(example.context, len(numbers) + 1)
            if example.answers:
                found.append(_as_query(example, number))
        else:
            found.append(replace(example, origin=()) if isinstance(example, QueryExample) else example)
    return found


def _as_query(example: SpanExample, paragraph: int) -> QueryExample:
    spans = sentence_spans(example.context)
    texts = [example.context[start:end] for start, end in spans]
    answer = texts[sentence_at(spans, example.starts[0])]
    name = candidate_id(example.language, paragraph, texts.index(answer))
    return QueryExample(example.id, example.language, example.question, answer, example.context, (name,))


def candidate_id(language: str, paragraph: int, sentence: int) -> str:
    """What LAReQA calls a sentence: paragraphs of a language's file count from 1, their sentences from 0."""
    return f"{language}_{paragraph}_{sentence}"


def gold(
    source: FolderSource, entry: PredictionTask, languages: Sequence[str]
) -> Iterator[tuple[str, Sequence[Example]]]:
    """Each language's examples of an evaluation task; queries with the candidates of all these languages."""
    dataset, split_of = entry.data.dataset, entry.data.of
    if entry.type != "dual_encoder":
        for language in languages:
            yield language, source.read(dataset, split_of(language), language)
        return
    found = {language: source.read(dataset, split_of(language), language) for language in languages}
    queries = {code: [e for e in part if isinstance(e, QueryExample)] for code, part in found.items()}
    yield from pooled(queries).items()


def pooled(examples: Mapping[str, Sequence[QueryExample]]) -> dict[str, list[QueryExample]]:
    """Queries with the candidates of all languages that answer them.

    Args:
        examples: By language. Queries of one id ask the same, and what answers one answers them all.

    Returns:
        The same queries; each has all the candidates, in the order of the languages.
    """
    right: dict[str, dict[str, None]] = {}
    for queries in examples.values():
        for query in queries:
            right.setdefault(query.id, {}).update(dict.fromkeys(query.candidates))
    return {
        language: [replace(query, candidates=tuple(right[query.id])) for query in queries]
        for language, queries in examples.items()
    }
