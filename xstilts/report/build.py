"""The page: reads the tables and figures of a run, and fills the template.

The page holds no date, no path and no commit: the same inputs give the same bytes.
"""

import base64
import hashlib
import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import jinja2
import yaml

import xstilts
from xstilts.errors import StudyError
from xstilts.fingerprint import LOCKS
from xstilts.report import FOLDER, TEMPLATE, tables
from xstilts.report.table import MISSING, Table
from xstilts.report.words import confidence
from xstilts.studies.words import Picture, StudyWords
from xstilts.tables import read_table

LIBRARIES = (
    *("torch", "transformers", "tokenizers", "safetensors", "numpy", "pandas", "scipy", "statsmodels"),
    *("pingouin", "scikit-learn", "seqeval", "urielplus", "babel", "matplotlib", "snakemake"),
)
SOURCES = {
    "micro": "micro-XTREME: phrases in real languages, generated offline from Unicode CLDR",
    "mirror": "the publishers' own files, checked against data.lock",
    "hub": "the Hugging Face hub's copies at fixed commits, checked against its hashes",
}


@dataclass(frozen=True)
class Inputs:
    """The files of a run that the page is made from; `corpus` is missing where no model is pre-trained.

    `studies` are tests.tsv, verdict.json and the svg figures, each below a folder of the study's name.
    """

    scores: Path
    languages: Path
    fertility: Path
    leakage: Path
    vacuity: Path
    rulegraph: Path
    corpus: Path | None
    studies: Sequence[Path]

    @property
    def tables(self) -> list[Path]:
        """Every table, in the order of the page."""
        found = [self.scores, self.vacuity, self.leakage, self.languages, self.fertility]
        found += [] if self.corpus is None else [self.corpus]
        return found + sorted(path for path in self.studies if path.suffix != ".svg")


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
    answer: str
    confidence: str
    reason: str
    rule: str
    figures: list[Figure]
    tests: list[Table]


def build(inputs: Inputs, settings: dict[str, Any]) -> str:
    """The page as HTML.

    Args:
        inputs: The files of the run.
        settings: The whole configuration, without paths of this machine.

    Raises:
        DataError: if a table is missing or malformed.
        StudyError: if a study lacks a file, or nothing is known about it.
    """
    scores, languages = read_table(inputs.scores), read_table(inputs.languages)
    corpus = None if inputs.corpus is None else read_table(inputs.corpus)
    checks, single_checks, failed = tables.vacuity(read_table(inputs.vacuity))
    run = settings["run"]
    return (
        _environment()
        .get_template(TEMPLATE)
        .render(
            run=run,
            source=SOURCES[settings["data"]["source"]],
            models=_model_lines(settings),
            answers=[_answer(name, inputs.studies, settings["studies"][name]) for name in run["studies"]],
            retrieval=tables.retrieval(
                scores, dict(zip(languages["language"], languages["name"], strict=True))
            ),
            scores=tables.language_means(scores),
            checks=checks,
            single_checks=single_checks,
            failed=failed,
            leakage=tables.leakage(read_table(inputs.leakage)),
            languages=tables.languages(languages, scores, read_table(inputs.fertility), corpus),
            rulegraph=_figure(
                inputs.rulegraph,
                Picture(
                    "The rules of this run, from data at the top to the report. An arrow: the lower rule "
                    "reads what the upper one makes; arrows that follow from others are left out.",
                    "Flow chart of the rules; docs/architecture.md has it in words.",
                ),
            ),
            settings=yaml.safe_dump(settings, sort_keys=False, allow_unicode=True, width=100),
            versions=_versions(),
            sums=_sums(inputs.tables),
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


def _answer(name: str, files: Sequence[Path], settings: dict[str, Any]) -> Answer:
    words: StudyWords = import_module(f"xstilts.studies.{name}.words").WORDS
    own = {path.name: path for path in files if path.parent.name == name}
    missing = sorted({"tests.tsv", "verdict.json"} - set(own))
    if missing:
        raise StudyError(f"the study lacks {', '.join(missing)}", where=name, hint=f"snakemake study_{name}")
    tests = read_table(own["tests.tsv"])
    verdict = _read_verdict(own["verdict.json"])
    pictures = words.pictures(settings, tests)
    return Answer(
        name=name,
        title=words.title,
        question=words.question(settings),
        verdict=verdict["verdict"],
        answer=words.answers(settings)[verdict["verdict"]],
        confidence=confidence(tests, settings, verdict["detectable_effect"]),
        reason=verdict["reason"],
        rule=verdict["rule"],
        figures=[_figure(own[f"{key}.svg"], words) for key, words in pictures.items() if f"{key}.svg" in own],
        tests=tables.tests_by_role(tests),
    )


def _read_verdict(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


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


def _sums(files: Sequence[Path]) -> list[tuple[str, str]]:
    """Name and checksum of each table, by which a page and its tables are known to belong together."""
    return [
        ("/".join(path.parts[-3:]) if "studies" in path.parts else path.name, _sum(path)) for path in files
    ]


def _sum(path: Path) -> str:
    return "sha256 " + hashlib.sha256(path.read_bytes()).hexdigest()[:16]
