"""Chance and character n-grams."""

import math
from collections import Counter
from itertools import permutations
from typing import Any

import pytest

from xstilts.data.examples import Candidate, ParallelExample, QueryExample
from xstilts.scoring import score
from xstilts.scoring.controls import Direction, chance, pool_chance, tfidf_pool, tfidf_rankings

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


def first(pool: list[ParallelExample], direction: Direction) -> dict[str, int]:
    found = tfidf_rankings(pool, direction)
    for ranking in found.values():
        assert sorted(index for index, _ in ranking) == list(range(len(pool)))
    return {name: ranking[0][0] for name, ranking in found.items()}


@pytest.mark.parametrize("direction", ["en2xx", "xx2en"])
def test_tfidf_equals_its_definition(direction: Any) -> None:
    english, other = [example.english for example in POOL], [example.text for example in POOL]
    queries, candidates = (english, other) if direction == "en2xx" else (other, english)
    found = first(POOL, direction)
    assert list(found) == [example.id for example in POOL]
    assert list(found.values()) == nearest(queries, candidates)


def test_ties_go_to_the_lower_index() -> None:
    assert [index for index, _ in tfidf_rankings(POOL, "en2xx")["id5"][:2]] == [0, 5]


def test_english_lines_query_the_other_language() -> None:
    pool = [ParallelExample("a", "de", "zzz", "xyz abc"), ParallelExample("b", "de", "xyz abc", "qqq")]
    assert first(pool, "en2xx") == {"a": 1, "b": 0}
    assert first(pool, "xx2en") == {"a": 0, "b": 0}


def test_chance() -> None:
    assert (chance(POOL)["accuracy"].value, chance(POOL)["accuracy"].n) == (1 / 6, 6)


@pytest.mark.parametrize(("size", "right"), [(1, 1), (4, 1), (5, 2), (6, 3), (6, 6)])
def test_chance_in_a_pool_is_the_mean_over_every_order(size: int, right: int) -> None:
    names = [f"c{i}" for i in range(size)]
    query = QueryExample("q", "de", "?", "", "", tuple(names[:right]))
    orders = list(permutations(names))
    measured = [score("dual_encoder", [query], {"q": [(c, 0.0) for c in order]}) for order in orders]
    expected = {
        metric: sum(found[metric].value for found in measured) / len(orders) for metric in measured[0]
    }
    found = {metric: measure.value for metric, measure in pool_chance([query] * 2, size).items()}
    assert found == pytest.approx(expected)


def test_chance_in_a_large_pool_is_cut_where_rankings_are() -> None:
    query = QueryExample("q", "de", "?", "", "", ("c",))
    found = pool_chance([query], 1000)
    assert found["mrr"].value == pytest.approx(sum(1 / rank for rank in range(1, 101)) / 1000)
    assert found["success_at_10"].value == pytest.approx(0.01)


def test_tfidf_in_a_pool_equals_its_definition() -> None:
    queries = {
        "de": [QueryExample("q", "de", PAIRS[1][0], "", "", ("4",))],
        "en": [QueryExample("q", "en", PAIRS[5][1], "", "", ("0",))],
    }
    pool = [Candidate(str(i), "xx", text, "Berlin Paris Tokyo") for i, (text, _) in enumerate(PAIRS)]
    asked = [query.query for part in queries.values() for query in part]
    best = nearest(asked, [candidate.text for candidate in pool])
    found = tfidf_pool(queries, pool)
    assert [int(found[code]["q"][0][0]) for code in ("de", "en")] == best
    assert all(sorted(name for name, _ in part["q"]) == sorted("012345") for part in found.values())
