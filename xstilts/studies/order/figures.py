"""The two figures of S4, drawn from tables: no statistics are computed here."""

from collections.abc import Hashable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm, to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from xstilts.studies.figures import (
    GREY,
    PALETTE,
    STYLE,
    new_figure,
    say,
    write_footer,
    write_note,
    write_title,
)
from xstilts.studies.order.arms import Arms, Study
from xstilts.studies.scores import Scores
from xstilts.studies.settings import MLM, OrderJob
from xstilts.studies.subsets import ALL
from xstilts.studies.tables import Tables
from xstilts.studies.words import p_value, percent

BLUE, RED, GREEN = PALETTE[:3]
COLUMNS = 3
MANY = 14
"""More rows than this are drawn more densely."""
FAR = 0.8
"""An arm is drawn at the edge, with its number, if it is further off than this share of the others' span."""
# Kind of arm: marker, colour, size.
SEQUENCE: tuple[str, str, float] = ("|", "black", 9.0)
NAMED: tuple[str, str, float] = ("D", RED, 5.5)
MIXTURE: tuple[str, str, float] = ("s", GREEN, 5.0)
BASELINE: tuple[str, str, float] = ("^", GREY, 5.5)
RUN: dict[str, Any] = {"marker": "o", "color": BLUE, "markerfacecolor": "white", "markersize": 3.5}


def draw(tables: Tables, tests: pd.DataFrame, settings: OrderJob, note: str = "") -> dict[str, Figure]:
    """The figures of the study by name, from its tests.tsv and what was analysed; `note` is small print."""
    study = Study(Scores.checked(tables.scores, settings), tables, settings)
    arms = study.arms(study.models[0])
    ours = tests[tests["model"] == arms.model]
    return {
        "sequences": sequences(arms, study.mixture, ours, note),
        "positions": positions(ours, settings, note),
    }


