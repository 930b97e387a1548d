"""Permutation tests whose relabellings keep what the data share."""

import itertools
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import factorial, prod

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xstilts.statistics.errors import Array, count, require, require_spread

Indices = NDArray[np.intp]
CLOSE = 1e-9  # a statistic this near (relatively) to the observed one is a tie


@dataclass(frozen=True)
class OrderTest:
    """Do the orders of one set of tasks differ?

    Attributes:
        statistic: Mean square between orders, in the square of the values' unit.
        p: Share of the relabellings with at least this mean square.
        component: Variance between orders (method of moments); 0 where its estimate is negative.
        seeds, orders: How many were compared.
        relabellings: How many there were, the data as they are included.
        exact: Whether those were all; else a random sample.
        distinct: How many different ones there can be: p is not below one over it, however many are drawn.
    """

    statistic: float
    p: float
    component: float
    seeds: int
    orders: int
    relabellings: int
    exact: bool
    distinct: int


@dataclass(frozen=True)
class LabelTest:
    """A correlation over pairs, and its p by permuting the labels of one side.

    Attributes:
        r: Pearson's correlation, both sides centred by group.
        p: Share of the relabellings with at least this absolute correlation.
        labels, groups, pairs: How many there were.
        relabellings, exact: As in OrderTest.
    """

    r: float
    p: float
    labels: int
    groups: int
    pairs: int
    relabellings: int
    exact: bool


def order_test(
    frame: pd.DataFrame,
    value: str = "value",
    *,
    limit: int = 50_000,
    samples: int = 9_999,
    seed: int = 0,
    minimum_seeds: int = 3,
) -> OrderTest:
    """Test whether the order of the tasks has an effect, by relabelling the tasks within each seed.

    Orders that share a prefix share its training and its luck. If no order is better than another, renaming
    the tasks of one seed changes the distribution of nothing, and it keeps which orders share a prefix; so
    the test is exact, whatever the noise of prefixes, runs and languages. A renaming common to all seeds
    changes no mean square, so the first seed stays as it is: (k!)^(seeds - 1) relabellings, all of them if
    at most `limit`, else `samples` random ones and p = (1 + as large) / (1 + samples) (Phipson and Smyth
    2010).

    A sample of the sequences is not mapped to itself by a renaming. There the branches of equal shape below
    each node of the prefix tree change places at random: valid if, without an effect, the noise of a stage
    depends on its position alone. Without shared prefixes that is any permutation of the sequences; a tree
    with few such exchanges (the last parting is always one) has large p, never wrong ones.

    Args:
        frame: One row per `seed` and `order` (a tuple of task names, or their names joined by "-"); orders
            that some seed lacks are left out.
        value: Column of the score (mean over languages), in any unit.
        limit: The most relabellings that are enumerated.
        samples: Random relabellings beyond.
        seed: Of the random relabellings.
        minimum_seeds: Below it there is no answer.

    Raises:
        NotEstimableError: too few runs or orders, or orders that give the same value.
    """
    y, orders = _comparable(frame, value, minimum_seeds)
    observed, component = _between(y)
    groups, exact = relabelled_seeds(orders, len(y), limit, samples, np.random.default_rng(seed))
    squares = order_mean_squares(y, groups)
    p, number = as_large(squares, observed, exact)
    distinct = distinct_relabellings(orders, len(y))
    return OrderTest(observed, p, component, len(y), len(orders), number, exact, distinct)


def order_component(frame: pd.DataFrame, value: str = "value", *, minimum_seeds: int = 3) -> float:
    """The variance between orders, `component` of OrderTest, without the test.

    Args:
        frame: As for `order_test`.
        value: Likewise.
        minimum_seeds: Likewise.

    Raises:
        NotEstimableError: as `order_test`.
    """
    return _between(_comparable(frame, value, minimum_seeds)[0])[1]


