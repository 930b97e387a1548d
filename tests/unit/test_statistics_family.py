"""The family model against its definition, statsmodels and simulation."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.regression.mixed_linear_model import MixedLM

from tests.unit.statistics_data import language_frame, noise
from tests.unit.study_tables import language_table
from xstilts.statistics.errors import NotEstimableError
from xstilts.statistics.family import family_model, leave_one_family_out

Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return language_frame()


def restricted_likelihood(ratio: float, y: np.ndarray, x: np.ndarray, family: np.ndarray) -> tuple:
    """Log-likelihood (REML), fixed effects and their covariance, straight from the definitions."""
    spread = np.eye(len(y)) + ratio * (family[:, None] == family[None])
    inverse = np.linalg.inv(spread)
    information = x.T @ inverse @ x
    effects = np.linalg.solve(information, x.T @ inverse @ y)
    residual = y - x @ effects
    scale = residual @ inverse @ residual / (len(y) - x.shape[1])
    logs = np.linalg.slogdet(spread)[1] + np.linalg.slogdet(information)[1]
    likelihood = -((len(y) - x.shape[1]) * np.log(scale) + logs) / 2
    return likelihood, effects, scale * np.linalg.inv(information)


@pytest.mark.parametrize(("share", "seed"), [(0.0, 1), (0.0, 2), (0.3, 3), (0.5, 4), (0.7, 5), (0.9, 6)])
def test_the_family_model_maximises_the_restricted_likelihood(
    frame: pd.DataFrame, share: float, seed: int
) -> None:
    data = frame.assign(y=3 + 0.2 * noise(frame, share, np.random.default_rng(seed)))
    columns = ["distance_syntactic", "size", "fertility"]
    fit = family_model(data, "y", columns[0], columns[1:])
    x = np.column_stack([np.ones(len(data)), data[columns]])
    family, y = data["family"].factorize()[0], data["y"].to_numpy()

    def loss(ratio: float) -> float:
        return -restricted_likelihood(ratio, y, x, family)[0]

    grid = np.concatenate([[0], np.logspace(-4, 3, 60)])
    best = int(np.argmin([loss(ratio) for ratio in grid]))
    ratio = 0.0
    if best:
        bounds = (grid[best - 1], grid[min(best + 1, 60)])
        ratio = optimize.minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-9}).x
    _, effects, covariance = restricted_likelihood(ratio, y, x, family)
    assert fit.coefficients == pytest.approx(effects, rel=1e-4, abs=1e-5)
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-3)
    assert fit.freedom == data["family"].nunique() - 4


def test_without_variance_between_families_it_is_least_squares(frame: pd.DataFrame) -> None:
    rng = np.random.default_rng(0)
    y = noise(frame, 0.0, rng)
    means = pd.Series(y).groupby(frame["family"]).transform("mean")
    data = frame.assign(y=y - means + 0.1 * frame["distance_genetic"])  # families alike by construction
    fit = family_model(data, "y", "distance_genetic")
    x = np.column_stack([np.ones(len(data)), data["distance_genetic"]])
    effects, squares, _, _ = np.linalg.lstsq(x, data["y"], rcond=None)
    covariance = squares[0] / (len(data) - 2) * np.linalg.inv(x.T @ x)
    assert fit.ratio == 0
    assert fit.estimate == pytest.approx(effects[1], rel=1e-8)
    assert fit.error == pytest.approx(np.sqrt(covariance[1, 1]), rel=1e-8)
    mean, low, high = fit.fitted(np.array([0.5]))
    assert mean == pytest.approx(effects @ [1, 0.5])
    half = stats.t.ppf(0.975, fit.freedom) * np.sqrt([1, 0.5] @ covariance @ [1, 0.5])
    assert (low, high) == pytest.approx((mean - half, mean + half))


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_the_family_model_agrees_with_statsmodels(frame: pd.DataFrame, share: float) -> None:
    """Where the variance is not zero, so that MixedLM's optimiser works; its errors are other ones."""
    data = frame.assign(y=noise(frame, share, np.random.default_rng(12)))
    columns = ["distance_syntactic", "size", "fertility"]
    fit = family_model(data, "y", columns[0], columns[1:])
    x = np.column_stack([np.ones(len(data)), data[columns]])
    model = MixedLM(data["y"], x, groups=data["family"])
    theirs = model.fit(reml=True, method="powell")
    assert fit.ratio == pytest.approx(theirs.cov_re.iloc[0, 0] / theirs.scale, rel=1e-3)
    assert fit.coefficients == pytest.approx(np.asarray(theirs.fe_params), rel=1e-3, abs=1e-5)