def sequences(arms: Arms, mixture: str, tests: pd.DataFrame, note: str = "") -> Figure:
    """Every sequence in every subset of the languages: a dot per run, the mean marked.

    Args:
        arms: The scores of one model.
        mixture: The recipe of the mixture.
        tests: Rows of tests.tsv about that model.
        note: Small print.
    """
    with mpl.rc_context(STYLE):
        means = tests[tests["statistic"] == "mean_score"].dropna(subset=["estimate"])
        recipes = _recipes(arms, means)
        shown = list(arms.subsets) if arms.orders else [ALL]
        columns = min(COLUMNS, len(shown))
        rows = -(-len(shown) // columns)
        height = 4.4 if len(recipes) <= MANY else 3.1
        figure = new_figure(180, 30 + rows * (15 + height * max(len(recipes), 3)))
        handles = _handles(arms, mixture)
        write_footer(figure, handles, 3, note)
        panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
        write_title(figure, _title(arms))
        for number, (panel, subset) in enumerate(zip(panels.flat, shown, strict=False)):
            _draw_subset(panel, arms, subset, recipes, mixture, tests)
            if number + columns >= len(shown):
                panel.set_xlabel("score (as a fraction)")
        for panel in panels.flat[len(shown) :]:
            panel.set_visible(False)
        return figure


def _title(arms: Arms) -> str:
    names = arms.settings.ordered
    count = arms.settings.sequences
    what = "every order" if count is None else f"{count} orders"
    return f"Scores of {what} of {', '.join(names[:-1])} and {names[-1]}, {arms.model}"


def _recipes(arms: Arms, means: pd.DataFrame) -> list[str]:
    """The sequences from best to worst in all languages, then the other arms."""
    overall = means[means["subset"] == ALL].set_index("recipe")["estimate"]
    ranked = sorted((order for order in arms.orders if order in overall), key=lambda order: -overall[order])
    return [*ranked, *(arm for arm in reversed(arms.others) if arm in overall)]


def _label(recipe: str, settings: OrderJob) -> str:
    names = [name.replace("_", " ") for name, order in sorted(settings.named.items()) if order == recipe]
    return f"{', '.join(names)}: {recipe}" if names else recipe


def _kind(recipe: str, arms: Arms, mixture: str) -> tuple[str, str, float]:
    if recipe in arms.settings.named.values():
        return NAMED
    return {mixture: MIXTURE, MLM: BASELINE}.get(recipe, SEQUENCE)


def _handles(arms: Arms, mixture: str) -> list[Line2D]:
    def handle(kind: tuple[str, str, float], label: str) -> Line2D:
        marker, colour, size = kind
        return Line2D([], [], linestyle="", marker=marker, color=colour, markersize=size, label=label)

    found = [
        Line2D([], [], linestyle="", label="one run", **RUN),
        handle(SEQUENCE, "mean of a sequence"),
    ]
    if arms.settings.named:
        found.append(handle(NAMED, "mean of a named sequence"))
    if mixture in arms.others:
        found.append(handle(MIXTURE, "mean of the mixture (all at once)"))
    found.append(handle(BASELINE, f"{MLM} (no intermediate task)"))
    found.append(Line2D([], [], color=GREY, linestyle="--", linewidth=0.9, label="mean of all sequences"))
    return found


def _draw_subset(
    axes: Axes, arms: Arms, subset: str, recipes: list[str], mixture: str, tests: pd.DataFrame
) -> None:
    axes.set_title(_subset_title(arms, subset, tests), fontsize=7.5)
    axes.set_yticks(range(len(recipes)), [_label(recipe, arms.settings) for recipe in recipes])
    axes.set_ylim(len(recipes) - 0.4, -0.6)
    axes.tick_params(labelsize=6.5 if len(recipes) <= MANY else 6)
    if not arms.orders:
        say(axes, "no sequence was scored with every seed")
        return
    of_subset = tests[(tests["statistic"] == "mean_score") & (tests["subset"] == subset)]
    means = of_subset.set_index("recipe")["estimate"]
    runs = dict(list(arms.runs(subset).groupby("order")["value"]))
    runs |= {arm: arms.other_runs(arm, subset)["value"] for arm in arms.others}
    sequences = [value for order in arms.orders for value in runs[order]]
    others = [value for arm in arms.others for value in runs[arm]]
    near = _limits(axes, sequences, others)
    axes.axvline(float(means[arms.orders].mean()), color=GREY, linestyle="--", linewidth=0.9, zorder=1)
    for height, recipe in enumerate(recipes):
        marker, colour, size = _kind(recipe, arms, mixture)
        if recipe not in arms.orders and not near[0] <= means[recipe] <= near[1]:
            _point_out(axes, height, float(means[recipe]), near, colour, marker)
            continue
        values = runs[recipe]
        if recipe != MLM or len(values) > 1:
            axes.plot(values, [height] * len(values), linestyle="", zorder=4, **RUN)
        above = 5 if marker == SEQUENCE[0] else 3  # a stroke hides no run
        mean = float(means[recipe])
        axes.plot(mean, height, marker, color=colour, markersize=size, markeredgewidth=1.6, zorder=above)
    if len(recipes) > len(arms.orders):
        axes.axhline(len(arms.orders) - 0.5, color="black", linewidth=0.6)


def _subset_title(arms: Arms, subset: str, tests: pd.DataFrame) -> str:
    count = len(arms.subsets.get(subset, []))
    title = f"{subset} ({count})"
    effects = tests[(tests["statistic"] == "order_effect") & (tests["role"] != "sensitivity")]
    effect = effects[(effects["subset"] == subset) & (effects["task"] == ", ".join(arms.settings.tasks))]
    if effect.empty or pd.isna(effect["p"].iloc[0]):
        return f"{title}\nno test of order"
    return f"{title}\norder: {p_value(effect['p'].iloc[0])}"


def _limits(axes: Axes, sequences: list[float], others: list[float]) -> tuple[float, float]:
    """Make room for the sequences and what is near; returns between what another arm is drawn where it is."""
    low, high = min(sequences), max(sequences)
    span = max(high - low, 0.004)
    near = low - FAR * span, high + FAR * span
    drawn = [low, high, *(value for value in others if near[0] <= value <= near[1])]
    axes.set_xlim(min(drawn) - 0.15 * span, max(drawn) + 0.15 * span)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    return near


def _point_out(
    axes: Axes, height: int, value: float, near: tuple[float, float], colour: str, marker: str
) -> None:
    """An arm that lies far off: an arrow at the edge and its number."""
    left = value < near[0]
    side, arrow = (0.02, "\N{LEFTWARDS ARROW}") if left else (0.98, "\N{RIGHTWARDS ARROW}")
    words = f"{arrow} {value:.3f}" if left else f"{value:.3f} {arrow}"
    place = axes.get_yaxis_transform()
    axes.plot(side + (0.02 if left else -0.02), height, marker, color=colour, markersize=5, transform=place)
    shift = 0.07 if left else -0.07
    align = "left" if left else "right"
    axes.text(
        side + shift, height, words, transform=place, fontsize=6.5, ha=align, va="center", color="black"
    )


def positions(tests: pd.DataFrame, settings: OrderJob, note: str = "") -> Figure:
    """What a task's place in the sequence is worth: tasks in rows, positions in columns, in points.

    Args:
        tests: Rows of tests.tsv about one model.
        settings: The study's.
        note: Small print.
    """
    with mpl.rc_context(STYLE):
        tasks, places = settings.ordered, range(1, len(settings.ordered) + 1)
        rows = tests[tests["statistic"].str.startswith("position:")].set_index(["recipe", "statistic"])
        found = rows.to_dict("index")
        cells = [[found[(task, f"position:{place}")] for place in places] for task in tasks]
        values = 100 * np.array([[cell["estimate"] for cell in line] for line in cells], dtype=float)
        figure = new_figure(max(120, 30 + 32 * len(tasks)), 42 + 17 * len(tasks))
        axes = figure.subplots()
        write_title(figure, "Effect of a task's position on the score")
        model = str(rows["model"].iloc[0])
        axes.set_title(f"{model}, {', '.join(settings.tasks)}, all languages but English", fontsize=8)
        bound = max(1.15 * float(np.nanmax(np.abs(values), initial=0.0)), 1e-6)
        # Purple to orange, light in the middle: told apart with every kind of colour blindness; signs and
        # hatches say the same without colour.
        norm = TwoSlopeNorm(0.0, -bound, bound)
        image = axes.pcolormesh(values, cmap="PuOr_r", norm=norm, edgecolors="white", linewidth=2)
        for y, line in enumerate(cells):
            for x, cell in enumerate(line):
                _annotate(axes, x, y, cell, bound, to_hex(image.cmap(norm(values[y, x]))))
        axes.set_xticks(np.arange(len(tasks)) + 0.5, [str(place) for place in places])
        axes.set_yticks(np.arange(len(tasks)) + 0.5, tasks)
        axes.set_xlabel("position in the sequence (1: first)")
        axes.invert_yaxis()
        axes.grid(visible=False)
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        bar = figure.colorbar(image, ax=axes, shrink=0.9)
        bar.set_label("points above the mean of all sequences")
        bar.outline.set_visible(False)
        level = percent(1 - settings.alpha)
        small = f"In brackets: {level} interval, t over runs. Hatched: below the mean of all sequences."
        write_note(figure, "\n".join(filter(None, [small, note])))
        return figure


def _annotate(axes: Axes, x: int, y: int, cell: dict[Hashable, Any], bound: float, colour: str) -> None:
    if pd.isna(cell["estimate"]):
        axes.text(x + 0.5, y + 0.5, "not\nestimable", ha="center", va="center", fontsize=7, color=GREY)
        return
    value = 100 * cell["estimate"]
    if value < 0:
        box = Rectangle((x, y), 1, 1, fill=False, hatch="///", linewidth=0, edgecolor="#ffffff90")
        axes.add_patch(box)
    known = pd.notna(cell["low"])
    text = f"{value:+.2f}" + (f"\n[{100 * cell['low']:+.2f}, {100 * cell['high']:+.2f}]" if known else "")
    clear = {"facecolor": colour, "edgecolor": "none", "pad": 1.5}  # of the hatch
    ink = "white" if abs(value) > 0.6 * bound else "black"
    axes.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=8, color=ink, bbox=clear)
