"""The drawing of the rules: every rule and every arrow that matters, boxes apart, same bytes every time."""

import itertools
import xml.etree.ElementTree as ElementTree

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xstilts.errors import StudyError
from xstilts.report.rulegraph import draw, parse

SVG = "{http://www.w3.org/2000/svg}"


def mermaid(edges: list[tuple[int, int]], count: int) -> str:
    """What Snakemake prints for rules rule_0, rule_1, ..."""
    nodes = [f"\tid{node}[rule_{node}]" for node in range(count)]
    styles = [f"\tstyle id{node} fill:#D95757,stroke-width:2px,color:#333333" for node in range(count)]
    arrows = [f"\tid{maker} --> id{reader}" for maker, reader in edges]
    return "\n".join(["---", "title: DAG", "---", "flowchart TB", *nodes, *styles, *arrows, ""])


@st.composite
def graphs(draw_from: st.DrawFn) -> tuple[list[tuple[int, int]], int]:
    """Graphs without circles in which every rule has an arrow."""
    count = draw_from(st.integers(2, 9))
    possible = list(itertools.combinations(range(count), 2))
    edges = set(draw_from(st.lists(st.sampled_from(possible), max_size=20)))
    edges |= {(node, count - 1) for node in range(count - 1) if not any(node in edge for edge in edges)}
    if not any(count - 1 in edge for edge in edges):
        edges.add((0, count - 1))
    return sorted(edges), count


@given(graphs())
@settings(max_examples=60)
def test_arrows_are_the_transitive_reduction(graph: tuple[list[tuple[int, int]], int]) -> None:
    edges, count = graph
    expected = networkx.transitive_reduction(networkx.DiGraph(edges)).edges
    assert parse(mermaid(edges, count)) == {(f"rule_{a}", f"rule_{b}") for a, b in expected}


@given(graphs())
@settings(max_examples=40)
def test_every_rule_is_drawn_below_what_it_reads_and_beside_no_other(
    graph: tuple[list[tuple[int, int]], int],
) -> None:
    edges, count = graph
    root = ElementTree.fromstring(draw(mermaid(edges, count)))
    boxes = root.findall(f".//{SVG}g/{SVG}rect")
    labels = [label.text for label in root.findall(f".//{SVG}text")]
    assert sorted(map(str, labels)) == [f"rule_{node}" for node in range(count)]
    place = {
        label: [float(box.attrib[key]) for key in ("x", "y", "width")]
        for label, box in zip(labels, boxes, strict=True)
    }
    for maker, reader in edges:
        assert place[f"rule_{maker}"][1] < place[f"rule_{reader}"][1]
    for (x1, y1, width1), (x2, y2, width2) in itertools.combinations(place.values(), 2):
        assert y1 != y2 or x1 + width1 < x2 or x2 + width2 < x1
    right = float(root.attrib["width"])
    assert all(x >= 0 and x + width <= right for x, _, width in place.values())


def test_order_of_the_lines_does_not_matter() -> None:
    edges = [(0, 3), (1, 3), (2, 4), (3, 4), (0, 4)]
    first = mermaid(edges, 5)
    second = mermaid(edges[::-1], 5)
    assert draw(first) == draw(second)


def test_a_rule_that_reads_its_own_output_is_no_circle() -> None:
    assert parse(mermaid([(0, 1), (1, 1), (1, 2)], 3)) == {("rule_0", "rule_1"), ("rule_1", "rule_2")}


def test_a_circle_is_an_error() -> None:
    with pytest.raises(StudyError, match="circle"):
        parse(mermaid([(0, 1), (1, 2), (2, 0)], 3))


def test_no_graph_is_an_error() -> None:
    with pytest.raises(StudyError, match="no graph"):
        draw("Building DAG of jobs...")
