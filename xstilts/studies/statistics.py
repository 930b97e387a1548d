"""Statistics over languages and runs: tables in, small results out, an error where there is no answer.

Languages are not independent, so inference over them is by a model with a random intercept per family,
t with (families - fixed effects) degrees of freedom. Training runs are the replicates of every contrast
between recipes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pingouin
from numpy.typing import NDArray
from scipy import optimize, stats

from xstilts.studies.words import in_words

Array = NDArray[np.float64]
SHARES = np.linspace(0, 0.999, 41)  # where the search for the share of variance between families starts


class NotEstimableError(Exception):
    """A statistic that these data do not determine; the reason completes "not estimable, because"."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True)
class FamilyFit:
    """A linear model with a random intercept per family.

    Attributes:
        estimate, error, low, high, p: The predictor's slope, its standard error, interval and p (two-sided).
        freedom: Degrees of freedom of t: families - fixed effects.
        languages, families: How many the model saw.
        ratio: REML estimate of the variance between families over the one within.
        coefficients: All fixed effects, `intercept` and the predictor first.
        covariance: Their covariance matrix.
        level: Confidence of all intervals.
    """

    estimate: float
    error: float
    low: float
    high: float
    p: float
    freedom: int
    languages: int
    families: int
    ratio: float
    coefficients: Array
    covariance: Array
    level: float

    def fitted(self, at: Array) -> tuple[float, float, float]:
        """The fitted mean and its interval at the values of predictor and covariates `at`."""
        row = np.concatenate([[1.0], at])
        mean = float(row @ self.coefficients)
        half = float(np.sqrt(row @ self.covariance @ row) * stats.t.ppf((1 + self.level) / 2, self.freedom))
        return mean, mean - half, mean + half


def family_model(
    frame: pd.DataFrame,
    outcome: str,
    predictor: str,
    covariates: Sequence[str] = (),
    *,
    alpha: float = 0.05,
    minimum_languages: int = 5,
    minimum_families: int = 5,
) -> FamilyFit:
    """Regress `outcome` on `predictor` and `covariates` with a random intercept per `family`.

    The ratio of the variances maximises the restricted likelihood; given it, the fixed effects and their
    covariance are generalised least squares, as in lme4. Where the ratio is zero this is ordinary least
    squares: that is the solution on the boundary, no failure.

    Args:
        frame: One row per language, with a column `family`; rows with a missing value are left out.
        outcome: Column of the outcome.
        predictor: Column of the predictor whose slope is asked for.
        covariates: Columns of the covariates.
        alpha: The interval covers 1 - alpha.
        minimum_languages: Below it there is no answer.
        minimum_families: Likewise.

    Raises:
        NotEstimableError: too few languages or families, a constant or collinear column, no residual.
    """
    columns = [predictor, *covariates]
    complete = frame.dropna(subset=[outcome, *columns, "family"])
    families = complete["family"].nunique()
    _require(len(complete) >= minimum_languages, f"{_count(len(complete), 'language')} with all data")
    _require(families >= minimum_families, f"languages of only {_count(families, 'family', 'families')}")
    y, raw = complete[outcome].to_numpy(float), complete[columns].to_numpy(float)
    _require_spread(y, outcome)
    for name, column in zip(columns, raw.T, strict=True):
        _require_spread(column, name)
    freedom = families - len(columns) - 1
    _require(freedom >= 1, f"{_count(families, 'family', 'families')} for {len(columns) + 1} fixed effects")
    # Standardised, so that the optimiser and the rank test work on the same scale whatever the units.
    centre, scale = raw.mean(axis=0), raw.std(axis=0)
    design = np.column_stack([np.ones(len(y)), (raw - centre) / scale])
    full = np.linalg.matrix_rank(design, tol=1e-6) == design.shape[1]
    _require(full, f"{' and '.join(map(in_words, columns))} are collinear")
    groups = pd.factorize(complete["family"], sort=True)[0]
    ratio = variance_ratio(y, design, groups)
    triangle, scale_left = _reduced(y, design, groups, ratio)
    _require(scale_left > 1e-20 * y.var(), "the model leaves no residual")
    root = np.linalg.inv(triangle[:-1, :-1])
    back = np.diag(np.concatenate([[1.0], 1 / scale]))
    back[0, 1:] = -centre / scale
    coefficients = back @ root @ triangle[:-1, -1]
    covariance = scale_left * back @ root @ root.T @ back.T
    estimate, error = float(coefficients[1]), float(np.sqrt(covariance[1, 1]))
    half = error * float(stats.t.ppf(1 - alpha / 2, freedom))
    return FamilyFit(
        estimate=estimate,
        error=error,
        low=estimate - half,
        high=estimate + half,
        p=float(2 * stats.t.sf(abs(estimate / error), freedom)),
        freedom=freedom,
        languages=len(complete),
        families=families,
        ratio=ratio,
        coefficients=coefficients,
        covariance=covariance,
        level=1 - alpha,
    )


