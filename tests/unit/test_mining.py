"""Mining by margin against its definition, pair by pair, and its metrics against scikit-learn."""

import hashlib
import math
import random
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support
from test_search import unit_rows

from xstilts.data.examples import ParallelExample
from xstilts.errors import DataError, PredictionError
from xstilts.scoring import score
from xstilts.scoring.bitext import Neighbours, mine, mined, sides
from xstilts.scoring.controls import tfidf_pairs
from xstilts.scoring.mining import above_threshold, best_threshold, is_tuned_on, tuned_threshold
from xstilts.scoring.search import Floats, both_ways, nearest

SETS = 1000
Vectors = list[list[float]]


def vectors(draw: random.Random, count: int) -> Vectors:
    """Few values, so that equal sentences and equal margins abound; their sums are exact."""
    width = 3
    values = draw.choice([[0.0, 1.0], [-1.0, 0.5, 1.0], [0.25, 0.5, 1.0, 2.0]])
    return [[draw.choice(values) for _ in range(width)] for _ in range(count)]


def cosines(ours: Vectors, theirs: Vectors) -> list[list[float]]:
    return [[math.fsum(a * b for a, b in zip(x, y, strict=True)) for y in theirs] for x in ours]


def neighbourhood(row: list[float], k: int) -> tuple[list[int], float]:
    near = sorted(range(len(row)), key=lambda index: (-row[index], index))[:k]
    return near, math.fsum(row[index] for index in near) / len(near)


def margins(ours: Vectors, theirs: Vectors, k: int) -> tuple[list[list[int]], list[list[float]]]:
    """The nearest of each row, and the ratio margin (eq. 2 and 3) of every pair."""
    ahead, back = cosines(ours, theirs), cosines(theirs, ours)
    near = [neighbourhood(row, k) for row in ahead]
    means = [neighbourhood(row, k)[1] for row in back]
    found = []
    for (_, mean), row in zip(near, ahead, strict=True):
        middles = [(mean + other) / 2 for other in means]
        ratios = [value / middle if middle > 0 else 0.0 for value, middle in zip(row, middles, strict=True)]
        found.append([float(np.float32(ratio)) for ratio in ratios])
    return [indices for indices, _ in near], found


def best_of_each(near: list[list[int]], values: list[list[float]]) -> list[tuple[float, int]]:
    return [max(((row[i], -place, i) for place, i in enumerate(indices)))[0::2]
            for indices, row in zip(near, values, strict=True)]  # fmt: skip


def mined_by_definition(ours: Vectors, theirs: Vectors, k: int, pairs: str) -> list[tuple[int, int, float]]:
    ahead = best_of_each(*margins(ours, theirs, k))
    back = best_of_each(*margins(theirs, ours, k))
    proposed = {(i, j, value) for i, (value, j) in enumerate(ahead)}
    turned = {(i, j, value) for j, (value, i) in enumerate(back)}
    if pairs == "intersection":
        wanted = {pair[:2] for pair in proposed} & {pair[:2] for pair in turned}
        left = {pair for pair in proposed if pair[:2] in wanted}
    else:
        left = proposed | turned
    found = []
    while left:
        i, j, value = min(left, key=lambda pair: (-pair[2], pair[0], pair[1]))
        if value > 0:
            found.append((i, j, value))
        left = {pair for pair in left if pair[0] != i and pair[1] != j}
    return found


def singles(rows: Vectors) -> Floats:
    return np.array(rows, dtype=np.float32)


@pytest.mark.parametrize("pairs", ["max", "intersection"])
def test_mining_equals_its_definition(pairs: str) -> None:
    draw = random.Random(1)
    for _ in range(SETS):
        ours, theirs = (vectors(draw, draw.randrange(1, 9)) for _ in range(2))
        k = draw.randrange(1, 6)
        found = mine(*both_ways(singles(ours), singles(theirs), k), pairs)
        assert found == mined_by_definition(ours, theirs, k, pairs)


def test_ranking_by_margin_equals_its_definition() -> None:
    draw = random.Random(2)
    for _ in range(SETS):
        ours, theirs = (vectors(draw, draw.randrange(1, 9)) for _ in range(2))
        k, depth = draw.randrange(1, 6), draw.randrange(1, 10)
        indices, values = nearest(singles(ours), singles(theirs), depth, k)
        _, expected = margins(ours, theirs, k)
        for found, scores, row in zip(indices.tolist(), values.tolist(), expected, strict=True):
            assert found == sorted(range(len(row)), key=lambda index: (-row[index], index))[:depth]
            assert scores == [row[index] for index in found]


