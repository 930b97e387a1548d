"""Detectable effects against simulation."""

import numpy as np
import pytest
from scipy import stats

from xstilts.statistics.family import FamilyFit
from xstilts.statistics.power import detectable_slope


def test_the_detectable_slope_is_detected_with_its_power() -> None:
    """With one language per family the model is least squares, so the truth can be simulated at once."""
    rng = np.random.default_rng(2)
    x = np.column_stack([np.ones(14), rng.normal(size=14)])
    inverse = np.linalg.inv(x.T @ x)
    error = float(np.sqrt(inverse[1, 1]))
    design = FamilyFit(0, error, 0, 0, 1, 12, 14, 14, 0, np.zeros(2), inverse, 0.95)
    slope = detectable_slope(design, 0.05, 0.8)
    y = x @ [0, slope] + rng.normal(size=(20_000, 14))
    effects = y @ x @ inverse
    residual = y - effects @ x.T
    t = effects[:, 1] / np.sqrt((residual**2).sum(axis=1) / 12 * inverse[1, 1])
    found = np.mean(np.abs(t) > stats.t.ppf(0.975, 12))
    assert found == pytest.approx(0.8, abs=0.01)
