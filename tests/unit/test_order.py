"""The study of orders on planted truths, and on every kind of degenerate table."""

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from tests.unit.gain_tables import TASKS, order_scores
from tests.unit.study_tables import language_table
from xstilts.errors import StudyError
from xstilts.report.words import confidence
from xstilts.statistics.permutation import order_test
from xstilts.studies.order.analysis import analyse
from xstilts.studies.order.arms import Study
from xstilts.studies.order.words import WORDS
from xstilts.studies.rows import COLUMNS
from xstilts.studies.scores import Scores
from xstilts.studies.settings import OrderJob
from xstilts.studies.subsets import ALL, low_resource, subsets
from xstilts.studies.tables import Tables
from xstilts.studies.verdict import Verdict

METRICS = {"tatoeba": "accuracy"}
SETTINGS = OrderJob(metrics=METRICS, named={"similar_last": "mnli-csqa-squad1"})
PRIMARY = "order_effect/tiny/sequences"
ORDERS = ["-".join(order) for order in permutations(TASKS)]


@pytest.fixture(scope="module")
def languages() -> pd.DataFrame:
    return language_table()


@pytest.fixture(scope="module")
def result(languages: pd.DataFrame) -> tuple[pd.DataFrame, Verdict]:
    return analyse(Tables(order_scores(languages), languages), SETTINGS)


def row_of(tests: pd.DataFrame, name: str) -> pd.Series:
    return tests.set_index("id").loc[name]


def run(languages: pd.DataFrame, scores: pd.DataFrame, **changes: object) -> tuple[pd.DataFrame, Verdict]:
    return analyse(Tables(scores, languages), OrderJob(**{"metrics": METRICS, **changes}))


def test_a_planted_order_is_found(result: tuple[pd.DataFrame, Verdict]) -> None:
    tests, verdict = result
    primary = tests[tests["role"] == "primary"]
    assert primary["id"].tolist() == [PRIMARY] == [verdict.primary_id]
    assert primary["p"].iloc[0] == pytest.approx(1 / 36)
    assert primary["estimate"].iloc[0] == pytest.approx(0.05 * np.sqrt(0.8), abs=0.01)
    assert primary["n"].iloc[0] == 18
    assert "all 36 relabellings" in primary["note"].iloc[0]
    assert verdict.verdict == "supports"
    assert 0 < verdict.detectable_effect < 0.05
    assert "The order of the tasks changes the score" in verdict.reason
    assert "80 % power" in verdict.reason


def test_the_primary_test_is_of_means_over_languages(
    languages: pd.DataFrame, result: tuple[pd.DataFrame, Verdict]
) -> None:
    scores = order_scores(languages)
    rows = scores[scores["recipe"].isin(ORDERS)]
    means = rows.groupby(["recipe", "seed"])["value"].mean().reset_index().rename(columns={"recipe": "order"})
    expected = order_test(means)
    primary = row_of(result[0], PRIMARY)
    assert primary["p"] == expected.p
    assert primary["estimate"] == pytest.approx(expected.component**0.5)


def test_the_table_has_every_kind_of_row(result: tuple[pd.DataFrame, Verdict]) -> None:
    tests, _ = result
    assert tests.columns.tolist() == COLUMNS
    assert tests["id"].is_unique
    empty = tests["estimate"].isna()
    assert tests.loc[empty, "note"].str.contains("not estimable, because").all()
    assert tests.loc[tests["role"] == "descriptive", "p"].isna().all()
    subset = tests.loc[tests["statistic"] == "order_effect", "subset"]
    assert {ALL, "Latin script", "other scripts", "low-resource", "high-resource", "Uralic"} <= set(subset)
    assert row_of(tests, "gain_over_mixture/tiny/sequences")["role"] == "exploratory"
    assert row_of(tests, "gain_over_mixture/tiny/sequences")["estimate"] == pytest.approx(0, abs=0.02)
    gains = tests[(tests["statistic"] == "gain_over_mlm") & (tests["role"] == "exploratory")]
    gains = gains.set_index("recipe")
    assert set(gains.index) == set(ORDERS)
    assert gains.loc["csqa-mnli-squad1", "estimate"] == pytest.approx(0.25, abs=0.02)
    assert gains["p"].notna().all()
    shares = tests[tests["statistic"].str.startswith("variance:")]
    assert shares["estimate"].sum() == pytest.approx(1)
    assert (tests.loc[tests["statistic"] == "mean_score", "recipe"].nunique()) == len(ORDERS) + 2


