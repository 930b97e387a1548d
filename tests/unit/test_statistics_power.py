"""Detectable effects against simulation."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from xstilts.statistics.crossed import CrossedMean, crossed_mean
from xstilts.statistics.errors import NotEstimableError
from xstilts.statistics.power import (
    achieved,
    achieved_crossed,
    detectable,
    detectable_by_simulation,
    detectable_crossed,
    label_finder,
    order_finder,
    simulated_power,
)


def test_the_detectable_slope_is_detected_with_its_power() -> None:
    rng = np.random.default_rng(2)
    x = np.column_stack([np.ones(14), rng.normal(size=14)])
    inverse = np.linalg.inv(x.T @ x)
    error = float(np.sqrt(inverse[1, 1]))
    slope = detectable(error * np.sqrt(stats.chi2.median(12) / 12), 12, 0.05, 0.8)  # the error is known here
    y = x @ [0, slope] + rng.normal(size=(20_000, 14))
    effects = y @ x @ inverse
    residual = y - effects @ x.T
    t = effects[:, 1] / np.sqrt((residual**2).sum(axis=1) / 12 * inverse[1, 1])
    found = np.mean(np.abs(t) > stats.t.ppf(0.975, 12))
    assert found == pytest.approx(0.8, abs=0.01)


def test_power_and_detectable_effect_are_inverse() -> None:
    for freedom in (2, 5, 30):
        effect = detectable(0.7, freedom, 0.05, 0.8)
        assert achieved(effect, 0.7, freedom, 0.05) == pytest.approx(0.8, abs=1e-6)
        assert achieved(0.0, 0.7, freedom, 0.05) == pytest.approx(0.05, abs=1e-3)
        assert detectable(1.4, freedom, 0.05, 0.8) == pytest.approx(2 * effect)


def crossed(seeds: int, seed: int = 0, effect: float = 0.0) -> CrossedMean:
    rng = np.random.default_rng(seed)
    y = effect + rng.normal(size=(seeds, 1)) + rng.normal(size=12) + 0.5 * rng.normal(size=(seeds, 12))
    return crossed_mean(
        pd.DataFrame({
            "seed": np.repeat(range(seeds), 12),
            "language": np.tile([f"l{i}" for i in range(12)], seeds),
            "value": y.ravel(),
        }),
        families=None,
    )  # fmt: skip


def test_power_of_a_crossed_mean() -> None:
    mean = crossed(3)
    effect = detectable_crossed(mean, 0.05, 0.8)
    assert achieved_crossed(mean, effect, 0.05) == pytest.approx(0.8, abs=0.01)
    assert 0.02 < achieved_crossed(mean, 0.0, 0.05) < 0.08
    assert achieved_crossed(mean, 0.0, 0.05, margin=20 * mean.error) > 0.95
    assert achieved_crossed(mean, 20 * mean.error, 0.05, margin=20 * mean.error) < 0.08
    assert detectable_crossed(crossed(10), 0.05, 0.8) < effect


def test_what_a_crossed_mean_states_is_found_as_often_as_it_says() -> None:
    stated = float(np.median([detectable_crossed(crossed(3, i), 0.05, 0.8) for i in range(200)]))
    found = [crossed(3, i, stated).p <= 0.05 for i in range(200, 600)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.1)


def order_frame() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    orders = ["-".join(order) for order in itertools.permutations("abc")]
    rows = [(seed, order, rng.normal()) for seed in range(4) for order in orders]
    return pd.DataFrame(rows, columns=["seed", "order", "value"])


def test_the_detectable_order_effect_grows_with_the_noise() -> None:
    data = order_frame()
    answers = []
    for factor in (1.0, 10.0):
        found, largest = order_finder(data.assign(value=factor * data["value"]))
        answers.append(detectable_by_simulation(found, power=0.8, largest=largest, simulations=60))
        assert simulated_power(found, answers[-1], 60) >= 0.8
        assert simulated_power(found, 0.0, 60) < 0.2
    assert answers[1] == pytest.approx(10 * answers[0], rel=0.01)


def test_the_detectable_correlation_is_one() -> None:
    rng = np.random.default_rng(1)
    rows = [(i, t, rng.normal(), rng.normal()) for i in range(6) for t in range(4) if i != t or t > 1]
    data = pd.DataFrame(rows, columns=["intermediate", "target", "x", "y"])
    found, largest = label_finder(data, "x", "y", label="intermediate", group="target")
    answer = detectable_by_simulation(found, power=0.8, largest=largest, simulations=60)
    assert 0.3 < answer < 1
    assert simulated_power(found, 0.0, 100) < 0.15


def test_a_test_that_can_find_nothing_has_a_reason() -> None:
    data = order_frame().query(
        "order in ['a-b-c', 'b-a-c'] and seed < 3"
    )  # 4 relabellings: p is at least 1/2
    found, largest = order_finder(data)
    with pytest.raises(NotEstimableError, match="even the largest effect is missed"):
        detectable_by_simulation(found, power=0.8, largest=largest, simulations=40)
