"""The mean of a contrast between recipes, over runs and languages that are crossed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from xstilts.statistics.errors import Array, count, require
from xstilts.statistics.family import reduced, variance_ratio
from xstilts.statistics.slopes import SlopeOfSlopes


@dataclass(frozen=True)
class Parts:
    """Squared standard errors of a mean over runs and languages, and their degrees of freedom.

    Each is a number or, for simulations, an array.

    Attributes:
        runs: From runs, their interaction with languages included.
        languages: From languages, likewise.
        interaction: From the interaction alone, which is in both.
        freedom_runs, freedom_languages: Degrees of freedom; the interaction has their product.
    """

    runs: Any
    languages: Any
    interaction: Any
    freedom_runs: int
    freedom_languages: int

    @property
    def variance(self) -> Any:
        """Of the mean; languages that vary less than the interaction alone explains add nothing."""
        return self.runs + np.maximum(self.languages - self.interaction, 0.0)

    @property
    def freedom(self) -> Any:
        """Satterthwaite's, rounded down, but not below the smaller of those it is made of."""
        squares = self.runs**2 / self.freedom_runs
        squares = squares + self.interaction**2 / (self.freedom_runs * self.freedom_languages)
        squares = squares + np.maximum(self.languages, self.interaction) ** 2 / self.freedom_languages
        least = min(self.freedom_runs, self.freedom_languages)
        return np.maximum(np.floor(self.variance**2 / np.maximum(squares, 1e-300)), least)


@dataclass(frozen=True)
class CrossedMean:
    """A mean over runs and languages.

    Attributes:
        estimate, error, low, high, p: The mean, its standard error, interval and p (two-sided, against 0),
            in the unit of the values.
        freedom: Degrees of freedom of t.
        seeds, languages: How many it is over.
        families: How many families they are of; None where languages were taken as independent.
        parts: What the squared error is made of.
        level: Confidence of the interval.
    """

    estimate: float
    error: float
    freedom: int
    low: float
    high: float
    p: float
    seeds: int
    languages: int
    families: int | None
    parts: Parts
    level: float

    @property
    def from_runs(self) -> float:
        """Share of the squared error that more runs would reduce; the rest is from languages."""
        return float(self.parts.runs / self.parts.variance)


@dataclass(frozen=True)
class Equivalence:
    """Two one-sided tests (TOST) of a mean against plus and minus `margin`.

    Attributes:
        p: The larger of the two one-sided p-values.
        low, high: Interval at `level` = 1 - 2 alpha: it lies within the margin where p is at most alpha.
    """

    p: float
    low: float
    high: float
    margin: float
    level: float


def crossed_mean(
    frame: pd.DataFrame,
    value: str = "value",
    *,
    families: str | None = "family",
    alpha: float = 0.05,
    minimum_seeds: int = 3,
    minimum_languages: int = 3,
    minimum_families: int = 3,
) -> CrossedMean:
    """The mean of a contrast over seeds and languages, and its interval for new runs and languages.

    One checkpoint scores every language, so runs and languages are crossed and the variance of the mean is
    (MS_seed + MS_language - MS_residual) / (S L), t with Satterthwaite's degrees of freedom (Cornfield and
    Tukey 1956; Satterthwaite 1946). With `families` the languages' part is that of the mean under a random
    intercept per family (REML on the languages' means over seeds), with families - 1 degrees of freedom,
    and the interaction's part that of a run-by-family and a run-by-language component (method of moments).
    With one language per family the two are the same; with XTREME's families, which share a third to half
    of the variance of languages, the formula without families covers the truth 74 to 93 % of the time.

    Languages that vary less than the interaction alone would make them add nothing, so the variance is never
    below the runs' own. Degrees of freedom are rounded down to a whole number, but not below the smallest of
    their parts: at three seeds the fraction itself rejects a true null up to 7 % of the time.

    Args:
        frame: One row per `seed` and `language` with the contrast (treatment minus baseline). Only languages
            that every seed has count: the caller notes who is left out.
        value: Column of the contrast, in any unit.
        families: Column of the language's family; None takes languages as independent.
        alpha: The interval covers 1 - alpha.
        minimum_seeds: Below it there is no answer.
        minimum_languages: Likewise.
        minimum_families: Likewise.

    Raises:
        NotEstimableError: too few runs, languages or families, or runs that do not differ.
        ValueError: if a seed has a language twice (a fault of the caller).
    """
    grid = _grid(frame, value)
    seeds, languages = grid.shape
    require(seeds >= minimum_seeds, f"{count(seeds, 'run')}, at least {minimum_seeds} needed")
    require(
        languages >= max(minimum_languages, 2),
        f"{count(languages, 'language')} with every run, at least {max(minimum_languages, 2)} needed",
    )
    y = grid.to_numpy(float)
    number: int | None = None
    if families is None:
        parts = _independent(y)
    else:
        family = frame.drop_duplicates("language").set_index("language")[families].loc[grid.columns]
        require(bool(family.notna().all()), "a language has no family")
        groups, names = pd.factorize(family, sort=True)
        number = len(names)
        least = max(minimum_families, 2)
        require(number >= least, f"there are languages of only {count(number, 'family', 'families')}")
        parts = _of_families(y, groups)
    largest = float(np.abs(y).max(initial=0.0))
    require(np.ptp(y.mean(axis=1)) > 1e-12 * largest, "every run gave the same mean")
    return _summary(float(y.mean()), parts, alpha, seeds, languages, number)


