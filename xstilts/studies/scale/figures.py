"""The two figures of S2, drawn from tables: no statistics are computed here."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

from xstilts.studies.figures import (
    GREY,
    PALETTE,
    STYLE,
    new_figure,
    place_labels,
    say,
    write_footer,
    write_title,
)
from xstilts.studies.predictors import LATIN
from xstilts.studies.scale.cells import SIMILARITY, Cell, Ladder
from xstilts.studies.scores import Scores
from xstilts.studies.settings import ScaleJob
from xstilts.studies.tables import Tables
from xstilts.studies.words import p_value, percent

BLUE, RED = PALETTE[0], PALETTE[1]
UNITS = ((1e9, "B"), (1e6, "M"), (1e3, "k"))
COLUMNS = 2
OPEN: dict[str, Any] = {"marker": "o", "color": RED, "markerfacecolor": "white", "linestyle": ""}
DASHED: dict[str, Any] = {"color": GREY, "linewidth": 1.4, "linestyle": "--"}


def draw(tables: Tables, tests: pd.DataFrame, settings: ScaleJob, note: str = "") -> dict[str, Figure]:
    """The figures of the study by name, from its tests.tsv and what was analysed; `note` is small print."""
    ladder = Ladder(Scores.checked(tables.scores, settings), tables, settings)
    cells = ladder.cells(settings.recipes[0], settings.tasks[0])
    ours = tests[(tests["recipe"] == settings.recipes[0]) & (tests["task"] == settings.tasks[0])]
    return {"slopes": slopes(cells, ours, settings, note), "gains": gains(cells, ours, settings, note)}


def slopes(cells: list[Cell], tests: pd.DataFrame, settings: ScaleJob, note: str = "") -> Figure:
    """The slope of gain on similarity against the number of parameters: runs, means, the fitted line.

    Args:
        cells: One per model, the smallest first.
        tests: Rows of tests.tsv about the primary recipe and task.
        settings: The study's.
        note: Small print.
    """
    with mpl.rc_context(STYLE):
        figure = new_figure(180, 110)
        write_footer(figure, _slope_handles(tests, settings), 3, note)
        axes = figure.subplots()
        write_title(
            figure, f"Does the gain of {_about(settings)} depend more on similarity in larger models?"
        )
        axes.set_title(_finding(tests, settings), fontsize=8)
        axes.set_xlabel("Parameters (logarithmic)")
        axes.set_ylabel(f"Slope of gain on {settings.distance} similarity\n(score per unit of similarity)")
        drawn = [cell for cell in cells if _draw_size(axes, cell, tests, settings)]
        if drawn:
            _finish_slopes(axes, drawn, tests, settings)
        else:
            say(axes, "no size has a slope")
        return figure


def gains(cells: list[Cell], tests: pd.DataFrame, settings: ScaleJob, note: str = "") -> Figure:
    """Gain against similarity, a panel per size, every language labelled; arguments as in `slopes`."""
    with mpl.rc_context(STYLE):
        columns = min(COLUMNS, max(len(cells), 1))
        rows = -(-max(len(cells), 1) // columns)
        figure = new_figure(180, 26 + rows * 74)
        write_footer(figure, _gain_handles(), 4, note)
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        write_title(figure, f"Gain of {_about(settings)} and {settings.distance} similarity to English")
        metric = settings.metrics[settings.tasks[0]]
        for number, (panel, cell) in enumerate(zip(panels.flat, cells, strict=False)):
            panel.set_title(_panel_title(cell, tests, settings), fontsize=8)
            _draw_gains(panel, cell, tests, settings)
            panel.label_outer()
            if number % columns == 0:
                panel.set_ylabel(f"Gain ({metric}, as a fraction)")
            if number + columns >= len(cells):
                panel.tick_params(labelbottom=True)
                panel.set_xlabel(f"{settings.distance.capitalize()} similarity to English (1: like English)")
        for panel in panels.flat[len(cells) :]:
            panel.set_visible(False)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # all is in its place: labels need no layout of their own
        _label_gains(panels, cells)
        return figure


def _about(settings: ScaleJob) -> str:
    return f"{settings.recipes[0]} in {settings.tasks[0]}"


def in_units(parameters: float) -> str:
    """A number of parameters with three digits at most."""
    for unit, name in UNITS:
        if parameters >= unit:
            return f"{parameters / unit:.3g} {name}"
    return f"{parameters:.0f}"


def _row(tests: pd.DataFrame, statistic: str, model: str) -> "pd.Series[float] | None":
    found = tests[(tests["statistic"] == statistic) & (tests["model"] == model)]
    return None if found.empty or pd.isna(found["estimate"].iloc[0]) else found.iloc[0]


def _finding(tests: pd.DataFrame, settings: ScaleJob) -> str:
    row = tests[tests["role"] == "primary"].iloc[0]
    if pd.isna(row["estimate"]):
        return f"A trend over sizes is {row['note'].split(';')[0]}"
    level = percent(1 - settings.alpha)
    return (
        f"Change per tenfold parameters {row['estimate']:+.3f} ({level} interval {row['low']:+.3f} to "
        f"{row['high']:+.3f}), {p_value(row['p'])}, {row['n']:.0f} sizes"
    )


def _draw_size(axes: Axes, cell: Cell, tests: pd.DataFrame, settings: ScaleJob) -> bool:
    """The runs of one size, their mean and its interval; False if it has no slope."""
    mean = _row(tests, f"slope:{settings.distance}", cell.model)
    if mean is None or not cell.parameters:
        return False
    runs = tests[(tests["statistic"] == f"run_slope:{settings.distance}") & (tests["model"] == cell.model)]
    if pd.notna(mean["low"]):
        axes.errorbar(
            cell.parameters,
            mean["estimate"],
            yerr=[[mean["estimate"] - mean["low"]], [mean["high"] - mean["estimate"]]],
            color=BLUE,
            linewidth=1.4,
            capsize=3,
            zorder=2,
        )
    # Beside the mean, so that neither hides the other.
    aside = axes.transData + ScaledTranslation(7 / 72, 0, axes.figure.dpi_scale_trans)
    axes.plot(
        [cell.parameters] * len(runs), runs["estimate"], markersize=4, transform=aside, zorder=4, **OPEN
    )
    axes.plot(cell.parameters, mean["estimate"], "D", markersize=6.5, color=BLUE, zorder=3)
    return True


def _finish_slopes(axes: Axes, cells: list[Cell], tests: pd.DataFrame, settings: ScaleJob) -> None:
    axes.set_xscale("log")
    axes.axhline(0, color="black", linewidth=0.8, zorder=1)
    line = tests[tests["statistic"] == f"fitted_slope:{settings.distance}"].set_index("model")["estimate"]
    ends = [cell for cell in cells if cell.model in line.index]
    if len(ends) > 1:
        sizes = [cell.parameters for cell in ends]
        axes.plot(sizes, [line[cell.model] for cell in ends], zorder=1, **DASHED)
    names: dict[int, list[str]] = {}
    for cell in cells:
        names.setdefault(cell.parameters, []).append(cell.model)
    ticks = sorted(names)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(ticks, [f"{', '.join(names[size])}\n{in_units(size)}" for size in ticks])
    axes.set_xlim(ticks[0] / 1.6, ticks[-1] * 1.6)
    axes.grid(axis="x", visible=False)
    axes.margins(y=0.12)


def _slope_handles(tests: pd.DataFrame, settings: ScaleJob) -> list[Line2D]:
    level = percent(1 - settings.alpha)
    mean = f"mean over runs, {level} interval (t over runs)"
    handles = [
        Line2D([], [], marker="D", markersize=6, color=BLUE, label=mean),
        Line2D([], [], markersize=4, label="one run", **OPEN),
    ]
    if (tests["statistic"] == f"fitted_slope:{settings.distance}").any():
        handles.append(Line2D([], [], label="fitted over sizes", **DASHED))
    return handles


def _panel_title(cell: Cell, tests: pd.DataFrame, settings: ScaleJob) -> str:
    name = f"{cell.model}, {in_units(cell.parameters)} parameters"
    slope = _row(tests, f"slope:{settings.distance}", cell.model)
    rho = _row(tests, f"spearman:{settings.distance}", cell.model)
    found = "no slope" if slope is None else f"slope {slope['estimate']:+.2f}"
    if rho is not None:
        found += f", Spearman {rho['estimate']:+.2f}, n = {rho['n']:.0f}"
    return f"{name}\n{found}"


def _points(cell: Cell) -> pd.DataFrame:
    return cell.means.dropna(subset=[SIMILARITY, "gain"])


def _draw_gains(axes: Axes, cell: Cell, tests: pd.DataFrame, settings: ScaleJob) -> None:
    points = _points(cell)
    if cell.problem or points.empty:
        say(axes, cell.problem or f"no language has both a gain and a {settings.distance} distance")
        return
    axes.axhline(0, color="black", linewidth=0.8, zorder=1)
    ends = tests[(tests["statistic"] == f"fitted_gain:{settings.distance}") & (tests["model"] == cell.model)]
    if len(ends) > 1:
        x = ends["subset"].str.removeprefix("similarity ").astype(float)
        grid = np.linspace(x.min(), x.max(), 40)  # labels keep clear of a line with many points
        line = np.polyval(np.polyfit(x, ends["estimate"], 1), grid)
        axes.plot(grid, line, color=RED, linewidth=1.6, zorder=2)
    for latin, members in points.groupby(points["script"] == LATIN):
        face = BLUE if latin else "white"
        axes.plot(
            members[SIMILARITY],
            members["gain"],
            "o",
            markersize=4.5,
            color=BLUE,
            markerfacecolor=face,
            zorder=3,
        )
    axes.margins(0.08)


def _label_gains(panels: NDArray[Any], cells: list[Cell]) -> None:
    """After all panels are drawn: they share their limits."""
    for panel, cell in zip(panels.flat, cells, strict=False):
        points = _points(cell)
        if not cell.problem and len(points):
            place_labels(
                panel, points[SIMILARITY].tolist(), points["gain"].tolist(), points["language"].tolist()
            )


def _gain_handles() -> list[Line2D]:
    mark: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 4.5, "color": BLUE}
    return [
        Line2D([], [], label="Latin script", **mark),
        Line2D([], [], markerfacecolor="white", label="another script", **mark),
        Line2D([], [], color=RED, linewidth=1.6, label="fitted, mean over runs"),
        Line2D([], [], color="black", linewidth=0.8, label="no gain"),
    ]
