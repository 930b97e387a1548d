"""The smallest effects that a design finds with a stated probability."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import integrate, optimize, stats

from xstilts.statistics.crossed import CrossedMean, Parts
from xstilts.statistics.errors import Array, require, require_spread
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

Found = Callable[[float, np.random.Generator], bool]
"""Draws data with an effect of this size, and tells whether the test finds it."""


def achieved(effect: float, error: float, freedom: float, alpha: float) -> float:
    """The probability that a t-test with this estimated error finds `effect`, two-sided at `alpha`.

    From the noncentral t distribution. An estimated standard error is more often too small than too large,
    by a lot where its degrees of freedom are few, so its median-unbiased version goes in (times 1.2 at two
    degrees, 1.03 at ten): the stated power is as often too high as too low.

    Args:
        effect: In the unit of the estimate.
        error: Standard error of the estimate, from the data.
        freedom: Degrees of freedom of t.
        alpha: Level of the test.
    """
    return _noncentral(effect / (error * _unbiased(freedom)), freedom, alpha)


def detectable(error: float, freedom: float, alpha: float, power: float) -> float:
    """The smallest effect that a t-test with this estimated error finds with probability `power`.

    A statement about runs like this one: see `achieved`. The answer has the unit of `error`.
    """
    upper = float(stats.t.ppf(1 - alpha / 2, freedom))
    while _noncentral(upper, freedom, alpha) < power:
        upper *= 2
    shift = optimize.brentq(lambda at: _noncentral(at, freedom, alpha) - power, 0.0, upper, xtol=1e-10)
    return float(shift) * error * _unbiased(freedom)


def _unbiased(freedom: float) -> float:
    """What makes the median of an estimated standard error the true one."""
    return float(np.sqrt(freedom / stats.chi2.median(freedom)))


def achieved_crossed(mean: CrossedMean, effect: float, alpha: float, margin: float | None = None) -> float:
    """The probability that a crossed mean with these parts finds `effect`; with `margin`, that TOST does.

    By drawing the estimate and its mean squares (20,000 times, always the same), because the degrees of
    freedom vary with the data too, and with them the critical value. Parts are median-unbiased as in
    `achieved`.

    Args:
        mean: From the data.
        effect: The true mean, in its unit.
        alpha: Level of the test: two-sided, or of each side of TOST.
        margin: Of equivalence.
    """
    if margin is None:
        return _finding(mean, alpha)(effect)
    drawn, noise = _drawn_parts(mean)
    needed = np.sqrt(drawn.variance) * _critical(1 - alpha, drawn.freedom)
    return float(np.mean(margin - np.abs(effect + noise) > needed))


def detectable_crossed(mean: CrossedMean, alpha: float, power: float) -> float:
    """The smallest effect that a crossed mean with these parts finds with probability `power`.

    The inverse of `achieved_crossed`, to a thousandth of the standard error.
    """
    found = _finding(mean, alpha)
    upper = 3 * mean.error
    while found(upper) < power:
        upper *= 2
    low = 0.0
    while upper - low > 1e-3 * mean.error:
        middle = (low + upper) / 2
        low, upper = (low, middle) if found(middle) >= power else (middle, upper)
    return upper


def _finding(mean: CrossedMean, alpha: float) -> Callable[[float], float]:
    """How often an effect is found, by its size, two-sided at `alpha`."""
    drawn, noise = _drawn_parts(mean)
    needed = np.sqrt(drawn.variance) * _critical(1 - alpha / 2, drawn.freedom)
    return lambda effect: float(np.mean(np.abs(effect + noise) > needed))


def _drawn_parts(mean: CrossedMean) -> tuple[Parts, Array]:
    """Parts as other runs would estimate them, and how far their estimates would be from the truth."""
    rng, n, parts = np.random.default_rng(0), 20_000, mean.parts
    runs = parts.runs * _unbiased(parts.freedom_runs) ** 2
    languages = max(parts.languages, parts.interaction) * _unbiased(parts.freedom_languages) ** 2

    def estimates(part: float, freedom: int) -> Array:
        return np.asarray(part * rng.chisquare(freedom, n) / freedom)

    drawn = Parts(
        runs=estimates(runs, parts.freedom_runs),
        languages=estimates(languages, parts.freedom_languages),
        interaction=estimates(parts.interaction, parts.freedom_runs * parts.freedom_languages),
        freedom_runs=parts.freedom_runs,
        freedom_languages=parts.freedom_languages,
    )
    spread = float(np.sqrt(runs + max(languages - parts.interaction, 0.0)))
    return drawn, spread * rng.normal(size=n)


def _critical(share: float, freedom: Array) -> Array:
    """Quantiles of t for whole degrees of freedom, each computed once."""
    values, place = np.unique(freedom, return_inverse=True)
    return np.asarray(stats.t.ppf(share, values)[place])


def _noncentral(shift: float, freedom: float, alpha: float) -> float:
    """Over the variance's chi-square, by quadrature: scipy's nct is NaN for few degrees of freedom."""

    def found(share: Array) -> Array:
        spread = np.sqrt(stats.chi2.ppf(share, freedom) / freedom) * stats.t.ppf(1 - alpha / 2, freedom)
        return np.asarray(stats.norm.sf(spread - shift) + stats.norm.cdf(-spread - shift))

    return float(integrate.fixed_quad(found, 0, 1, n=400)[0])


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
        return as_large(order_mean_squares(data, groups), observed, exact)[0] <= alpha

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

    The effect is the correlation over pairs within groups. Noise is normal; the share of it that the pairs
    of a label have in common is that of the residual of `y` on `x`.

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
    of_label = _share_of_labels(residual)
    n = len(left)
    permutations, exact = label_permutations(n, limit, samples, np.random.default_rng(0))
    unit = left / (left[known].std() * np.sqrt(n / (n - 1)))  # centring takes 1/n of the variance

    def found(effect: float, rng: np.random.Generator) -> bool:
        noise = np.sqrt(of_label) * rng.normal(size=(n, 1)) + np.sqrt(1 - of_label) * rng.normal(
            size=left.shape
        )
        data = effect * unit + np.sqrt(1 - effect**2) * np.where(known, noise, np.nan)
        r = np.abs(label_correlations(left, data, permutations))
        observed = float(np.abs(label_correlations(left, data, np.arange(n)[None]))[0])
        return as_large(np.where(np.isnan(r), np.inf, r), observed, exact)[0] <= alpha

    return found, 0.999


def _share_of_labels(residual: Array) -> float:
    """The share of the variance that the pairs of a label have in common, by the method of moments.

    The labels' mean square has labels - 2 degrees of freedom: one for the mean, one for the slope.
    """
    known = ~np.isnan(residual)
    number = known.sum(axis=1)
    means = np.nansum(residual, axis=1) / number
    several = float(number.mean())
    between = float((number * means**2).sum()) / (len(residual) - 2)
    inside = (residual - means[:, None])[known]
    within = float((inside**2).sum()) / max(inside.size - len(residual) - residual.shape[1] + 1, 1)
    shared = max((between - within) / several, 0.0)
    return float(shared / max(shared + within, 1e-300))
