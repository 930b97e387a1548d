"""Correlations against direct definitions and R."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pingouin
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from tests.unit.statistics_data import language_frame
from xstilts.statistics.correlation import correlation, repeated_measures, steiger
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


@given(st.integers(0, 10_000), st.integers(0, 3), st.integers(2, 30))
@settings(max_examples=50)
def test_correlations_are_pingouins(seed: int, covariates: int, values: int) -> None:
    """Few values: with ties."""
    rng = np.random.default_rng(seed)
    names = [f"c{i}" for i in range(covariates)]
    data = pd.DataFrame(rng.integers(0, values, size=(25, 2 + covariates)), columns=["x", "y", *names])
    try:
        value, n = correlation(data, "x", "y", names)
    except NotEstimableError:
        reject()
    if covariates:
        theirs = pingouin.partial_corr(data, "x", "y", names, method="spearman")
    else:
        theirs = pingouin.corr(data["x"], data["y"], method="spearman")
    assert (value, n) == (pytest.approx(float(theirs["r"].iloc[0]), abs=1e-9), 25)


def test_correlations_without_an_answer_have_reasons(frame: pd.DataFrame) -> None:
    with pytest.raises(NotEstimableError, match="constant"):
        correlation(frame.assign(y=1.0), "distance_syntactic", "y")
    with pytest.raises(NotEstimableError, match="4 languages"):
        correlation(frame.head(4), "distance_syntactic", "size")
    with pytest.raises(NotEstimableError, match="collinear"):
        correlation(frame.assign(y=-frame["size"]), "distance_syntactic", "y", ["size"])


def subjects(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(4, 6))
    y = 0.5 * x + 3 * rng.normal(size=(4, 1)) + rng.normal(size=(4, 6))
    return pd.DataFrame({"language": np.repeat(list("abcd"), 6), "x": x.ravel(), "y": y.ravel()})


def test_repeated_measures_are_the_correlation_of_deviations() -> None:
    data = subjects()
    deviations = data[["x", "y"]] - data.groupby("language")[["x", "y"]].transform("mean")
    found = repeated_measures(data, "x", "y", "language")
    assert found.r == pytest.approx(np.corrcoef(deviations.T)[0, 1])
    assert (found.freedom, found.subjects) == (24 - 4 - 1, 4)
    shifted = data.assign(y=data["y"] + data["language"].map({"a": 50, "b": -3, "c": 0, "d": 9}))
    assert repeated_measures(shifted, "x", "y", "language").r == pytest.approx(found.r)
    lonely = pd.concat([data, pd.DataFrame({"language": ["e"], "x": [9.0], "y": [-9.0]})])
    assert repeated_measures(lonely, "x", "y", "language") == found


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d[d["language"] < "c"], "there are 2 language"),
        (lambda d: d.assign(x=np.nan), "there are 0 language"),
        (
            lambda d: d.assign(x=d["language"].map({"a": 1.1, "b": 2, "c": 3, "d": 4})),
            "x is constant in each",
        ),
        (lambda d: d.assign(y=d["x"]), "the model leaves no residual"),
    ],
)
def test_repeated_measures_have_reasons(change: Callable[[pd.DataFrame], pd.DataFrame], reason: str) -> None:
    with pytest.raises(NotEstimableError, match=reason):
        repeated_measures(change(subjects()), "x", "y", "language")


@given(
    r=st.tuples(*[st.floats(-0.9, 0.9)] * 3).filter(
        lambda r: 1 - sum(v * v for v in r) + 2 * np.prod(r) > 0.01
    ),
    n=st.integers(5, 60),
)
def test_steiger_is_antisymmetric(r: tuple[float, float, float], n: int) -> None:
    one, other = steiger(r[0], r[1], r[2], n), steiger(r[1], r[0], r[2], n)
    assert (one.t, one.p) == (pytest.approx(-other.t), pytest.approx(other.p))
    assert np.sign(one.t) == np.sign(r[0] - r[1])


def test_steiger_keeps_its_level() -> None:
    """Both true correlations are 0.5."""
    rng = np.random.default_rng(3)
    p = []
    for _ in range(500):
        x, y, z = rng.multivariate_normal(np.zeros(3), [[1, 0.5, 0.5], [0.5, 1, 0.6], [0.5, 0.6, 1]], 30).T
        p.append(steiger(*(np.corrcoef(a, b)[0, 1] for a, b in ((x, y), (x, z), (y, z))), 30).p)
    assert 0.025 < np.mean(np.array(p) < 0.05) < 0.08


@pytest.mark.parametrize(
    ("r", "n", "reason"),
    [
        ((0.5, 0.4, 0.3), 4, "there are 4 observations"),
        ((1.0, 0.4, 0.3), 20, "a correlation is perfect"),
        ((np.nan, 0.4, 0.3), 20, "a correlation is missing"),
        ((0.9, -0.9, 0.9), 20, "no sample can have these"),
    ],
)
def test_steiger_has_reasons(r: tuple[float, float, float], n: int, reason: str) -> None:
    with pytest.raises(NotEstimableError, match=reason):
        steiger(*r, n)
