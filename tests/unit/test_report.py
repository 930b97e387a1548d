"""The page: complete, self-contained, honest about a miniature and about what is missing."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.study_tables import fertility_table, language_table, planted_scores
from xstilts import settings as configuration
from xstilts.data.leakage import REPORT
from xstilts.errors import DataError, StudyError
from xstilts.report import results_page
from xstilts.report.build import Results, build
from xstilts.report.costs import COLUMNS as COSTS
from xstilts.report.incidents import COLUMNS as INCIDENTS
from xstilts.report.table import MISSING, number, probability
from xstilts.report.tables import retrieval
from xstilts.report.trainings import COSTS as TRAINING_COSTS
from xstilts.report.words import confidence, statistic_in_words
from xstilts.scoring.vacuity import COLUMNS, encoder_rows
from xstilts.studies.settings import TypologyJob
from xstilts.studies.tables import Tables
from xstilts.studies.typology.analysis import analyse
from xstilts.studies.verdicts import corrected
from xstilts.tables import read_table, write_table

ROOT = Path(__file__).parents[2]
VOID = {"meta", "img", "br", "link", "input", "hr"}
FIGURE = '<svg xmlns="http://www.w3.org/2000/svg"><text>{}</text></svg>'


class Page(HTMLParser):
    """What is on the page; complains of tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def run_settings(**run: Any) -> dict[str, Any]:
    whole = configuration.read(ROOT / "config.yaml").model_dump(mode="json")
    whole["run"] |= {"name": "tiny", "models": ["micro"], "studies": ["typology"], **run}
    return whole


STUDY = TypologyJob(recipes=["mlm", "squad1"], models=["tiny"], metrics={"tatoeba": "accuracy"})
STUDIES = {"typology": STUDY.model_dump(mode="json")}


def page_of(results: Results, **run: Any) -> str:
    return build(results, run_settings(**run), STUDIES)


def write_study(tables: Tables, folder: Path) -> None:
    """The study's files below studies/, figures but for their content."""
    tests, verdict = analyse(tables, STUDY)
    write_table(tests, folder / "studies/typology/tests.tsv")
    verdict.write(folder / "studies/typology/verdict.json")
    write_table(corrected([folder / "studies/typology"], STUDY), folder / "studies/verdicts.tsv")
    for name in ("scatter", "forest"):
        path = folder / f"studies/typology/{name}.svg"
        path.write_text(FIGURE.format(name), encoding="utf-8")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small run with a planted effect."""
    folder = tmp_path_factory.mktemp("tiny")
    languages = language_table()
    fertility = fertility_table(languages)
    scores = planted_scores(languages)
    write_study(Tables(scores, languages, fertility), folder)
    corpus = pd.DataFrame(
        {"language": ["de", "en"], "lines": [10, 20], "bytes": [900, 1800], "pairs": [5, 0]}
    )
    leakage = pd.DataFrame(
        [
            ("text", "train", "de", "any", 3, 10),
            ("text", "train", "de", "tatoeba", 3, 10),
            ("mnli", "train", "en", "any", 0, 9),
        ],
        columns=REPORT,
    )
    checks = pd.DataFrame(encoder_rows(scores, languages), columns=COLUMNS)
    costs = pd.DataFrame([("checkpoints", 2, 61.25, 40.0), ("all", 2, 61.25, 40.0)], columns=COSTS)
    claims = pd.DataFrame(
        [("18", "MNLI has 392,702 examples", "paper", "392,702", "392,702", "reproduced", "counted")],
        columns=["id", "statement", "source", "expected", "found", "verdict", "why"],
    )
    fallen = ("tiny", "squad1", 1, "collapsed", "squad1", "f1", 0.1, 0.1, "one answer")
    again = ("tiny", "squad1", 2, "restarted", "-", None, None, None, "the loss diverged")
    spent = [("tiny", "squad1", seed, "gpu", "float32", 1800.0, 9.5, 80.0, 500, 7.5) for seed in (1, 2)]
    trainings = {
        "incidents": pd.DataFrame([fallen, again], columns=INCIDENTS),
        "training_costs": pd.DataFrame(spent, columns=TRAINING_COSTS),
    }
    tables = {
        **trainings,
        "scores": scores,
        "languages": languages,
        "fertility/tiny": fertility,
        "corpus": corpus,
    }
    tables |= {"leakage": leakage, "vacuity": checks, "costs": costs, "claims": claims}
    for name, table in tables.items():
        write_table(table, folder / f"{name}.tsv")
    (folder / "learning_curves").mkdir()
    (folder / "learning_curves/tiny.svg").write_text(FIGURE.format("curves"), encoding="utf-8")
    (folder / "rulegraph.svg").write_text(FIGURE.format("rulegraph"), encoding="utf-8")
    return folder


def results(folder: Path, *without: str, **changes: Path) -> Results:
    """The run in `folder` without some of its files, others of its tables replaced."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    made = Results(folder, [path for name, path in found.items() if name not in without])
    made.files.update({f"{name}.tsv": path for name, path in changes.items()})
    return made


