"""Ranking metrics against trec_eval, on rankings full of ties, with none, one or many relevant candidates."""

import random

import numpy as np
import pytest
import pytrec_eval

from xstilts.data.examples import ParallelExample
from xstilts.errors import DataError, PredictionError
from xstilts.scoring import score
from xstilts.scoring.controls import chance
from xstilts.scoring.ranking import ranking_measures
from xstilts.scoring.search import top_k

SETS = 1000
NAMES = {
    "recall_at_1": "recall_1",
    "recall_at_5": "recall_5",
    "recall_at_10": "recall_10",
    "success_at_10": "success_10",
    "mrr": "recip_rank",
    "map_at_20": "map_cut_20",
}
ASKED = {"recall.1,5,10", "success.10", "recip_rank", "map_cut.20"}


def document(index: int) -> str:
    """A name by which trec_eval, which ranks equal scores from the last name to the first, agrees."""
    return f"d{99999 - index}"


def trec_eval(scores: list[dict[int, float]], relevant: list[set[int]]) -> list[dict[str, float]]:
    golden = {f"q{i}": dict.fromkeys(map(document, each), 1) for i, each in enumerate(relevant)}
    run = {f"q{i}": {document(k): value for k, value in each.items()} for i, each in enumerate(scores)}
    found = pytrec_eval.RelevanceEvaluator(golden, ASKED).evaluate(run)
    return [{ours: found[f"q{i}"][theirs] for ours, theirs in NAMES.items()} for i in range(len(scores))]


def assert_equals_trec_eval(scores: list[dict[int, float]], relevant: list[set[int]]) -> None:
    rankings = [sorted(each, key=lambda index: (-each[index], index)) for each in scores]
    found = ranking_measures(rankings, relevant)
    expected = trec_eval(scores, relevant)
    for metric in NAMES:
        values = [query[metric] for query in expected]
        assert found[metric].outcomes == pytest.approx(values, abs=1e-12), metric
        assert found[metric].value == pytest.approx(sum(values) / len(values), abs=1e-12)
        assert found[metric].n == len(scores)


def test_metrics_equal_trec_eval() -> None:
    draw = random.Random(1)
    for _ in range(SETS):
        pool = draw.randrange(1, 60)
        values = draw.choice([[0.0], [0.0, 1.0], [-1.0, -0.5, 0.5, 2.0], [draw.random() for _ in range(50)]])
        scores, relevant = [], []
        for _ in range(draw.randrange(1, 6)):
            kept = draw.sample(range(pool), draw.randrange(1, pool + 1))
            scores.append({index: draw.choice(values) for index in kept})
            # some of the relevant ones may be missing from the ranking, or all of them
            relevant.append(set(draw.sample(range(pool), draw.choice([1, 1, draw.randrange(1, pool + 1)]))))
        assert_equals_trec_eval([dict(each) for each in scores], relevant)


@pytest.mark.parametrize("seed", range(50))
def test_searched_rankings_equal_trec_eval(seed: int) -> None:
    """From vectors, many of them equal, to metrics; trec_eval sorts all scores by itself."""
    generator = np.random.default_rng(seed)
    candidates = generator.integers(-1, 2, size=(40, 3)).astype(np.float32)
    queries = generator.integers(-1, 2, size=(7, 3)).astype(np.float32)
    relevant = [set(generator.choice(40, generator.integers(1, 12), replace=False).tolist()) for _ in queries]
    indices, _ = top_k(queries, candidates, 40, block=16)
    found = ranking_measures(indices.tolist(), relevant)
    scores = [dict(enumerate(row)) for row in (queries @ candidates.T).tolist()]
    for metric, values in found.items():
        if metric in NAMES:
            expected = [query[metric] for query in trec_eval(scores, relevant)]
            assert values.outcomes == pytest.approx(expected, abs=1e-12)


def test_eleven_answers_have_a_ceiling() -> None:
    perfect = ranking_measures([range(20), range(20)], [set(range(11)), {0}])
    for cut, ceiling in ((1, (1 / 11 + 1) / 2), (5, (5 / 11 + 1) / 2), (10, (10 / 11 + 1) / 2)):
        assert perfect[f"recall_at_{cut}"].value == pytest.approx(ceiling)
        assert perfect[f"recall_at_{cut}_ceiling"].value == pytest.approx(ceiling)
    worst = ranking_measures([range(20)], [set(range(20, 31))])
    assert worst["recall_at_10_ceiling"].value == pytest.approx(10 / 11)
    assert {worst[metric].value for metric in NAMES} == {0.0}


def test_an_empty_ranking_has_found_nothing() -> None:
    found = ranking_measures([[], ["a"]], [{"a"}, {"a"}])
    assert [found[metric].value for metric in NAMES] == [0.5] * len(NAMES)


def test_faulty_rankings() -> None:
    with pytest.raises(DataError, match="no relevant candidate"):
        ranking_measures([["a"]], [set()])
    with pytest.raises(PredictionError, match="twice"):
        ranking_measures([["a", "b", "a"]], [{"a"}])


def test_retrieval_is_scored_by_its_rankings() -> None:
    examples = [ParallelExample(f"id{i}", "de", f"Satz {i}", f"sentence {i}") for i in range(4)]
    orders = [[0], [2, 1], [3, 1, 2], [0, 1, 2]]
    predictions = {f"id{i}": tuple((index, -float(rank)) for rank, index in enumerate(order))
                   for i, order in enumerate(orders)}  # fmt: skip
    found = score("retrieval", examples, predictions)
    assert found["accuracy"].outcomes == found["recall_at_1"].outcomes == (1, 0, 0, 0)
    assert found["mrr"].outcomes == pytest.approx((1, 1 / 2, 1 / 3, 0))
    assert found["recall_at_5"].outcomes == found["success_at_10"].outcomes == (1, 1, 1, 0)
    assert found["map_at_20"].outcomes == found["mrr"].outcomes
    with pytest.raises(PredictionError, match="empty"):
        score("retrieval", examples, {**predictions, "id2": ()})


@pytest.mark.parametrize("size", [1, 3, 8, 30, 200])
def test_chance_is_the_mean_over_random_orders(size: int) -> None:
    """The rank of the one right candidate is uniform: the mean over all its places is exact."""
    places = []
    for rank in range(size):
        order = [*range(1, rank + 1), 0, *range(rank + 1, size)]
        places.append(ranking_measures([order[:20]], [{0}]))
    found = chance([ParallelExample(f"id{i}", "de", "a", "b") for i in range(size)])
    assert found["accuracy"] == found["recall_at_1"]
    for metric in places[0]:
        assert found[metric].value == pytest.approx(sum(place[metric].value for place in places) / size)
        assert found[metric].n == size