def _comparable(frame: pd.DataFrame, value: str, minimum_seeds: int) -> tuple[Array, list[tuple[str, ...]]]:
    """As `order_values`, if they can be compared.

    Raises:
        NotEstimableError: as `order_test`.
    """
    y, orders = order_values(frame, value)
    require(len(y) >= minimum_seeds, f"{count(len(y), 'run')}, at least {minimum_seeds} needed")
    require(len(orders) >= 2, f"{count(len(orders), 'order')} with every run, at least 2 needed")
    require_spread(y - y.mean(axis=1, keepdims=True), "the score of an order")
    return y, orders


def _between(y: Array) -> tuple[float, float]:
    """Mean square between orders of `y` (seeds, orders), and the variance between them, at least 0."""
    observed = float(len(y) * y.mean(axis=0).var(ddof=1))
    return observed, max((observed - _mean_square_within(y)) / len(y), 0.0)


def order_values(frame: pd.DataFrame, value: str) -> tuple[Array, list[tuple[str, ...]]]:
    """The values as (seeds, orders), orders sorted: those that every seed has.

    Raises:
        NotEstimableError: if orders are not of the same tasks.
        ValueError: if a seed has an order twice (a fault of the caller).
    """
    known = frame.dropna(subset=["seed", "order", value])
    split = [tuple(o.split("-")) if isinstance(o, str) else tuple(o) for o in known["order"]]
    require(len({tuple(sorted(order)) for order in split}) <= 1, "the orders are not of the same tasks")
    require(all(len(set(order)) == len(order) for order in split), "an order holds a task twice")
    names = {order: "\t".join(order) for order in split}
    keyed = known.assign(order=[names[order] for order in split])
    grid = keyed.pivot(index="seed", columns="order", values=value).dropna(axis="columns").sort_index(axis=1)
    return grid.to_numpy(float), [tuple(name.split("\t")) for name in grid.columns]


def relabelled_seeds(
    orders: Sequence[tuple[str, ...]], seeds: int, limit: int, samples: int, rng: np.random.Generator
) -> tuple[Indices, bool]:
    """Relabellings of all seeds, (relabellings, seeds, orders), and whether they are all there are.

    An entry is the position of the order whose value moves here. The first seed always stays.
    """
    stay = np.arange(len(orders))
    if not _are_all(orders):
        trees = _exchanges(orders, samples * (seeds - 1), rng).reshape(samples, seeds - 1, len(orders))
        first = np.broadcast_to(stay, (samples, 1, len(orders)))
        return np.concatenate([first, trees], axis=1), False
    renamings = _renamings(orders)
    exact = len(renamings) ** (seeds - 1) <= limit
    if exact:
        chosen = np.array(list(itertools.product(range(len(renamings)), repeat=seeds - 1)))
    else:
        chosen = rng.integers(len(renamings), size=(samples, seeds - 1))
    first = np.broadcast_to(stay, (len(chosen), 1, len(orders)))
    return np.concatenate([first, renamings[chosen]], axis=1), exact


def distinct_relabellings(orders: Sequence[tuple[str, ...]], seeds: int) -> int:
    """How many different relabellings of all seeds `relabelled_seeds` can give, the first seed staying.

    Of one seed: all renamings, or of a sample all exchanges, which are made node by node independently.
    """
    if _are_all(orders):
        of_one = factorial(len(orders[0]))
    else:
        exchanged = _swappable(list(range(len(orders))), orders, 0)
        of_one = prod(factorial(len(branches)) for branches in exchanged)
    return int(of_one ** (seeds - 1))


def _are_all(orders: Sequence[tuple[str, ...]]) -> bool:
    """Whether these are all orders of their tasks."""
    return len(orders) == factorial(len(orders[0]))


def order_mean_squares(y: Array, groups: Indices) -> Array:
    """Mean square between orders of `y` (seeds, orders) under each relabelling of `relabelled_seeds`."""
    total = sum(y[seed][groups[:, seed]] for seed in range(len(y)))
    return np.asarray(np.asarray(total).var(axis=1, ddof=1) / len(y))


def _mean_square_within(y: Array) -> float:
    left = y - y.mean(axis=0) - y.mean(axis=1, keepdims=True) + y.mean()
    return float((left**2).sum() / ((len(y) - 1) * (y.shape[1] - 1)))