def variance_ratio(y: Array, design: Array, groups: NDArray[np.intp]) -> float:
    """REML estimate of the variance between `groups` over the variance within.

    One parameter is left when all others are profiled out, so the maximum is found by a grid over the
    share ratio / (1 + ratio) and Brent's method, exactly zero included. statsmodels' MixedLM has the same
    likelihood, but its default optimisers stop early or fail where the ratio is zero (33 of 38 simulated
    data sets), its standard errors are not those of lme4, and it takes thirty times as long; the tests
    compare the two.

    Args:
        y: Outcome, (n,).
        design: Fixed effects, intercept included, (n, k) of rank k.
        groups: Number of each observation's group, (n,).
    """
    if len(np.unique(groups)) == len(y):
        return 0.0  # the two variances cannot be told apart, and the fixed effects do not depend on it
    sizes = np.bincount(groups)

    def loss(share: float) -> float:
        ratio = share / (1 - share)
        triangle, scale = _reduced(y, design, groups, ratio)
        logs = np.log1p(ratio * sizes).sum() + 2 * np.log(np.abs(np.diag(triangle)[:-1])).sum()
        return float((len(y) - design.shape[1]) * np.log(max(scale, 1e-300)) + logs)

    best = int(np.argmin([loss(share) for share in SHARES]))
    bounds = (SHARES[max(best - 1, 0)], SHARES[min(best + 1, len(SHARES) - 1)])
    share = float(optimize.minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-9}).x)
    if loss(0.0) <= loss(share) + 1e-9:
        return 0.0
    return share / (1 - share)


def _reduced(y: Array, design: Array, groups: NDArray[np.intp], ratio: float) -> tuple[Array, float]:
    """Generalised least squares by QR: the triangle of (design, y), whitened, and the residual variance.

    Taking 1 - 1 / sqrt(1 + ratio * size) of its group's mean from each observation whitens a random
    intercept (Fuller and Battese 1973).
    """
    columns = np.column_stack([design, y])
    sizes = np.bincount(groups)
    totals = np.zeros((len(sizes), columns.shape[1]))
    np.add.at(totals, groups, columns)
    part = (1 - 1 / np.sqrt(1 + ratio * sizes)) / sizes
    triangle = np.asarray(np.linalg.qr(columns - (part[:, None] * totals)[groups], mode="r"), dtype=float)
    return triangle, float(triangle[-1, -1] ** 2 / (len(y) - design.shape[1]))


def detectable_slope(fit: FamilyFit, alpha: float, power: float) -> float:
    """The smallest slope that a design with the standard error of `fit` finds with probability `power`.

    From the noncentral t distribution with the fit's degrees of freedom, two-sided at `alpha`. Plugging
    in the standard error makes it a statement about runs like this one.
    """
    critical = float(stats.t.ppf(1 - alpha / 2, fit.freedom))
    # Over the variance's chi-square, by quadrature: scipy's nct is NaN for few degrees of freedom.
    nodes, weights = np.polynomial.legendre.leggauss(400)
    spread = critical * np.sqrt(stats.chi2.ppf((nodes + 1) / 2, fit.freedom) / fit.freedom)

    def miss(shift: float) -> float:
        found = stats.norm.sf(spread - shift) + stats.norm.cdf(-spread - shift)
        return float(weights @ found) / 2 - power

    upper = critical
    while miss(upper) < 0:
        upper *= 2
    return float(optimize.brentq(miss, 0.0, upper, xtol=1e-10)) * fit.error


