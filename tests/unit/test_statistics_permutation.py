"""Permutation tests: what they must not change with, what they enumerate, and their level."""

import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xstilts.statistics.errors import NotEstimableError
from xstilts.statistics.permutation import (
    LabelTest,
    distinct_relabellings,
    label_correlations,
    label_permutation_correlation,
    order_component,
    order_test,
    relabelled_seeds,
)

Change = Callable[[pd.DataFrame], pd.DataFrame]
TASKS = "abcd"


def runs(orders: list[str], seeds: int = 3, seed: int = 0, effect: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    better = effect * np.arange(len(orders))
    rows = [(s, order, better[i] + rng.normal()) for s in range(seeds) for i, order in enumerate(orders)]
    return pd.DataFrame(rows, columns=["seed", "order", "value"])


def every(tasks: int) -> list[str]:
    return ["-".join(order) for order in itertools.permutations(TASKS[:tasks])]


def test_all_relabellings_are_enumerated() -> None:
    for tasks, seeds, number in ((2, 3, 4), (3, 3, 36), (3, 5, 1296), (4, 3, 576)):
        found = order_test(runs(every(tasks), seeds))
        assert (found.relabellings, found.exact, found.orders) == (number, True, len(every(tasks)))
        assert found.distinct == number
        assert found.p * number == pytest.approx(round(found.p * number))


def test_a_clear_effect_has_the_smallest_p_there_is() -> None:
    assert order_test(runs(every(3), effect=50.0)).p == pytest.approx(1 / 36)


def test_the_component_is_that_of_the_mean_squares() -> None:
    data = runs(every(3), seeds=4, seed=8, effect=1.0)
    y = data.pivot(index="seed", columns="order", values="value").to_numpy()
    between = 4 * y.mean(axis=0).var(ddof=1)
    left = y - y.mean(axis=0) - y.mean(axis=1, keepdims=True) + y.mean()
    found = order_test(data)
    assert found.statistic == pytest.approx(between)
    assert found.component == pytest.approx((between - (left**2).sum() / 15) / 4)
    assert order_component(data) == found.component
    assert order_test(runs(every(3), seed=3)).component >= 0


@settings(max_examples=20)
@given(shifts=st.lists(st.floats(-50, 50), min_size=3, max_size=3), names=st.permutations("xyz"))
def test_the_luck_of_a_seed_and_the_names_of_tasks_do_not_matter(
    shifts: list[float], names: list[str]
) -> None:
    data = runs(every(3), seed=5, effect=0.3)
    new = str.maketrans("abc", "".join(names))
    moved = data.assign(
        value=data["value"] + data["seed"].map(dict(enumerate(shifts))),
        order=[tuple(order.translate(new).split("-")) for order in data["order"]],
    )
    assert order_test(moved).p == order_test(data).p
    assert order_test(moved).statistic == pytest.approx(order_test(data).statistic, abs=1e-9)


def test_a_random_sample_of_the_relabellings_comes_near() -> None:
    data = runs(every(3), seeds=4, seed=2, effect=0.2)
    exact = order_test(data)
    sampled = order_test(data, limit=10, samples=4_000)
    assert (sampled.exact, sampled.relabellings) == (False, 4_001)
    assert sampled.p == pytest.approx(exact.p, abs=0.03)
    assert sampled == order_test(data, limit=10, samples=4_000)


def prefixes_kept(orders: list[tuple[str, ...]], moved: np.ndarray) -> bool:
    """Do two orders share as long a prefix after the relabelling as before?"""

    def common(one: int, other: int) -> int:
        return sum(orders[one][:cut] == orders[other][:cut] for cut in range(1, len(orders[0]) + 1))

    pairs = itertools.combinations(range(len(orders)), 2)
    return all(common(a, b) == common(moved[a], moved[b]) for a, b in pairs)


@pytest.mark.parametrize(
    "names",
    [
        every(3),
        ["a-b-c-d", "a-c-b-d", "b-a-c-d", "b-c-a-d", "c-d-a-b", "d-c-b-a"],
        ["a-b-c-d", "a-b-d-c", "a-c-b-d", "b-a-c-d", "b-a-d-c", "b-d-a-c"],
    ],
)
def test_relabellings_keep_the_prefix_tree(names: list[str]) -> None:
    orders = [tuple(name.split("-")) for name in names]
    groups, _ = relabelled_seeds(orders, 3, 10_000, 50, np.random.default_rng(1))
    assert len({tuple(row) for row in groups[:, 1]}) > 5
    for row in groups[:50]:
        assert row[0].tolist() == list(range(len(orders)))
        assert all(sorted(moved) == list(range(len(orders))) for moved in row)
        assert all(prefixes_kept(orders, moved) for moved in row)


def test_sequences_without_a_common_prefix_change_places_freely() -> None:
    orders = [tuple("abcde"), tuple("bcdea"), tuple("cdeab")]
    groups, exact = relabelled_seeds(orders, 2, 10_000, 500, np.random.default_rng(1))
    assert not exact
    assert len({tuple(row) for row in groups[:, 1]}) == 6
    sampled = order_test(runs(["a-b-c-d-e", "b-c-d-e-a", "c-d-e-a-b", "d-e-a-b-c"], effect=30.0))
    assert sampled.p < 0.01 and not sampled.exact


@pytest.mark.parametrize(
    ("names", "number"),
    [
        (["a-b-c-d-e", "e-d-c-b-a"], 2),
        (["a-b-c-d", "a-b-d-c", "b-a-c-d", "b-a-d-c", "d-c-b-a"], 2 * 2 * 2),
        (["a-b-c-d", "a-c-b-d", "b-a-c-d", "b-c-a-d", "c-d-a-b", "d-c-b-a"], 2 * 2 * 2 * 2),
    ],
)
def test_a_sample_of_relabellings_repeats_few_distinct_ones(names: list[str], number: int) -> None:
    orders = [tuple(name.split("-")) for name in sorted(names)]
    groups, _ = relabelled_seeds(orders, 3, 10_000, 9_999, np.random.default_rng(1))
    assert len({row.tobytes() for row in groups}) == number**2 == distinct_relabellings(orders, 3)
    found = order_test(runs(sorted(names), effect=50.0))
    assert (found.relabellings, found.exact, found.distinct) == (10_000, False, number**2)
    assert found.p > 0.5 / number**2


def tree_noise(orders: list[str], seeds: int, rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for seed in range(seeds):
        luck = {order[:cut]: rng.normal() for order in orders for cut in (1, 3, 5)}
        rows += [(seed, order, sum(luck[order[:cut]] for cut in (1, 3, 5))) for order in orders]
    return pd.DataFrame(rows, columns=["seed", "order", "value"])


def test_noise_of_prefixes_does_not_look_like_an_effect() -> None:
    """The test keeps its level where the first task's luck is shared by all orders that begin with it."""
    rng = np.random.default_rng(4)
    p = np.array([order_test(tree_noise(every(3), 3, rng)).p for _ in range(300)])
    assert (p < 0.05).sum() <= 300 * 0.05 + 2.6 * np.sqrt(300 * 0.05 * 0.95)
    assert abs(p.mean() - (1 + 1 / 36) / 2) < 0.04


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d[d["seed"] < 2], "there are 2 runs, at least 3 needed"),
        (lambda d: d.iloc[:0], "there are 0 runs"),
        (lambda d: d[d["order"] == "a-b-c"], "there is 1 order with every run"),
        (lambda d: d.assign(value=3.0), "the score of an order is constant"),
        (lambda d: d.assign(value=np.nan), "there are 0 runs"),
        (lambda d: d.replace("a-b-c", "a-b-d"), "the orders are not of the same tasks"),
        (lambda d: d.assign(order=d["order"].str.replace("c", "a")), "holds a task twice|same tasks"),
    ],
)
def test_orders_without_an_answer_have_reasons(change: Change, reason: str) -> None:
    with pytest.raises(NotEstimableError, match=reason):
        order_test(change(runs(every(3))))


