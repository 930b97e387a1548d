"""The page: reads the tables and figures of a run, and fills the template.

The page holds no date, no path and no commit: the same inputs give the same bytes.
"""

import base64
import hashlib
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
import yaml

import xstilts
from xstilts.errors import StudyError
from xstilts.fingerprint import LOCKS
from xstilts.report import FOLDER, TEMPLATE, tables
from xstilts.report.table import MISSING, Table
from xstilts.report.words import confidence, run_in_words
from xstilts.studies.settings import JOBS as STUDIES
from xstilts.studies.verdict import Verdict
from xstilts.studies.words import Picture, StudyWords
from xstilts.tables import read_table

LIBRARIES = (
    *("torch", "transformers", "sentence-transformers", "tokenizers", "safetensors", "numpy", "pandas"),
    *("scipy", "statsmodels", "pingouin", "scikit-learn", "seqeval", "urielplus", "babel", "matplotlib"),
    "snakemake",
)
SOURCES = {
    "micro": "micro-XTREME: phrases in real languages, generated offline from Unicode CLDR",
    "mirror": "the publishers' own files, checked against data.lock",
    "hub": "the Hugging Face hub's copies at fixed commits, checked against its hashes",
}
PUBLISHED = "published scores: no model was run"
RULEGRAPH = Picture(
    "The rules of this run, from data at the top to the report. An arrow: the lower rule reads what the "
    "upper one makes; arrows that follow from others are left out.",
    "Flow chart of the rules; docs/architecture.md has it in words.",
)
LEARNING_CURVES = Picture(
    "Loss and score on the English development set over the steps of every training, a panel per task; a "
    "thin line is one run. A cross: the model gives one answer to everything; a dashed line ends so.",
    "Line charts; training.tsv has the numbers, incidents.tsv the collapsed runs.",
)
VERDICTS = {
    "supports": "yes",
    "contradicts": "no",
    "inconclusive": "cannot tell",
    "not estimable": "not estimable",
}


class Results:
    """The files of a run that the page is made from; a table that the run has not is left out of it."""

    def __init__(self, folder: Path, files: Iterable[Path]) -> None:
        self.folder = folder
        self.files = {path.relative_to(folder).as_posix(): path for path in files}

    def needed(self, name: str) -> pd.DataFrame:
        """A table without which there is no page.

        Raises:
            DataError: if it is missing or malformed.
        """
        return read_table(self.files.get(name, self.folder / name))

    def table(self, name: str) -> pd.DataFrame | None:
        """A table, if the run has it.

        Raises:
            DataError: if it should be there and is not, or is malformed.
        """
        return read_table(self.files[name]) if name in self.files else None

    @property
    def fertility(self) -> pd.DataFrame | None:
        """The fertility of the first model's tokenizer."""
        names = sorted(name for name in self.files if name.startswith("fertility/"))
        return self.table(names[0]) if names else None

    def study(self, name: str) -> dict[str, Path]:
        """The files of one study by name."""
        return {path.name: path for key, path in self.files.items() if key.startswith(f"studies/{name}/")}

    @property
    def learning_curves(self) -> list[Path]:
        """The figures of the trainings, by model."""
        return [path for name, path in sorted(self.files.items()) if name.startswith("learning_curves/")]

    @property
    def checksums(self) -> list[tuple[str, str]]:
        """Of each table, by which a page and its tables are known to belong together."""
        return [(name, _sum(path)) for name, path in sorted(self.files.items()) if path.suffix != ".svg"]


@dataclass(frozen=True)
class Figure:
    """A figure, inlined."""

    name: str
    address: str
    caption: str
    alternative: str


@dataclass(frozen=True)
class Answer:
    """A study on the page."""

    name: str
    title: str
    question: str
    verdict: str
    short: str
    answer: str
    correction: str
    confidence: str
    reason: str
    rule: str
    run: str
    figures: list[Figure]
    tests: list[Table]


