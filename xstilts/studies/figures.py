"""What all figures share: one style, labels that do not collide, and files of the same bytes every time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

# Okabe and Ito's palette: told apart with every kind of colour blindness.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
GREY = "#6b6b6b"
MILLIMETRE = 1 / 25.4
RADII = (4.5, 8.0, 12.0, 17.0, 23.0)  # distances of a label from its point, in points

Pixel = NDArray[np.float64]

STYLE: Any = {
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same on every machine
    "font.size": 8.0,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "svg.fonttype": "path",  # glyphs travel with the file
    "svg.hashsalt": "xstilts",  # else ids are random
    "pdf.fonttype": 42,
}
# Neither dates nor versions: the same figure is the same bytes.
METADATA: dict[str, dict[str, str | None]] = {
    "svg": {"Date": None, "Creator": "xstilts"},
    "pdf": {"CreationDate": None, "Creator": "xstilts", "Producer": None},
    "png": {"Software": None},
}


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of `width` by `height` millimetres, without pyplot's global state."""
    figure = Figure(figsize=(width * MILLIMETRE, height * MILLIMETRE), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write the figure as svg, pdf and png below `folder`; each file all at once or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for kind, metadata in METADATA.items():
        path = folder / f"{name}.{kind}"
        partial = folder / f"{name}.partial.{kind}"
        with mpl.rc_context(STYLE):
            figure.savefig(partial, format=kind, metadata=metadata)
        paths.append(partial.replace(path))
    return paths


def write_title(figure: Figure, title: str) -> None:
    """The figure's title, at its left edge."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)


def write_note(figure: Figure, note: str) -> None:
    """Print a remark such as "miniature" small below the figure; nothing if it is empty."""
    if note:
        figure.supxlabel(note, x=0.99, ha="right", fontsize=7, style="italic", color=GREY)


def say(axes: Axes, message: str) -> None:
    """Print a message where there is nothing to draw."""
    axes.text(0.5, 0.5, message, transform=axes.transAxes, ha="center", va="center", wrap=True, color=GREY)


def place_labels(axes: Axes, x: Sequence[float], y: Sequence[float], labels: Sequence[str]) -> None:
    """Label points so that labels overlap neither each other nor points, lines and earlier texts.

    Greedy and deterministic: the most crowded point first, each label at the cheapest of 16 directions at
    five distances; a thin line leads to its point where it stands apart. Axes limits must be final.

    Args:
        axes: Where the points are drawn.
        x: Data coordinates of the points.
        y: Likewise.
        labels: One per point.
    """
    figure = axes.get_figure(root=True)
    if figure is None or not len(labels):
        return
    figure.draw_without_rendering()
    point = figure.dpi / 72
    pixels = axes.transData.transform(np.column_stack([x, y]))
    taken = [_box(place, 6 * point, 6 * point) for place in pixels] + _drawn(axes, point)
    distances = np.linalg.norm(pixels[:, None] - pixels[None], axis=2)
    crowd = (distances < 30 * point).sum(axis=1)
    for index in sorted(range(len(labels)), key=lambda i: (-crowd[i], labels[i])):
        box, radius = _best_place(pixels[index], _text_size(axes, labels[index]), taken, axes, point)
        taken.append(box)
        _write(axes, labels[index], pixels[index], box, leader=radius > RADII[0])


def _text_size(axes: Axes, label: str) -> tuple[float, float]:
    text = axes.text(0, 0, label, fontsize=6.5)
    extent = text.get_window_extent()
    text.remove()
    return extent.width, extent.height


def _box(centre: Pixel, width: float, height: float) -> Bbox:
    return Bbox.from_bounds(centre[0] - width / 2, centre[1] - height / 2, width, height)


def _drawn(axes: Axes, point: float) -> list[Bbox]:
    """Boxes of the texts in `axes`, and along its curves."""
    boxes = [text.get_window_extent() for text in axes.texts]
    for line in axes.lines:
        vertices = np.asarray(line.get_xydata(), dtype=np.float64)
        if len(vertices) > 2:
            boxes += [_box(place, point, point) for place in axes.transData.transform(vertices)]
    return boxes


def _best_place(
    centre: Pixel, size: tuple[float, float], taken: Sequence[Bbox], axes: Axes, point: float
) -> tuple[Bbox, float]:
    """The cheapest of 16 directions at each radius: the label's box, and its distance in points."""
    frame = axes.get_window_extent()
    options: list[tuple[float, Bbox, float]] = []
    for rank, radius in enumerate(RADII):
        for angle in np.linspace(0, 2 * np.pi, 16, endpoint=False):
            reach = radius * point + np.array(size) / 2
            box = _box(centre + reach * [np.cos(angle), np.sin(angle)], *size)
            options.append((_cost(box, taken, frame) + 0.4 * rank, box, radius))
    _, box, radius = min(options, key=lambda option: round(option[0], 6))
    return box, radius


def _cost(box: Bbox, taken: Sequence[Bbox], frame: Bbox) -> float:
    outside = not (frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1)
    overlaps = 0.0
    for other in taken:
        common = Bbox.intersection(box, other)
        if common is not None:
            overlaps += 2 + common.width * common.height
    return 1000.0 * outside + overlaps


def _write(axes: Axes, label: str, point: Pixel, box: Bbox, *, leader: bool) -> None:
    to_data = axes.transData.inverted()
    middle = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
    arrow = {"arrowstyle": "-", "linewidth": 0.4, "color": GREY, "shrinkA": 0, "shrinkB": 2}
    axes.annotate(
        label,
        tuple(to_data.transform(point)),
        tuple(to_data.transform(middle)),
        ha="center",
        va="center",
        fontsize=6.5,
        zorder=4,
        arrowprops=arrow if leader else None,
    )