def test_a_hub_gains_nothing_by_being_near_to_all() -> None:
    """By cosine the hub is the nearest of both queries; by margin each finds its own."""
    queries = unit_rows(singles([[1, 0, 0.8], [0, 1, 0.8]]))
    candidates = unit_rows(singles([[1, -0.3, 0.1], [-0.3, 1, 0.1], [0.5, 0.5, 1]]))
    assert nearest(queries, candidates, 1)[0].tolist() == [[2], [2]]
    assert nearest(queries, candidates, 1, 2)[0].tolist() == [[0], [1]]


# Metrics


def is_in_the_first_half(name: str) -> bool:
    digest = int(hashlib.sha256(name.encode("utf-8")).hexdigest()[:12], 16)
    return digest < 16**12 / 2


def corpus(draw: random.Random) -> list[ParallelExample]:
    paired, alone, english = draw.randrange(4, 12), draw.randrange(6), draw.randrange(6)
    examples = [ParallelExample(f"de-{i}:en-{i}", "de", f"d{i}", f"e{i}") for i in range(paired)]
    examples += [ParallelExample(f"de-x{i}", "de", f"dx{i}", "") for i in range(alone)]
    return examples + [ParallelExample(f"en-x{i}", "de", "", f"ex{i}") for i in range(english)]


def predictions(draw: random.Random, examples: list[ParallelExample]) -> dict[str, Any]:
    values = draw.choice([[1.0], [0.9, 1.0, 1.1], [draw.random() + 0.5 for _ in range(20)]])
    english = [name for e in examples if (name := e.id.rpartition(":")[2]) and e.english]
    draw.shuffle(english)
    rate = draw.choice([0.0, 0.3, 0.9, 1.0])
    found: dict[str, Any] = {}
    for example in examples:
        target = example.id.rpartition(":")[2] if example.english and draw.random() < rate else None
        target = target or (english.pop() if english and draw.random() < 0.5 else None)
        found[example.id] = (target, draw.choice(values)) if example.text and target else None
    return found


def f1_at(cut: float, scores: dict[Any, float], golden: set[Any]) -> float:
    found = {pair for pair, value in scores.items() if value >= cut}
    return 2 * len(found & golden) / (len(found) + len(golden)) if found & golden else 0.0


def test_metrics_equal_scikit_learn_at_the_best_threshold_of_the_other_half() -> None:
    draw = random.Random(3)
    scored = 0
    for _ in range(SETS):
        examples = corpus(draw)
        found = predictions(draw, examples)
        golden = {tuple(e.id.split(":")) for e in examples if ":" in e.id}
        pairs = {(name.partition(":")[0], value[0]): value[1] for name, value in found.items() if value}
        tuned = {pair: value for pair, value in pairs.items() if is_in_the_first_half(pair[0])}
        tuned_gold = {pair for pair in golden if is_in_the_first_half(pair[0])}
        best = max((f1_at(value, tuned, tuned_gold) for value in tuned.values()), default=0.0)
        cuts = [value for value in tuned.values() if f1_at(value, tuned, tuned_gold) == best]
        let_in = {pair for pair, value in tuned.items() if value >= max(cuts)} if best else set(tuned)
        above = set(above_threshold(examples, found))
        assert {pair for pair in above if is_in_the_first_half(pair[0])} == let_in
        rest = golden - tuned_gold
        if not rest:
            with pytest.raises(DataError, match="no gold pair is left"):
                score("mining", examples, found)
            continue
        scored += 1
        possible = sorted((rest | set(pairs)) - {p for p in rest | set(pairs) if is_in_the_first_half(p[0])})
        expected = precision_recall_fscore_support(
            [pair in rest for pair in possible],
            [pair in above for pair in possible],
            average="binary",
            zero_division=0,
        )
        measures = score("mining", examples, found)
        values = [measures[metric].value for metric in ("precision", "recall", "f1")]
        assert values == pytest.approx(expected[:3], abs=1e-12)
        assert measures["f1"].n == measures["recall"].n == len(rest)
        assert measures["precision"].n == sum(pair in above for pair in possible)
    assert scored > SETS / 2


def test_threshold_lies_half_way_to_the_next_pair() -> None:
    golden = {("a", "A"), ("b", "B"), ("c", "C")}
    scores = {("a", "A"): 1.5, ("b", "B"): 1.25, ("x", "X"): 1.0, ("c", "Y"): 0.5}
    assert best_threshold(scores, golden) == 1.125
    assert best_threshold({("a", "A"): 1.5}, golden) == 1.5  # nothing comes after it
    assert best_threshold({("x", "X"): 1.5}, golden) == best_threshold({}, golden) == 0.0
    assert best_threshold(scores, set()) == 0.0