def build(results: Results, settings: dict[str, Any], studies: dict[str, dict[str, Any]]) -> str:
    """The page as HTML.

    Args:
        results: The files of the run.
        settings: The whole configuration, without paths of this machine.
        studies: The settings of each study's jobs, by its name.

    Raises:
        DataError: if a table is missing or malformed.
        StudyError: if a study lacks a file.
    """
    scores, languages = results.needed("scores.tsv"), results.needed("languages.tsv")
    verdicts = {row["study"]: row for _, row in results.needed("studies/verdicts.tsv").iterrows()}
    incidents = results.table("incidents.tsv")
    given = settings["scores"]["source"] == "file"
    return (
        _environment()
        .get_template(TEMPLATE)
        .render(
            run=settings["run"],
            source=PUBLISHED if given else SOURCES[settings["data"]["source"]],
            is_mirror=settings["data"]["source"] == "mirror" and not given,
            models=[] if given else _model_lines(settings),
            answers=[
                _answer(
                    name, results, studies[name], verdicts[name], run_in_words(name, studies[name], scores)
                )
                for name in STUDIES
                if name in studies
            ],
            retrieval=tables.retrieval(
                scores, dict(zip(languages["language"], languages["name"], strict=True))
            ),
            scores=tables.language_means(scores, incidents),
            incidents=tables.incidents(incidents),
            checks=tables.vacuity(results.table("vacuity.tsv")),
            claims=tables.claims(results.table("claims.tsv")),
            leakage=tables.leakage(results.table("leakage.tsv")),
            languages=tables.languages(languages, scores, results.fertility, results.table("corpus.tsv")),
            costs=tables.costs(results.table("costs.tsv")),
            training_costs=tables.training_costs(results.table("training_costs.tsv")),
            curves=[_figure(path, LEARNING_CURVES) for path in results.learning_curves],
            rulegraph=_figure(results.folder / "rulegraph.svg", RULEGRAPH),
            settings=yaml.safe_dump(settings, sort_keys=False, allow_unicode=True, width=100),
            versions=_versions(),
            sums=results.checksums,
        )
    )


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _model_lines(settings: dict[str, Any]) -> list[str]:
    """Each model of the run in words."""
    lines = []
    for name in settings["run"]["models"]:
        model = settings["models"][name]
        shape = model["architecture"]
        if shape:
            lines.append(
                f"{name}: {shape['layers']} layers, {shape['hidden']} wide, pre-trained by the run itself"
            )
        elif model["repository"]:
            lines.append(f"{name}: {model['repository']} at {model['revision']}")
        else:
            lines.append(f"{name}: from a local folder")
    return lines


def _answer(
    name: str, results: Results, settings: dict[str, Any], final: "pd.Series[Any]", run: str
) -> Answer:
    words: StudyWords = import_module(f"xstilts.studies.{name}.words").WORDS
    own = results.study(name)
    missing = sorted({"tests.tsv", "verdict.json"} - set(own))
    if missing:
        raise StudyError(f"the study lacks {', '.join(missing)}", where=name, hint=f"snakemake study_{name}")
    tests = read_table(own["tests.tsv"])
    verdict = Verdict.read(own["verdict.json"])
    decision = str(final["verdict"])
    pictures = words.pictures(settings, tests)
    return Answer(
        name=name,
        title=words.title,
        question=words.question(settings),
        verdict=decision,
        short=VERDICTS[decision],
        answer=words.answers(settings)[decision],
        correction=tables.correction_in_words(final, settings),
        confidence=confidence(tests, settings, verdict.detectable_effect),
        reason=verdict.reason,
        rule=verdict.rule,
        run=run,
        figures=[_figure(own[f"{key}.svg"], words) for key, words in pictures.items() if f"{key}.svg" in own],
        tests=tables.tests_by_role(tests),
    )


def _figure(path: Path, words: Picture) -> Figure:
    """An image of its own within the page: its ids and styles cannot meet those of another."""
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return Figure(path.stem, f"data:image/svg+xml;base64,{data}", words.caption, words.alternative)


def _versions() -> list[tuple[str, str]]:
    """What made the page, without importing any of it (torch alone takes a second)."""
    found = [("Python", platform.python_version()), ("xstilts", xstilts.__version__)]
    for name in LIBRARIES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            found.append((name, f"{MISSING} (not installed here)"))
    return found + [(f"envs/{path.name}", _sum(path)) for path in LOCKS]


def _sum(path: Path) -> str:
    return "sha256 " + hashlib.sha256(path.read_bytes()).hexdigest()[:16]
