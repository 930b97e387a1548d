"""The two figures of S5, drawn from tables: no statistics are computed here."""

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from xstilts.studies.figures import (
    MARKERS,
    PALETTE,
    STYLE,
    label_column,
    new_figure,
    place_labels,
    say,
    write_note,
    write_title,
)
from xstilts.studies.settings import SimilarityJob
from xstilts.studies.similarity.pairs import GROUPS, PAIR, Group, centred
from xstilts.studies.tables import Tables
from xstilts.studies.words import p_value, percent

MINUS = "\N{MINUS SIGN}"
PALE = "#a8a8a8"
MOST_NAMES = 24
"""With more pairs the intermediate tasks are labelled by number."""


def draw(tables: Tables, tests: pd.DataFrame, settings: SimilarityJob, note: str = "") -> dict[str, Figure]:
    """The figures of the study by name, from its tests.tsv and what was analysed; `note` is small print."""
    return {
        "scatter": scatter(tables, tests, settings, note),
        "heat_maps": heat_maps(tables, tests, settings, note),
    }


def _pairs(tables: Tables, tests: pd.DataFrame, model: str, group: Group) -> pd.DataFrame:
    """Columns intermediate, target, similarity, gain (in points), low, high, of one model and group."""
    rows = tests[(tests["statistic"] == f"gain:{group}") & (tests["model"] == model)]
    found = rows.rename(columns={"recipe": "intermediate", "task": "target", "estimate": "gain"})
    found = found[[*PAIR, "gain", "low", "high"]].copy()
    found[["gain", "low", "high"]] *= 100
    if tables.extra is None:
        return found.assign(similarity=float("nan"))
    return found.merge(tables.extra[[*PAIR, "similarity"]], on=PAIR, how="outer")


def _model(tests: pd.DataFrame) -> str:
    return str(tests.loc[tests["role"] == "primary", "model"].iloc[0])


def heat_maps(tables: Tables, tests: pd.DataFrame, settings: SimilarityJob, note: str = "") -> Figure:
    """Similarity and gain of every pair of tasks, side by side."""
    with mpl.rc_context(STYLE):
        model = _model(tests)
        pairs = _pairs(tables, tests, model, "low").set_index(PAIR)
        rows, columns = len(settings.recipes), len(settings.tasks)
        figure = new_figure(min(max(130, 60 + 2 * 17 * columns), 250), 42 + 8.5 * rows)
        left, right = figure.subplots(1, 2, sharey=True)
        write_title(figure, f"Similarity of tasks, and gain in low-resource languages, {model}")
        cells = [(a, b) for a in settings.recipes for b in settings.tasks]
        similarity, gain, low, high = (
            np.array([pairs[name].get(cell, np.nan) for cell in cells], dtype=float).reshape(rows, columns)
            for name in ("similarity", "gain", "low", "high")
        )
        left.set_title("cosine of centroids", fontsize=8)
        right.set_title("gain in points", fontsize=8)
        known = similarity[~np.isnan(similarity)]
        ends = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        digits = 2 if ends[1] - ends[0] > 0.05 else 3
        _draw_map(left, similarity, "cividis", Normalize(*ends), lambda value: f"{value:.{digits}f}")
        most = float(np.nanmax(np.abs(gain), initial=0.1))
        norm = TwoSlopeNorm(0, -most, most)
        clear = (low > 0) | (high < 0)
        _draw_map(right, gain, "PuOr_r", norm, lambda value: f"{value:+.1f}".replace("-", MINUS), clear)
        left.set_yticks(range(rows), settings.recipes)
        left.set_ylabel("Intermediate task")
        for axes in (left, right):
            axes.set_xticks(range(columns), settings.tasks, rotation=0 if columns < 4 else 40, ha="center")
            axes.set_xlabel("Target task")
        level = percent(1 - settings.alpha)
        write_note(
            figure, "; ".join(filter(None, [f"bold: the {level} interval is off 0; –: no pair", note]))
        )
        return figure


