"""The typology study on planted truths, and on every kind of degenerate table."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.unit.study_tables import fertility_table, language_table, planted_scores, score_rows
from xstilts.errors import StudyError
from xstilts.studies import floor
from xstilts.studies import rows as table_of_tests
from xstilts.studies.predictors import predictors
from xstilts.studies.scores import Scores, mean_over_seeds_of
from xstilts.studies.settings import TypologyJob
from xstilts.studies.tables import Tables
from xstilts.studies.typology.analysis import analyse
from xstilts.studies.typology.degradation import degradation
from xstilts.studies.typology.verdict import decide, rule_in_words
from xstilts.studies.verdict import Verdict

METRICS = {"tatoeba": "accuracy"}
SETTINGS = TypologyJob(recipes=["mlm", "squad1"], metrics=METRICS)
Change = Callable[[pd.DataFrame, pd.DataFrame], tuple[pd.DataFrame, pd.DataFrame]]
PRIMARY = "slope/syntactic/tiny/mlm/tatoeba"


@pytest.fixture(scope="module")
def languages() -> pd.DataFrame:
    return language_table()


@pytest.fixture(scope="module")
def result(languages: pd.DataFrame) -> tuple[pd.DataFrame, Verdict]:
    return analyse(Tables(planted_scores(languages), languages, fertility_table(languages)), SETTINGS)


def row_of(tests: pd.DataFrame, name: str) -> pd.Series:
    return tests.set_index("id").loc[name]


def small(languages: pd.DataFrame, scores: pd.DataFrame, **changes: object) -> tuple[pd.DataFrame, Verdict]:
    """One recipe, one distance: the least that has every kind of row."""
    settings = TypologyJob(**{"distances": ["syntactic"], "metrics": METRICS, **changes})
    return analyse(Tables(scores, languages, fertility_table(languages)), settings)


def test_a_planted_slope_supports_the_hypothesis(result: tuple[pd.DataFrame, Verdict]) -> None:
    tests, verdict = result
    primary = tests[tests["role"] == "primary"]
    assert primary["id"].tolist() == [PRIMARY] == [verdict.primary_id]
    assert primary["low"].iloc[0] < 0.8 < primary["high"].iloc[0]
    assert primary["estimate"].iloc[0] == pytest.approx(0.8, abs=0.1)
    assert verdict.verdict == "supports"
    assert 0 < verdict.detectable_effect < 0.8
    assert "rises with syntactic distance" in verdict.reason
    assert "80 % power" in verdict.reason


def test_the_table_has_every_kind_of_row(result: tuple[pd.DataFrame, Verdict]) -> None:
    tests, _ = result
    assert tests.columns.tolist() == table_of_tests.COLUMNS
    assert tests["id"].is_unique
    assert tests["role"].unique().tolist() == ["primary", "sensitivity", "exploratory", "descriptive"]
    empty = tests["estimate"].isna()
    assert tests.loc[empty, "note"].str.startswith("not estimable, because").all()
    variants = tests.loc[tests["role"] == "sensitivity", "id"].str.removeprefix(PRIMARY + "/").tolist()
    assert variants == sorted(variants)
    assert {"logit", "no_size", "equal_pools", "second_definition", "leave_one_family_out"} <= set(variants)


def test_the_change_of_slope_has_runs_as_replicates(
    languages: pd.DataFrame, result: tuple[pd.DataFrame, Verdict]
) -> None:
    change = row_of(result[0], "slope_change/syntactic/tiny/squad1/tatoeba")
    assert (change["n"], change["role"]) == (3, "exploratory")
    assert change["estimate"] == pytest.approx(-0.4, abs=0.1)
    assert change["high"] < 0
    tests, _ = small(languages, planted_scores(languages, seeds=2), recipes=["mlm", "squad1"])
    change = row_of(tests, "slope_change/syntactic/tiny/squad1/tatoeba")
    assert change["estimate"] == pytest.approx(-0.4, abs=0.1)
    assert np.isnan(change["p"])
    assert change["note"].startswith("inconclusive: runs (there are 2 runs, at least 3 needed)")


def test_exploratory_tests_are_corrected_together(result: tuple[pd.DataFrame, Verdict]) -> None:
    tests, _ = result
    exploratory = tests[(tests["role"] == "exploratory") & tests["p"].notna()]
    expected = stats.false_discovery_control(exploratory["p"], method="bh")
    assert exploratory["p_adjusted"].to_numpy() == pytest.approx(expected)
    assert tests.loc[tests["role"] != "exploratory", "p_adjusted"].isna().all()


def test_the_same_tables_in_any_order_give_the_same_answer(
    languages: pd.DataFrame, result: tuple[pd.DataFrame, Verdict]
) -> None:
    scores = planted_scores(languages).sample(frac=1, random_state=1)
    shuffled = languages.sample(frac=1, random_state=2)
    again = analyse(Tables(scores, shuffled, fertility_table(languages)), SETTINGS)
    assert again[0].round(6).to_csv() == result[0].round(6).to_csv()
    assert again[1].reason == result[1].reason


def test_the_fitted_line_passes_through_the_slope(result: tuple[pd.DataFrame, Verdict]) -> None:
    tests, _ = result
    fitted = tests[tests["statistic"] == "fitted:syntactic"]
    x = fitted["subset"].str.removeprefix("distance ").astype(float)
    slope, _ = np.polyfit(x, fitted["estimate"], 1)
    assert slope == pytest.approx(row_of(tests, PRIMARY)["estimate"], abs=1e-4)


def test_no_effect_is_inconclusive_and_a_reversed_one_contradicts(languages: pd.DataFrame) -> None:
    _, none = small(languages, planted_scores(languages, slope=0.0, seed=8))
    assert none.verdict == "inconclusive"
    assert "cannot be told from none" in none.reason
    _, reverse = small(languages, planted_scores(languages, slope=-0.9))
    assert reverse.verdict == "contradicts"


def test_a_slope_must_clear_the_smallest_that_matters(languages: pd.DataFrame) -> None:
    scores = planted_scores(languages)
    _, clear = small(languages, scores, smallest_slope=0.4)
    _, unclear = small(languages, scores, smallest_slope=0.8)
    _, below = small(languages, scores, smallest_slope=2.0)
    assert [v.verdict for v in (clear, unclear, below)] == ["supports", "inconclusive", "contradicts"]
    assert "above 0.4" in clear.rule


def test_p_and_the_detectable_slope_are_against_the_smallest_that_matters(languages: pd.DataFrame) -> None:
    """Without a slope, the slope against 0 has no p to speak of, but it lies clearly below 1."""
    scores = planted_scores(languages, slope=0.0)
    tests, plain = small(languages, scores)
    _, below = small(languages, scores, smallest_slope=1.0)
    assert plain.p == row_of(tests, PRIMARY)["p"] > 0.05
    assert (below.verdict, below.p < 0.001) == ("contradicts", True)
    assert "p < 0.001 against 1" in below.reason
    assert below.detectable_effect == pytest.approx(1.0 + plain.detectable_effect)
    steep = planted_scores(languages)
    tests, _ = small(languages, steep)
    low = row_of(tests, PRIMARY)["low"]
    for threshold, verdict in ((low - 1e-6, "supports"), (low + 1e-6, "inconclusive")):
        _, found = small(languages, steep, smallest_slope=threshold)
        assert (found.verdict, found.p) == (verdict, pytest.approx(0.05, abs=1e-4))


def test_unseen_languages_are_a_class_of_their_own(languages: pd.DataFrame) -> None:
    unseen = ["yo", "sw", "eu"]
    table = languages.assign(cc100_gib=languages["cc100_gib"].mask(languages["language"].isin(unseen)))
    tests, _ = small(table, planted_scores(table))
    primary, kept = row_of(tests, PRIMARY), row_of(tests, f"{PRIMARY}/no_size")
    assert kept["n"] - primary["n"] == len(set(table.loc[table["cc100_gib"].isna(), "language"]))
    assert "unseen in pre-training: eu, sw, yo (3)" in primary["note"]
    as_class = row_of(tests, f"{PRIMARY}/unseen_as_class")
    assert as_class["n"] == kept["n"]


def test_the_runs_own_corpus_replaces_cc100(languages: pd.DataFrame) -> None:
    corpus = pd.DataFrame({"language": ["de", "fr", "ta"], "bytes": [1000, 10, 0]})
    known = predictors(languages, None, corpus).set_index("language")["size"]
    assert known[["de", "fr"]].tolist() == [3, 1]
    assert known.drop(["de", "fr"]).isna().all()


def test_zero_coverage_is_missing_and_not_near(languages: pd.DataFrame) -> None:
    blank = languages["language"].isin(["de", "ta"])
    table = languages.assign(
        distance_syntactic=languages["distance_syntactic"].mask(blank, 0.0),
        coverage_syntactic=languages["coverage_syntactic"].mask(blank, 0.0),
    )
    assert predictors(table).set_index("language").loc[["de", "ta"], "distance_syntactic"].isna().all()
    tests, _ = small(table, planted_scores(languages))
    assert row_of(tests, PRIMARY)["n"] == languages["cc100_gib"].notna().sum() - 1 - 2
    assert "no syntactic distance: de, ta (2)" in row_of(tests, PRIMARY)["note"]
    coverage = row_of(tests, "coverage/syntactic/tiny/mlm/tatoeba")
    assert coverage["estimate"] == pytest.approx(1 - 2 / (len(languages) - 1))


def test_the_floor_rule(languages: pd.DataFrame) -> None:
    """At the floor a slope would be of noise: more than a third not above chance decides."""
    chance = score_rows(languages, lambda row: 1 / 500, model="chance", recipe="-")
    rng = np.random.default_rng(5)
    guessing = score_rows(languages, lambda row: float(rng.binomial(500, 1 / 500)) / 500)
    tests, verdict = small(languages, pd.concat([guessing, chance]))
    assert verdict.verdict == "not estimable"
    assert verdict.reason.startswith("Floor: in ")
    assert row_of(tests, "share_not_above/chance/tiny/mlm/tatoeba")["estimate"] > 0.8
    untrained = row_of(tests, "share_not_above/untrained/tiny/mlm/tatoeba")
    assert untrained["note"] == "not estimable, because the scores hold no tatoeba of tiny, untrained"


@pytest.mark.parametrize(("right", "above"), [(3, False), (4, True)])
def test_above_chance_means_a_binomial_test(languages: pd.DataFrame, right: int, above: bool) -> None:
    """Of 500 guesses at 1 in 500, three or more are right in 8 % of cases, four or more in 2 %."""
    assert (stats.binomtest(right, 500, 1 / 500, alternative="greater").pvalue <= 0.05) == above
    scores = Scores.checked(score_rows(languages, lambda row: right / 500), SETTINGS)
    found = floor.against_chance(scores, "tiny", "mlm", "tatoeba", 0.05)
    assert found.share == (0.0 if above else 1.0)


def test_equal_pools_and_a_second_definition_are_used_if_given(languages: pd.DataFrame) -> None:
    table = languages.assign(alternative_syntactic=languages["distance_syntactic"] / 2)
    scores = planted_scores(languages)
    pools = scores.assign(value=scores["value"] / 2)
    settings = TypologyJob(distances=["syntactic"], metrics=METRICS)
    tests, _ = analyse(Tables(scores, table, fertility_table(languages), extra=pools), settings)
    estimate = row_of(tests, PRIMARY)["estimate"]
    assert row_of(tests, f"{PRIMARY}/equal_pools")["estimate"] == pytest.approx(estimate / 2, rel=1e-3)
    assert row_of(tests, f"{PRIMARY}/second_definition")["estimate"] == pytest.approx(2 * estimate, rel=1e-3)


def test_degradation_is_from_english_where_it_was_scored() -> None:
    cell = pd.DataFrame(
        {
            "seed": [0, 0, 0, 1, 1],
            "language": ["en", "de", "ta", "en", "de"],
            "n": 10,
            "value": [0.9, 0.5, 0.0, 0.8, 0.7],
        }
    )
    found = degradation(cell)
    assert found["degradation"].tolist() == pytest.approx([0.4, 0.9, 0.1])
    assert found["logit_degradation"].tolist() == pytest.approx([0, np.log(21), -np.log(7.5 / 3.5)])
    means = mean_over_seeds_of(found).set_index("language")
    assert means.index.tolist() == ["de"]  # ta was not scored with every seed
    assert means.loc["de", "degradation"] == pytest.approx(0.25)
    ceiling = degradation(cell[cell["language"] != "en"], ceiling=0.95)
    assert ceiling["degradation"].tolist() == pytest.approx([0.45, 0.95, 0.25])


def _no(scores: pd.DataFrame) -> pd.DataFrame:
    return scores.iloc[:0]


def _constant(scores: pd.DataFrame) -> pd.DataFrame:
    return scores.assign(value=scores["value"].where(scores["model"] == "chance", 0.5))


DEGENERATE = {
    "no scores": (_no, "the scores hold no tatoeba"),
    "constant scores": (
        lambda s: s.assign(value=s["value"].where(s["model"] == "chance", 0.5)),
        "degradation is constant",
    ),
    "three languages": (lambda s: s[s["language"].isin(["de", "ta", "zh"])], "there are 3 languages"),
    "one family": (
        lambda s: s[s["language"].isin(["de", "fr", "ru", "hi", "fa", "es"])],
        "because there are languages of only 1 family",
    ),
    "nothing but missing": (lambda s: s.assign(value=np.nan), "the scores hold no tatoeba"),
    "no mlm": (lambda s: s[s["recipe"] != "mlm"], "the scores hold no tatoeba of tiny, mlm"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_scores_have_a_defined_answer(languages: pd.DataFrame, case: str) -> None:
    change, reason = DEGENERATE[case]
    tests, verdict = small(languages, change(planted_scores(languages)), recipes=["mlm", "squad1"])
    primary = tests[tests["role"] == "primary"].iloc[0]
    assert primary["note"].startswith("not estimable, because")
    assert reason in primary["note"]
    assert primary[["estimate", "low", "high", "p"]].isna().all()
    assert (verdict.verdict, verdict.detectable_effect) == ("not estimable", None)
    assert reason in verdict.reason
    text = tests[["note", "method", "subset", "statistic"]].to_csv() + verdict.reason
    assert "nan" not in text


def test_missing_cells_and_missing_numbers_are_left_out(languages: pd.DataFrame) -> None:
    scores = planted_scores(languages)
    hole = (scores["recipe"] == "squad1") & (scores["language"] == "de") & (scores["seed"] == 1)
    scores.loc[hole, "value"] = np.nan
    scores = scores[~((scores["recipe"] == "mlm") & (scores["language"] == "ta"))]
    tests, _ = small(languages, scores, recipes=["mlm", "squad1"])
    assert row_of(tests, PRIMARY)["n"] == languages["cc100_gib"].notna().sum() - 2
    squad = row_of(tests, "slope/syntactic/tiny/squad1/tatoeba")
    assert "not scored with every seed: de (1)" in squad["note"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s, t: (s.drop(columns="metric"), t), "lacks the column metric"),
        (lambda s, t: (s, t.drop(columns="family")), "lacks the column family"),
        (lambda s, t: (pd.concat([s, s.head(1)]), t), "given twice"),
        (lambda s, t: (s, pd.concat([t, t.head(1)])), "given twice"),
        (lambda s, t: (s.assign(value=s["value"] * 100), t), "not within 0 and 1"),
        (lambda s, t: (s, t[t["language"] != "ta"]), "lacks ta"),
        (lambda s, t: (pd.concat([s, s.assign(setting="2-cls-en2xx-cosine")]), t), "several settings"),
        (lambda s, t: (pd.concat([s, s.assign(split="dev")]), t), "several splits"),
    ],
)
def test_tables_at_fault_are_named(languages: pd.DataFrame, change: Change, message: str) -> None:
    scores, table = change(planted_scores(languages), languages)
    with pytest.raises(StudyError, match=message):
        analyse(Tables(scores, table, fertility_table(languages)), SETTINGS)


def test_a_covariate_needs_its_table(languages: pd.DataFrame) -> None:
    with pytest.raises(StudyError, match="fertility"):
        analyse(Tables(planted_scores(languages), languages), SETTINGS)


def test_tasks_with_their_own_training_data_are_known_by_their_treatment(languages: pd.DataFrame) -> None:
    scores = planted_scores(languages)
    plain, treated = scores["recipe"] == "mlm", scores["recipe"] == "squad1"
    scores.loc[plain | treated, "target"] = "tatoeba_train"
    scores.loc[plain, "recipe"] = "tatoeba_train"
    scores.loc[treated, "recipe"] = "squad1-tatoeba_train"
    checked = Scores.checked(scores, SETTINGS)
    assert len(checked.of("tiny", "mlm", "tatoeba")) == plain.sum()
    assert len(checked.of("tiny", "squad1", "tatoeba")) == treated.sum()


def test_the_first_model_is_primary_and_controls_are_none(languages: pd.DataFrame) -> None:
    large = score_rows(languages, lambda row: 0.5, model="large").assign(parameters=10**9)
    scores = pd.concat([planted_scores(languages), large])
    assert Scores.checked(scores, SETTINGS).models() == ["large", "tiny"]
    chosen = SETTINGS.model_copy(update={"models": ["tiny"]})
    assert Scores.checked(scores, chosen).models() == ["tiny"]


def test_the_verdict_file_is_plain_json(tmp_path: Path) -> None:
    verdict = decide("there are no scores", "nothing is known", SETTINGS, "some/id", 0.0)
    verdict.write(tmp_path / "folder" / "verdict.json")
    content = json.loads((tmp_path / "folder" / "verdict.json").read_text(encoding="utf-8"))
    assert content == {
        "verdict": "not estimable",
        "rule": rule_in_words(SETTINGS),
        "primary_id": "some/id",
        "p": None,
        "detectable_effect": None,
        "reason": "The question cannot be answered, because there are no scores.",
    }
    assert Verdict.read(tmp_path / "folder" / "verdict.json") == verdict


def test_an_id_is_given_once() -> None:
    row = table_of_tests.Row("typology", "a", "descriptive", "mean", "-", "-")
    with pytest.raises(ValueError, match="two rows have the id a"):
        table_of_tests.tests_table([row, row], "fdr_bh", 0.05)
