"""Correlations as effect sizes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pingouin

from xstilts.statistics.errors import count, require, require_spread


def correlation(frame: pd.DataFrame, x: str, y: str, covariates: Sequence[str] = ()) -> tuple[float, int]:
    """Spearman's correlation (partial, given covariates) and the number of languages, by pingouin.

    No p: a test that takes languages as independent rejects a true null too often.

    Raises:
        NotEstimableError: fewer than five languages beyond the covariates, or a constant or collinear column.
    """
    complete = frame[[x, y, *covariates]].dropna()
    minimum = 5 + len(covariates)
    require(len(complete) >= minimum, f"{count(len(complete), 'language')} with all data")
    for name in (x, y, *covariates):
        require_spread(complete[name].to_numpy(float), name)
    if not covariates:
        result = pingouin.corr(complete[x], complete[y], method="spearman")
    else:
        ranks = complete.rank().corr().to_numpy()
        require(np.linalg.matrix_rank(ranks, tol=1e-8) == len(ranks), "the ranks are collinear")
        result = pingouin.partial_corr(complete, x, y, list(covariates), method="spearman")
    return float(result["r"].iloc[0]), len(complete)
