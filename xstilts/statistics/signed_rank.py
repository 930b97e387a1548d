"""Wilcoxon's signed ranks over languages: a description."""

from collections.abc import Sequence

import numpy as np
import pingouin

from xstilts.statistics.errors import count, require


def signed_rank(values: Sequence[float]) -> tuple[float, float, int]:
    """Rank-biserial correlation, two-sided p and number of the values (Wilcoxon 1945), by pingouin.

    Never a test of recipes: the p takes languages as independent and a run's luck as none, and with run noise
    of 0.5 to 1 point it rejects a true null 44 to 69 % of the time.

    Args:
        values: A difference per language. Zeros are left out.

    Raises:
        NotEstimableError: fewer than five differences that are not zero.
    """
    differences = np.asarray(values, dtype=float)
    kept = differences[~np.isnan(differences) & (differences != 0)]
    require(len(kept) >= 5, f"{count(len(kept), 'language')} with a difference, at least 5 needed")
    result = pingouin.wilcoxon(kept).iloc[0]
    return float(result["RBC"]), float(result["p_val"]), len(kept)
