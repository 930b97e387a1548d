"""How a slope changes with the size of the model."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from xstilts.statistics.errors import count, require, require_spread


@dataclass(frozen=True)
class SlopeOfSlopes:
    """Change of the slope per tenfold parameters: estimate, error, interval, p (two-sided), sizes."""

    estimate: float
    error: float
    freedom: int
    low: float
    high: float
    p: float
    intercept: float
    sizes: int
    level: float


def slope_of_slopes(
    frame: pd.DataFrame, value: str = "slope", *, alpha: float = 0.05, minimum_sizes: int = 4
) -> SlopeOfSlopes:
    """Regress the slope of each model size on log10 of its parameters, t with sizes - 2 degrees of freedom.

    Slopes of one size are averaged over its seeds first: the seeds of a size share its pre-trained
    checkpoint, so the size is the replicate. Least squares; the noise of the sizes is taken as equal.

    Args:
        frame: One row per size and seed: `parameters` (a count), `value`; rows with a missing value are left
            out. Models of equal size count as one.
        value: Column of the slope of gain on similarity, in points per unit of similarity.
        alpha: The interval covers 1 - alpha.
        minimum_sizes: Below it there is no answer.

    Raises:
        NotEstimableError: too few sizes, slopes that are all the same, or no residual.
    """
    means = frame.dropna(subset=["parameters", value]).groupby("parameters")[value].mean()
    least = max(minimum_sizes, 3)
    require(len(means) >= least, f"{count(len(means), 'model size')}, at least {least} needed")
    require(bool((means.index > 0).all()), "a model has no parameters")
    y = means.to_numpy(float)
    require_spread(y, value)
    fit = stats.linregress(np.log10(means.index.to_numpy(float)), y)
    require(fit.stderr > 1e-10 * abs(fit.slope), "the model leaves no residual")
    half = float(fit.stderr * stats.t.ppf(1 - alpha / 2, len(y) - 2))
    return SlopeOfSlopes(
        estimate=float(fit.slope),
        error=float(fit.stderr),
        freedom=len(y) - 2,
        low=float(fit.slope) - half,
        high=float(fit.slope) + half,
        p=float(fit.pvalue),
        intercept=float(fit.intercept),
        sizes=len(y),
        level=1 - alpha,
    )