def test_the_effect_of_a_position(result: tuple[pd.DataFrame, Verdict]) -> None:
    tests, _ = result
    late, early = (row_of(tests, f"position/{place}/tiny/squad1") for place in (3, 1))
    assert late["estimate"] == pytest.approx(0.05, abs=0.01)
    assert early["estimate"] == pytest.approx(-0.05, abs=0.01)
    assert late["low"] > 0 > early["high"]
    assert late["n"] == 3
    places = tests[tests["statistic"].str.startswith("position:")]
    assert places.groupby("recipe")["estimate"].sum().to_numpy() == pytest.approx(0, abs=1e-12)


def test_a_named_order_has_its_percentile_and_no_p(result: tuple[pd.DataFrame, Verdict]) -> None:
    tests, _ = result
    named = row_of(tests, "percentile/similar_last/tiny/mnli-csqa-squad1")
    means = tests[(tests["statistic"] == "mean_score") & (tests["subset"] == ALL)].set_index("recipe")
    orders = means.loc[ORDERS, "estimate"]
    assert named["estimate"] == pytest.approx((orders <= orders["mnli-csqa-squad1"]).mean())
    assert "no p of a single one can fall below 1/6 = 0.167" in named["note"]
    assert named["role"] == "descriptive"


def test_no_effect_is_inconclusive_and_never_contradicts(languages: pd.DataFrame) -> None:
    _, verdict = run(languages, order_scores(languages, effect=0.0, seed=2))
    assert verdict.verdict == "inconclusive"
    assert verdict.p > 0.05
    assert "does not show that order is irrelevant" in verdict.reason
    assert verdict.detectable_effect > 0


def test_luck_that_sequences_share_is_no_effect(languages: pd.DataFrame) -> None:
    """Two sequences share each first stage; a test that took them as independent would often reject."""
    found = [
        run(languages, order_scores(languages, effect=0.0, noise=0.02, seed=seed))[1].p for seed in range(12)
    ]
    assert sum(p <= 0.05 for p in found) <= 3


def test_several_tasks_are_averaged_and_tested_apart(languages: pd.DataFrame) -> None:
    scores = order_scores(languages, tasks=("tatoeba", "bucc2018"), effect=0.05)
    metrics = {"tatoeba": "accuracy", "bucc2018": "accuracy"}
    tests, verdict = run(languages, scores, tasks=["tatoeba", "bucc2018"], metrics=metrics)
    assert row_of(tests, PRIMARY)["task"] == "tatoeba, bucc2018"
    assert row_of(tests, f"{PRIMARY}/bucc2018")["role"] == "exploratory"
    assert verdict.verdict == "supports"


def test_two_seeds_or_two_tasks_are_too_few(languages: pd.DataFrame) -> None:
    _, verdict = run(languages, order_scores(languages, seeds=2))
    assert (verdict.verdict, verdict.p, verdict.detectable_effect) == ("inconclusive", None, None)
    assert verdict.reason.startswith("Runs: there are 2 runs, at least 3 needed, so luck cannot be told")
    assert "inconclusive, with fewer than 3 runs" in verdict.rule
    pair = order_scores(languages, ordered=("csqa", "mnli"))
    tests, verdict = run(languages, pair, ordered=["csqa", "mnli"])
    assert verdict.verdict == "not estimable"
    assert "no p is below 0.250" in row_of(tests, PRIMARY)["note"]