def _renamings(orders: Sequence[tuple[str, ...]]) -> Indices:
    """Every renaming of the tasks as a permutation of all their orders."""
    place = {order: number for number, order in enumerate(orders)}
    tasks = sorted(orders[0])
    rows = []
    for image in itertools.permutations(tasks):
        name = dict(zip(tasks, image, strict=True))
        rows.append([place[tuple(name[task] for task in order)] for order in orders])
    return np.array(rows)


def _exchanges(orders: Sequence[tuple[str, ...]], number: int, rng: np.random.Generator) -> Indices:
    """Random permutations of the orders that map their prefix tree to itself, (number, orders)."""
    moves = _swappable(list(range(len(orders))), orders, 0)
    rows = np.tile(np.arange(len(orders)), (number, 1))
    for row in rows:
        # From the leaves to the root: a branch that moves takes along what moved within it.
        for branches in moves:
            before = row[np.array(branches)]
            row[np.array(branches)] = before[rng.permutation(len(branches))]
    return rows


def _swappable(members: list[int], orders: Sequence[tuple[str, ...]], depth: int) -> list[list[list[int]]]:
    """Sets of branches (each the numbers of its orders, in corresponding order) that can change places."""
    branches: dict[str, list[int]] = {}
    for member in members:
        if depth < len(orders[member]):
            branches.setdefault(orders[member][depth], []).append(member)
    found, alike = [], {}  # type: ignore[var-annotated]
    for branch in branches.values():
        found += _swappable(branch, orders, depth + 1)
        shape, ordered = _shape(branch, orders, depth + 1)
        alike.setdefault(shape, []).append(ordered)
    return found + [group for group in alike.values() if len(group) > 1]


def _shape(members: list[int], orders: Sequence[tuple[str, ...]], depth: int) -> tuple[Hashable, list[int]]:
    """The shape of the tree below a node, and its orders so that those of like trees correspond."""
    if depth == len(orders[members[0]]):
        return (), members
    branches: dict[str, list[int]] = {}
    for member in members:
        branches.setdefault(orders[member][depth], []).append(member)
    below = sorted((_shape(branch, orders, depth + 1) for branch in branches.values()), key=repr)
    return tuple(shape for shape, _ in below), [member for _, part in below for member in part]


def label_permutation_correlation(
    frame: pd.DataFrame,
    x: str,
    y: str,
    *,
    label: str,
    group: str,
    limit: int = 50_000,
    samples: int = 9_999,
    seed: int = 0,
    minimum_labels: int = 5,
) -> LabelTest:
    """Correlate `x` and `y` over pairs of `label` and `group`, both centred by group; permute the labels.

    All values of a label share its luck (an intermediate checkpoint serves every target task), so pairs are
    not independent, but labels are. A permutation moves all `y` of a label to another label's `x`, the same
    for every group: all n! of them if at most `limit`, else `samples` random ones and
    p = (1 + as large) / (1 + samples). Two-sided in the absolute correlation.

    A missing pair (an intermediate that is the target) stays missing: under each permutation the pairs count
    that have both an `x` and a `y`, centred by group anew. Permutations so have fewer pairs than the data
    and correlations of slightly larger spread; in simulation the test then rejects a true null a little too
    rarely, never too often. A permutation without a correlation counts as one that is as large.

    Args:
        frame: One row per pair, with `label` and `group`; rows with a missing value are missing pairs.
        x: Column of the similarity.
        y: Column of the gain, in any unit.
        label: Column of the intermediate task.
        group: Column of the target task.
        limit: The most permutations that are enumerated.
        samples: Random permutations beyond.
        seed: Of the random permutations.
        minimum_labels: Below it there is no answer.

    Raises:
        NotEstimableError: too few labels, no group with two of them, or sides that are constant within
            every group.
        ValueError: if a pair is there twice (a fault of the caller).
    """
    left, right = label_tables(frame, x, y, label=label, group=group)
    labels, pairs = len(left), int((~np.isnan(left)).sum())
    require(labels >= minimum_labels, f"{count(labels, f'{label} task')}, at least {minimum_labels} needed")
    require(bool(((~np.isnan(left)).sum(axis=0) > 1).any()), f"no {group} has two {label} tasks")
    for name, side in ((x, left), (y, right)):
        inside = centred(side)
        require(
            float(np.nanmax(np.abs(inside))) > 1e-12 * float(np.nanmax(np.abs(side))), f"{name} is constant"
        )
    permutations, exact = label_permutations(labels, limit, samples, np.random.default_rng(seed))
    observed = float(label_correlations(left, right, np.arange(labels)[None])[0])
    r = np.abs(label_correlations(left, right, permutations))
    p, number = as_large(np.where(np.isnan(r), np.inf, r), abs(observed), exact)
    return LabelTest(observed, p, labels, left.shape[1], pairs, number, exact)