def _draw_map(
    axes: Axes,
    values: np.ndarray,
    colours: str,
    norm: Normalize,
    show: Callable[[float], str],
    bold: np.ndarray | None = None,
) -> None:
    """Cells with their numbers, dark on light or light on dark; hatched where there is none."""
    image = axes.imshow(np.ma.masked_invalid(values), cmap=colours, norm=norm, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if np.isnan(value):
            box = Rectangle(
                (column - 0.5, row - 0.5), 1, 1, facecolor="white", edgecolor="#c8c8c8", hatch="////"
            )
            axes.add_patch(box)
            plate = {"facecolor": "white", "edgecolor": "none", "pad": 1}
            axes.text(column, row, "–", ha="center", va="center", bbox=plate)
            continue
        ink = "black" if _luminance(image.cmap(norm(value))) > 0.18 else "white"
        weight = "bold" if bold is not None and bold[row, column] else "normal"
        axes.text(column, row, show(float(value)), ha="center", va="center", color=ink, fontweight=weight)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    edges = (values.shape[1] - 0.5, values.shape[0] - 0.5)
    axes.set_xlim(-0.5, edges[0])
    axes.set_ylim(edges[1], -0.5)
    for column in range(1, values.shape[1]):
        axes.axvline(column - 0.5, color="white", linewidth=1.5)
    for row in range(1, values.shape[0]):
        axes.axhline(row - 0.5, color="white", linewidth=1.5)


def _luminance(colour: Sequence[float]) -> float:
    """Relative luminance; above 0.18 black is the ink of greater contrast (WCAG 2.2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def scatter(tables: Tables, tests: pd.DataFrame, settings: SimilarityJob, note: str = "") -> Figure:
    """Gain against similarity, both relative to the target's mean: pairs as points, languages as lines."""
    with mpl.rc_context(STYLE):
        model = _model(tests)
        figure = new_figure(180, 125)
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        write_title(figure, f"Gain of intermediate tasks against their similarity to the target, {model}")
        styles = _styles(settings)
        legend = [
            Line2D([], [], linestyle="", markersize=5, label=task, **style) for task, style in styles.items()
        ]
        legend.append(Line2D([], [], color=PALE, linewidth=1, label="a language"))
        names = {task: task for task in settings.recipes}
        if len(settings.recipes) * len(settings.tasks) > MOST_NAMES:
            names = {task: str(number) for number, task in enumerate(settings.recipes, 1)}
            numbers = [(f"${number}$", task) for task, number in names.items()]
            legend += [
                Line2D([], [], linestyle="", color="black", marker=number, label=task)
                for number, task in numbers
            ]
        rows = -(-len(legend) // 6)
        figure.legend(handles=legend, loc="outside lower left", ncols=-(-len(legend) // rows), fontsize=7)
        write_note(figure, note)
        drawn = [
            _draw_group(axes, tables, tests, group, styles)
            for axes, group in zip(panels, GROUPS, strict=True)
        ]
        panels[0].set_ylabel("Gain, points, relative to the target's mean")
        for axes in panels:
            axes.set_xlabel("Cosine of centroids, relative to the target's mean")
            axes.margins(0.08)
        _add_labels(panels, drawn, names)
        return figure


def _styles(settings: SimilarityJob) -> dict[str, dict[str, Any]]:
    """A marker and a colour per target; markers, then their filling, tell them apart without colour."""
    return {
        task: {
            "marker": MARKERS[place % len(MARKERS)],
            "color": PALETTE[place % len(PALETTE)],
            "markerfacecolor": PALETTE[place % len(PALETTE)] if place < len(MARKERS) else "white",
        }
        for place, task in enumerate(settings.tasks)
    }


Drawn = tuple[pd.DataFrame, pd.DataFrame]
"""The points of a panel (x, y, label), and the right ends of its lines (x, y, code)."""


def _draw_group(
    axes: Axes, tables: Tables, tests: pd.DataFrame, group: Group, styles: dict[str, dict[str, Any]]
) -> Drawn:
    model = _model(tests)
    axes.set_title(f"{GROUPS[group]}: {_finding(tests, model, group)}", fontsize=8)
    axes.axhline(0, color="black", linewidth=0.6)
    axes.axvline(0, color="black", linewidth=0.6)
    of_group = tests[(tests["model"] == model) & (tests["subset"] == GROUPS[group])]
    shown = of_group.loc[of_group["statistic"] == "correlation:similarity", "task"]
    analysed = set(str(shown.iloc[0]).split("+")) if len(shown) else set()
    pairs = _pairs(tables, tests, model, group)
    points = centred(pairs[pairs["target"].isin(analysed)], ["similarity", "gain"])
    lines = of_group[of_group["statistic"].str.startswith("line:")]
    if points.empty:
        say(axes, "no pair of tasks has both a similarity and a gain")
        return points.assign(label=""), lines
    span = [float(points["similarity"].min()), float(points["similarity"].max())]
    for _, row in lines.iterrows():
        heights = [100 * row["low"], 100 * row["high"]]
        axes.plot(span, heights, color=PALE, linewidth=0.7, zorder=1)
    for target, part in points.groupby("target"):
        style = styles[str(target)]
        axes.plot(part["similarity"], part["gain"], linestyle="", markersize=5, zorder=3, **style)
    ends = pd.DataFrame({"x": span[1], "y": 100 * lines["high"], "code": lines["statistic"].str[5:]})
    return points.rename(columns={"similarity": "x", "gain": "y", "intermediate": "label"}), ends


def _finding(tests: pd.DataFrame, model: str, group: Group) -> str:
    row = tests[tests["id"] == f"correlation/{model}/{group}"].iloc[0]
    if pd.isna(row["estimate"]):
        return str(row["note"]).split(";")[0]
    r = f"r = {row['estimate']:.2f}".replace("-", MINUS)
    return f"{r}, {p_value(row['p'])}, n = {row['n']:.0f} pairs"


def _add_labels(panels: np.ndarray, drawn: list[Drawn], names: dict[str, str]) -> None:
    """Codes in a column at the lines' ends, then the intermediate tasks at their points."""
    low, high = panels[0].get_xlim()
    if any(len(ends) for _, ends in drawn):
        panels[0].set_xlim(low, high + 0.14 * (high - low))
    for axes, (points, ends) in zip(panels, drawn, strict=True):
        if len(ends):
            left, right = axes.get_xlim()
            x = float(ends["x"].iloc[0])
            column = right - 0.075 * (right - left)
            label_column(axes, x, column, ends["y"].tolist(), ends["code"].tolist(), 5.5)
        if len(points):
            labels = [names[label] for label in points["label"]]
            place_labels(axes, points["x"].tolist(), points["y"].tolist(), labels)
