"""S3 on planted truths, on every kind of degenerate table, and its figures."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from test_settings import changed

from tests.unit.arm_tables import CEILING, LAREQA, TRAINED, arm_rows, planted_arms
from tests.unit.study_tables import language_table
from xstilts.plan import Plan
from xstilts.settings import load
from xstilts.statistics.crossed import crossed_mean
from xstilts.statistics.power import detectable_crossed
from xstilts.studies import rows as table_of_tests
from xstilts.studies.contrasts import contrast
from xstilts.studies.figures import save
from xstilts.studies.qa_retrieval.analysis import analyse
from xstilts.studies.qa_retrieval.figures import contrasts, recall
from xstilts.studies.qa_retrieval.verdict import rule_in_words
from xstilts.studies.qa_retrieval.words import WORDS
from xstilts.studies.scores import Scores, gains
from xstilts.studies.settings import QARetrievalJob
from xstilts.studies.tables import Tables
from xstilts.studies.verdict import Verdict

METRICS = {"tatoeba": "recall_at_10", "lareqa": "recall_at_10"}
SETTINGS = QARetrievalJob(
    tasks=["tatoeba", "lareqa"],
    others=["csqa", "csqa+mnli"],
    non_qa=["csqa"],
    metrics=METRICS,
    trained_languages=TRAINED,
)
SMALL = QARetrievalJob(tasks=["tatoeba"], metrics={"tatoeba": "recall_at_10"}, trained_languages=TRAINED)
BETTER = {"squad1@600": 0.02, "tydiqa_all@600": 0.06}
PRIMARY = "difference/multilingual_minus_english/matched/tiny/tatoeba+lareqa"
Result = tuple[pd.DataFrame, Verdict]


@pytest.fixture(scope="module")
def languages() -> pd.DataFrame:
    return language_table()


@pytest.fixture(scope="module")
def scores() -> pd.DataFrame:
    return planted_arms(BETTER, everything=True)


@pytest.fixture(scope="module")
def result(languages: pd.DataFrame, scores: pd.DataFrame) -> Result:
    return analyse(Tables(scores, languages), SETTINGS)


def small(languages: pd.DataFrame, scores: pd.DataFrame, **changes: object) -> Result:
    """One task, nothing but the arms of the primary contrast."""
    return analyse(Tables(scores, languages), SMALL.model_copy(update=changes))


def row_of(tests: pd.DataFrame, name: str) -> pd.Series:
    return tests.set_index("id").loc[name]


def primary_of(tests: pd.DataFrame) -> pd.Series:
    (row,) = (row for _, row in tests[tests["role"] == "primary"].iterrows())
    return row


def no_number_without_a_reason(tests: pd.DataFrame) -> bool:
    empty = tests[tests["estimate"].isna()]
    open_ended = tests[tests["estimate"].notna() & (tests["role"] != "descriptive") & tests["low"].isna()]
    reasons = open_ended["note"].str.startswith("inconclusive: runs")
    return empty["note"].str.contains("not estimable, because").all() and reasons.all()


def test_a_planted_difference_is_found_whole(result: Result) -> None:
    tests, verdict = result
    primary = primary_of(tests)
    assert (primary["id"], verdict.primary_id) == (PRIMARY, PRIMARY)
    assert primary["low"] < 0.04 < primary["high"]
    assert verdict.verdict == "supports"
    assert verdict.p == primary["p"]
    assert "Multilingual QA is the better preparation" in verdict.reason
    assert 0 < verdict.detectable_effect < 0.04
    assert primary["n"] == 3
    assert "39 languages of 14 families" in primary["note"]
    assert primary["recipe"] == "tydiqa_all@600 minus squad1@600"


def test_the_opposite_and_equality_both_contradict(languages: pd.DataFrame) -> None:
    worse = planted_arms({"squad1@600": 0.06, "tydiqa_all@600": 0.02}, tasks=["tatoeba"])
    tests, verdict = small(languages, worse)
    assert verdict.verdict == "contradicts"
    assert "Multilingual QA is worse" in verdict.reason
    same = planted_arms({}, tasks=["tatoeba"], run_noise=0.001, language_noise=0.002)
    tests, verdict = small(languages, same)
    assert verdict.verdict == "contradicts"
    assert "equivalent within 1 points" in verdict.reason
    equal = row_of(tests, "equivalence/multilingual_minus_english/matched/tiny/tatoeba/margin")
    assert equal["p"] == pytest.approx(verdict.p)
    assert -0.01 < equal["low"] < equal["high"] < 0.01


def test_between_the_two_it_is_inconclusive(languages: pd.DataFrame) -> None:
    vague = planted_arms({}, tasks=["tatoeba"], run_noise=0.02)
    tests, verdict = small(languages, vague)
    assert verdict.verdict == "inconclusive"
    assert "neither apart nor equal" in verdict.reason
    assert verdict.p == primary_of(tests)["p"]


def test_the_interval_is_the_crossed_one(
    languages: pd.DataFrame, scores: pd.DataFrame, result: Result
) -> None:
    checked = Scores.checked(scores, SETTINGS)
    arms = ("tiny", ["tydiqa_all@600"], ["squad1@600"], ["tatoeba", "lareqa"])
    found = contrast(checked, languages[["language", "family"]], *arms)
    mean = crossed_mean(found.over_tasks().frame, "gain")
    primary = primary_of(result[0])
    assert (primary["low"], primary["high"], primary["p"]) == pytest.approx((mean.low, mean.high, mean.p))
    assert result[1].detectable_effect == pytest.approx(detectable_crossed(mean, 0.05, 0.8))
    # Every task weighs the same: tatoeba with its 39 languages, lareqa with its 10.
    by_hand = {
        task: gains(checked, "tiny", "tydiqa_all@600", task, "squad1@600") for task in ("tatoeba", "lareqa")
    }
    assert {task: part["language"].nunique() for task, part in by_hand.items()} == {
        "tatoeba": 39, "lareqa": 10
    }  # fmt: skip
    assert primary["estimate"] == pytest.approx(sum(part["gain"].mean() for part in by_hand.values()) / 2)
    assert "every task weighs the same" in primary["method"]


def test_languages_that_all_tasks_share_are_a_sensitivity_analysis(
    languages: pd.DataFrame, scores: pd.DataFrame, result: Result
) -> None:
    row = row_of(result[0], f"{PRIMARY}/shared_languages")
    assert row["role"] == "sensitivity"
    assert "10 languages" in row["note"]
    common = scores[scores["language"].isin(LAREQA)]
    assert row["estimate"] == pytest.approx(
        primary_of(analyse(Tables(common, languages), SETTINGS)[0])["estimate"]
    )
    few = scores[(scores["task"] != "lareqa") | scores["language"].isin(["ar", "de", "fi", "th"])]
    tests, _ = analyse(Tables(few, languages), SETTINGS)
    lacking = row_of(tests, f"{PRIMARY}/shared_languages")["note"]
    assert "not estimable, because there are 3 languages" in lacking


def test_tasks_without_a_shared_language_have_a_reason(languages: pd.DataFrame, scores: pd.DataFrame) -> None:
    apart = scores[(scores["task"] == "lareqa") | ~scores["language"].isin(LAREQA)]
    tests, _ = analyse(Tables(apart, languages), SETTINGS)
    assert "the tasks share no language" in row_of(tests, f"{PRIMARY}/shared_languages")["note"]
    assert primary_of(tests)["low"] < 0.04 < primary_of(tests)["high"]


def test_a_task_that_no_language_of_the_subset_has_is_said(
    languages: pd.DataFrame, scores: pd.DataFrame
) -> None:
    outside = scores[(scores["task"] != "lareqa") | ~scores["language"].isin(TRAINED["tydiqa_all"])]
    tests, _ = analyse(Tables(outside, languages), SETTINGS)
    assert "without such a language: lareqa" in row_of(tests, f"{PRIMARY}/inside")["note"]
    assert "inside: without such a language" in row_of(tests, f"{PRIMARY}/inside_minus_outside")["note"]
    assert "without such" not in primary_of(tests)["note"]


def test_a_task_without_a_whole_language_is_no_silent_loss(
    languages: pd.DataFrame, scores: pd.DataFrame
) -> None:
    held = (scores["task"] != "lareqa") | (scores["seed"] == 1) | (scores["language"] == "en")
    alone = scores["language"].eq("de") & scores["seed"].gt(1)
    torn = scores[held | alone][
        lambda t: ~((t["task"] == "lareqa") & (t["seed"] == 1) & (t["language"] == "de"))
    ]
    _, verdict = analyse(Tables(torn, languages), SETTINGS)
    assert verdict.verdict == "not estimable"
    assert "no language of lareqa is scored with every run" in verdict.reason


def test_without_numbers_of_examples_there_are_no_log_odds(
    languages: pd.DataFrame, scores: pd.DataFrame
) -> None:
    tests, _ = analyse(
        Tables(scores.assign(n=scores["n"].mask(scores["task"] == "lareqa", 0)), languages), SETTINGS
    )
    assert "without such a language: lareqa" in row_of(tests, f"{PRIMARY}/logit")["note"]
    tests, _ = analyse(Tables(scores.assign(n=0), languages), SETTINGS)
    assert "not estimable" in row_of(tests, f"{PRIMARY}/logit")["note"]


def test_the_verdict_says_what_each_side_does_to_the_masked_lm(
    languages: pd.DataFrame, result: Result
) -> None:
    tests, verdict = result
    for arm, kind in (("squad1@600", "English QA"), ("tydiqa_all@600", "multilingual QA")):
        row = row_of(tests, f"difference/{arm}_minus_mlm/tiny/tatoeba+lareqa")
        assert f"{kind} raises the score ({100 * row['estimate']:+.2f} points" in verdict.reason
    both_worse = planted_arms({"squad1@600": -0.2, "tydiqa_all@600": -0.1}, tasks=["tatoeba"])
    _, verdict = small(languages, both_worse)
    assert verdict.verdict == "supports"
    assert "English QA lowers the score" in verdict.reason
    assert "multilingual QA lowers the score" in verdict.reason
    without = both_worse[both_worse["recipe"] != "mlm"]
    _, verdict = small(languages, without)
    assert "English QA is not compared, because the scores hold no tatoeba of tiny, mlm" in verdict.reason


def test_a_side_of_several_arms_has_a_row_against_the_masked_lm(languages: pd.DataFrame) -> None:
    table = planted_arms(BETTER, tasks=["tatoeba"])
    more = table[table["recipe"] == "squad1@600"].assign(recipe="squad2@600", intermediate="squad2@600")
    tests, _ = small(languages, pd.concat([table, more]), english=["squad1", "squad2"])
    row = row_of(tests, "difference/english_minus_mlm/matched/tiny/tatoeba")
    assert row["recipe"] == "the mean of squad1@600, squad2@600 minus mlm"
    assert row["low"] < 0.02 < row["high"]


def test_methods_of_descriptions_are_their_own_in_either_order_of_tasks(
    languages: pd.DataFrame, scores: pd.DataFrame, result: Result
) -> None:
    turned, _ = analyse(
        Tables(scores, languages), SETTINGS.model_copy(update={"tasks": ["lareqa", "tatoeba"]})
    )
    for tests in (result[0], turned):
        means = tests[tests["statistic"].str.startswith("mean:")]
        assert set(means["task"]) == {"tatoeba", "lareqa"}
        assert means["method"].unique().tolist() == [
            "mean over runs and languages; low and high: least and best language"
        ]


def test_english_is_left_out(languages: pd.DataFrame, scores: pd.DataFrame, result: Result) -> None:
    english = scores["language"].eq("en") & scores["recipe"].str.startswith("tydiqa_all@600")
    changed = scores.assign(value=scores["value"].mask(english, 0.0))
    assert primary_of(analyse(Tables(changed, languages), SETTINGS)[0])["estimate"] == pytest.approx(
        primary_of(result[0])["estimate"]
    )


def test_the_table_has_every_kind_of_row(result: Result) -> None:
    tests, _ = result
    assert tests.columns.tolist() == table_of_tests.COLUMNS
    assert tests["id"].is_unique
    assert tests["role"].unique().tolist() == ["primary", "sensitivity", "exploratory", "descriptive"]
    assert no_number_without_a_reason(tests)
    assert (tests[["unit", "method"]] != "").all(axis=None)
    sensitivity = tests.loc[tests["role"] == "sensitivity", "id"].str.rsplit("/", n=1).str[-1]
    wanted = {"logit", "without_tatoeba", "without_lareqa", "leave_one_family_out", "independent_languages"}
    wanted |= {"shared_languages"}
    assert wanted | {"half_margin", "margin", "double_margin"} == set(sensitivity)
    exploratory = set(tests.loc[tests["role"] == "exploratory", "id"])
    for cell in ("matched/tiny/lareqa", "whole/tiny/tatoeba+lareqa", "whole/tiny/tatoeba"):
        for variant in ("", "/inside", "/outside", "/inside_minus_outside"):
            assert f"difference/multilingual_minus_english/{cell}{variant}" in exploratory
    arms = ("squad1", "tydiqa_all", "csqa", "csqa+mnli", "squad1@600", "tydiqa_all@600")
    assert {f"difference/{arm}_minus_mlm/tiny/tatoeba+lareqa" for arm in arms} <= exploratory
    assert "difference/english_minus_non_qa/whole/tiny/tatoeba+lareqa" in exploratory


def test_trained_languages_stand_apart(languages: pd.DataFrame) -> None:
    table = planted_arms({}, tasks=["tatoeba"], run_noise=0.002, language_noise=0.004)
    gained = table["language"].isin(TRAINED["tydiqa_all"]) & table["recipe"].eq("tydiqa_all@600")
    tests, _ = small(languages, table.assign(value=table["value"] + 0.05 * gained))
    place = "difference/multilingual_minus_english/matched/tiny/tatoeba"
    inside, outside = row_of(tests, f"{place}/inside"), row_of(tests, f"{place}/outside")
    assert inside["low"] < 0.05 < inside["high"]
    assert outside["low"] < 0.0 < outside["high"]
    between = row_of(tests, f"{place}/inside_minus_outside")
    assert between["estimate"] == pytest.approx(inside["estimate"] - outside["estimate"])
    assert "ar, bn, fi, id, ko, ru, sw, te" in inside["subset"]


def test_metrics_are_described_as_far_as_scored(result: Result) -> None:
    tests, _ = result
    assert row_of(tests, "ceiling/recall_at_10/tiny/-/lareqa")["estimate"] == pytest.approx(CEILING)
    first = row_of(tests, "mean/recall_at_1/tiny/squad1/tatoeba")
    assert "accuracy" in first["note"]
    assert first["n"] == 39
    assert row_of(tests, "mean/mrr/tiny/mlm/lareqa")["n"] == len(LAREQA) - 1
    assert not tests["id"].str.contains("map_at_20").any()
    wilcoxon = row_of(tests, PRIMARY.replace("difference", "signed_rank"))
    assert wilcoxon["role"] == "descriptive"
    assert "no test" in wilcoxon["note"]


def drop(condition: Callable[[pd.DataFrame], pd.Series]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda table: table[~condition(table)]


CAPPED = "tydiqa_all@600"
DEGENERATE: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str, str]] = {
    "no scores": (lambda table: table.iloc[:0], "not estimable", "the scores hold no tatoeba"),
    "no arm": (drop(lambda t: t["recipe"] == CAPPED), "not estimable", "hold no tatoeba of tiny, tydiqa"),
    "one seed": (drop(lambda t: t["seed"] > 1), "inconclusive", "Runs: there is 1 run, at least 3"),
    "one seed of one arm": (
        drop(lambda t: (t["seed"] > 1) & (t["recipe"] == "squad1@600")),
        "inconclusive",
        "Runs: there is 1 run, at least 3",
    ),
    "few languages": (
        drop(lambda t: ~t["language"].isin(["de", "fi", "zh"])),
        "not estimable",
        "3 languages",
    ),
    "one family": (
        drop(lambda t: ~t["language"].isin("de fr es it pt nl ru".split())),
        "not estimable",
        "only 1 family",
    ),
    "constant": (
        lambda t: t.assign(value=t["value"].mask(t["model"] == "tiny", 0.5)),
        "not estimable",
        "every run gave the same mean",
    ),
    "missing": (
        lambda t: t.assign(value=t["value"].mask(t["recipe"] == CAPPED)),
        "not estimable",
        "hold no tatoeba",
    ),
    "floor": (
        lambda t: t.assign(value=t["value"].mask(t["model"] == "tiny", t["value"] / 60)),
        "not estimable",
        "Floor",
    ),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_tables_have_a_defined_answer(languages: pd.DataFrame, name: str) -> None:
    change, decision, reason = DEGENERATE[name]
    table = change(planted_arms(BETTER, tasks=["tatoeba"]))
    tests, verdict = small(languages, table)
    assert verdict.verdict == decision
    assert reason in verdict.reason
    assert "nan" not in verdict.reason
    assert no_number_without_a_reason(tests)
    assert verdict.p is None
    for figure in (
        contrasts(Tables(table, languages), tests, SMALL),
        recall(tests, SMALL),
    ):
        assert not any("nan" in text for text in texts(figure))


def test_cells_that_are_missing_are_said(languages: pd.DataFrame) -> None:
    table = planted_arms(BETTER, tasks=["tatoeba"])
    hole = (table["language"] == "yo") & (table["seed"] == 2) & (table["recipe"] == CAPPED)
    tests, _ = small(languages, table[~hole])
    primary = primary_of(tests)
    assert "38 languages" in primary["note"]
    assert "not scored with every run: tatoeba/yo (1)" in primary["note"]


def test_a_single_run_stands_beside_every_seed_only_if_nothing_was_tuned(languages: pd.DataFrame) -> None:
    table = planted_arms(BETTER, tasks=["tatoeba"])
    checked = Scores.checked(table, SMALL)
    assert gains(checked, "tiny", "squad1", "tatoeba")["seed"].nunique() == 3
    table = table[(table["recipe"] != "csqa") | (table["seed"] == 1)]
    checked = Scores.checked(table, SMALL)
    assert gains(checked, "tiny", "squad1", "tatoeba", baseline="csqa")["seed"].unique().tolist() == [1]


def test_without_chance_the_floor_is_said_to_be_unknown(languages: pd.DataFrame) -> None:
    table = planted_arms(BETTER, tasks=["tatoeba"])
    _, verdict = small(languages, table[table["model"] != "chance"])
    assert verdict.verdict == "supports"
    assert "Whether scores are above chance is not known" in verdict.reason


def test_the_rule_names_the_thresholds() -> None:
    rule = rule_in_words(SETTINGS.model_copy(update={"margin": 0.02, "minimum_seeds": 4}))
    assert "within 0.02 of 0 (TOST)" in rule
    assert "fewer than 4 runs" in rule
    assert "600 examples each" in rule


def test_the_same_tables_in_any_order_give_the_same_answer(
    languages: pd.DataFrame, scores: pd.DataFrame, result: Result
) -> None:
    shuffled = Tables(scores.sample(frac=1, random_state=1), languages.sample(frac=1, random_state=2))
    tests, verdict = analyse(shuffled, SETTINGS)
    assert tests.round(6).to_csv() == result[0].round(6).to_csv()
    assert verdict.reason == result[1].reason


def test_the_job_knows_the_arms() -> None:
    config = changed("run.studies", ["qa_retrieval"])
    config["studies"]["qa_retrieval"]["others"] = ["mnli+csqa", "csqa", "cmlm", "squad2"]
    job = Plan(load(config)).study_job("qa_retrieval")
    assert isinstance(job, QARetrievalJob)
    assert job.others == ["csqa+mnli", "csqa", "cmlm", "squad2"]
    assert job.non_qa == ["csqa"]


def texts(figure: Figure) -> list[str]:
    return [item.get_text() for item in figure.findobj(lambda item: hasattr(item, "get_text"))]


def test_every_language_is_labelled(languages: pd.DataFrame, scores: pd.DataFrame, result: Result) -> None:
    figure = contrasts(Tables(scores, languages), result[0], SETTINGS, note="miniature")
    shown = texts(figure)
    assert set(languages["language"]) - {"en"} <= set(shown)
    assert {"miniature", "English QA\nsquad1@600", "Multilingual QA\ntydiqa_all@600"} <= set(shown)
    assert {"all tasks\n600 examples", "all tasks, trained languages\nall examples"} <= set(shown)
    assert any("n = 3 runs" in text for text in shown)
    lines = [line for line in figure.axes[0].lines if line.get_linewidth() == 0.7]
    markers = {line.get_marker() for line in lines}
    assert (len(lines), markers) == (39, {"o", "s"})
    assert Counter(line.get_linestyle() for line in lines) == {"-": 10, "--": 29}  # dashed: lareqa lacks it
    assert "lacks a task" in shown
    figure.draw_without_rendering()
    codes = [text for text in figure.axes[0].texts if text.get_text() in set(languages["language"])]
    boxes = [Text.get_window_extent(text) for text in codes]  # without the leader
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_recall_has_a_curve_per_arm_and_the_ceiling(result: Result) -> None:
    figure = recall(result[0], SETTINGS)
    shown = texts(figure)
    assert set(SETTINGS.planned) <= set(shown)
    assert "ceiling 0.91" in shown
    assert {"tatoeba", "lareqa", "open, dashed: 600 examples"} <= set(shown)
    curves = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 3]
    assert len(curves) == len(SETTINGS.planned)


def test_files_are_the_same_bytes_every_time(
    languages: pd.DataFrame, scores: pd.DataFrame, result: Result, tmp_path: Path
) -> None:
    for folder in ("one", "two"):
        paths = save(
            contrasts(Tables(scores, languages), result[0], SETTINGS), tmp_path / folder, "contrasts"
        )
        paths += save(recall(result[0], SETTINGS), tmp_path / folder, "recall")
    for path in paths:
        assert path.read_bytes() == (tmp_path / "one" / path.name).read_bytes(), path.name


def test_words_come_from_the_numbers(result: Result) -> None:
    settings = SETTINGS.model_dump()
    assert "600 training examples each" in WORDS.question(settings)
    assert set(WORDS.answers(settings)) == {"supports", "contradicts", "inconclusive", "not estimable"}
    pictures = WORDS.pictures(settings, result[0])
    assert f"{primary_of(result[0])['estimate']:.3f}" in pictures["contrasts"].alternative
    assert "In lareqa it can be 0.91 at most." in pictures["recall"].alternative


def test_controls_of_the_arms_are_described(languages: pd.DataFrame, scores: pd.DataFrame) -> None:
    weak = arm_rows("untrained", "tatoeba", 0, {"de": 0.9, "fi": 0.01}, "recall_at_10")
    tests, _ = small(languages, pd.concat([scores[scores["task"] == "tatoeba"], weak]))
    row = row_of(tests, "share_not_above/untrained/tiny/squad1@600/tatoeba")
    assert (row["estimate"], row["n"], row["note"]) == (0.5, 2, "de")
