"""Scores against guessing."""

import pandas as pd
from scipy import stats


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
