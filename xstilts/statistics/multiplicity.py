"""Corrections over a family of tests."""

import math
from collections.abc import Sequence

from statsmodels.stats.multitest import multipletests


def adjust(p: Sequence[float | None], method: str, alpha: float = 0.05) -> list[float | None]:
    """p-values corrected over the tests that they form (`holm`, `fdr_bh` or `fdr_by`), by statsmodels.

    A test that could not be made (None or NaN) stays None and does not count.
    """
    made = [value for value in p if value is not None and not math.isnan(value)]
    if not made:
        return [None] * len(p)
    corrected = iter(multipletests(made, alpha=alpha, method=method)[1])
    return [None if value is None or math.isnan(value) else float(next(corrected)) for value in p]
