"""Statistics of one value per training run: the run is the replicate."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from xstilts.statistics.errors import count, require


def mean_over_seeds(
    values: Sequence[float], *, alpha: float, minimum: int
) -> tuple[float, float, float, float]:
    """Mean, interval and two-sided p of one value per training run (one-sample t).

    Raises:
        NotEstimableError: fewer runs than `minimum`, or runs that do not vary.
    """
    require(len(values) >= minimum, f"{count(len(values), 'run')}, at least {minimum} needed")
    require(np.ptp(values) > 1e-12, "every run gave the same value")
    test = stats.ttest_1samp(values, 0.0)
    interval = test.confidence_interval(1 - alpha)
    return float(np.mean(values)), float(interval.low), float(interval.high), float(test.pvalue)
