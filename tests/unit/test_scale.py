"""The study of model sizes on planted truths, and on every kind of degenerate table."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.unit.gain_tables import LADDER, ladder_scores
from tests.unit.study_tables import fertility_table, language_table
from xstilts.errors import StudyError
from xstilts.statistics.slopes import SlopeOfSlopes
from xstilts.studies.rows import COLUMNS
from xstilts.studies.scale.analysis import analyse
from xstilts.studies.scale.verdict import decide, rule_in_words
from xstilts.studies.scale.words import WORDS
from xstilts.studies.settings import ScaleJob
from xstilts.studies.tables import Tables
from xstilts.studies.verdict import Verdict

METRICS = {"tatoeba": "accuracy"}
SETTINGS = ScaleJob(metrics=METRICS)
PRIMARY = "slope_change/syntactic/mnli/tatoeba"
FOUR = {name: LADDER[name] for name in ("small", "base", "large", "xl")}
TWO = {name: LADDER[name] for name in ("small", "base")}


@pytest.fixture(scope="module")
def languages() -> pd.DataFrame:
    return language_table()


@pytest.fixture(scope="module")
def result(languages: pd.DataFrame) -> tuple[pd.DataFrame, Verdict]:
    return analyse(Tables(ladder_scores(languages), languages), SETTINGS)


def row_of(tests: pd.DataFrame, name: str) -> pd.Series:
    return tests.set_index("id").loc[name]


def run(languages: pd.DataFrame, scores: pd.DataFrame, **changes: object) -> tuple[pd.DataFrame, Verdict]:
    return analyse(Tables(scores, languages), ScaleJob(**{"metrics": METRICS, **changes}))


def test_a_planted_change_of_slope_supports_the_hypothesis(result: tuple[pd.DataFrame, Verdict]) -> None:
    tests, verdict = result
    primary = tests[tests["role"] == "primary"]
    assert primary["id"].tolist() == [PRIMARY] == [verdict.primary_id]
    assert primary["low"].iloc[0] < 0.6 < primary["high"].iloc[0]
    assert primary["n"].iloc[0] == 5
    assert "t with 3 df" in primary["method"].iloc[0]
    assert verdict.verdict == "supports"
    assert verdict.p == primary["p"].iloc[0]
    assert 0 < verdict.detectable_effect < 0.2
    assert "rises with the size of the model" in verdict.reason
    assert "80 % power" in verdict.reason


def test_the_primary_estimate_is_a_regression_of_mean_slopes(result: tuple[pd.DataFrame, Verdict]) -> None:
    tests, _ = result
    slopes = [row_of(tests, f"slope/syntactic/{model}/mnli/tatoeba")["estimate"] for model in LADDER]
    fit = stats.linregress(np.log10(list(LADDER.values())), slopes)
    primary = row_of(tests, PRIMARY)
    assert (primary["estimate"], primary["p"]) == pytest.approx((fit.slope, fit.pvalue), rel=1e-6)
    runs = tests[(tests["statistic"] == "run_slope:syntactic") & (tests["model"] == "xl")]
    assert len(runs) == 3
    assert runs["estimate"].mean() == pytest.approx(slopes[3])


def test_the_table_has_every_kind_of_row(result: tuple[pd.DataFrame, Verdict]) -> None:
    tests, _ = result
    assert tests.columns.tolist() == COLUMNS
    assert tests["id"].is_unique
    empty = tests["estimate"].isna()
    assert tests.loc[empty, "note"].str.contains("not estimable, because").all()
    assert (tests[["method", "unit", "role"]] != "").all(axis=None)
    variants = set(tests.loc[tests["role"] == "sensitivity", "id"].str.removeprefix(PRIMARY + "/"))
    without = {f"without_{model}" for model in LADDER}
    assert variants == {"logit", "baseline_as_covariate", "size_as_covariate"} | without
    assert tests.loc[tests["role"] == "descriptive", "p"].isna().all()
    gain = row_of(tests, "mean_gain/large/mnli/tatoeba")
    assert gain["low"] < 0.1 < gain["high"]
    change = row_of(tests, "correlation_change/base/mnli/tatoeba/from_small")
    assert change["estimate"] > 0
    assert "if languages were independent" in change["note"]


def test_no_change_is_inconclusive_and_a_small_one_contradicts(languages: pd.DataFrame) -> None:
    scores = ladder_scores(languages, change=0.0, noise=0.02)
    _, none = run(languages, scores)
    assert none.verdict == "inconclusive"
    assert "cannot be said to change" in none.reason
    _, small = run(languages, scores, smallest_effect=0.5)
    assert small.verdict == "contradicts"
    assert small.p < 0.05
    assert "within 0.5 of 0" in small.rule
    assert small.detectable_effect > 0.5


def test_a_fall_supports_as_well_but_must_clear_the_margin(languages: pd.DataFrame) -> None:
    scores = ladder_scores(languages, change=-0.4, sizes=FOUR)
    assert "falls with the size" in run(languages, scores)[1].reason
    found = [run(languages, scores, smallest_effect=m)[1].verdict for m in (0.2, 0.41, 1.0)]
    assert found == ["supports", "inconclusive", "contradicts"]


def test_two_sizes_show_every_step_but_the_test(languages: pd.DataFrame) -> None:
    tests, verdict = run(languages, ladder_scores(languages, sizes=TWO))
    assert verdict.verdict == "not estimable"
    assert verdict.p is None
    assert "there are 2 model sizes, at least 4 needed" in verdict.reason
    assert "Slopes by size" in verdict.reason
    note = row_of(tests, PRIMARY)["note"]
    assert note == "not estimable, because there are 2 model sizes, at least 4 needed"
    assert row_of(tests, "slope/syntactic/base/mnli/tatoeba")["low"] < 0.06
    assert tests[tests["statistic"] == "spearman:syntactic"]["estimate"].notna().all()
    assert not tests["statistic"].eq("fitted_slope:syntactic").any()


def test_one_seed_has_slopes_without_intervals(languages: pd.DataFrame) -> None:
    """Sizes are the replicates of the primary test, so it can be made all the same."""
    tests, verdict = run(languages, ladder_scores(languages, seeds=1))
    assert verdict.verdict == "supports"
    assert "1 run per size" in row_of(tests, PRIMARY)["note"]
    slope = row_of(tests, "slope/syntactic/xl/mnli/tatoeba")
    assert slope[["low", "high"]].isna().all()
    assert slope["note"] == "interval not estimable, because there is 1 run, at least 3 needed"
    assert "not estimable, because" in row_of(tests, "mean_gain/xl/mnli/tatoeba")["note"]


def test_the_floor_rule(languages: pd.DataFrame) -> None:
    scores = ladder_scores(languages, sizes=FOUR)
    trained = scores["model"] != "chance"
    _, both = run(languages, scores.assign(value=scores["value"].mask(scores["model"] == "small", 0.002)))
    assert both.verdict == "not estimable"
    assert both.reason.startswith("Floor: ")
    assert "small (39 of 39 languages)" in both.reason
    below = trained & (scores["model"] == "small") & (scores["recipe"] == "mlm")
    _, baseline = run(languages, scores.assign(value=scores["value"].mask(below, 0.002)))
    assert not baseline.reason.startswith("Floor")


def test_other_recipes_and_tasks_are_exploratory(languages: pd.DataFrame) -> None:
    scores = ladder_scores(languages, sizes=TWO)
    more = scores[scores["recipe"] == "mnli"].assign(recipe="csqa", intermediate="csqa")
    tests, _ = run(languages, pd.concat([scores, more]), recipes=["mnli", "csqa"])
    other = row_of(tests, "slope_change/syntactic/csqa/tatoeba")
    assert other["role"] == "exploratory"
    tested = (tests["role"] == "exploratory") & tests["p"].notna()
    assert tests.loc[tested, "p_adjusted"].notna().all()


def test_sizes_are_compared_in_the_same_languages(languages: pd.DataFrame) -> None:
    scores = ladder_scores(languages, sizes=FOUR)
    scores = scores[~((scores["model"] == "xl") & (scores["language"] == "ta") & (scores["seed"] == 1))]
    tests, _ = run(languages, scores)
    assert "not scored with every model and seed: ta (1)" in row_of(tests, PRIMARY)["note"]
    assert (tests.loc[tests["statistic"] == "run_slope:syntactic", "n"] == 38).all()


def _constant(scores: pd.DataFrame) -> pd.DataFrame:
    return scores.assign(value=scores["value"].where(scores["model"] == "chance", 0.5))


DEGENERATE: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "no scores": (lambda s: s.iloc[:0], "there are 0 model sizes"),
    "constant scores": (_constant, "gain is constant"),
    "three languages": (lambda s: s[s["language"].isin(["de", "ta", "zh"])], "there are 3 languages"),
    "one family": (lambda s: s[s["language"].isin(["de", "fr", "ru", "hi", "fa", "es"])], "only 1 family"),
    "nothing but missing": (lambda s: s.assign(value=np.nan), "the scores hold no tatoeba"),
    "no baseline": (lambda s: s[s["recipe"] != "mlm"], "the scores hold no tatoeba of small, mnli and mlm"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_scores_have_a_defined_answer(languages: pd.DataFrame, case: str) -> None:
    change, reason = DEGENERATE[case]
    tests, verdict = run(languages, change(ladder_scores(languages, sizes=FOUR)))
    primary = tests[tests["role"] == "primary"].iloc[0]
    assert primary["note"].startswith("not estimable, because")
    assert reason in primary["note"]
    assert verdict.verdict == "not estimable"
    assert "nan" not in verdict.reason
    empty = tests["estimate"].isna()
    assert tests.loc[empty, "note"].str.contains("not estimable, because").all()
    WORDS.pictures(SETTINGS.model_dump(), tests)


def test_a_covariate_needs_its_table_and_a_distance_its_column(languages: pd.DataFrame) -> None:
    scores = ladder_scores(languages, sizes=TWO)
    with pytest.raises(StudyError, match="fertility"):
        run(languages, scores, covariates=["fertility"])
    tables = [fertility_table(languages).assign(model=model) for model in TWO]
    settings = ScaleJob(metrics=METRICS, covariates=["size", "fertility"])
    tests, _ = analyse(Tables(scores, languages, pd.concat(tables)), settings)
    assert "covariates: size, fertility" in row_of(tests, PRIMARY)["method"]
    tests, verdict = run(languages.drop(columns="distance_syntactic"), scores)
    assert "0 languages with all data" in verdict.reason


def test_the_rule_and_the_decision_are_of_the_same_settings() -> None:
    fit = SlopeOfSlopes(0.3, 0.05, 3, 0.14, 0.46, 0.01, 0.0, 5, 0.95)
    settings = ScaleJob(metrics=METRICS, smallest_effect=0.1)
    found = decide(fit, {"small": "nobody counted"}, {"small": 0.1}, settings, "id")
    assert (found.verdict, found.p, found.rule) == ("supports", 0.01, rule_in_words(settings))
    assert "not known, because nobody counted" in found.reason


def test_words_have_the_numbers(result: tuple[pd.DataFrame, Verdict]) -> None:
    tests, _ = result
    pictures = WORDS.pictures(SETTINGS.model_dump(), tests)
    assert set(pictures) == {"slopes", "gains"}
    assert f"{row_of(tests, PRIMARY)['estimate']:.3f}" in pictures["slopes"].alternative
    assert all(model in pictures["gains"].alternative for model in LADDER)
    assert set(WORDS.answers(SETTINGS.model_dump())) == {
        *("supports", "contradicts", "inconclusive", "not estimable")
    }
    assert "mnli" in WORDS.question(SETTINGS.model_dump())
