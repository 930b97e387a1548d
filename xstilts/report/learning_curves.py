"""The learning curves of a model: loss and dev score over the steps of each training, a panel per task."""

from collections.abc import Iterator
from math import ceil
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from xstilts.studies.figures import PALETTE, STYLE, new_figure, say, write_footer, write_title

COLUMNS = 4
FIRST: dict[str, Any] = {"color": PALETTE[0], "zorder": 3}
"""A task that is trained straight on the masked LM; blue and dark, the others orange and light."""
LATER: dict[str, Any] = {"color": PALETTE[4], "zorder": 2}
COLLAPSED: dict[str, Any] = {"linestyle": (0, (2, 1.5)), "zorder": 4}
CROSS: dict[str, Any] = {
    **{"marker": "x", "markersize": 3.5, "markeredgewidth": 0.9, "color": "black", "linestyle": "none"},
    **{"zorder": 5, "clip_on": False},
}


def draw(table: pd.DataFrame, title: str, note: str = "") -> Figure:
    """One figure; of each task the loss stands above the score that is selected by.

    Args:
        table: Rows of training.tsv of one model.
        title: Of the figure.
        note: Small print.
    """
    tasks = sorted(table["task"].unique())
    columns = max(2, min(COLUMNS, len(tasks)))
    rows = max(1, ceil(len(tasks) / columns))
    with mpl.rc_context(STYLE):
        figure = new_figure(180, 28 + 58 * rows)
        write_footer(figure, _handles(), 3, note)
        write_title(figure, title)
        if not tasks:
            say(figure.subplots(), "no training has been logged")
            return figure
        panels = figure.subplots(2 * rows, columns, squeeze=False)
        for number in range(rows * columns):
            row, column = divmod(number, columns)
            pair = panels[2 * row, column], panels[2 * row + 1, column]
            if number < len(tasks):
                _draw_task(*pair, tasks[number], table[table["task"] == tasks[number]])
            else:
                for axes in pair:
                    axes.set_visible(False)
        return figure


def _handles() -> list[Line2D]:
    return [
        Line2D([], [], label="first stage", **FIRST),
        Line2D([], [], label="stage after others", **LATER),
        Line2D([], [], label="one answer to all of the dev set (collapsed); dashed to its end", **CROSS),
    ]


def _draw_task(above: Axes, below: Axes, task: str, rows: pd.DataFrame) -> None:
    """The trainings of one task, alone or in a mixture; a thin line each."""
    metrics = rows["metric"].dropna().unique()
    for axes, column in ((above, "loss"), (below, "value")):
        for run, style in _runs(rows.dropna(subset=[column])):
            axes.plot(run["step"], run[column], marker="o", markersize=1.6, linewidth=0.8, **style)
            marked = run[run["collapsed"].eq(True)]
            if len(marked):  # an empty line that is not clipped upsets the layout
                axes.plot(marked["step"], marked[column], **CROSS)
        axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))
        axes.set_xlim(left=0)
        axes.tick_params(labelsize=7)
    above.set_title(task, fontsize=8)
    above.set_ylabel("loss", fontsize=7)
    above.tick_params(labelbottom=not len(metrics))
    if not len(metrics):  # the masked LM has no dev set
        above.set_xlabel("step", fontsize=7)
        below.set_visible(False)
        return
    below.set_ylabel(f"dev {', '.join(metrics)}", fontsize=7)
    below.set_xlabel("step", fontsize=7)
    below.set_ylim(-0.03, 1.03)


def _runs(rows: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, dict[str, Any]]]:
    """Every run and how it is drawn; those that end collapsed last, above the others."""
    for (recipe, _), run in rows.groupby(["recipe", "seed"], sort=True):
        style = LATER if "-" in str(recipe) else FIRST
        yield run, style | (COLLAPSED if run["collapsed"].iloc[-1] is True else {})