def test_pairs_of_one_score_are_let_in_together() -> None:
    scores = {("a", "A"): 1.0, ("x", "X"): 1.0, ("y", "Y"): 1.0, ("b", "B"): 0.5}
    assert best_threshold(scores, {("a", "A"), ("b", "B")}) == 0.5


def test_halves_depend_on_the_sentence_alone() -> None:
    names = [f"zh-{i:09d}" for i in range(5000)]
    tuned = [is_tuned_on(name) for name in names]
    assert tuned == [is_in_the_first_half(name) for name in names]
    assert abs(sum(tuned) / len(names) - 0.5) < 0.03


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"de-1:en-1": ("en-9", 1.0)}, "'de-1' and 'en-9' are no pair"),
        ({"en-x0": ("en-1", 1.0)}, "'' and 'en-1' are no pair"),
        ({"stranger": None}, "belong to no example: stranger"),
    ],
)
def test_impossible_pairs(change: dict[str, Any], message: str) -> None:
    examples = [ParallelExample(f"de-{i}:en-{i}", "de", f"d{i}", f"e{i}") for i in range(8)]
    examples.append(ParallelExample("en-x0", "de", "", "ex0"))
    with pytest.raises(PredictionError, match=message):
        score("mining", examples, {example.id: None for example in examples} | change)


def test_a_missing_prediction_is_named() -> None:
    examples = [ParallelExample(f"de-{i}:en-{i}", "de", f"d{i}", f"e{i}") for i in range(8)]
    with pytest.raises(PredictionError, match="1 of 8 examples have no prediction: de-0:en-0"):
        score("mining", examples, {example.id: None for example in examples[1:]})


# Texts


def test_sides_tell_no_pairs_and_no_repeated_sentence() -> None:
    examples = [
        ParallelExample("de-2:en-7", "de", "zwei", "two"),
        ParallelExample("de-9:en-1", "de", "neun", "nine"),
        ParallelExample("de-1", "de", "zwei", ""),
        ParallelExample("de-3", "de", "drei", ""),
        ParallelExample("en-0", "de", "", "zero"),
        ParallelExample("en-9", "de", "", "nine"),
    ]
    own, english = sides(examples)
    assert own == (["zwei", "drei", "neun"], [None, "de-3", "de-9"])
    assert english == (["zero", "nine", "two"], ["en-0", None, "en-7"])

    def search(first: Any, second: Any) -> tuple[Neighbours, Neighbours]:
        assert (list(first), list(second)) == (own.texts, english.texts)
        one = singles([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
        return both_ways(one, one[[0, 2, 1]], 2)

    # zwei-zero: a repeated sentence; drei-two and neun-nine, of which nine is repeated
    assert mined(examples, search) == {
        "de-2:en-7": None, "de-9:en-1": None, "de-1": None, "de-3": ("en-7", 2.0), "en-0": None, "en-9": None,
    }  # fmt: skip


def test_ngrams_mine_what_looks_alike() -> None:
    examples = [
        ParallelExample("de-1:en-1", "de", "Berlin 1984", "Berlin, 1984"),
        ParallelExample("de-2:en-2", "de", "Tokyo Olympia", "Tokyo Olympics"),
        ParallelExample("de-3", "de", "nichts davon", ""),
        ParallelExample("en-3", "de", "", "quite another thing"),
    ]
    found = tfidf_pairs(examples, 2, "max")
    assert {name: pair and pair[0] for name, pair in found.items() if name != "de-3"} == {
        "de-1:en-1": "en-1", "de-2:en-2": "en-2", "en-3": None,
    }  # fmt: skip


def test_a_threshold_of_another_split_scores_a_whole_one() -> None:
    tuned = [ParallelExample(f"zh-{i}:en-{i}", "zh", "a", "b") for i in range(4)]
    threshold = tuned_threshold(tuned, {each.id: (each.id.partition(":")[2], 1.0) for each in tuned[:2]} | {
        each.id: ("en-0", 0.4) for each in tuned[2:]
    })  # fmt: skip
    assert 0.4 < threshold <= 1
    examples = [ParallelExample(f"zh-{i}:en-{i}", "zh", "a", "b") for i in range(40)]
    found = {each.id: (each.id.partition(":")[2], 0.9 if i % 2 else 0.1) for i, each in enumerate(examples)}
    measures = score("mining", examples, found, threshold=threshold)
    assert (measures["recall"].n, measures["precision"].n) == (40, 20)
    assert (measures["recall"].value, measures["precision"].value) == (0.5, 1)
    assert len(above_threshold(examples, found, threshold)) == 20