@settings(max_examples=15)
@given(shift=st.floats(-50, 50), scale=st.floats(0.01, 100), slope=st.floats(-5, 5))
def test_the_family_model_follows_units(shift: float, scale: float, slope: float) -> None:
    table = language_table().query("language != 'en'")
    y = noise(table, 0.5, np.random.default_rng(9))
    plain = family_model(table.assign(y=y), "y", "distance_syntactic")
    moved = table.assign(y=scale * (y + slope * table["distance_syntactic"]) + shift)
    fit = family_model(moved, "y", "distance_syntactic")
    assert fit.estimate == pytest.approx(scale * (plain.estimate + slope), rel=1e-3, abs=2e-3 * scale)
    assert fit.error == pytest.approx(scale * plain.error, rel=5e-3)


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_planted_slope_is_recovered_and_a_true_null_rarely_rejected(
    frame: pd.DataFrame, share: float
) -> None:
    """The interval covers the truth as often as a true null is kept: both at once."""
    runs, truth = 400, 1.5
    rng = np.random.default_rng(17)
    fits = []
    for _ in range(runs):
        data = frame.assign(y=truth * frame["distance_syntactic"] + noise(frame, share, rng))
        fits.append(family_model(data, "y", "distance_syntactic", ["size", "fertility"]))
    missed = sum(not fit.low <= truth <= fit.high for fit in fits)
    assert stats.binom.ppf(0.005, runs, 0.05) <= missed <= stats.binom.ppf(0.995, runs, 0.05)
    estimates = [fit.estimate for fit in fits]
    assert abs(np.mean(estimates) - truth) < 4 * np.std(estimates) / np.sqrt(runs)
    assert np.mean([fit.error for fit in fits]) == pytest.approx(np.std(estimates), rel=0.15)


def test_languages_taken_as_independent_would_reject_too_often(frame: pd.DataFrame) -> None:
    """Why there is a family model at all: the plain test's error is far above its level."""
    rng = np.random.default_rng(23)
    p = [stats.spearmanr(frame["distance_syntactic"], noise(frame, 0.7, rng)).pvalue for _ in range(400)]
    assert sum(value < 0.05 for value in p) > stats.binom.ppf(0.995, 400, 0.05)


def test_the_range_over_families_is_found_by_hand() -> None:
    data = pd.DataFrame({"family": list("aabbc"), "value": [1.0, 2.0, 3.0, 4.0, 50.0]})
    low, high = leave_one_family_out(data, lambda rows: float(rows["value"].mean()))
    assert (low, high) == (2.5, pytest.approx(57 / 3))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda f: f.assign(y=0.5), "y is constant"),
        (lambda f: f.assign(distance_syntactic=0.5), "syntactic distance is constant"),
        (lambda f: f.assign(y=np.nan), "there are 0 languages"),
        (lambda f: f.head(3), "there are 3 languages"),
        (lambda f: f.assign(family="one"), "languages of only 1 family"),
        (lambda f: f.assign(family=list("abcd" * 10)[: len(f)]), "languages of only 4 families"),
        (lambda f: f.assign(size=2 * f["distance_syntactic"]), "syntactic distance and size are collinear"),
        (lambda f: f.assign(y=f["distance_syntactic"]), "the model leaves no residual"),
        (lambda f: f[f["family"] != "Indo-European"].groupby("family").head(1).head(5), None),
    ],
)
def test_degenerate_data_have_a_reason(frame: pd.DataFrame, change: Change, reason: str | None) -> None:
    data = change(frame.assign(y=noise(frame, 0.3, np.random.default_rng(4))))
    covariates = ["size"] if reason is None or "size" in reason else []
    if reason is None:  # five families of one language each are the least that works
        assert family_model(data, "y", "distance_syntactic", covariates).freedom == 2
        return
    with pytest.raises(NotEstimableError, match=reason):
        family_model(data, "y", "distance_syntactic", covariates)


def test_a_range_without_an_answer_has_a_reason(frame: pd.DataFrame) -> None:
    with pytest.raises(NotEstimableError, match="only one family"):
        leave_one_family_out(frame.assign(family="one"), len)
    with pytest.raises(NotEstimableError, match="without Basque there is no answer"):
        leave_one_family_out(frame, _refuse_without_basque)


def _refuse_without_basque(rows: pd.DataFrame) -> float:
    if not (rows["family"] == "Basque").any():
        raise NotEstimableError("there is no answer")
    return 0.0
