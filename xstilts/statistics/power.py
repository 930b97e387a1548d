"""The smallest effects that a design finds with a stated probability."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import optimize, stats

from xstilts.statistics.errors import NotEstimableError, require, require_spread
from xstilts.statistics.permutation import (
    as_large,
    centred,
    label_correlations,
    label_permutations,
    label_tables,
    order_mean_squares,
    order_values,
    relabelled_seeds,
)

NODES = np.polynomial.legendre.leggauss(400)
Found = Callable[[float, np.random.Generator], bool]
"""Draws data with an effect of this size, and tells whether the test finds it."""


def achieved(effect: float, error: float, freedom: float, alpha: float) -> float:
    """The probability that a t-test with this standard error finds `effect`, two-sided at `alpha`."""
    return _noncentral(effect / error, freedom, alpha)


def detectable(error: float, freedom: float, alpha: float, power: float) -> float:
    """The smallest effect that a t-test with this standard error finds with probability `power`.

    From the noncentral t distribution, two-sided at `alpha`. Plugging in the standard error makes it a
    statement about runs like this one.

    Args:
        error: Standard error of the estimate; the answer has its unit.
        freedom: Degrees of freedom of t.
        alpha: Level of the test.
        power: Between alpha and 1.
    """
    upper = float(stats.t.ppf(1 - alpha / 2, freedom))
    while _noncentral(upper, freedom, alpha) < power:
        upper *= 2
    shift = optimize.brentq(lambda at: _noncentral(at, freedom, alpha) - power, 0.0, upper, xtol=1e-10)
    return float(shift) * error


def _noncentral(shift: float, freedom: float, alpha: float) -> float:
    """Over the variance's chi-square, by quadrature: scipy's nct is NaN for few degrees of freedom."""
    nodes, weights = NODES
    spread = np.sqrt(stats.chi2.ppf((nodes + 1) / 2, freedom) / freedom) * stats.t.ppf(1 - alpha / 2, freedom)
    found = stats.norm.sf(spread - shift) + stats.norm.cdf(-spread - shift)
    return float(weights @ found) / 2


def simulated_power(found: Found, effect: float, simulations: int = 300, seed: int = 0) -> float:
    """The share of simulated data in which an effect of this size is found.

    Each simulation has a generator of its own, so that two effects are compared on the same noise.
    """
    return float(np.mean([found(effect, np.random.default_rng([seed, i])) for i in range(simulations)]))


def detectable_by_simulation(
    found: Found, *, power: float, largest: float, simulations: int = 300, seed: int = 0, steps: int = 8
) -> float:
    """The smallest effect that is found with probability `power`, by bisection from 0 to `largest`.

    The answer is exact to largest / 2^steps, and its power to the simulations' error (2 % of 300).

    Raises:
        NotEstimableError: if `largest` itself is not found as often.
    """
    reached = simulated_power(found, largest, simulations, seed)
    require(
        reached >= power, "even the largest effect is missed too often by a test with so few relabellings"
    )
    low, high = 0.0, largest
    for _ in range(steps):
        middle = (low + high) / 2
        if simulated_power(found, middle, simulations, seed) >= power:
            high = middle
        else:
            low = middle
    return high


def order_finder(
    frame: pd.DataFrame, value: str = "value", *, alpha: float = 0.05, limit: int = 2_000, samples: int = 499
) -> tuple[Found, float]:
    """What `order_test` finds in runs like these, and the largest effect worth asking for.

    The effect is the standard deviation between orders, in the unit of `value`, orders being normal. Noise
    is drawn from the seeds' deviations from the mean over seeds (rescaled to the variance of a seed), with a
    random sign and relabelling, which keeps what orders with a common prefix share.

    Args:
        frame: As for `order_test`.
        value: Likewise.
        alpha: Level of the test.
        limit: As for `order_test`, but fewer, because the test is made many times.
        samples: Likewise.
    """
    y, orders = order_values(frame, value)
    require(len(y) >= 2, "the noise of a single run is not known")
    left = y - y.mean(axis=1, keepdims=True)
    noise = (left - left.mean(axis=0)) * np.sqrt(len(y) / (len(y) - 1))
    require_spread(noise.ravel(), "the noise of the runs")
    groups, exact = relabelled_seeds(orders, len(y), limit, samples, np.random.default_rng(0))

    def found(effect: float, rng: np.random.Generator) -> bool:
        moves = groups[rng.integers(len(groups), size=len(y)), 1]
        drawn = np.take_along_axis(noise[rng.integers(len(y), size=len(y))], moves, axis=1)
        data = drawn * rng.choice([-1.0, 1.0], size=(len(y), 1)) + effect * rng.normal(size=len(orders))
        observed = float(len(y) * data.mean(axis=0).var(ddof=1))
        return as_large(order_mean_squares(data, groups), observed, exact)[0] < alpha

    return found, 20 * float(noise.std())


def label_finder(
    frame: pd.DataFrame,
    x: str,
    y: str,
    *,
    label: str,
    group: str,
    alpha: float = 0.05,
    limit: int = 1_000,
    samples: int = 499,
) -> tuple[Found, float]:
    """What `label_permutation_correlation` finds in pairs like these, and the largest effect.

    The effect is the correlation over pairs within groups. Noise is the residual of `y` on `x`, its labels
    permuted with a random sign each, so that what the pairs of a label share stays shared; a missing pair
    takes the residual of another group of its label.

    Args:
        frame: As for `label_permutation_correlation`.
        x: Likewise.
        y: Likewise.
        label: Likewise.
        group: Likewise.
        alpha: Level of the test.
        limit: As for the test, but fewer, because it is made many times.
        samples: Likewise.
    """
    left, right = (centred(side) for side in label_tables(frame, x, y, label=label, group=group))
    known = ~np.isnan(left)
    require(float((left[known] ** 2).sum()) > 0, f"{x} is constant")
    slope = float((left * right)[known].sum() / (left[known] ** 2).sum())
    residual = right - slope * left
    require_spread(residual[known], "the residual")
    n = len(left)
    permutations, exact = label_permutations(n, limit, samples, np.random.default_rng(0))

    def found(effect: float, rng: np.random.Generator) -> bool:
        filled = np.array([np.where(np.isnan(row), rng.choice(row[~np.isnan(row)]), row) for row in residual])
        drawn = centred(np.where(known, filled[rng.permutation(n)] * rng.choice([-1.0, 1.0], (n, 1)), np.nan))
        share = effect / left[known].std()
        data = share * left + np.sqrt(1 - effect**2) * drawn / drawn[known].std()
        r = np.abs(label_correlations(left, data, permutations))
        observed = np.abs(label_correlations(left, data, np.arange(n)[None]))[0]
        if np.isnan(observed):
            raise NotEstimableError(f"{x} and {y} do not vary over the same pairs")
        return as_large(np.where(np.isnan(r), np.inf, r), float(observed), exact)[0] < alpha

    return found, 0.999
