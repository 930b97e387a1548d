"""Means over crossed runs and languages: invariances, reasons, and whether intervals cover the truth."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.unit.statistics_data import language_frame, noise
from xstilts.statistics.crossed import CrossedMean, crossed_mean, mean_over_tasks, tost
from xstilts.statistics.errors import NotEstimableError

LANGUAGES = language_frame()


def contrast(
    seed: int = 0, seeds: int = 3, run: float = 1.0, language: float = 1.0, share: float = 0.4
) -> pd.DataFrame:
    """Noise of a contrast: of runs, of languages and their families, and of single scores."""
    rng = np.random.default_rng(seed)
    runs = [run * rng.normal() + 0.5 * noise(LANGUAGES, 0.3, rng) for _ in range(seeds)]
    count = len(LANGUAGES)
    return pd.DataFrame({
        "seed": np.repeat(range(seeds), count),
        "language": np.tile(LANGUAGES["language"], seeds),
        "family": np.tile(LANGUAGES["family"], seeds),
        "value": np.concatenate(runs) + np.tile(language * noise(LANGUAGES, share, rng), seeds),
    })  # fmt: skip


def test_it_is_the_mean_with_the_two_way_variance() -> None:
    data = contrast()
    found = crossed_mean(data, families=None)
    y = data.pivot(index="seed", columns="language", values="value").to_numpy()
    seeds, languages = y.shape
    row, column = y.mean(axis=1), y.mean(axis=0)
    squares = np.array([
        languages * row.var(ddof=1),
        seeds * column.var(ddof=1),
        ((y - row[:, None] - column + y.mean()) ** 2).sum() / ((seeds - 1) * (languages - 1)),
    ])  # fmt: skip
    variance = (squares[0] + squares[1] - squares[2]) / y.size
    freedom = np.array([seeds - 1, languages - 1, (seeds - 1) * (languages - 1)])
    assert found.estimate == pytest.approx(data["value"].mean())
    assert found.error == pytest.approx(np.sqrt(variance))
    expected = np.floor((variance * y.size) ** 2 / (squares**2 / freedom).sum())
    assert found.freedom == max(expected, 2)
    assert found.from_runs == pytest.approx(squares[0] / y.size / variance)
    assert (found.seeds, found.languages, found.families) == (3, len(LANGUAGES), None)


@settings(max_examples=20)
@given(shift=st.floats(-80, 80), scale=st.floats(0.01, 100), order=st.permutations(list(range(3))))
def test_it_follows_units_and_forgets_the_names_of_seeds(
    shift: float, scale: float, order: list[int]
) -> None:
    data = contrast()
    plain = crossed_mean(data)
    names = dict(enumerate(order))
    moved = data.assign(value=scale * data["value"] + shift, seed=data["seed"].map(names))
    found = crossed_mean(moved.sample(frac=1, random_state=1))
    assert found.estimate == pytest.approx(scale * plain.estimate + shift, rel=1e-6, abs=1e-6)
    assert found.error == pytest.approx(scale * plain.error, rel=1e-4)
    assert found.freedom == plain.freedom


def test_families_of_one_language_change_nothing() -> None:
    data = contrast()
    alone = crossed_mean(data.assign(family=data["language"]))
    plain = crossed_mean(data, families=None)
    assert alone.families == len(LANGUAGES)
    assert (alone.error, alone.freedom, alone.p) == (plain.error, plain.freedom, plain.p)


def test_families_that_are_alike_widen_the_interval() -> None:
    data = contrast(share=0.9, run=0.3)
    assert crossed_mean(data).error > 1.5 * crossed_mean(data, families=None).error


def test_without_differences_between_languages_runs_alone_count() -> None:
    data = contrast(language=0.0)
    centred = data["value"] - data.groupby("language")["value"].transform("mean")
    found = crossed_mean(data.assign(value=centred), families=None)
    means = centred.groupby(data["seed"]).mean()
    assert (found.freedom, found.from_runs) == (2, 1.0)
    assert found.error == pytest.approx(means.std(ddof=1) / np.sqrt(3))


def test_a_language_that_some_run_lacks_is_left_out() -> None:
    data = contrast()
    first = data["language"].iloc[0]
    holes = data.assign(value=data["value"].mask((data["language"] == first) & (data["seed"] == 1)))
    without = data[data["language"] != first]
    assert crossed_mean(holes) == crossed_mean(without)


def two_tasks(few: list[str], seeds: int = 3) -> pd.DataFrame:
    """A task of all languages, and one of `few`."""
    small = contrast(1, seeds).query("language in @few")
    return pd.concat([contrast(0, seeds).assign(task="all"), small.assign(task="few")])


def test_the_mean_over_tasks_gives_every_task_the_same_weight() -> None:
    data = two_tasks(["de", "fi", "tr", "zh"])
    found = mean_over_tasks(data)
    assert found.columns.tolist() == ["seed", "language", "value"]
    assert len(found) == 3 * len(LANGUAGES)
    expected = data.groupby(["task", "seed"])["value"].mean().groupby("seed").mean()
    pd.testing.assert_series_equal(found.groupby("seed")["value"].mean(), expected)


def test_tasks_of_the_same_languages_are_averaged() -> None:
    data = two_tasks(LANGUAGES["language"].tolist())
    expected = data.groupby(["seed", "language"])["value"].mean().reset_index()
    pd.testing.assert_frame_equal(mean_over_tasks(data), expected)
    alone = data[data["task"] == "all"].sort_values(["seed", "language"])[["seed", "language", "value"]]
    pd.testing.assert_frame_equal(mean_over_tasks(data[data["task"] == "all"]), alone.reset_index(drop=True))


def test_the_mean_over_tasks_varies_as_linearised() -> None:
    """The spread of the linearised values is what leaving out one language at a time says of the mean."""
    data = two_tasks(LANGUAGES["language"].tolist()[::4], seeds=1)

    def mean(part: pd.DataFrame) -> float:
        return float(part.groupby("task")["value"].mean().mean())

    codes = data["language"].unique()
    leaving = np.array([mean(data[data["language"] != code]) for code in codes])
    jackknife = (len(codes) - 1) / len(codes) * ((leaving - leaving.mean()) ** 2).sum()
    linearised = mean_over_tasks(data)["value"].var(ddof=1) / len(codes)
    assert linearised == pytest.approx(jackknife, rel=0.15)


def test_tost_is_its_interval_within_the_margin() -> None:
    mean = crossed_mean(contrast(run=0.3, language=0.3))
    for margin in (0.05, 0.2, 0.5, 1.0, 3.0):
        found = tost(mean, margin)
        assert (found.p < 0.05) == (-margin < found.low and found.high < margin)
        assert found.level == pytest.approx(0.9)
    assert tost(mean, abs(mean.estimate)).p == pytest.approx(0.5)
    assert tost(mean, 3.0, alpha=0.01).level == pytest.approx(0.98)
    with pytest.raises(ValueError, match="margin"):
        tost(mean, 0.0)


def misses(formula: Callable[[pd.DataFrame], CrossedMean], seeds: int, count: int) -> int:
    fits = [formula(contrast(seed, seeds, run=0.5, language=2.0, share=0.5)) for seed in range(count)]
    return sum(not fit.low <= 0 <= fit.high for fit in fits)


@pytest.mark.parametrize("seeds", [3, 5])
def test_intervals_cover_the_truth(seeds: int) -> None:
    missed = misses(crossed_mean, seeds, 200)
    assert stats.binom.ppf(0.005, 200, 0.05) <= missed <= stats.binom.ppf(0.995, 200, 0.05)


def test_languages_taken_as_independent_would_miss_it_too_often() -> None:
    """Why there are families in it at all."""
    missed = misses(lambda data: crossed_mean(data, families=None), 3, 60)
    assert missed > stats.binom.ppf(0.995, 60, 0.05)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d[d["seed"] == 0], "there is 1 run, at least 3 needed"),
        (lambda d: d[d["seed"] < 2], "there are 2 runs, at least 3 needed"),
        (lambda d: d.iloc[:0], "there are 0 runs"),
        (lambda d: d.assign(value=np.nan), "there are 0 runs"),
        (lambda d: d[d["language"].isin(["de", "fi"])], "there are 2 languages with every run"),
        (lambda d: d.assign(family="one"), "languages of only 1 family"),
        (lambda d: d.assign(family=None), "a language has no family"),
        (lambda d: d.assign(value=1.5), "every run gave the same mean"),
        (
            lambda d: d.assign(value=d.groupby("language")["value"].transform("mean")),
            "every run gave the same mean",
        ),
    ],
)
def test_degenerate_data_have_a_reason(change: Callable[[pd.DataFrame], pd.DataFrame], reason: str) -> None:
    with pytest.raises(NotEstimableError, match=reason):
        crossed_mean(change(contrast()))


def test_three_languages_of_three_families_are_the_least() -> None:
    found = crossed_mean(contrast().query("language in ['de', 'fi', 'tr']"))
    assert (found.languages, found.families) == (3, 3)
    assert np.isfinite([found.low, found.high, found.p]).all()


def test_scores_that_tie_are_no_obstacle() -> None:
    data = contrast().assign(value=lambda d: d["value"].round())
    assert np.isfinite(crossed_mean(data).p)


def test_a_score_that_is_there_twice_is_a_fault() -> None:
    with pytest.raises(ValueError, match="duplicate"):
        crossed_mean(pd.concat([contrast(), contrast().head(1)]))
