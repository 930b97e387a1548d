"""The graph of a workflow's rules as a small drawing, from what `snakemake --rulegraph mermaid-js` prints.

A layered drawing in Sugiyama's manner: layers by the longest path, long arrows cut into steps, and a
few sweeps that move every box towards its neighbours. Arrows that follow from others are left out.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from html import escape
from itertools import pairwise

from xstilts.errors import StudyError

Node = str | tuple[str, str, int]  # a rule, or a step of a long arrow: (from, to, layer)
Edge = tuple[str, str]
Nodes = dict[Node, "Box"]

CHARACTER, HEIGHT, LAYER, GAP, MARGIN, STEP_WIDTH = 7.0, 26.0, 56.0, 18.0, 12.0, 10.0
SPACING, SWEEPS, ROUNDS = 190.0, 24, 300


@dataclass
class Box:
    """A node in the drawing: the middle of its top edge, and its width, in pixels."""

    x: float
    layer: int
    width: float


def parse(text: str) -> set[Edge]:
    """Arrows (maker, reader) between rules, without those that follow from others.

    A rule that reads what it makes itself (`train_stage`) has no arrow for that.

    Raises:
        StudyError: if the text holds no rule, or the rules form a circle.
    """
    names = dict(re.findall(r"^\s*(id\d+)\[(.+)\]$", text, re.MULTILINE))
    arrows = re.findall(r"^\s*(id\d+) --+> (id\d+)$", text, re.MULTILINE)
    if not names:
        raise StudyError("snakemake printed no graph of rules", hint="does `snakemake -n` work?")
    edges = {(names[maker], names[reader]) for maker, reader in arrows if maker != reader}
    try:
        _order(edges)
    except CycleError as error:
        raise StudyError(f"the rules form a circle: {', '.join(error.args[1])}") from error
    return _reduced(edges)


def _order(edges: Iterable[Edge]) -> list[str]:
    """The rules, makers first."""
    makers: dict[str, set[str]] = {}
    for maker, reader in sorted(edges):
        makers.setdefault(reader, set()).add(maker)
        makers.setdefault(maker, set())
    return list(TopologicalSorter({name: sorted(makers[name]) for name in sorted(makers)}).static_order())


def _reduced(edges: set[Edge]) -> set[Edge]:
    """The arrows that do not follow from longer ways."""
    beyond: dict[str, set[str]] = {}
    for name in reversed(_order(edges)):
        readers = {reader for maker, reader in edges if maker == name}
        beyond[name] = readers.union(*(beyond[reader] for reader in readers))
    return {
        (maker, reader)
        for maker, reader in edges
        if not any(reader in beyond[other] for start, other in edges if start == maker)
    }


def _layers(edges: set[Edge]) -> dict[str, int]:
    """Each rule as far down as its readers allow; the last layer has the highest number."""
    below: dict[str, int] = {}
    for name in reversed(_order(edges)):
        below[name] = 1 + max((below[reader] for maker, reader in edges if maker == name), default=-1)
    deepest = max(below.values())
    return {name: deepest - depth for name, depth in below.items()}


def _cut(edges: set[Edge], layers: dict[str, int]) -> tuple[list[list[Node]], list[tuple[Node, Node]]]:
    """Layers of nodes, and arrows that each span one layer."""
    rows: list[list[Node]] = [[] for _ in range(max(layers.values()) + 1)]
    for name in sorted(layers):
        rows[layers[name]].append(name)
    pieces: list[tuple[Node, Node]] = []
    for maker, reader in sorted(edges):
        steps: list[Node] = [(maker, reader, layer) for layer in range(layers[maker] + 1, layers[reader])]
        for step, layer in zip(steps, range(layers[maker] + 1, layers[reader]), strict=True):
            rows[layer].append(step)
        chain: list[Node] = [maker, *steps, reader]
        pieces += list(pairwise(chain))
    return rows, pieces


def _place(rows: list[list[Node]], pieces: list[tuple[Node, Node]]) -> Nodes:
    around: dict[Node, list[Node]] = {node: [] for row in rows for node in row}
    for maker, reader in pieces:
        around[reader].append(maker)
        around[maker].append(reader)
    _sort(rows, around)
    boxes = {node: _box(node, layer, row) for layer, row in enumerate(rows) for node in row}
    for _ in range(ROUNDS):
        for row in rows:
            for place, node in enumerate(row):
                _pull(place, node, row, boxes, around)
    return boxes


def _sort(rows: list[list[Node]], around: dict[Node, list[Node]]) -> None:
    """Sort every layer by the mean place of the neighbours in the layer before, downwards and upwards."""
    for sweep in range(SWEEPS):
        ordered = rows if sweep % 2 == 0 else rows[::-1]
        for before, row in pairwise(ordered):
            places = {node: place - len(before) / 2 for place, node in enumerate(before)}
            own = {node: place - len(row) / 2 for place, node in enumerate(row)}

            def key(node: Node, places: dict[Node, float] = places, own: dict[Node, float] = own) -> float:
                found = [places[other] for other in around[node] if other in places]
                return sum(found) / len(found) if found else own[node]

            row.sort(key=lambda node: (key(node), str(node)))


def _box(node: Node, layer: int, row: list[Node]) -> Box:
    width = CHARACTER * len(node) + 18 if isinstance(node, str) else STEP_WIDTH
    return Box(SPACING * (row.index(node) - (len(row) - 1) / 2), layer, width)


def _pull(place: int, node: Node, row: list[Node], boxes: Nodes, around: dict[Node, list[Node]]) -> None:
    """Move a node to the mean of its neighbours, as far as those beside it allow; long arrows pull most."""
    weights = {
        other: 1.0 if isinstance(node, str) or isinstance(other, str) else 6.0 for other in around[node]
    }
    wanted = sum(weight * boxes[other].x for other, weight in weights.items()) / sum(weights.values())
    box = boxes[node]
    if place:
        left = boxes[row[place - 1]]
        wanted = max(wanted, left.x + (left.width + box.width) / 2 + GAP)
    if place < len(row) - 1:
        right = boxes[row[place + 1]]
        wanted = min(wanted, right.x - (right.width + box.width) / 2 - GAP)
    box.x = wanted


def draw(text: str) -> str:
    """The graph as SVG; the same text gives the same bytes.

    Args:
        text: What `snakemake --rulegraph mermaid-js` prints.

    Raises:
        StudyError: if it holds no rule, or the rules form a circle.
    """
    edges = parse(text)
    rows, pieces = _cut(edges, _layers(edges))
    boxes = _place(rows, pieces)
    left = min(box.x - box.width / 2 for box in boxes.values()) - MARGIN
    for box in boxes.values():
        box.x -= left
    width = max(box.x + box.width / 2 for box in boxes.values()) + MARGIN
    height = LAYER * (len(rows) - 1) + HEIGHT + 2 * MARGIN
    shapes = [_arrow(boxes[maker], boxes[reader], isinstance(reader, str)) for maker, reader in pieces]
    shapes += [_rule(node, boxes[node]) for node in boxes if isinstance(node, str)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}"'
            f' width="{width:.0f}" height="{height:.0f}" role="img">',
            "<title>Rules of the workflow, from data at the top to the report</title>",
            '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
            ' orient="auto"><path d="M0,0.8 L8,4 L0,7.2 z" fill="#777"/></marker></defs>',
            f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>',
            '<g fill="none" stroke="#777" stroke-width="1.2">',
            *shapes[: len(pieces)],
            '</g><g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="11"'
            ' text-anchor="middle">',
            *shapes[len(pieces) :],
            "</g></svg>\n",
        ]
    )


def _top(box: Box) -> float:
    return MARGIN + LAYER * box.layer


def _arrow(start: Box, end: Box, has_head: bool) -> str:
    # A step of a long arrow is crossed upright, so that its two halves join smoothly.
    y1 = _top(start) + (HEIGHT if start.width > STEP_WIDTH else HEIGHT / 2)
    y2 = _top(end) + (0 if has_head else HEIGHT / 2)
    middle = (y1 + y2) / 2
    head = ' marker-end="url(#head)"' if has_head else ""
    curve = (
        f"M{start.x:.1f},{y1:.1f} C{start.x:.1f},{middle:.1f} {end.x:.1f},{middle:.1f} {end.x:.1f},{y2:.1f}"
    )
    return f'<path d="{curve}"{head}/>'


def _rule(name: str, box: Box) -> str:
    top = _top(box)
    return (
        f'<rect x="{box.x - box.width / 2:.1f}" y="{top:.1f}" width="{box.width:.1f}" height="{HEIGHT:.0f}"'
        f' rx="5" fill="#f7f7f4" stroke="#333"/>'
        f'<text x="{box.x:.1f}" y="{top + 17:.1f}">{escape(name)}</text>'
    )