def test_a_lopsided_tree_has_few_relabellings_and_large_p() -> None:
    """Only the two orders that begin with b can change places."""
    found = order_test(runs(["a-b-c", "b-a-c", "b-c-a"], effect=50.0))
    assert found.p == pytest.approx(1 / 4, abs=0.02)


def pairs(seed: int = 0, intermediates: int = 6, targets: int = 4, effect: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(intermediates):
        own = rng.normal()
        for t in range(targets):
            x = rng.normal()
            rows.append((f"i{i}", f"t{t}", x, effect * x + own + rng.normal()))
    return pd.DataFrame(rows, columns=["intermediate", "target", "similarity", "gain"])


def correlate(data: pd.DataFrame, **options: int) -> LabelTest:
    return label_permutation_correlation(
        data, "similarity", "gain", label="intermediate", group="target", **options
    )


def by_hand(x: np.ndarray, y: np.ndarray, image: tuple[int, ...]) -> float:
    """The correlation after moving each intermediate's gains to its image, from the definition."""
    moved = np.full_like(y, np.nan)
    moved[list(image)] = y
    a, b = [], []
    for target in range(x.shape[1]):
        both = ~np.isnan(x[:, target]) & ~np.isnan(moved[:, target])
        a += list(x[both, target] - x[both, target].mean())
        b += list(moved[both, target] - moved[both, target].mean())
    return float(np.corrcoef(a, b)[0, 1])


@pytest.mark.parametrize("missing", [0, 4])
def test_correlations_of_all_permutations_are_their_definition(missing: int) -> None:
    data = pairs(3, intermediates=5).drop(index=[0, 5, 10, 15][:missing])
    left, right = (
        data.pivot(index="intermediate", columns="target", values=column).to_numpy()
        for column in ("similarity", "gain")
    )
    every_r = np.array([by_hand(left, right, image) for image in itertools.permutations(range(5))])
    found = correlate(data)
    assert found.r == pytest.approx(every_r[0])
    assert (found.relabellings, found.exact, found.pairs) == (120, True, 20 - missing)
    assert found.p == pytest.approx(np.mean(np.abs(every_r) >= abs(every_r[0]) - 1e-9))
    inverse = np.array([np.argsort(image) for image in itertools.permutations(range(5))])
    assert label_correlations(left, right, inverse) == pytest.approx(every_r, abs=1e-9)


@settings(max_examples=20)
@given(shift=st.lists(st.floats(-50, 50), min_size=4, max_size=4), scale=st.floats(0.01, 100))
def test_what_a_target_gains_in_all_does_not_matter(shift: list[float], scale: float) -> None:
    data = pairs(1, effect=0.5)
    offsets = data["target"].map({f"t{i}": value for i, value in enumerate(shift)})
    found = correlate(data.assign(gain=scale * data["gain"] + offsets).sample(frac=1, random_state=2))
    assert found.r == pytest.approx(correlate(data).r, abs=1e-6)
    assert found.p == correlate(data).p


def test_the_sign_of_the_correlation_does_not_change_p() -> None:
    data = pairs(2, effect=1.0)
    negative = correlate(data.assign(gain=-data["gain"]))
    assert (negative.r, negative.p) == (pytest.approx(-correlate(data).r), correlate(data).p)


def test_many_intermediates_are_permuted_at_random() -> None:
    data = pairs(2, intermediates=9, effect=3.0)
    found = correlate(data, samples=999)
    assert (found.exact, found.relabellings) == (False, 1000)
    assert found.p == correlate(data, samples=999).p < 0.01


def test_luck_shared_by_a_row_does_not_look_like_a_correlation() -> None:
    p = [correlate(pairs(seed, intermediates=5)).p for seed in range(200)]
    assert np.mean(np.array(p) < 0.05) <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / 200)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d[d["intermediate"] < "i4"], "there are 4 intermediate tasks, at least 5 needed"),
        (lambda d: d.iloc[:0], "there are 0 pairs"),
        (lambda d: d.assign(gain=np.nan), "there are 0 pairs"),
        (lambda d: d.assign(gain=1.0), "gain is constant"),
        (lambda d: d.assign(similarity=d["target"].str[1].astype(float)), "similarity is constant"),
        (lambda d: d[d["intermediate"].str[1] == d["target"].str[1]], "at least 5 needed"),
        (
            lambda d: d.assign(target=d["intermediate"]).drop_duplicates("target"),
            "no target has two intermediate",
        ),
    ],
)
def test_pairs_without_an_answer_have_reasons(change: Change, reason: str) -> None:
    with pytest.raises(NotEstimableError, match=reason):
        correlate(change(pairs()))