def test_the_page_is_well_formed_and_needs_nothing_else(finished: Path) -> None:
    page = Page(page_of(results(finished)))
    assert not page.all("script") and not page.all("link")
    images = page.all("img")
    assert len(images) == 4
    assert all(str(image["src"]).startswith("data:image/svg+xml;base64,") for image in images)
    assert all(len(str(image["alt"])) > 40 for image in images)
    targets = [str(link["href"]) for link in page.all("a")]
    ids = {attributes.get("id") for _, attributes in page.tags}
    assert all(target.startswith("#") and target[1:] in ids for target in targets)


def test_the_same_inputs_give_the_same_bytes_wherever_they_lie(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "elsewhere")
    assert page_of(results(finished)) == page_of(results(tmp_path / "elsewhere"))


def test_verdict_reason_and_rule_stand_on_the_page(finished: Path) -> None:
    text = Page(page_of(results(finished))).text
    verdict = json.loads((finished / "studies/typology/verdict.json").read_text(encoding="utf-8"))
    assert verdict["verdict"] == "supports"
    assert "Yes: in this run degradation rises with syntactic distance." in text
    assert verdict["reason"] in text and verdict["rule"] in text


def test_every_statistic_has_a_row(finished: Path) -> None:
    tests = read_table(finished / "studies/typology/tests.tsv")
    page = page_of(results(finished))
    for row in tests.itertuples():
        assert statistic_in_words(str(row.statistic), str(row.id), str(row.task)) in page


def test_a_miniature_says_so_and_nothing_else_does(finished: Path) -> None:
    assert "tiny is a miniature." in Page(page_of(results(finished), miniature=True)).text
    assert "miniature" not in Page(page_of(results(finished), miniature=False)).text.replace(
        "miniature: false", ""
    )


def test_no_bare_nan(finished: Path) -> None:
    text = Page(page_of(results(finished))).text
    assert not re.search(r"\b(nan|NaN|None|<NA>|inf)\b", text)
    assert MISSING in text


def test_failed_checks_are_said_at_the_top(finished: Path, tmp_path: Path) -> None:
    table = read_table(finished / "vacuity.tsv")
    for passed, said in ((False, "3 of 3 checks failed"), (True, "3 of 3 checks passed")):
        write_table(table.assign(passed=passed), tmp_path / "vacuity.tsv")
        text = Page(page_of(results(finished, vacuity=tmp_path / "vacuity.tsv"))).text
        assert said in text and ("FAILED" in text) is not passed


def test_collapsed_runs_are_said_at_the_top_and_beside_their_means(finished: Path, tmp_path: Path) -> None:
    text = Page(page_of(results(finished))).text
    assert "Trainings that collapsed or restarted: 1 collapsed, 1 restarted." in text
    assert re.search(r"\d \(1 collapsed\)", text) and "the loss diverged" in text
    none = read_table(finished / "incidents.tsv").iloc[:0]
    write_table(none, tmp_path / "incidents.tsv")
    text = Page(page_of(results(finished, incidents=tmp_path / "incidents.tsv"))).text
    assert "No training of this run collapsed, and none had to restart." in text
    assert "(1 collapsed)" not in text


def test_the_page_of_results_has_a_section_of_incidents_where_there_are_any(
    finished: Path, tmp_path: Path
) -> None:
    own = tmp_path / "run"
    shutil.copytree(finished, own)
    chosen = run_settings()
    assert "| tiny | squad1 | 1 | collapsed | squad1 | f1 | 0.100 |" in results_page.page(own, chosen, [])
    write_table(read_table(own / "incidents.tsv").iloc[:0], own / "incidents.tsv")
    assert "collapsed" not in results_page.page(own, chosen, [])


def test_costs_of_trainings_are_added_up_over_seeds(finished: Path) -> None:
    text = Page(page_of(results(finished))).text
    assert "tiny squad1 gpu float32 2 3,600 9.5 80 500 15" in text


def test_text_from_tables_is_no_markup(finished: Path, tmp_path: Path) -> None:
    table = read_table(finished / "languages.tsv")
    table["family"] = "<b>bold</b>"
    write_table(table, tmp_path / "languages.tsv")
    page = page_of(results(finished, languages=tmp_path / "languages.tsv"))
    assert "<b>" not in page and "&lt;b&gt;bold" in page


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("corpus.tsv", "Bytes"),
        ("vacuity.tsv", "Has the run learnt anything?"),
        ("claims.tsv", "Claims of the source reports"),
        ("costs.tsv", "Run time and cost"),
        ("training_costs.tsv", "What the trainings cost"),
        ("incidents.tsv", "Collapsed and restarted trainings"),
        ("learning_curves/tiny.svg", "Learning curves"),
        ("fertility/tiny.tsv", "Fertility"),
        ("leakage.tsv", "Removed from training"),
    ],
)
def test_what_a_run_has_not_is_left_out(finished: Path, name: str, shown: str) -> None:
    assert shown in Page(page_of(results(finished))).text
    assert shown not in Page(page_of(results(finished, name))).text


