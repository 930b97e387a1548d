"""Correlations: effect sizes and their comparison."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from xstilts.statistics.errors import count, require, require_spread


@dataclass(frozen=True)
class RepeatedMeasures:
    """The correlation within subjects: its coefficient, degrees of freedom, p and interval."""

    r: float
    freedom: int
    p: float
    low: float
    high: float
    subjects: int
    level: float


@dataclass(frozen=True)
class Comparison:
    """The difference of two correlations that share a variable, with t, its freedom and p (two-sided)."""

    difference: float
    t: float
    freedom: int
    p: float


def correlation(frame: pd.DataFrame, x: str, y: str, covariates: Sequence[str] = ()) -> tuple[float, int]:
    """Spearman's correlation (partial, given covariates) and the number of languages.

    By the correlation matrix R of the ranks: its entry, or -P[0, 1] / sqrt(P[0, 0] P[1, 1]) with P = R^-1.
    pingouin has the same numbers (tested), many times slower, which counts where one family at a time is
    left out. No p: a test that takes languages as independent rejects a true null too often.

    Raises:
        NotEstimableError: fewer than five languages beyond the covariates, or a constant or collinear column.
    """
    complete = frame[[x, y, *covariates]].dropna()
    minimum = 5 + len(covariates)
    require(len(complete) >= minimum, f"{count(len(complete), 'language')} with all data")
    for name in (x, y, *covariates):
        require_spread(complete[name].to_numpy(float), name)
    ranks = np.corrcoef(stats.rankdata(complete.to_numpy(float), axis=0), rowvar=False)
    if not covariates:
        return float(ranks[0, 1]), len(complete)
    require(np.linalg.matrix_rank(ranks, tol=1e-8) == len(ranks), "the ranks are collinear")
    precision = np.linalg.inv(ranks)
    return float(-precision[0, 1] / np.sqrt(precision[0, 0] * precision[1, 1])), len(complete)


def repeated_measures(
    frame: pd.DataFrame, x: str, y: str, subject: str, *, alpha: float = 0.05
) -> RepeatedMeasures:
    """Correlation of `x` and `y` within subjects, by pingouin (Bakdash and Marusich 2017).

    The slope is common, the intercept each subject's own. A description where `x` varies between pairs of
    tasks only: its p takes the rows of a subject as independent. The interval is Fisher's z with freedom + 2
    observations, computed here because pingouin rounds it.

    Args:
        frame: Rows of `subject` (a language), `x` and `y`; rows with a missing value are left out, and
            subjects with one row, which say nothing about a slope.
        x: Column of the similarity.
        y: Column of the gain.
        subject: Column of the subject.
        alpha: The interval covers 1 - alpha.

    Raises:
        NotEstimableError: fewer than three subjects with two rows, or a column constant within all subjects.
    """
    known = frame[[x, y, subject]].dropna()
    several = known[known.groupby(subject)[x].transform("size") > 1]
    subjects = several[subject].nunique()
    require(subjects >= 3, f"{count(subjects, subject)} with two rows, at least 3 needed")
    for name in (x, y):
        # Within subjects, so the mean of each is taken off; rounding is judged by the values themselves.
        inside = several[name] - several.groupby(subject)[name].transform("mean")
        scale = float(several[name].abs().max())
        require(
            float(inside.abs().max()) > 1e-12 * max(scale, 1e-300), f"{name} is constant in each {subject}"
        )
    import pingouin  # takes two seconds, which the other correlations need not wait for

    result = pingouin.rm_corr(several, x, y, subject).iloc[0]
    r, freedom = float(result["r"]), int(result["dof"])
    require(freedom >= 2, "one degree of freedom is left")
    require(abs(r) < 1 - 1e-12, "the model leaves no residual")
    low, high = np.tanh(
        np.arctanh(r) + np.array([-1, 1]) * stats.norm.ppf(1 - alpha / 2) / np.sqrt(freedom - 1)
    )
    p = float(2 * stats.t.sf(abs(r) * np.sqrt(freedom / (1 - r**2)), freedom))
    return RepeatedMeasures(r, freedom, p, float(low), float(high), subjects, 1 - alpha)


def steiger(r_xy: float, r_xz: float, r_yz: float, n: int) -> Comparison:
    """Compare the correlations of `x` with `y` and of `x` with `z` in one sample.

    Williams's t with n - 3 degrees of freedom, the statistic T2 that Steiger (1980, Psychological Bulletin
    87, p. 246) recommends. It takes the n observations as independent and normal: a description for
    languages.

    Args:
        r_xy: Pearson's correlation of x and y.
        r_xz: That of x and z.
        r_yz: That of y and z.
        n: Number of observations.

    Raises:
        NotEstimableError: fewer than five observations, or correlations that are perfect or cannot be those
            of one sample.
    """
    require(n >= 5, count(n, "observation"))
    numbers = np.array([r_xy, r_xz, r_yz])
    require(bool(np.isfinite(numbers).all()), "a correlation is missing")
    require(bool((np.abs(numbers) < 1 - 1e-12).all()), "a correlation is perfect")
    determinant = 1 - float((numbers**2).sum()) + 2 * r_xy * r_xz * r_yz
    require(determinant > 1e-12, "no sample can have these three correlations")
    pooled = (r_xy + r_xz) ** 2 / 4 * (1 - r_yz) ** 3
    t = (r_xy - r_xz) * np.sqrt((n - 1) * (1 + r_yz) / (2 * (n - 1) / (n - 3) * determinant + pooled))
    return Comparison(r_xy - r_xz, float(t), n - 3, float(2 * stats.t.sf(abs(t), n - 3)))
