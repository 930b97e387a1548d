"""What all figures share: one style, labels that do not collide, and files of the same bytes every time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

# Okabe and Ito's palette: told apart with every kind of colour blindness.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
GREY = "#6b6b6b"
MILLIMETRE = 1 / 25.4
RADII = (4.5, 8.0, 12.0, 17.0, 23.0)  # distances of a label from its point, in points

Pixels = NDArray[np.float64]

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
    with mpl.rc_context(STYLE):
        _settle(figure)
    paths = []
    for kind, metadata in METADATA.items():
        path = folder / f"{name}.{kind}"
        partial = folder / f"{name}.partial.{kind}"
        with mpl.rc_context(STYLE):
            figure.savefig(partial, format=kind, metadata=metadata)
        paths.append(partial.replace(path))
    return paths


def _settle(figure: Figure) -> None:
    """Lay the figure out once for all files; rounded, since the solver's last digits differ between runs."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        x, y, width, height = (round(float(edge), 6) for edge in axes.get_position(original=True).bounds)
        axes.set_position((x, y, width, height))


def write_title(figure: Figure, title: str) -> None:
    """The figure's title, at its left edge."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)


def write_note(figure: Figure, note: str) -> None:
    """Print a remark such as "miniature" small below the figure; nothing if it is empty."""
    if note:
        figure.supxlabel(note, x=0.99, ha="right", fontsize=7, style="italic", color=GREY)


def write_footer(figure: Figure, handles: Sequence[Artist], columns: int, note: str) -> None:
    """Below the axes of `figure`, a legend and, on a line of its own, the small print."""
    lines = -(-len(handles) // columns)
    height = (5.0 * lines + 5.5 * bool(note)) * MILLIMETRE / figure.get_figheight()
    figure.set_layout_engine("constrained", rect=(0, height, 1, 1 - height))
    legend = figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0.005, height),
        ncols=columns,
        fontsize=7.5,
        borderaxespad=0.2,
    )
    legend.set_in_layout(False)
    if note:
        small = figure.text(0.99, 0.01, note, ha="right", fontsize=7, style="italic", color=GREY)
        small.set_in_layout(False)


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
    taken = np.vstack([_boxes(pixels, np.full(2, 6 * point)), _drawn(axes, point)])
    distances = np.linalg.norm(pixels[:, None] - pixels[None], axis=2)
    crowd = (distances < 30 * point).sum(axis=1)
    for index in sorted(range(len(labels)), key=lambda i: (-crowd[i], labels[i])):
        size = _text_size(axes, labels[index])
        box, radius = _best_place(pixels[index], size, taken, axes.get_window_extent(), point)
        taken = np.vstack([taken, box])
        _write(axes, labels[index], box)
        if radius > RADII[0]:
            _lead(axes, pixels[index], box)


def label_column(
    axes: Axes, x: float, column: float, heights: Sequence[float], labels: Sequence[str], size: float = 6.5
) -> None:
    """Labels in one column right of points that share an x, each led to its point, none over another.

    They move as little as possible (least squares in their order), and stay within the axes if there is room
    for all. Axes limits must be final.

    Args:
        axes: Where the points are drawn.
        x: Data coordinate of the points.
        column: Data coordinate of the labels' left edge.
        heights: Data coordinates of the points.
        labels: One per point.
        size: Size of the letters in points.
    """
    figure = axes.get_figure(root=True)
    if figure is None or not len(labels):
        return
    figure.draw_without_rendering()
    order = sorted(range(len(labels)), key=lambda i: (heights[i], labels[i]))
    at = axes.transData.transform([(x, heights[i]) for i in order])[:, 1]
    line = 1.12 * size * figure.dpi / 72
    steps = np.arange(len(order)) * line
    lowest = isotonic_regression(at - steps).x
    frame = axes.get_window_extent()
    if steps[-1] + line < frame.height:
        lowest = np.clip(lowest, frame.y0 + line / 2, frame.y1 - line / 2 - steps[-1])
    placed = lowest + steps
    to_data = axes.transData.inverted()
    for index, height in zip(order, placed, strict=True):
        y = float(to_data.transform((0, height))[1])
        axes.annotate(
            labels[index],
            (x, heights[index]),
            (column, y),
            va="center",
            fontsize=size,
            annotation_clip=False,
            zorder=1.5,
            arrowprops={
                **{"arrowstyle": "-", "linewidth": 0.4, "color": GREY},
                **{"relpos": (0, 0.5), "shrinkA": 1, "shrinkB": 3},
            },
        )


def _text_size(axes: Axes, label: str) -> Pixels:
    text = axes.text(0, 0, label, fontsize=6.5)
    extent = text.get_window_extent()
    text.remove()
    return np.array([extent.width, extent.height])


def _boxes(centres: Pixels, size: Pixels) -> Pixels:
    """Boxes of one size as rows x0, y0, x1, y1."""
    return np.hstack([centres - size / 2, centres + size / 2])


def _drawn(axes: Axes, point: float) -> Pixels:
    """Boxes of the texts in `axes`, and along its curves."""
    extents = [text.get_window_extent().extents for text in axes.texts]
    boxes = [np.array(extents, dtype=np.float64).reshape(-1, 4)]
    for line in axes.lines:
        vertices = np.asarray(line.get_xydata(), dtype=np.float64)
        if len(vertices) > 2:
            boxes.append(_boxes(axes.transData.transform(vertices), np.full(2, point)))
    return np.vstack(boxes)


def _best_place(
    centre: Pixels, size: Pixels, taken: Pixels, frame: Bbox, point: float
) -> tuple[Pixels, float]:
    """The cheapest of 16 directions at each radius: the label's box, and its distance in points.

    The cost counts overlaps and their area in pixels; leaving the axes is never worth it.
    """
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    directions = np.column_stack([np.cos(angles), np.sin(angles)])
    boxes = np.vstack([_boxes(centre + directions * (radius * point + size / 2), size) for radius in RADII])
    corners = np.minimum(boxes[:, None, 2:], taken[None, :, 2:])
    common = corners - np.maximum(boxes[:, None, :2], taken[None, :, :2])
    overlap = (common > 0).all(axis=2) * (2 + common.prod(axis=2))
    outside = (boxes[:, :2] < frame.min).any(axis=1) | (boxes[:, 2:] > frame.max).any(axis=1)
    rank = np.repeat(np.arange(len(RADII)), len(angles))
    best = int(np.argmin(np.round(overlap.sum(axis=1) + 1000 * outside + 0.4 * rank, 6)))
    return boxes[best], RADII[rank[best]]


def _write(axes: Axes, label: str, box: Pixels) -> None:
    x, y = axes.transData.inverted().transform((box[:2] + box[2:]) / 2)
    axes.text(x, y, label, ha="center", va="center", fontsize=6.5, zorder=4)


def _lead(axes: Axes, point: Pixels, box: Pixels) -> None:
    """A thin line from a point to the nearest edge of its label. An arrow does it a hundred times slower."""
    ends = axes.transData.inverted().transform(np.vstack([point, np.clip(point, box[:2], box[2:])]))
    axes.add_artist(Line2D(*ends.T, linewidth=0.4, color=GREY, zorder=2.5))