def test_a_study_without_its_verdict_is_an_error(finished: Path) -> None:
    with pytest.raises(StudyError, match=r"verdict\.json"):
        page_of(results(finished, "studies/typology/verdict.json"))


def test_a_study_says_what_it_was_run_on(finished: Path) -> None:
    text = Page(page_of(results(finished))).text
    assert "Models: tiny. Recipes: mlm, squad1; 2 runs of what is fine-tuned. Tasks: tatoeba (39 " in text
    assert "Made by collect_verdicts ; alone: snakemake studies" in text


def test_a_missing_table_is_an_error(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="missing"):
        page_of(results(finished, leakage=tmp_path / "leakage.tsv"))


def test_a_study_that_could_not_be_made_says_why(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "few")
    languages = language_table()
    few = planted_scores(languages[languages["language"].isin(["en", "de", "fr"])])
    write_study(Tables(few, languages, fertility_table(languages)), tmp_path / "few")
    text = Page(page_of(results(tmp_path / "few"))).text
    assert "The question cannot be answered with this run." in text
    assert "There is none: the primary test is not estimable, because" in text


def test_a_verdict_that_the_correction_takes_back_says_so(finished: Path, tmp_path: Path) -> None:
    table = read_table(finished / "studies/verdicts.tsv")
    write_table(table.assign(verdict="inconclusive", p_adjusted=0.08), tmp_path / "verdicts.tsv")
    made = results(finished)
    made.files["studies/verdicts.tsv"] = tmp_path / "verdicts.tsv"
    text = Page(page_of(made)).text
    assert "This run cannot tell." in text
    assert "adjusted p 0.080, above 0.05" in text


def test_retrieval_shows_the_scores_of_the_table() -> None:
    scores = planted_scores(language_table())
    (table,) = retrieval(scores, {"de": "German"})
    assert list(table.columns) == ["Language", "mlm", "untrained", "chance", "TF-IDF", "Queries"]
    shown = {str(row[0]): row[1:] for row in table.rows}
    german = scores[(scores["recipe"] == "mlm") & (scores["language"] == "de")]["value"].iloc[0]
    assert shown["German (de)"] == (f"{german:.3f}", "0.100", "0.002", "0.300", "500")
    assert len(shown) == scores["language"].nunique() + 1


@given(st.floats(-1e6, 1e6))
def test_a_rounded_number_is_near_the_number(value: float) -> None:
    shown = float(number(value).replace("\N{MINUS SIGN}", "-"))
    assert abs(shown - value) <= 0.0005 + 1e-9 * abs(value)


@given(st.floats(0, 1))
def test_a_p_value_is_never_shown_as_zero(p: float) -> None:
    assert float(probability(p).removeprefix("< ")) > 0


def test_missing_values_are_dashes() -> None:
    assert [number(None), number(float("nan")), number(pd.NA, 0), probability(float("nan"))] == [MISSING] * 4


@pytest.mark.parametrize(
    ("statistic", "identity", "words"),
    [
        ("slope:syntactic", "slope/syntactic/m/mlm/tatoeba", "slope on syntactic distance"),
        ("slope:syntactic", "slope/syntactic/m/mlm/tatoeba/no_size", "slope on syntactic distance: no size"),
        ("mean_degradation", "mean_degradation/m/mlm/tatoeba", "mean degradation"),
        (
            "share_not_above:tfidf",
            "share_not_above/tfidf/m/mlm/t",
            "share of languages not above n-gram TF-IDF: t",
        ),
        ("something_new:x_y", "something_new", "something new x y"),
    ],
)
def test_statistics_have_readable_names(statistic: str, identity: str, words: str) -> None:
    assert statistic_in_words(statistic, identity, "tatoeba") == words


def test_a_range_over_families_is_counted_as_no_interval() -> None:
    rows = [
        ("slope", "primary", 0.10, -0.1, 0.30),
        ("slope/logit", "sensitivity", 0.10, 0.02, 0.18),
        ("slope/no_size", "sensitivity", 0.05, -0.1, 0.20),
        ("slope/script", "sensitivity", None, None, None),
        ("slope/leave_one_family_out", "sensitivity", 0.10, 0.07, 0.14),
    ]
    tests = pd.DataFrame(rows, columns=["id", "role", "estimate", "low", "high"])
    tests = tests.assign(p=0.3, n=30, unit="score", note="", statistic="slope:syntactic")
    said = confidence(tests, {"alpha": 0.05, "power": 0.8}, None)
    assert "Of 2 sensitivity analyses, 1 has an interval on" in said and "1 could not be made" in said
    assert "Without any one family the estimate lies from 0.07" in said
    tests = tests.assign(low=tests["low"].where(tests["id"].str.endswith("_out")), note="too few runs")
    said = confidence(tests.assign(p=[0.3, 0.01, 0.2, None, None]), {"alpha": 0.05, "power": 0.8}, None)
    assert "Of 2 sensitivity analyses, 1 has p of at most 0.05 on" in said
    assert "interval" not in said.split(".")[0] and "nan" not in said
    said = confidence(tests.assign(p=None), {"alpha": 0.05, "power": 0.8}, None)
    assert "too few runs" in said and "p =" not in said
