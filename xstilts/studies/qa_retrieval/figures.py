"""The two figures of S3, drawn from tables: no statistics are computed here."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from xstilts.statistics.errors import NotEstimableError
from xstilts.studies.contrasts import contrast
from xstilts.studies.figures import (
    GREY,
    PALETTE,
    STYLE,
    label_column,
    new_figure,
    say,
    write_note,
    write_title,
)
from xstilts.studies.qa_retrieval.analysis import RECALLS, Study
from xstilts.studies.scores import Scores
from xstilts.studies.settings import MLM, QARetrievalJob
from xstilts.studies.tables import Tables
from xstilts.studies.words import p_value, percent

INSIDE: dict[str, Any] = {"marker": "o", "color": PALETTE[0], "markerfacecolor": PALETTE[0]}
OUTSIDE: dict[str, Any] = {"marker": "s", "color": PALETTE[1], "markerfacecolor": "white"}
KINDS: dict[str, dict[str, Any]] = {
    "masked LM as it is": {"marker": "X", "color": PALETTE[6]},
    "English QA": {"marker": "o", "color": PALETTE[0]},
    "multilingual QA": {"marker": "s", "color": PALETTE[1]},
    "other": {"marker": "^", "color": PALETTE[2]},
}
DASHED = (0, (3, 1.5))
SUBSETS = {"": "", "inside": ", trained languages", "outside": ", other languages"}


def draw(tables: Tables, tests: pd.DataFrame, settings: QARetrievalJob, note: str = "") -> dict[str, Figure]:
    """The figures of the study by name, from its tests.tsv and what was analysed; `note` is small print."""
    with mpl.rc_context(STYLE):
        return {
            "contrasts": contrasts(tables, tests, settings, note),
            "recall": recall(tests, settings, note),
        }


def contrasts(tables: Tables, tests: pd.DataFrame, settings: QARetrievalJob, note: str = "") -> Figure:
    """Every language's recall after English and multilingual QA, and the differences with their intervals.

    Raises:
        StudyError: if a table lacks something.
    """
    with mpl.rc_context(STYLE):
        study = Study(Scores.checked(tables.scores, settings), tables, settings)
        primary = tests[tests["role"] == "primary"].iloc[0]
        figure = new_figure(180, 140)
        slopes, forest = figure.subplots(1, 2, width_ratios=[1, 0.95])
        write_title(figure, f"English and multilingual QA before retrieval ({', '.join(study.tasks)})")
        handles = [
            Line2D([], [], linewidth=0.8, markersize=4, label=label, **style)
            for label, style in (
                ("language of the multilingual training sets", INSIDE),
                ("other language", OUTSIDE),
            )
        ]
        level = percent(1 - settings.alpha)
        mean = Line2D([], [], color="black", linewidth=2.5, label=f"mean, {level} interval of the difference")
        handles.append(mean)
        if len(study.tasks) > 1:
            handles.append(Line2D([], [], color=GREY, linewidth=0.8, linestyle=DASHED, label="lacks a task"))
        figure.legend(handles=handles, loc="outside lower left", ncols=2, fontsize=7)
        write_note(figure, note)
        # Last, since labels are placed in the final layout.
        _draw_forest(forest, tests, study)
        _draw_slopes(slopes, study, primary)
        return figure


def _draw_slopes(axes: Axes, study: Study, primary: pd.Series) -> None:
    question = study.primary
    axes.set_title(_finding(primary, study.settings), fontsize=8)
    axes.set_xlim(-0.2, 1.45)
    sides = [
        f"{kind} QA\n{_arms(arms)}"
        for kind, arms in (("English", question.theirs), ("Multilingual", question.ours))
    ]
    axes.set_xticks([0, 1], sides)
    axes.set_ylabel(f"{_metric(study.settings)}, mean over runs and a language's tasks")
    axes.grid(axis="x", visible=False)
    model, known = question.model, study.known[question.model]
    try:
        found = contrast(study.scores, known, model, question.ours, question.theirs, question.tasks)
    except NotEstimableError as error:
        say(axes, f"nothing to draw: {error.reason}")
        return
    ends = ["baseline", "score"]
    means = found.frame.groupby("language")[ends].mean()
    for code, row in means.iterrows():
        style = {**(INSIDE if code in study.trained else OUTSIDE), "linewidth": 0.7, "markersize": 3.5}
        line = "-" if code in found.shared else DASHED
        axes.plot([0, 1], row[ends], linestyle=line, alpha=0.85, **style)
    start, end = found.frame.groupby("task")[ends].mean().mean()
    axes.plot([0, 1], [start, end], color="black", linewidth=2.5, zorder=4, solid_capstyle="round")
    if pd.notna(primary["low"]):
        bounds = [start + primary["low"], start + primary["high"]]
        axes.plot([1.06, 1.06], bounds, color="black", linewidth=2.5, zorder=4, solid_capstyle="butt")
    label_column(axes, 1, 1.2, means["score"].tolist(), [str(code) for code in means.index], 6)


def _arms(arms: tuple[str, ...]) -> str:
    return arms[0] if len(arms) == 1 else f"mean of {len(arms)} tasks"


def _metric(settings: QARetrievalJob) -> str:
    names = sorted({settings.metrics[task].replace("_at_", "@").replace("_", " ") for task in settings.tasks})
    return " and ".join(names)


def _finding(primary: pd.Series, settings: QARetrievalJob) -> str:
    if pd.isna(primary["estimate"]):
        return f"{primary['model']}: {primary['note'].split(';')[0]}"
    mean = f"{primary['model']}: {100 * primary['estimate']:+.1f} points"
    if pd.isna(primary["low"]):
        return f"{mean}, no interval: too few runs (n = {primary['n']:.0f})"
    bounds = f"{100 * primary['low']:+.1f} to {100 * primary['high']:+.1f}"
    found = f"{mean} ({bounds}), {p_value(primary['p'])}, n = {primary['n']:.0f} runs"
    return found.replace("-", "\N{MINUS SIGN}")


class Line(NamedTuple):
    """A row of the forest."""

    label: str
    row: pd.Series
    is_primary: bool
    is_matched: bool


def _lines(tests: pd.DataFrame, study: Study) -> Iterator[Line]:
    """Of the primary model: all tasks, subsets of the languages, single tasks; equal sizes first."""
    rows = {str(row["id"]): row for _, row in tests.iterrows()}
    every = study.tasks
    for sizes in ("matched", "whole"):
        size = f"{study.settings.matched_examples} examples" if sizes == "matched" else "all examples"
        cells = [(every, variant) for variant in SUBSETS]
        cells += [((task,), "") for task in every if len(every) > 1]
        for tasks, variant in cells:
            identity = study.kinds(study.models[0], sizes, tasks).id("difference", variant)
            name = tasks[0] if len(tasks) == 1 else "all tasks"
            row = rows[identity]
            yield Line(
                f"{name}{SUBSETS[variant]}\n{size}", row, bool(row["role"] == "primary"), sizes == "matched"
            )


def _draw_forest(axes: Axes, tests: pd.DataFrame, study: Study) -> None:
    lines = list(_lines(tests, study))
    margin = 100 * study.settings.margin
    axes.axvspan(-margin, margin, color="#e8e8e8", linewidth=0, zorder=0.4)
    axes.axvline(0, color="black", linewidth=0.8)
    for y, line in enumerate(lines):
        row = line.row
        if pd.isna(row["estimate"]):
            axes.text(0, y, " not estimable", fontsize=6, va="center", color=GREY)
            continue
        width = 2.5 if line.is_primary else 1.2
        if pd.notna(row["low"]):
            axes.plot([100 * row["low"], 100 * row["high"]], [y, y], color="black", linewidth=width)
        face = "black" if line.is_matched else "white"
        size = 6 if line.is_primary else 4.5
        axes.plot(100 * row["estimate"], y, "D", color="black", markerfacecolor=face, markersize=size)
    axes.axhline(len(lines) / 2 - 0.5, color=GREY, linewidth=0.5)
    axes.set_yticks(range(len(lines)), [line.label for line in lines], fontsize=6.5)
    axes.get_yticklabels()[0].set_fontweight("bold")
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(f"Multilingual minus English QA\n(points of {_metric(study.settings)})")
    title = f"Bold: primary; grey: within {margin:g} {'point' if margin == 1 else 'points'}"
    axes.set_title(title, fontsize=8)


def recall(tests: pd.DataFrame, settings: QARetrievalJob, note: str = "") -> Figure:
    """Recall at 1, 5 and 10 of every arm, a panel per task, with the most that it can be."""
    with mpl.rc_context(STYLE):
        model = str(tests.loc[tests["role"] == "primary", "model"].iloc[0])
        own = tests[tests["model"] == model]
        figure = new_figure(180, 105)
        panels = figure.subplots(1, len(settings.tasks), sharey=True, squeeze=False)[0]
        panels[0].set_ylabel("Recall, mean over runs and languages")
        write_title(figure, f"Recall among the first k candidates, {model}")
        kinds = [
            Line2D([], [], linewidth=1.2, markersize=4, label=label, **style)
            for label, style in KINDS.items()
        ]
        sizes = Line2D(
            [], [], color=GREY, linestyle=DASHED, marker="o", markerfacecolor="white", markersize=4
        )
        sizes.set_label(f"open, dashed: {settings.matched_examples} examples")
        figure.legend(handles=[*kinds, sizes], loc="outside lower left", ncols=3, fontsize=7)
        write_note(figure, note)
        for axes, task in zip(panels, settings.tasks, strict=True):
            _draw_curves(axes, own[own["task"] == task], task, settings)
        return figure


def _kind(arm: str, settings: QARetrievalJob) -> dict[str, Any]:
    task = arm.split("@")[0]
    names = {MLM: "masked LM as it is"}
    names |= dict.fromkeys(settings.english, "English QA")
    names |= dict.fromkeys(settings.multilingual, "multilingual QA")
    style = KINDS[names.get(task, "other")]
    is_matched = any(arm in arms for arms in settings.matched.values())
    capped = {"linestyle": DASHED, "markerfacecolor": "white"}
    return {**style, **(capped if is_matched else {})}


def _draw_curves(axes: Axes, tests: pd.DataFrame, task: str, settings: QARetrievalJob) -> None:
    axes.set_title(task)
    ends, labels = [], []
    known = tests.set_index(["statistic", "recipe"])["estimate"]
    for arm in settings.planned:
        values = [float(known.get((f"mean:{metric}", arm), float("nan"))) for metric in RECALLS]
        if pd.notna(values[-1]):
            axes.plot(range(len(values)), values, linewidth=1.2, markersize=4, **_kind(arm, settings))
            ends.append(values[-1])
            labels.append(arm)
    for place, metric in enumerate(RECALLS):
        most = float(known.get((f"ceiling:{metric}", "-"), float("nan")))
        if most < 1:
            axes.plot([place - 0.18, place + 0.18], [most, most], color="black", linewidth=1.6)
            axes.annotate(
                f"ceiling {most:.2f}",
                (place, most),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                fontsize=6.5,
            )
    axes.set_xticks(range(len(RECALLS)), ["1", "5", "10"])
    axes.set_xlim(-0.3, len(RECALLS) - 1 + 1.05)
    axes.set_ylim(0, 1)
    axes.set_xlabel("k")
    axes.grid(axis="x", visible=False)
    if not labels:
        say(axes, f"no recall of {task} was scored")
    label_column(axes, len(RECALLS) - 1, len(RECALLS) - 1 + 0.22, ends, labels, 6.5)
