"""Collapsed runs in studies: nothing averages them in silence, and no verdict hangs on them."""

from typing import Any

import pandas as pd
import pytest

from tests.unit.study_tables import fertility_table, language_table, planted_scores
from xstilts.errors import StudyError
from xstilts.report.tables import language_means
from xstilts.studies import rows as table_of_tests
from xstilts.studies.collapse import analysed, in_words, rests_on_collapse
from xstilts.studies.rows import Row
from xstilts.studies.settings import TypologyJob
from xstilts.studies.tables import Tables
from xstilts.studies.typology.analysis import analyse
from xstilts.studies.verdict import Decision, Verdict

STUDY = TypologyJob(recipes=["mlm", "squad1"], models=["tiny"], metrics={"tatoeba": "accuracy"})


def collapsed(*runs: tuple[str, int], incident: str = "collapsed", model: str = "tiny") -> pd.DataFrame:
    rows = [(model, recipe, seed, incident) for recipe, seed in runs]
    return pd.DataFrame(rows, columns=["model", "recipe", "seed", "incident"])


def scores_of(*recipes: str, seeds: int = 3) -> pd.DataFrame:
    rows = [("tiny", recipe, seed, float(seed)) for recipe in recipes for seed in range(1, seeds + 1)]
    return pd.DataFrame(rows, columns=["model", "recipe", "seed", "value"])


@pytest.mark.parametrize(
    ("recipe", "doubtful"),
    [("csqa", True), ("csqa-squad1", True), ("squad1-csqa", False), ("csqa+mnli", False), ("csqa@9", False)],
)
def test_what_is_trained_on_top_of_a_collapsed_run_rests_on_it(recipe: str, doubtful: bool) -> None:
    scores = scores_of(recipe)
    assert rests_on_collapse(scores, collapsed(("csqa", 2))).tolist() == [False, doubtful, False]
    for other in (collapsed(("csqa", 2), model="large"), collapsed(("csqa", 2), incident="restarted")):
        assert not rests_on_collapse(scores, other).any()


def test_runs_are_counted_in_words() -> None:
    scores = scores_of("csqa-squad1", "mnli")
    assert in_words(scores, collapsed(("csqa-squad1", 2))) == (
        "1 of 3 runs of tiny/csqa-squad1 collapsed (seed 2)"
    )
    assert in_words(scores, collapsed(("csqa", 1), ("csqa", 3))) == (
        "2 of 3 runs of tiny/csqa collapsed (seeds 1, 3)"
    )
    assert in_words(scores, collapsed(("hellaswag", 1))) == ""
    many = [f"task{number}" for number in range(8)]
    assert in_words(scores_of(*many), collapsed(*((name, 1) for name in many))).endswith(
        "; likewise 3 other recipes"
    )


def study_of_means(tables: Tables, settings: Any) -> tuple[pd.DataFrame, Verdict]:
    """A study in miniature: is the mean of all scores above 0.5?"""
    if tables.scores.empty:
        raise StudyError("there are no scores", where="scores.tsv")
    mean = float(tables.scores["value"].mean())
    rows = [Row("x", "mean", "primary", "mean", "m", "score", estimate=mean, n=len(tables.scores))]
    rows.append(Row("x", "constant", "descriptive", "one", "m", "score", estimate=1.0))
    decision: Decision = "supports" if mean > 0.5 else "contradicts"
    return table_of_tests.tests_table(rows, "fdr_bh", 0.05), Verdict(
        decision, "a rule", "mean", 0.01, 0.1, "A reason."
    )


def analysed_means(values: list[float], *runs: tuple[str, int]) -> tuple[pd.DataFrame, Verdict]:
    scores = scores_of("csqa", seeds=len(values)).assign(value=values)
    return analysed(study_of_means, Tables(scores, scores, incidents=collapsed(*runs)), None)


def test_a_verdict_that_hangs_on_a_collapsed_run_is_inconclusive() -> None:
    table, verdict = analysed_means([0.9, 0.0, 0.3], ("csqa", 1))
    assert table.set_index("id").loc["mean", "estimate"] == pytest.approx(0.4)  # the run stays in
    assert verdict.verdict == "contradicts"
    assert "1 of 3 runs of tiny/csqa collapsed (seed 1); without them the verdict is contradicts." in (
        verdict.reason
    )
    table, verdict = analysed_means([0.9, 0.9, 0.4], ("csqa", 1), ("csqa", 2))
    assert verdict.verdict == "inconclusive"
    assert "without them the verdict is contradicts" in verdict.reason
    assert "not the same without collapsed runs" in verdict.rule


def test_every_statistic_that_a_collapsed_run_changes_says_so_and_no_other() -> None:
    table, _ = analysed_means([0.9, 0.3, 0.0], ("csqa", 3))
    notes = table.set_index("id")["note"]
    assert notes["mean"] == "without collapsed runs: 0.6"
    assert notes["constant"] == ""


def test_a_study_that_is_none_without_the_collapsed_runs_decides_nothing() -> None:
    _, verdict = analysed_means([0.9], ("csqa", 1))
    assert verdict.verdict == "inconclusive"
    assert "without them there is no study: there are no scores" in verdict.reason


def test_a_study_without_collapsed_runs_is_as_it_was() -> None:
    languages = language_table()
    tables = Tables(planted_scores(languages), languages, fertility_table(languages))
    alone, verdict = analyse(tables, STUDY)
    for incidents in (None, collapsed(("csqa", 1)), collapsed(("squad1", 1), incident="restarted")):
        again, same = analysed(analyse, Tables(**{**vars(tables), "incidents": incidents}), STUDY)
        pd.testing.assert_frame_equal(alone, again)
        assert same == verdict


def test_a_collapsed_run_of_a_real_study_marks_what_rests_on_it() -> None:
    languages = language_table()
    tables = Tables(
        planted_scores(languages),
        languages,
        fertility_table(languages),
        incidents=collapsed(("squad1", 1)),
    )
    table, verdict = analysed(analyse, tables, STUDY)
    marked = table["note"].str.contains("without collapsed runs")
    assert marked.any()
    assert not marked[table["recipe"] == "mlm"].any()
    assert marked[(table["recipe"] == "squad1") & table["statistic"].str.startswith("slope:")].all()
    assert verdict.verdict == "supports"  # the primary test is of the masked LM
    assert "runs of tiny/squad1 collapsed (seed 1)" in verdict.reason


def test_the_table_of_means_counts_collapsed_runs() -> None:
    scores = planted_scores(language_table())
    rows = language_means(scores, collapsed(("squad1", 1))).rows
    seeds = {row[3]: row[-1] for row in rows if row[2] == "tiny"}
    assert seeds["squad1"].endswith("(1 collapsed)")
    assert "collapsed" not in seeds["mlm"]
    assert language_means(scores, None).rows == language_means(scores, collapsed()).rows
