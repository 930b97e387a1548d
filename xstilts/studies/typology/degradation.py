"""Degradation: how far a language's score lies below the reference."""

import pandas as pd

from xstilts.studies.scores import ENGLISH, logit


def degradation(cell: pd.DataFrame, ceiling: float = 1.0) -> pd.DataFrame:
    """Reference minus score, per seed and language, English left out.

    The reference is the same run's English score where the task has English queries, else `ceiling`.

    Args:
        cell: Rows of one model, recipe and task: seed, language, n, value.
        ceiling: Highest value of the metric.

    Returns:
        Columns seed, language, n, score, degradation and logit_degradation. The latter is minus the
        empirical logit; it has no reference, which would only shift it.
    """
    english = cell[cell["language"] == ENGLISH].set_index("seed")["value"]
    others = cell[cell["language"] != ENGLISH]
    reference = others["seed"].map(english) if len(english) else pd.Series(ceiling, index=others.index)
    return pd.DataFrame(
        {
            "seed": others["seed"],
            "language": others["language"],
            "n": others["n"],
            "score": others["value"],
            "degradation": reference - others["value"],
            "logit_degradation": -logit(others["value"], others["n"]),
        }
    )
