"""The two figures of S1, drawn from tables: no statistics are computed here."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from xstilts.studies.figures import (
    GREY,
    MARKERS,
    PALETTE,
    STYLE,
    new_figure,
    place_labels,
    say,
    write_note,
    write_title,
)
from xstilts.studies.predictors import LATIN, join
from xstilts.studies.scores import Scores, mean_over_seeds_of
from xstilts.studies.settings import TypologyJob
from xstilts.studies.tables import Tables
from xstilts.studies.typology.degradation import degradation
from xstilts.studies.words import p_value, percent

OTHER = "other families"
NO_RANGE = "no line: range not estimable"
CONTROLS = {"chance": ("chance", "-"), "TF-IDF": ("tfidf", "-")}


def draw(tables: Tables, tests: pd.DataFrame, settings: TypologyJob, note: str = "") -> dict[str, Figure]:
    """The figures of the study by name, from its tests.tsv and what was analysed; `note` is small print."""
    return {
        "scatter": scatter(tables, tests, settings, note),
        "forest": forest(tests, settings, note),
    }


def scatter(tables: Tables, tests: pd.DataFrame, settings: TypologyJob, note: str = "") -> Figure:
    """Degradation against the primary distance in the primary recipe, every language labelled.

    Raises:
        StudyError: if a table lacks something.
    """
    with mpl.rc_context(STYLE):
        checked = Scores.checked(tables.scores, settings)
        model = (checked.models() or ["-"])[0]
        known = tables.known(model, settings)
        given = [name for name in settings.covariates if name != "fertility" or tables.fertility is not None]
        points = _points(checked, model, known, settings, given)
        figure = new_figure(180, 125)
        axes = figure.subplots()
        primary = tests[tests["role"] == "primary"]
        distance, task = settings.primary_distance, settings.primary_task
        write_title(figure, f"Degradation in {task} and {distance} distance from English")
        axes.set_title(_finding(settings, model, primary), fontsize=8)
        english = "English score" if _english_queries(checked, model, settings) else "1"
        metric = settings.metrics[task]
        axes.set_xlabel(f"{distance.capitalize()} distance from English (0: none, 1: largest)")
        axes.set_ylabel(f"Degradation ({english} - {metric}, as a fraction)")
        if points.empty:
            say(axes, f"no language has both a score and a {distance} distance")
        else:
            _draw_controls(axes, checked, model, settings)
            _draw_line(axes, tests)
            _draw_points(axes, points)
        write_note(figure, note)
        return figure


def forest(tests: pd.DataFrame, settings: TypologyJob, note: str = "") -> Figure:
    """Correlations of degradation with every distance, by recipe: plain, and given the covariates."""
    with mpl.rc_context(STYLE):
        primary = tests[tests["role"] == "primary"]
        model = str(primary["model"].iloc[0])
        columns = min(3, len(settings.distances))
        rows = -(-len(settings.distances) // columns)
        figure = new_figure(180, 28 + rows * (16 + 8.5 * len(settings.recipes)))
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        ours = tests[(tests["model"] == model) & (tests["task"] == settings.primary_task)]
        for panel, distance in zip(panels.flat, settings.distances, strict=False):
            _draw_panel(panel, ours, distance, settings)
        marks = [f"{kind}:{distance}" for kind in KINDS for distance in settings.distances]
        drawn = ours[ours["statistic"].isin(marks) & ours["estimate"].notna()]
        missing = NO_RANGE if drawn["low"].isna().any() else ""
        for panel in panels.flat[len(settings.distances) :]:
            panel.set_visible(False)
        for panel in panels[-1]:
            panel.set_xlabel("correlation (no unit)")
        title = f"Correlation of degradation in {settings.primary_task} with distance from English"
        write_title(figure, f"{title}, {model}")
        _forest_legend(figure, settings)
        write_note(figure, "\n".join(filter(None, [missing, note])))
        return figure


def _points(
    scores: Scores, model: str, known: pd.DataFrame, settings: TypologyJob, given: Sequence[str]
) -> pd.DataFrame:
    """Languages with score and distance: language, family, script, x, y and whether the fit has them."""
    task = settings.primary_task
    cell = scores.of(model, settings.primary_recipe, task)
    runs = degradation(cell, settings.ceilings.get(task, 1.0)).dropna(subset=["degradation"])
    joined = join(mean_over_seeds_of(runs), known)
    column = f"distance_{settings.primary_distance}"
    x = joined[column] if column in joined else pd.Series(np.nan, index=joined.index)
    fitted = joined[list(given)].notna().all(axis=1)
    return joined.assign(x=x, y=joined["degradation"], fitted=fitted).dropna(subset=["x"])


def _english_queries(scores: Scores, model: str, settings: TypologyJob) -> bool:
    cell = scores.of(model, settings.primary_recipe, settings.primary_task)
    return bool((cell["language"] == "en").any())


def _finding(settings: TypologyJob, model: str, primary: pd.DataFrame) -> str:
    row = primary.iloc[0]
    if pd.isna(row["estimate"]):
        return f"{model}, {settings.primary_recipe}: {row['note'].split(';')[0]}"
    slope = f"slope {row['estimate']:.2f} ({percent(1 - settings.alpha)} interval {row['low']:.2f} to "
    found = f"{slope}{row['high']:.2f}), {p_value(row['p'])}, n = {row['n']:.0f}"
    return f"{model}, {settings.primary_recipe}: {found}"


def _draw_controls(axes: Axes, scores: Scores, model: str, settings: TypologyJob) -> None:
    """Thin lines at the mean degradation of chance, TF-IDF and the untrained encoder, where scored."""
    task = settings.primary_task
    for name, (control, recipe) in {**CONTROLS, "untrained": (model, "untrained")}.items():
        cell = scores.of(control, recipe, task)
        if len(cell):
            height = float(degradation(cell, settings.ceilings.get(task, 1.0))["degradation"].mean())
            axes.axhline(height, color=GREY, linewidth=0.8, linestyle=(0, (1, 2)), zorder=1)
            axes.annotate(
                f"mean of {name}",
                (0.01, height),
                xycoords=("axes fraction", "data"),
                xytext=(0, 2),
                textcoords="offset points",
                fontsize=6.5,
                color=GREY,
            )


def _draw_line(axes: Axes, tests: pd.DataFrame) -> None:
    """The fitted line and its band, exactly, from the three fitted points of tests.tsv."""
    rows = tests[tests["statistic"].str.startswith("fitted:")]
    if len(rows) < 3:
        return
    x = rows["subset"].str.removeprefix("distance ").astype(float).to_numpy()
    grid = np.linspace(x.min(), x.max(), 60)
    line = np.polyval(np.polyfit(x, rows["estimate"], 1), grid)
    half = (rows["high"] - rows["low"]).to_numpy(float) / 2
    # The squared half-width of the band is a parabola, which three points determine.
    width = np.sqrt(np.clip(np.polyval(np.polyfit(x, half**2, 2), grid), 0, None))
    axes.fill_between(grid, line - width, line + width, color="#dddddd", linewidth=0, zorder=0.5)
    axes.plot(grid, line, color="black", linewidth=1.2, zorder=2)


def _draw_points(axes: Axes, points: pd.DataFrame) -> None:
    counts = points["family"].value_counts()
    common = sorted(counts[counts >= 2].index, key=lambda family: (-counts[family], family))
    groups = [*common[: len(MARKERS) - 1], OTHER]
    group = points["family"].where(points["family"].isin(groups), OTHER)
    handles = []
    for name, marker, colour in zip(
        groups, [*MARKERS[: len(groups) - 1], MARKERS[-1]], PALETTE, strict=False
    ):
        members = points[group == name]
        for row in members.itertuples():
            edge = colour if row.fitted else "#aaaaaa"
            face = edge if row.script == LATIN else "white"
            axes.plot(row.x, row.y, marker, markersize=5, color=edge, markerfacecolor=face, zorder=3)
        if len(members):
            handles.append(_handle(marker, colour, colour, f"{name} ({len(members)})"))
    handles += [
        _handle("o", GREY, GREY, "filled: Latin script"),
        _handle("o", GREY, "white", "open: another script"),
    ]
    if not points["fitted"].all():
        handles.append(_handle("o", "#aaaaaa", "#aaaaaa", "pale: not in the fit"))
    handles.append(Line2D([], [], color="black", linewidth=1.2, label="fit, covariates at their means"))
    axes.margins(0.06)
    axes.figure.legend(handles=handles, loc="outside right upper", fontsize=7, handlelength=1.2)
    place_labels(axes, points["x"].tolist(), points["y"].tolist(), points["language"].tolist())


def _handle(marker: str, edge: str, face: str, label: str) -> Line2D:
    return Line2D(
        [], [], linestyle="", marker=marker, markersize=5, color=edge, markerfacecolor=face, label=label
    )


KINDS: dict[str, tuple[str, str, str, float, Any]] = {
    "spearman": ("o", PALETTE[0], PALETTE[0], -0.16, "solid"),
    "partial_spearman": ("D", PALETTE[1], "white", 0.16, (0, (3, 1.5))),
}


def _draw_panel(axes: Axes, tests: pd.DataFrame, distance: str, settings: TypologyJob) -> None:
    """One distance: a row per recipe, with plain and partial correlation."""
    sizes = set()
    axes.axvline(0, color="black", linewidth=0.8)
    for height, recipe in enumerate(settings.recipes):
        for kind, (marker, edge, face, shift, dashes) in KINDS.items():
            found = tests[(tests["recipe"] == recipe) & (tests["statistic"] == f"{kind}:{distance}")]
            if found.empty:
                continue
            row = found.iloc[0]
            y = height + shift
            if pd.isna(row["estimate"]):
                axes.text(0.02, y, "not estimable", fontsize=6, va="center", color=GREY)
                continue
            sizes.add(int(row["n"]))
            if not pd.isna(row["low"]):
                axes.plot([row["low"], row["high"]], [y, y], color=edge, linewidth=1.2, linestyle=dashes)
            axes.plot(row["estimate"], y, marker, markersize=5, color=edge, markerfacecolor=face, zorder=3)
    shown = f"n = {min(sizes)}" + (f" to {max(sizes)}" if len(sizes) > 1 else "") if sizes else "no data"
    axes.set_title(f"{distance} ({shown})", fontsize=8.5)
    axes.set_xlim(-1, 1)
    axes.set_xticks([-1, -0.5, 0, 0.5, 1])
    axes.set_yticks(range(len(settings.recipes)), settings.recipes)
    axes.set_ylim(len(settings.recipes) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.label_outer()


def _forest_legend(figure: Figure, settings: TypologyJob) -> None:
    names = {
        "spearman": "Spearman",
        "partial_spearman": f"partial Spearman given {' and '.join(settings.covariates)}",
    }
    handles = [
        Line2D([], [], marker=marker, color=edge, markerfacecolor=face, linestyle=dashes, label=names[kind])
        for kind, (marker, edge, face, _, dashes) in KINDS.items()
        if kind == "spearman" or settings.covariates
    ]
    figure.legend(
        handles=handles,
        loc="outside lower left",
        ncols=2,
        fontsize=7.5,
        markerscale=0.8,
        title="lines: range over leaving out one family at a time; right of 0: more degradation far away",
        title_fontsize=7.5,
        alignment="left",
    )
