"""Variance components, the crossed mixed model and slopes over sizes."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xstilts.statistics import mixed
from xstilts.statistics.errors import NotEstimableError
from xstilts.statistics.mixed import crossed_model
from xstilts.statistics.slopes import slope_of_slopes
from xstilts.statistics.variance import decompose

Change = Callable[[pd.DataFrame], pd.DataFrame]


def scores(
    seed: int, order: float, run: float, language: float, levels: tuple[int, int, int]
) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    orders, seeds, languages = levels
    y = order * rng.normal(size=(orders, 1, 1)) + run * rng.normal(size=(orders, seeds, 1))
    y = y + language * rng.normal(size=languages) + rng.normal(size=levels)
    index = pd.MultiIndex.from_product([range(size) for size in levels], names=["order", "seed", "language"])
    return pd.Series(y.ravel(), index, name="value").reset_index()


def test_planted_components_are_recovered() -> None:
    tables = [decompose(scores(seed, 2.0, 1.0, 3.0, (6, 4, 8))) for seed in range(60)]
    means = pd.concat(tables).groupby("component")["variance"].mean()
    for name, truth in {"order": 4.0, "order:seed": 1.0, "language": 9.0, "residual": 1.0}.items():
        assert means[name] == pytest.approx(truth, rel=0.25)
    for name in ("seed", "order:language", "seed:language"):
        assert means[name] < 0.1  # reported as 0 where negative, so a little above 0 on average


def test_the_luck_of_runs_is_no_effect_of_order() -> None:
    """Why the order by seed interaction stands apart: main effects alone would take it for order."""
    tables = [decompose(scores(seed, 0.0, 2.0, 1.0, (6, 3, 20))).set_index("component") for seed in range(60)]
    raw = [t.loc["order", "mean_square"] - t.loc["order:seed", "mean_square"] for t in tables]
    assert abs(np.mean(raw)) < 4 * np.std(raw) / np.sqrt(60)
    naive = [(t.loc["order", "mean_square"] - t.loc["residual", "mean_square"]) / 60 for t in tables]
    assert np.mean(naive) > 0.8


@settings(max_examples=20)
@given(shift=st.floats(-50, 50), scale=st.floats(0.01, 100))
def test_components_follow_units(shift: float, scale: float) -> None:
    data = scores(1, 1.0, 1.0, 1.0, (3, 3, 4))
    plain = decompose(data)
    moved = decompose(data.assign(value=scale * data["value"] + shift).sample(frac=1, random_state=0))
    assert moved["variance"].to_numpy() == pytest.approx(scale**2 * plain["variance"].to_numpy(), rel=1e-5)
    assert moved["share"].sum() == pytest.approx(1)
    assert moved["negative"].tolist() == plain["negative"].tolist()
    assert not plain.loc[plain["negative"], "variance"].any()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d[d["order"] == 0], "there is 1 order"),
        (lambda d: d[d["seed"] == 0], "there is 1 seed"),
        (lambda d: d[d["language"] == 0], "there is 1 language"),
        (lambda d: d.assign(value=1.0), "value is constant"),
        (lambda d: d.iloc[:0], "there are 0 orders"),
        (lambda d: d.query("order > 0 or seed > 0"), "a run of some order and seed is missing"),
    ],
)
def test_tables_without_components_have_reasons(change: Change, reason: str) -> None:
    with pytest.raises(NotEstimableError, match=reason):
        decompose(change(scores(1, 1.0, 1.0, 1.0, (3, 3, 4))))


def test_a_language_that_a_run_lacks_is_left_out() -> None:
    data = scores(1, 1.0, 1.0, 1.0, (3, 3, 4))
    pd.testing.assert_frame_equal(decompose(data.iloc[1:]), decompose(data[data["language"] != 0]))


def gains(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    own, target, language = rng.normal(size=4), rng.normal(size=3), rng.normal(size=3)
    rows = []
    for i, t in np.ndindex(4, 3):
        x, luck = rng.normal(), 0.5 * rng.normal()
        for k in range(3):
            y = 2 * x + own[i] + target[t] + language[k] + luck + 0.5 * rng.normal()
            rows.append((f"i{i}", f"t{t}", f"l{k}", x, y))
    return pd.DataFrame(rows, columns=["intermediate", "target", "language", "similarity", "gain"])


def test_the_mixed_model_follows_units() -> None:
    plain = crossed_model(gains())
    moved = crossed_model(
        gains().assign(gain=lambda d: 10 * d["gain"] + 3, similarity=lambda d: d["similarity"] / 2)
    )
    assert abs(plain.estimate - 2) < 1
    assert (moved.estimate, moved.error) == pytest.approx((20 * plain.estimate, 20 * plain.error), rel=1e-3)
    assert moved.intercept == pytest.approx(10 * plain.intercept + 3, rel=1e-3)
    assert moved.variances["residual"] == pytest.approx(100 * plain.variances["residual"], rel=1e-2)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d[d["intermediate"] < "i2"], "there are 2 intermediate levels, at least 3 needed"),
        (lambda d: d[d["target"] == "t0"], "there is 1 target level"),
        (lambda d: d[d["language"] == "l0"], "there is 1 language level"),
        (lambda d: d.assign(gain=1.0), "gain is constant"),
        (lambda d: d.assign(similarity=1.0), "similarity is constant"),
        (lambda d: d.assign(similarity=np.nan), "there are 0 intermediate levels"),
        (
            lambda d: d.assign(language=np.arange(len(d)) % 3).drop_duplicates(["intermediate", "target"]),
            "there is 1",
        ),
    ],
)
def test_mixed_models_without_an_answer_have_reasons(change: Change, reason: str) -> None:
    with pytest.raises(NotEstimableError, match=reason):
        crossed_model(change(gains()))


def test_a_mixed_model_that_does_not_converge_has_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise np.linalg.LinAlgError("Singular matrix")

    monkeypatch.setattr(mixed.MixedLM, "fit", fail)
    with pytest.raises(NotEstimableError, match=r"does not converge \(Singular matrix\)"):
        crossed_model(gains())


def slopes(sizes: int, seeds: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [(10 ** (8 + i / 2), s, 3 + 2 * i + rng.normal()) for i in range(sizes) for s in range(seeds)]
    return pd.DataFrame(rows, columns=["parameters", "seed", "slope"])


def test_more_seeds_of_a_size_are_no_more_sizes() -> None:
    data = slopes(5)
    twice = pd.concat([data, data.assign(seed=data["seed"] + 3)])
    assert slope_of_slopes(twice).error == pytest.approx(slope_of_slopes(data).error, rel=1e-9)
    assert slope_of_slopes(data).freedom == 3
    tenfold = slope_of_slopes(data.assign(parameters=10 * data["parameters"]))
    assert tenfold.estimate == pytest.approx(slope_of_slopes(data).estimate)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d[d["parameters"] < 2e9], "there are 3 model sizes, at least 4 needed"),
        (lambda d: d.assign(slope=1.0), "slope is constant"),
        (lambda d: d.assign(slope=np.nan), "there are 0 model sizes"),
        (lambda d: d.assign(slope=np.log10(d["parameters"])), "the model leaves no residual"),
        (lambda d: d.assign(parameters=d["parameters"] - 1e8), "a model has no parameters"),
    ],
)
def test_sizes_without_an_answer_have_reasons(change: Change, reason: str) -> None:
    with pytest.raises(NotEstimableError, match=reason):
        slope_of_slopes(change(slopes(4)))