def test_a_sample_of_longer_sequences(languages: pd.DataFrame) -> None:
    ordered = ["csqa", "mnli", "panx", "qqp", "squad1"]
    named = {"a": "csqa-mnli-panx-qqp-squad1"}
    settings = OrderJob(ordered=ordered, sequences=8, named=named, metrics=METRICS)
    scores = order_scores(languages, ordered=ordered, orders=settings.orders, seeds=3)
    tests, verdict = analyse(Tables(scores, languages), settings)
    assert "a sample of" in row_of(tests, PRIMARY)["note"]
    assert verdict.verdict in {"supports", "inconclusive"}
    assert row_of(tests, "percentile/a/tiny/csqa-mnli-panx-qqp-squad1")["n"] == 8


def test_a_sample_that_can_hardly_be_relabelled_has_no_test(languages: pd.DataFrame) -> None:
    """Ten thousand relabellings are drawn, but two sequences without a common stage have four."""
    ordered = ["csqa", "mnli", "panx", "qqp", "squad1"]
    named = {"a": "csqa-mnli-panx-qqp-squad1", "b": "squad1-qqp-panx-mnli-csqa"}
    settings = OrderJob(ordered=ordered, sequences=2, named=named, metrics=METRICS)
    scores = order_scores(languages, ordered=ordered, orders=settings.orders)
    tests, verdict = analyse(Tables(scores, languages), settings)
    assert verdict.verdict == "not estimable"
    assert "2 sequences with 3 seeds have 4 relabellings, with which no p is below 0.250" in verdict.reason
    assert np.isnan(row_of(tests, PRIMARY)["p"])


def test_the_effect_under_other_choices(
    languages: pd.DataFrame, result: tuple[pd.DataFrame, Verdict]
) -> None:
    tests, _ = result
    names = tests.loc[tests["role"] == "sensitivity", "id"]
    assert set(names[names.str.startswith(PRIMARY)]) == {
        f"{PRIMARY}/{variant}" for variant in ("logit", "leave_one_family_out")
    }
    primary, logits = row_of(tests, PRIMARY), row_of(tests, f"{PRIMARY}/logit")
    rows = order_scores(languages)
    rows = rows[rows["recipe"].isin(ORDERS)].rename(columns={"recipe": "order"})
    right = rows["value"] * 500
    rows["value"] = np.log((right + 0.5) / (500 - right + 0.5))
    expected = order_test(rows.groupby(["order", "seed"])["value"].mean().reset_index())
    assert (logits["estimate"], logits["p"]) == pytest.approx((expected.component**0.5, expected.p))
    assert (logits["unit"], logits["n"]) == ("log odds", 18)
    families = row_of(tests, f"{PRIMARY}/leave_one_family_out")
    assert families["low"] < families["estimate"] < families["high"]
    assert families["estimate"] == pytest.approx(primary["estimate"])
    assert "range over leaving out one family at a time" in families["method"]
    shown = confidence(tests, SETTINGS.model_dump(), None)
    assert "Of 1 sensitivity analyses, 1 has p of at most 0.05" in shown
    assert "Without any one family the estimate lies from" in shown


def test_the_range_over_families_and_tasks(languages: pd.DataFrame) -> None:
    """The effect of one task alone: without it there is less, without the other there is more."""
    parts = [
        order_scores(languages, effect=effect, tasks=(task,), seed=seed)
        for seed, (task, effect) in enumerate({"tatoeba": 0.06, "bucc2018": 0.0}.items())
    ]
    several = {"tasks": ["tatoeba", "bucc2018"], "metrics": {"tatoeba": "accuracy", "bucc2018": "accuracy"}}
    tests, _ = run(languages, pd.concat(parts), **several)
    tasks = row_of(tests, f"{PRIMARY}/leave_one_task_out")
    alone = {task: row_of(tests, f"{PRIMARY}/{task}")["estimate"] for task in several["tasks"]}
    assert (tasks["low"], tasks["high"]) == pytest.approx((alone["bucc2018"], alone["tatoeba"]))
    tests, _ = run(languages, parts[0], **several)
    assert "there is 1 task" in row_of(tests, f"{PRIMARY}/leave_one_task_out")["note"]
    one = parts[0][parts[0]["language"].isin(["de", "fr", "es"])]
    tests, _ = run(languages, one)
    assert "there is only one family" in row_of(tests, f"{PRIMARY}/leave_one_family_out")["note"]