def label_tables(frame: pd.DataFrame, x: str, y: str, *, label: str, group: str) -> tuple[Array, Array]:
    """`x` and `y` as (labels, groups), NaN for a missing pair.

    Raises:
        NotEstimableError: without any pair.
        ValueError: if a pair is there twice (a fault of the caller).
    """
    known = frame.dropna(subset=[x, y, label, group])
    require(len(known) > 0, count(0, "pair"))
    left, right = (known.pivot(index=label, columns=group, values=side) for side in (x, y))
    return left.to_numpy(float), right.to_numpy(float)


def label_permutations(
    labels: int, limit: int, samples: int, rng: np.random.Generator
) -> tuple[Indices, bool]:
    """Permutations of so many labels, (permutations, labels), and whether they are all there are."""
    if factorial(labels) <= limit:
        return np.array(list(itertools.permutations(range(labels)))), True
    return np.argsort(rng.random((samples, labels)), axis=1), False


def label_correlations(x: Array, y: Array, permutations: Indices) -> Array:
    """Correlation of x and permuted y, (labels, groups), centred by group; NaN where one is constant.

    All moments of a permutation are sums over labels of a table with an entry for each pair of an x row and
    a y row, so one product of matrices gives those of all permutations.
    """
    n, groups = x.shape
    # Centred once over all pairs, which changes no correlation, against cancellation.
    a, b = (np.nan_to_num(centred(side)) for side in (x, y))
    in_a, in_b = ((~np.isnan(side)).astype(float) for side in (x, y))
    tables = [(in_a, in_b), (a, in_b), (in_a, b), (a, b), (a * a, in_b), (in_a, b * b)]
    pairs = np.stack([u[:, None] * v[None] for u, v in tables], axis=-1).reshape(n * n, groups * 6)
    chosen = np.zeros((len(permutations), n * n))
    rows = np.arange(len(permutations))[:, None]
    chosen[rows, np.arange(n) * n + permutations] = 1.0
    moments = (chosen @ pairs).reshape(len(permutations), groups, 6)
    number, sum_a, sum_b, product, square_a, square_b = np.moveaxis(moments, -1, 0)
    number = np.maximum(number, 1.0)
    both = (product - sum_a * sum_b / number).sum(axis=1)
    spread_a = (square_a - sum_a**2 / number).sum(axis=1)
    spread_b = (square_b - sum_b**2 / number).sum(axis=1)
    flat = (spread_a <= 1e-12 * (a * a).sum()) | (spread_b <= 1e-12 * (b * b).sum())
    return np.where(flat, np.nan, both / np.sqrt(np.where(flat, 1.0, spread_a * spread_b)))


def centred(side: Array) -> Array:
    """Values (labels, groups) less the mean of their group; NaN stays."""
    return np.asarray(side - np.nanmean(side, axis=0))


def as_large(values: Array, observed: float, exact: bool) -> tuple[float, int]:
    """P of the observed statistic among those of the relabellings, and how many there were.

    The observed one is among all relabellings, and is counted with a random sample of them.
    """
    large = int((values >= observed * (1 - CLOSE)).sum())
    return (large / len(values), len(values)) if exact else ((1 + large) / (1 + len(values)), len(values) + 1)