def correlation(frame: pd.DataFrame, x: str, y: str, covariates: Sequence[str] = ()) -> tuple[float, int]:
    """Spearman's correlation (partial, given covariates) and the number of languages, by pingouin.

    No p: a test that takes languages as independent rejects a true null too often.

    Raises:
        NotEstimableError: fewer than five languages beyond the covariates, or a constant or collinear column.
    """
    complete = frame[[x, y, *covariates]].dropna()
    minimum = 5 + len(covariates)
    _require(len(complete) >= minimum, f"{_count(len(complete), 'language')} with all data")
    for name in (x, y, *covariates):
        _require_spread(complete[name].to_numpy(float), name)
    if not covariates:
        result = pingouin.corr(complete[x], complete[y], method="spearman")
    else:
        ranks = complete.rank().corr().to_numpy()
        _require(np.linalg.matrix_rank(ranks, tol=1e-8) == len(ranks), "the ranks are collinear")
        result = pingouin.partial_corr(complete, x, y, list(covariates), method="spearman")
    return float(result["r"].iloc[0]), len(complete)


def leave_one_family_out(
    frame: pd.DataFrame, statistic: Callable[[pd.DataFrame], float]
) -> tuple[float, float]:
    """The smallest and the largest value of `statistic` over leaving out one `family` at a time.

    Raises:
        NotEstimableError: if leaving out some family leaves too little, or there is one family only.
    """
    families = sorted(frame["family"].dropna().unique())
    _require(len(families) > 1, "there is only one family")
    values = []
    for family in families:
        try:
            values.append(statistic(frame[frame["family"] != family]))
        except NotEstimableError as error:
            raise NotEstimableError(f"without {family} {error.reason}") from error
    return min(values), max(values)


def mean_over_seeds(
    values: Sequence[float], *, alpha: float, minimum: int
) -> tuple[float, float, float, float]:
    """Mean, interval and two-sided p of one value per training run (one-sample t).

    Raises:
        NotEstimableError: fewer runs than `minimum`, or runs that do not vary.
    """
    _require(len(values) >= minimum, f"{_count(len(values), 'run')}, at least {minimum} needed")
    _require(np.ptp(values) > 1e-12, "every run gave the same value")
    test = stats.ttest_1samp(values, 0.0)
    interval = test.confidence_interval(1 - alpha)
    return float(np.mean(values)), float(interval.low), float(interval.high), float(test.pvalue)


def adjust(p: Sequence[float], method: str, alpha: float) -> list[float]:
    """p-values corrected over the family of tests that they form (`holm`, `fdr_bh` or `fdr_by`)."""
    if not len(p):
        return []
    return [float(value) for value in pingouin.multicomp(list(p), alpha=alpha, method=method)[1]]


def chance_tail(
    scores: "pd.Series[float]", queries: "pd.Series[float]", chance: "pd.Series[float]"
) -> "pd.Series[float]":
    """Per language, the probability of `scores` or more by chance (exact binomial, one-sided).

    Args:
        scores: Shares of the queries that were right. A score that is no such share (F1, mean average
            precision) is taken as one: its variance is at most that of the share, so the test is not
            too liberal.
        queries: Number of queries.
        chance: Expected score of guessing.
    """
    return pd.Series(stats.binom.sf((scores * queries).round() - 1, queries, chance), index=scores.index)


def _require(condition: bool, reason: str) -> None:
    if not condition:
        raise NotEstimableError(f"there are {reason}" if reason[:1].isdigit() else reason)


def _require_spread(values: Array, name: str) -> None:
    spread = float(np.ptp(values)) if len(values) else 0.0
    largest = float(np.abs(values).max(initial=1.0))
    _require(spread > 1e-12 * largest, f"{in_words(name)} is constant")


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