def mean_over_tasks(frame: pd.DataFrame, value: str = "value") -> pd.DataFrame:
    """One value per seed and language, whose mean over languages is the mean over tasks.

    Every task weighs the same, and so does every language within it, however many it has: in a seed s the
    mean is D_s = mean over tasks t of D_st, the mean over the L_t languages of t. Where tasks have languages
    of their own these are ratios of sums over languages, whose number in a task would be another with other
    languages. Their linearisation (Taylor; Woodruff 1971) gives `crossed_mean` what each of the L languages
    contributes:

        u_sl = D_s + L sum_t (d_stl - D_st) / (T L_t), over those of the T tasks that l has.

    Its mean over languages is D_s. With one task, or tasks of the same languages, u_sl is the plain mean over
    tasks.

    Args:
        frame: One row per `task`, `seed` and `language`; every seed has the same languages of a task.
        value: Column of the contrast, in any unit.

    Returns:
        Columns seed, language, and `value` with u_sl.
    """
    of_task = frame.groupby(["task", "seed"])[value]
    share = frame["language"].nunique() / (frame["task"].nunique() * of_task.transform("size"))
    u = frame.assign(**{value: (frame[value] - of_task.transform("mean")) * share})
    means = of_task.mean().groupby("seed").mean()
    return u.groupby(["seed", "language"])[value].sum().add(means, level="seed").reset_index()


def tost(mean: CrossedMean | SlopeOfSlopes, margin: float, alpha: float = 0.05) -> Equivalence:
    """Is the estimate within plus and minus `margin` (of its unit)? Two one-sided t-tests at `alpha`.

    With the standard error and degrees of freedom of `mean` (Schuirmann 1987).
    """
    if not margin > 0:
        raise ValueError(f"margin is {margin}")
    above, below = (margin + mean.estimate) / mean.error, (margin - mean.estimate) / mean.error
    half = mean.error * float(stats.t.ppf(1 - alpha, mean.freedom))
    p = float(stats.t.sf(min(above, below), mean.freedom))
    return Equivalence(p, mean.estimate - half, mean.estimate + half, margin, 1 - 2 * alpha)


def _grid(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    """Seeds in rows, languages in columns: those that every seed has."""
    known = frame.dropna(subset=["seed", "language", value])
    return known.pivot(index="seed", columns="language", values=value).dropna(axis="columns")


def _residuals(y: Array) -> Array:
    rows, columns = y.mean(axis=1, keepdims=True), y.mean(axis=0, keepdims=True)
    return np.asarray(y - rows - columns + y.mean())


def _independent(y: Array) -> Parts:
    """The parts of the two-way table, each a mean square over S L."""
    seeds, languages = y.shape
    interaction = float((_residuals(y) ** 2).sum()) / ((seeds - 1) * (languages - 1) * y.size)
    runs = float(y.mean(axis=1).var(ddof=1)) / seeds
    own = float(y.mean(axis=0).var(ddof=1)) / languages
    return Parts(runs, own, interaction, seeds - 1, languages - 1)


def _of_families(y: Array, groups: NDArray[np.intp]) -> Parts:
    """The parts where languages of a family (its number in `groups`) are alike."""
    seeds, languages = y.shape
    sizes = np.bincount(groups)
    if len(sizes) == languages:
        return _independent(y)
    means, one = y.mean(axis=0), np.ones((languages, 1))
    ratio = variance_ratio(means, one, groups)
    _, within = reduced(means, one, groups, ratio)
    # A component between families enters the mean with the sum of squares of the families' shares in it.
    weight, family_weight = 1 / languages, float((sizes**2).sum()) / languages**2
    own = within * (weight + ratio * family_weight)
    between, residual = _interaction(y, groups)
    interaction = (residual * weight + between * family_weight) / seeds
    runs = float(y.mean(axis=1).var(ddof=1)) / seeds
    return Parts(runs, own, interaction, seeds - 1, len(sizes) - 1)


def _interaction(y: Array, groups: NDArray[np.intp]) -> tuple[float, float]:
    """Variances of run by family and of run by language within families, from their mean squares."""
    seeds, languages = y.shape
    sizes = np.bincount(groups)
    left = _residuals(y)
    of_family = np.stack([np.bincount(groups, row) / sizes for row in left])
    freedom = (seeds - 1) * (languages - len(sizes))
    within = float(((left - of_family[:, groups]) ** 2).sum()) / freedom
    between = float((sizes * of_family**2).sum()) / ((seeds - 1) * (len(sizes) - 1))
    typical_size = (languages - float((sizes**2).sum()) / languages) / (len(sizes) - 1)
    return max((between - within) / typical_size, 0.0), within


def _summary(
    estimate: float, parts: Parts, alpha: float, seeds: int, languages: int, families: int | None
) -> CrossedMean:
    error, freedom = float(np.sqrt(parts.variance)), int(parts.freedom)
    half = error * float(stats.t.ppf(1 - alpha / 2, freedom))
    return CrossedMean(
        estimate=estimate,
        error=error,
        freedom=freedom,
        low=estimate - half,
        high=estimate + half,
        p=float(2 * stats.t.sf(abs(estimate) / error, freedom)),
        seeds=seeds,
        languages=languages,
        families=families,
        parts=parts,
        level=1 - alpha,
    )
