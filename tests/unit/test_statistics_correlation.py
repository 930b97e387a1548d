"""Correlations against direct definitions and R."""

import numpy as np
import pandas as pd
import pytest

from tests.unit.statistics_data import language_frame
from xstilts.statistics.correlation import correlation
from xstilts.statistics.errors import NotEstimableError


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return language_frame()


def test_correlation_is_that_of_ranks(frame: pd.DataFrame) -> None:
    x, y = frame["distance_syntactic"].rank(), frame["distance_genetic"].rank()
    value, n = correlation(frame, "distance_syntactic", "distance_genetic")
    assert (value, n) == (pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-9), len(frame))


@pytest.mark.parametrize("covariates", [["size"], ["size", "fertility"]])
def test_partial_correlation_is_that_of_residual_ranks(frame: pd.DataFrame, covariates: list[str]) -> None:
    ranks = frame[["distance_syntactic", "distance_featural", *covariates]].rank().to_numpy()
    rest = np.column_stack([np.ones(len(ranks)), ranks[:, 2:]])
    residual = ranks[:, :2] - rest @ np.linalg.lstsq(rest, ranks[:, :2], rcond=None)[0]
    value, _ = correlation(frame, "distance_syntactic", "distance_featural", covariates)
    assert value == pytest.approx(np.corrcoef(residual.T)[0, 1], abs=1e-9)


def test_correlations_without_an_answer_have_reasons(frame: pd.DataFrame) -> None:
    with pytest.raises(NotEstimableError, match="constant"):
        correlation(frame.assign(y=1.0), "distance_syntactic", "y")
    with pytest.raises(NotEstimableError, match="4 languages"):
        correlation(frame.head(4), "distance_syntactic", "size")
    with pytest.raises(NotEstimableError, match="collinear"):
        correlation(frame.assign(y=-frame["size"]), "distance_syntactic", "y", ["size"])