def test_gains_have_a_twin_on_the_logit_scale(
    languages: pd.DataFrame, result: tuple[pd.DataFrame, Verdict]
) -> None:
    tests, _ = result
    gain = row_of(tests, f"gain_over_mlm/tiny/{ORDERS[0]}/logit")
    plain = row_of(tests, f"gain_over_mlm/tiny/{ORDERS[0]}")
    assert (gain["role"], gain["unit"]) == ("sensitivity", "log odds")
    assert gain["low"] < gain["estimate"] < gain["high"]
    assert 3 < gain["estimate"] / plain["estimate"] < 6  # the slope of the logit is 4 at one half
    mixture = row_of(tests, "gain_over_mixture/tiny/sequences/logit")
    assert mixture["estimate"] == pytest.approx(0, abs=0.08)
    assert np.isnan(mixture["p_adjusted"])


def test_logits_need_numbers_of_examples(languages: pd.DataFrame) -> None:
    scores = order_scores(languages)
    tests, _ = run(languages, scores.assign(n=0))
    logits = tests[tests["id"].str.endswith("/logit")]
    assert len(logits) == 1 + 1 + len(ORDERS)
    assert logits["note"].str.startswith("not estimable, because the numbers of examples are not given").all()
    one = (scores["language"] == "ta") & (scores["recipe"] == ORDERS[1])
    tests, _ = run(languages, scores.assign(n=scores["n"].mask(one, 0)))
    logit = row_of(tests, f"{PRIMARY}/logit")
    assert "38 languages" in logit["note"]
    assert "number of examples not given: tatoeba/ta (1)" in logit["note"]
    assert row_of(tests, f"gain_over_mlm/tiny/{ORDERS[0]}/logit")["n"] == 38
    assert "39 languages" in row_of(tests, PRIMARY)["note"]


def test_a_missing_sequence_or_language_is_named(languages: pd.DataFrame) -> None:
    scores = order_scores(languages)
    tests, _ = run(languages, scores[~((scores["recipe"] == ORDERS[0]) & (scores["seed"] == 2))])
    note = row_of(tests, PRIMARY)["note"]
    assert f"not scored with every seed: {ORDERS[0]} (1)" in note
    hole = (scores["recipe"] == ORDERS[1]) & (scores["language"] == "ta")
    tests, _ = run(languages, scores.assign(value=scores["value"].mask(hole)))
    assert "not scored with every sequence and seed: tatoeba/ta (1)" in row_of(tests, PRIMARY)["note"]
    assert "38 languages" in row_of(tests, PRIMARY)["note"]


def test_the_mixture_needs_every_seed(languages: pd.DataFrame) -> None:
    scores = order_scores(languages)
    tests, _ = run(languages, scores[~((scores["recipe"] == "csqa+mnli+squad1") & (scores["seed"] > 0))])
    mixture = row_of(tests, "gain_over_mixture/tiny/sequences")
    assert "csqa+mnli+squad1 was not scored with every seed" in mixture["note"]
    tests, _ = run(languages, scores, mixture=False)
    assert not tests["statistic"].eq("gain_over_mixture").any()


def test_the_floor_rule(languages: pd.DataFrame) -> None:
    scores = order_scores(languages)
    guessing = scores["recipe"].isin(ORDERS)
    noise = np.random.default_rng(1).binomial(500, 1 / 500, len(scores)) / 500
    _, verdict = run(languages, scores.assign(value=scores["value"].mask(guessing, pd.Series(noise))))
    assert verdict.verdict == "not estimable"
    assert verdict.reason.startswith("Floor: retrieval is no better than guessing in tatoeba (")


