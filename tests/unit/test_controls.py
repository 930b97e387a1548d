"""Chance and character n-grams."""

import math
from collections import Counter
from typing import Any

import pytest

from xstilts.data.examples import ParallelExample
from xstilts.scoring.controls import chance, tfidf_predictions

PAIRS = [
    ("Berlin ist groß", "Berlin is big"),
    ("Paris in Frankreich", "Paris in France"),
    ("東京", "Tokyo"),
    ("Tokyo 123", "Tokyo 123"),
    ("Ärzte", "doctors of medicine"),
    ("Berlin ist groß", "Berlin is big"),
]
POOL = [ParallelExample(f"id{i}", "de", text, english) for i, (text, english) in enumerate(PAIRS)]


def ngrams(text: str) -> Counter[str]:
    low = text.lower()
    return Counter(low[i : i + n] for n in range(1, 5) for i in range(len(low) - n + 1))


def nearest(queries: list[str], candidates: list[str]) -> list[int]:
    """TF-IDF with smoothed inverse document frequencies, ln((1 + n) / (1 + df)) + 1, and cosine."""
    documents = [ngrams(text) for text in queries + candidates]
    frequency = Counter(gram for document in documents for gram in document)
    weight = {gram: math.log((1 + len(documents)) / (1 + df)) + 1 for gram, df in frequency.items()}
    vectors = [{gram: count * weight[gram] for gram, count in document.items()} for document in documents]
    found = []
    for query in vectors[: len(queries)]:
        cosines = [
            sum(query[gram] * other.get(gram, 0) for gram in query)
            / math.sqrt(sum(v * v for v in query.values()) * sum(v * v for v in other.values()))
            for other in vectors[len(queries) :]
        ]
        found.append(max(range(len(cosines)), key=lambda index: (round(cosines[index], 7), -index)))
    return found


@pytest.mark.parametrize("direction", ["en2xx", "xx2en"])
def test_tfidf_equals_its_definition(direction: Any) -> None:
    english, other = [example.english for example in POOL], [example.text for example in POOL]
    queries, candidates = (english, other) if direction == "en2xx" else (other, english)
    found = tfidf_predictions(POOL, direction)
    assert list(found) == [example.id for example in POOL]
    assert list(found.values()) == nearest(queries, candidates)


def test_ties_go_to_the_lower_index() -> None:
    assert tfidf_predictions(POOL, "en2xx")["id5"] == 0


def test_english_lines_query_the_other_language() -> None:
    pool = [ParallelExample("a", "de", "zzz", "xyz abc"), ParallelExample("b", "de", "xyz abc", "qqq")]
    assert tfidf_predictions(pool, "en2xx") == {"a": 1, "b": 0}
    assert tfidf_predictions(pool, "xx2en") == {"a": 0, "b": 0}


def test_chance() -> None:
    assert (chance(POOL).value, chance(POOL).n) == (1 / 6, 6)
