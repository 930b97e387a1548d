"""Detectable effects against simulation."""

import numpy as np
import pytest
from scipy import stats

from xstilts.statistics.power import detectable


def test_the_detectable_slope_is_detected_with_its_power() -> None:
    rng = np.random.default_rng(2)
    x = np.column_stack([np.ones(14), rng.normal(size=14)])
    inverse = np.linalg.inv(x.T @ x)
    error = float(np.sqrt(inverse[1, 1]))
    slope = detectable(error, 12, 0.05, 0.8)
    y = x @ [0, slope] + rng.normal(size=(20_000, 14))
    effects = y @ x @ inverse
    residual = y - effects @ x.T
    t = effects[:, 1] / np.sqrt((residual**2).sum(axis=1) / 12 * inverse[1, 1])
    found = np.mean(np.abs(t) > stats.t.ppf(0.975, 12))
    assert found == pytest.approx(0.8, abs=0.01)