def test_subsets_of_the_languages(languages: pd.DataFrame) -> None:
    known = Tables(order_scores(languages), languages).known("tiny", SETTINGS)
    low = low_resource(languages, known, 5.0)
    size = languages.set_index("language")["cc100_gib"]
    assert low == set(size.index[(size < 5) | size.isna()])
    scored = known[known["language"].isin(["de", "fr", "ru", "ta", "yo"])]
    found = subsets(scored, low)
    assert list(found) == [
        ALL,
        "Latin script",
        "other scripts",
        "high-resource",
        "low-resource",
        "Indo-European",
    ]
    assert found["other scripts"] == ["ru", "ta"]
    assert found["low-resource"] == ["yo"]


def _constant(scores: pd.DataFrame) -> pd.DataFrame:
    return scores.assign(value=scores["value"].where(scores["model"] == "chance", 0.5))


DEGENERATE: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "no scores": (lambda s: s.iloc[:0], "the scores hold no tatoeba of"),
    "constant scores": (_constant, "the score of an order is constant"),
    "nothing but missing": (lambda s: s.assign(value=np.nan), "the scores hold no tatoeba of tiny"),
    "one seed": (lambda s: s[s["seed"] == 0], "there is 1 run"),
    "one order": (lambda s: s[~s["recipe"].isin(ORDERS[1:])], "there is 1 order"),
    "no sequences": (lambda s: s[~s["recipe"].isin(ORDERS)], "the scores hold no tatoeba of tiny"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_scores_have_a_defined_answer(languages: pd.DataFrame, case: str) -> None:
    change, reason = DEGENERATE[case]
    settings = SETTINGS.model_dump() | {"named": {"best": "mnli-csqa-squad1"}}
    tests, verdict = analyse(Tables(change(order_scores(languages)), languages), OrderJob(**settings))
    primary = tests[tests["role"] == "primary"].iloc[0]
    assert primary["note"].startswith("not estimable, because")
    assert reason in primary["note"]
    assert verdict.verdict == ("inconclusive" if case == "one seed" else "not estimable")
    assert "nan" not in verdict.reason
    empty = tests["estimate"].isna()
    assert tests.loc[empty, "note"].str.contains("not estimable, because").all()
    WORDS.pictures(settings, tests)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("codes", [["de", "ta", "zh"], ["de"], ["de", "fr", "es"]])
def test_few_languages_still_have_a_test_of_order(languages: pd.DataFrame, codes: list[str]) -> None:
    """Runs are the replicates; only intervals over languages need more of them."""
    scores = order_scores(languages)
    tests, verdict = run(languages, scores[scores["language"].isin(codes)])
    assert verdict.verdict in {"supports", "inconclusive"}
    gain = row_of(tests, f"gain_over_mlm/tiny/{ORDERS[0]}")
    if codes != ["de", "ta", "zh"]:
        assert gain["note"].startswith("interval not estimable, because")
    assert pd.notna(gain["estimate"])


def test_strangers_are_refused(languages: pd.DataFrame) -> None:
    with pytest.raises(StudyError, match="lacks ta"):
        run(languages[languages["language"] != "ta"], order_scores(languages))


def test_english_is_left_out(languages: pd.DataFrame) -> None:
    scores = order_scores(languages)
    english = scores[scores["language"] == "de"].assign(language="en")
    study = Study(Scores.checked(pd.concat([scores, english]), SETTINGS), Tables(scores, languages), SETTINGS)
    assert "en" not in set(study.arms("tiny").cells["language"])


def test_words_have_the_numbers(result: tuple[pd.DataFrame, Verdict]) -> None:
    tests, verdict = result
    pictures = WORDS.pictures(SETTINGS.model_dump(), tests)
    assert set(pictures) == {"sequences", "positions"}
    assert "of 6 sequences" in pictures["sequences"].alternative
    assert "p = 0.028" in pictures["sequences"].alternative
    assert "squad1 at position 3" in pictures["positions"].alternative
    assert verdict.verdict in WORDS.answers(SETTINGS.model_dump())
    assert "all orders of csqa, mnli, squad1" in WORDS.question(SETTINGS.model_dump())
