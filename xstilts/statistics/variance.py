"""How much of the variance of scores is due to order, run and language."""

import itertools

import numpy as np
import pandas as pd

from xstilts.statistics.errors import Array, count, require, require_spread

FACTORS = ("order", "seed", "language")


def decompose(frame: pd.DataFrame, value: str = "value") -> pd.DataFrame:
    """Variance components of order, seed and language, all crossed and random, by the method of moments.

    One row per component: order, seed, language, their interactions two by two, and the residual, which is
    the interaction of all three. All languages of a run (one order with one seed) share its noise, so an
    analysis with main effects alone would take the noise of runs for an effect of order:
    MS_order estimates residual + S language:order + L order:seed + S L order. Orders that share a prefix
    share noise of their seed too, which goes to `seed` and `order:seed`.

    Args:
        frame: A row per `order`, `seed` and `language`, balanced: each combination once. Rows with a missing
            value are left out, and then the languages that some run lacks.
        value: Column of the score.

    Returns:
        Columns: component; freedom; mean_square; variance (square of the value's unit; a negative estimate
        is reported as 0), negative (whether it was), share (of the sum of the variances).

    Raises:
        NotEstimableError: fewer than two orders, seeds or languages, or constant scores, or a run that is
            missing.
        ValueError: if a combination is there twice (a fault of the caller).
    """
    y = _cube(frame, value)
    for name, size in zip(FACTORS, y.shape, strict=True):
        require(size >= 2, f"{count(size, name)}, at least 2 needed")
    require_spread(y.ravel(), value)
    squares = {names: _mean_square(y, names) for names in _subsets()}
    components = [
        {"component": ":".join(names) or "residual"} | _component(y, names, squares) for names in squares
    ]
    table = pd.DataFrame(components)
    table.loc[table["component"] == ":".join(FACTORS), "component"] = "residual"
    total = table["variance"].sum()
    return table.assign(share=table["variance"] / total)


def _subsets() -> list[tuple[str, ...]]:
    return [names for size in (1, 2, 3) for names in itertools.combinations(FACTORS, size)]


def _cube(frame: pd.DataFrame, value: str) -> Array:
    """Values as (orders, seeds, languages)."""
    known = frame.dropna(subset=[*FACTORS, value])
    wide = known.pivot(index=["order", "seed"], columns="language", values=value).dropna(axis="columns")
    orders, seeds = (wide.index.get_level_values(name).nunique() for name in ("order", "seed"))
    require(len(wide) == orders * seeds, "a run of some order and seed is missing")
    return wide.sort_index().to_numpy(float).reshape(orders, seeds, wide.shape[1])


def _axes(names: tuple[str, ...]) -> list[int]:
    return [FACTORS.index(name) for name in names]


def _mean_square(y: Array, names: tuple[str, ...]) -> float:
    """Mean square of the interaction of `names`: the effect left when all effects within it are taken off."""
    effect = y
    for axis in range(3):
        mean = effect.mean(axis=axis, keepdims=True)
        effect = effect - mean if axis in _axes(names) else mean
    others = y.size / np.prod([y.shape[axis] for axis in _axes(names)])
    freedom = np.prod([y.shape[axis] - 1 for axis in _axes(names)])
    return float((effect**2).sum() * others / freedom)


def _component(y: Array, names: tuple[str, ...], squares: dict[tuple[str, ...], float]) -> dict[str, object]:
    """The mean squares of all effects that contain it, with alternating signs, over its replicates."""
    larger = {other: len(other) - len(names) for other in squares if set(names) <= set(other)}
    replicates = y.size / np.prod([y.shape[axis] for axis in _axes(names)])
    raw = sum((-1) ** extra * squares[other] for other, extra in larger.items()) / replicates
    return {
        "freedom": int(np.prod([y.shape[axis] - 1 for axis in _axes(names)])),
        "mean_square": squares[names],
        "variance": max(float(raw), 0.0),
        "negative": bool(raw < 0),
    }
