"""S5 on planted truths, on every kind of degenerate table, and its figures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from tests.unit.arm_tables import INTERMEDIATES, arm_rows, planted_gains, similarity_table
from tests.unit.study_tables import language_table
from xstilts.errors import StudyError
from xstilts.statistics.permutation import label_permutation_correlation
from xstilts.studies import rows as table_of_tests
from xstilts.studies.figures import save
from xstilts.studies.scores import Scores
from xstilts.studies.settings import SimilarityJob
from xstilts.studies.similarity.analysis import analyse
from xstilts.studies.similarity.figures import heat_maps, scatter
from xstilts.studies.similarity.pairs import Pairs, centred
from xstilts.studies.similarity.verdict import rule_in_words
from xstilts.studies.similarity.words import WORDS
from xstilts.studies.tables import Tables
from xstilts.studies.verdict import Verdict

SETTINGS = SimilarityJob(
    recipes=list(INTERMEDIATES), tasks=["tatoeba", "udpos"], metrics={"tatoeba": "accuracy", "udpos": "f1"}
)
PRIMARY = "correlation/tiny/low"
LOW = {"af", "eu", "jv", "mr", "my", "sw", "te", "tl", "yo"}
Result = tuple[pd.DataFrame, Verdict]


@pytest.fixture(scope="module")
def languages() -> pd.DataFrame:
    return language_table()


@pytest.fixture(scope="module")
def tables(languages: pd.DataFrame) -> Tables:
    similarity = similarity_table()
    return Tables(planted_gains(similarity), languages, extra=similarity)


@pytest.fixture(scope="module")
def result(tables: Tables) -> Result:
    return analyse(tables, SETTINGS)


def row_of(tests: pd.DataFrame, name: str) -> pd.Series:
    return tests.set_index("id").loc[name]


def no_number_without_a_reason(tests: pd.DataFrame) -> bool:
    empty = tests[tests["estimate"].isna()]
    return bool(empty["note"].str.startswith("not estimable, because").all())


def test_a_planted_correlation_is_found_where_it_is(result: Result) -> None:
    tests, verdict = result
    primary = tests[tests["role"] == "primary"]
    assert primary["id"].tolist() == [PRIMARY] == [verdict.primary_id]
    assert verdict.verdict == "supports"
    assert primary["estimate"].iloc[0] > 0.9
    assert primary["p"].iloc[0] == pytest.approx(1 / 720)
    assert primary["n"].iloc[0] == 12
    assert verdict.p == primary["p"].iloc[0]
    assert 0.3 < verdict.detectable_effect < 1
    other = row_of(tests, "correlation/tiny/high")
    assert (other["role"], other["p"] > 0.05) == ("exploratory", True)


def test_the_opposite_contradicts_and_nothing_is_inconclusive(languages: pd.DataFrame) -> None:
    similarity = similarity_table()
    _, verdict = analyse(Tables(planted_gains(similarity, slope=-0.2), languages, extra=similarity), SETTINGS)
    assert verdict.verdict == "contradicts"
    assert "gain less in low-resource languages" in verdict.reason
    _, verdict = analyse(Tables(planted_gains(similarity, slope=0.0), languages, extra=similarity), SETTINGS)
    assert verdict.verdict == "inconclusive"
    assert "no correlation that can be told from none" in verdict.reason


def test_the_correlation_is_that_of_pairs_centred_by_target(tables: Tables, result: Result) -> None:
    pairs = Pairs.of(Scores.checked(tables.scores, SETTINGS), tables, SETTINGS, "tiny")
    means = pairs.means("low")
    by_hand = centred(means, ["similarity", "gain"])
    r = np.corrcoef(by_hand["similarity"], by_hand["gain"])[0, 1]
    test = label_permutation_correlation(means, "similarity", "gain", label="intermediate", group="target")
    primary = row_of(result[0], PRIMARY)
    assert (primary["estimate"], primary["p"]) == pytest.approx((test.r, test.p))
    assert primary["estimate"] == pytest.approx(r)
    # The gain of a pair, by hand: over languages and seeds, against the masked LM of the same seed.
    table = tables.scores[(tables.scores["task"] == "udpos") & tables.scores["language"].isin(LOW)]
    values = table.groupby("recipe")["value"].mean()
    cell = means.set_index(["intermediate", "target"]).loc[("mnli", "udpos")]
    assert cell["gain"] == pytest.approx(values["mnli-udpos"] - values["udpos"])
    assert cell["similarity"] == pytest.approx(
        tables.extra.set_index(["intermediate", "target"]).loc[("mnli", "udpos"), "similarity"]
    )


def test_low_resource_is_by_threshold_or_unseen(languages: pd.DataFrame, tables: Tables) -> None:
    scores = Scores.checked(tables.scores, SETTINGS)
    pairs = Pairs.of(scores, tables, SETTINGS, "tiny")
    assert set(pairs.codes("low", "tatoeba")) == LOW
    corpus = pd.DataFrame({"language": [code for code in languages["language"] if code != "de"], "bytes": 9})
    own = Tables(tables.scores, languages, corpus=corpus, extra=tables.extra)
    trained = SETTINGS.model_copy(update={"pretrained": ["tiny"]})
    assert set(Pairs.of(scores, own, trained, "tiny").codes("low", "tatoeba")) == {*LOW, "de"}


def test_the_table_has_every_kind_of_row(result: Result) -> None:
    tests, _ = result
    assert tests.columns.tolist() == table_of_tests.COLUMNS
    assert tests["id"].is_unique
    assert no_number_without_a_reason(tests)
    assert (tests[["unit", "method"]] != "").all(axis=None)
    sensitivity = tests.loc[tests["role"] == "sensitivity", "id"].str.rsplit("/", n=1).str[-1]
    assert set(sensitivity) == {
        *("best_match", "tfidf", "logit", "share_of_headroom", "baseline_as_covariate"),
        "leave_one_intermediate_out",
    }
    span = row_of(tests, f"{PRIMARY}/leave_one_intermediate_out")
    assert span["low"] <= span["estimate"] <= span["high"]
    assert "least without" in span["note"]
    pair = row_of(tests, "gain/tiny/low/squad1/udpos")
    assert pair["low"] < pair["estimate"] < pair["high"]
    assert (pair["role"], pair["n"]) == ("descriptive", 3)
    assert "too optimistic" in row_of(tests, "repeated_measures/tiny/low")["note"]
    assert "intermediate:target" in row_of(tests, "mixed_model/tiny/low")["note"]
    line = row_of(tests, "line/tiny/low/yo")
    assert line["estimate"] == pytest.approx(0.2, abs=0.05)


def only(*codes: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda table: table[table["language"].isin(codes)]


def treated(table: pd.DataFrame) -> pd.Series:
    return table["intermediate"] != "-"


DEGENERATE: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "no scores": (lambda table: table.iloc[:0], "Left out: tatoeba (no scores), udpos (no scores)"),
    "no low-resource language": (only("de", "fr", "ja", "ru", "zh"), "low-resource languages: none"),
    "two of them": (only("de", "fr", "sw", "yo"), "low-resource languages: sw, yo"),
    "few intermediates": (
        lambda t: t[~t["intermediate"].isin(["csqa", "qqp"])],
        "4 intermediate tasks, at least 5 needed",
    ),
    "constant gains": (
        lambda t: t.assign(value=t["value"].mask(treated(t), 0.6).mask(~treated(t), 0.5)),
        "gain is constant",
    ),
    "missing": (lambda t: t.assign(value=t["value"].mask(treated(t))), "no scores"),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_tables_have_a_defined_answer(tables: Tables, name: str) -> None:
    change, reason = DEGENERATE[name]
    changed = Tables(change(tables.scores), tables.languages, extra=tables.extra)
    tests, verdict = analyse(changed, SETTINGS)
    assert verdict.verdict == "not estimable"
    assert reason in verdict.reason
    assert (verdict.p, verdict.detectable_effect) == (None, None)
    assert "nan" not in verdict.reason
    assert no_number_without_a_reason(tests)
    for figure in (scatter(changed, tests, SETTINGS), heat_maps(changed, tests, SETTINGS)):
        assert not any("nan" in text for text in texts(figure))


def test_too_few_runs_are_inconclusive(tables: Tables, languages: pd.DataFrame) -> None:
    """Labels are permuted, not runs, so there is a correlation; but it may be luck."""
    single = Tables(tables.scores[tables.scores["seed"] <= 1], languages, extra=tables.extra)
    tests, verdict = analyse(single, SETTINGS)
    assert (verdict.verdict, verdict.p, verdict.detectable_effect) == ("inconclusive", None, None)
    reason = "there is 1 run, at least 3 needed"
    assert verdict.reason == f"Runs: {reason}, so luck cannot be told from an effect."
    assert "inconclusive, with fewer than 3 runs of a pair" in verdict.rule
    primary = row_of(tests, PRIMARY)
    assert primary["p"] < 0.05
    assert f"inconclusive: runs ({reason})" in primary["note"]
    third = (tables.scores["recipe"] == "mnli-udpos") & (tables.scores["seed"] == 3)
    _, verdict = analyse(Tables(tables.scores[~third], languages, extra=tables.extra), SETTINGS)
    assert verdict.reason.startswith("Runs: there are 2 runs, at least 3 needed")
    pair = row_of(tests, "gain/tiny/low/squad1/udpos")
    assert np.isnan(pair["low"])
    assert "inconclusive: runs" in pair["note"]


def test_one_family_leaves_the_correlation(tables: Tables, languages: pd.DataFrame) -> None:
    """Nor are languages permuted: only the intervals of the pairs go."""
    alike = Tables(tables.scores, languages.assign(family="one"), extra=tables.extra)
    tests, verdict = analyse(alike, SETTINGS)
    assert verdict.verdict == "supports"
    assert (
        "because there are languages of only 1 family" in row_of(tests, "gain/tiny/low/squad1/udpos")["note"]
    )


def test_a_target_with_too_few_languages_is_left_out_and_said_so(tables: Tables) -> None:
    scores = tables.scores
    gone = (scores["task"] == "udpos") & scores["language"].isin(LOW - {"sw", "yo"})
    tests, verdict = analyse(Tables(scores[~gone], tables.languages, extra=tables.extra), SETTINGS)
    assert verdict.verdict == "supports"
    assert "Left out: udpos (low-resource languages: sw, yo)." in verdict.reason
    primary = row_of(tests, PRIMARY)
    assert (primary["n"], primary["task"]) == (6, "tatoeba")
    assert "left out: udpos" in primary["note"]
    assert row_of(tests, "low_resource/tiny/low/udpos")["note"] == "sw, yo; left out of the correlations"


def test_an_intermediate_that_is_the_target_is_no_pair(tables: Tables) -> None:
    scores = tables.scores
    own = scores["recipe"] == "mnli-udpos"
    tests, verdict = analyse(Tables(scores[~own], tables.languages, extra=tables.extra), SETTINGS)
    assert row_of(tests, PRIMARY)["n"] == 11
    assert verdict.verdict == "supports"
    figure = heat_maps(Tables(scores[~own], tables.languages, extra=tables.extra), tests, SETTINGS)
    assert "–" in texts(figure)


def test_retrieval_at_the_floor_is_not_estimable(tables: Tables, languages: pd.DataFrame) -> None:
    codes = [code for code in languages["language"] if code != "en"]
    chance = arm_rows("-", "tatoeba", 0, dict.fromkeys(codes, 0.01), "accuracy").assign(model="chance")
    scores = pd.concat([tables.scores, chance])
    assert analyse(Tables(scores, languages, extra=tables.extra), SETTINGS)[1].verdict == "supports"
    low = (scores["task"] == "tatoeba") & (scores["model"] == "tiny")
    sunk = scores.assign(value=scores["value"].mask(low, scores["value"] / 60))
    verdict = analyse(Tables(sunk, languages, extra=tables.extra), SETTINGS)[1]
    assert verdict.verdict == "not estimable"
    assert verdict.reason.startswith("Floor: in 9 of 9 pairs")
    assert verdict.p is None


def test_the_floor_needs_no_scored_chance(tables: Tables, languages: pd.DataFrame) -> None:
    """An accuracy in retrieval has chance 1 / queries; without their number nothing is known, and said so."""
    scores = tables.scores
    assert "chance" not in set(scores["model"])
    sunk = scores.assign(value=scores["value"].mask(scores["task"] == "tatoeba", scores["value"] / 500))
    verdict = analyse(Tables(sunk, languages, extra=tables.extra), SETTINGS)[1]
    assert verdict.verdict == "not estimable"
    assert verdict.reason.startswith("Floor: in 9 of 9 pairs")
    verdict = analyse(Tables(scores.assign(n=0), languages, extra=tables.extra), SETTINGS)[1]
    unknown = "Whether scores are above chance is not known, because the numbers of queries are not given."
    assert (verdict.verdict, unknown in verdict.reason) == ("supports", True)
    one = SETTINGS.model_copy(update={"tasks": ["udpos"]})
    assert "above chance" not in analyse(Tables(scores, languages, extra=tables.extra), one)[1].reason


def test_faulty_tables_are_refused(tables: Tables) -> None:
    with pytest.raises(StudyError, match="no similarity of tasks is given"):
        analyse(Tables(tables.scores, tables.languages), SETTINGS)
    twice = pd.concat([tables.extra, tables.extra.iloc[:1]])
    with pytest.raises(StudyError, match="a pair of tasks is given twice"):
        analyse(Tables(tables.scores, tables.languages, extra=twice), SETTINGS)
    with pytest.raises(StudyError, match="lacks the column tfidf"):
        analyse(Tables(tables.scores, tables.languages, extra=tables.extra.drop(columns="tfidf")), SETTINGS)


def test_the_rule_names_the_thresholds() -> None:
    rule = rule_in_words(SETTINGS.model_copy(update={"low_resource_gib": 2.5, "minimum_low_resource": 4}))
    assert "fewer than 4 low-resource languages (less than 2.5 GiB of CC-100, or unseen)" in rule
    assert "fewer than 5 intermediate tasks" in rule


def test_the_same_tables_in_any_order_give_the_same_answer(tables: Tables, result: Result) -> None:
    shuffled = Tables(
        tables.scores.sample(frac=1, random_state=1),
        tables.languages.sample(frac=1, random_state=2),
        extra=tables.extra.sample(frac=1, random_state=3),
    )
    tests, verdict = analyse(shuffled, SETTINGS)
    assert tests.round(6).to_csv() == result[0].round(6).to_csv()
    assert verdict.reason == result[1].reason


def texts(figure: Figure) -> list[str]:
    return [item.get_text() for item in figure.findobj(lambda item: hasattr(item, "get_text"))]


def test_pairs_and_languages_are_labelled(tables: Tables, result: Result) -> None:
    figure = scatter(tables, result[0], SETTINGS, note="miniature")
    low, high = figure.axes
    shown = [text.get_text() for text in low.texts]
    assert sorted(text for text in shown if text in INTERMEDIATES) == sorted(INTERMEDIATES * 2)
    assert {text for text in shown if text in set(tables.languages["language"])} == LOW
    assert {"tatoeba", "udpos", "a language", "miniature"} <= set(texts(figure))
    assert low.get_title(loc="left").startswith("low-resource languages: r = 0.9")
    assert sum(len(line.get_xdata()) == 2 and line.get_linewidth() == 0.7 for line in high.lines) == 30


def test_many_pairs_are_labelled_by_number(tables: Tables, result: Result, monkeypatch: Any) -> None:
    monkeypatch.setattr("xstilts.studies.similarity.figures.MOST_NAMES", 5)
    figure = scatter(tables, result[0], SETTINGS)
    shown = [text.get_text() for text in figure.axes[0].texts]
    assert sorted(text for text in shown if text.isdigit()) == sorted("123456" * 2)
    assert set(INTERMEDIATES) <= set(texts(figure))


def test_heat_maps_hold_every_number(tables: Tables, result: Result) -> None:
    figure = heat_maps(tables, result[0], SETTINGS, note="miniature")
    left, right = figure.axes
    similarity = {text.get_text() for text in left.texts}
    assert {f"{value:.2f}" for value in tables.extra["similarity"]} == similarity
    gain = 100 * row_of(result[0], "gain/tiny/low/hellaswag/tatoeba")["estimate"]
    assert f"{gain:+.1f}" in {text.get_text() for text in right.texts}
    assert [label.get_text() for label in left.get_yticklabels()] == list(INTERMEDIATES)
    assert any("miniature" in text for text in texts(figure))


def test_files_are_the_same_bytes_every_time(tables: Tables, result: Result, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        paths = save(scatter(tables, result[0], SETTINGS), tmp_path / folder, "scatter")
        paths += save(heat_maps(tables, result[0], SETTINGS), tmp_path / folder, "heat_maps")
    for path in paths:
        assert path.read_bytes() == (tmp_path / "one" / path.name).read_bytes(), path.name


def test_words_come_from_the_numbers(result: Result) -> None:
    settings = SETTINGS.model_dump()
    assert "less than 5 GiB of CC-100" in WORDS.question(settings)
    assert "the run's own masked LM" in WORDS.question(settings)
    assert set(WORDS.answers(settings)) == {"supports", "contradicts", "inconclusive", "not estimable"}
    pictures = WORDS.pictures(settings, result[0])
    assert "the correlation is 0.99" in pictures["scatter"].alternative
    assert "hellaswag for tatoeba" in pictures["heat_maps"].alternative
