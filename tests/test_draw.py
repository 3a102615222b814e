"""Pictures of graphs: no arrow runs through a box, kinds are told apart, names are escaped."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path
from shutil import which
from xml.etree import ElementTree

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blurc import compiler, graph
from blurc.model import Network
from blurc.pictures import dot, draw
from blurc.pictures.layout import Arrow, Box, Layout, Point, Route, arrange, columns

RULE = 'import "rules/backprop.blur"\n'


def network(body: str) -> Network:
    return compiler.model(RULE + "network n uses backprop { " + body + " }").network


@st.composite
def graphs(draw_: st.DrawFn) -> tuple[dict[str, Point], list[Arrow]]:
    """Sizes of boxes, and arrows that lead from an earlier box to a later one."""
    count = draw_(st.integers(2, 24))
    names = [f"p{i}" for i in range(count)]
    sizes = {n: (draw_(st.floats(0.9, 2.0)), draw_(st.floats(0.4, 0.8))) for n in names}
    pairs = st.integers(0, count - 2).flatmap(lambda a: st.tuples(st.just(a), st.integers(a + 1, count - 1)))
    ends = draw_(st.lists(pairs, min_size=1, max_size=2 * count))
    return sizes, [Arrow(f"e{i}", names[a], names[b]) for i, (a, b) in enumerate(ends)]


def points(route: Route) -> list[Point]:
    """The line, sampled closely."""
    found, at = [route.start], route.start
    for kind, given_ in route.pieces:
        ends = (at, *given_)
        for i in range(1, 21):
            t = i / 20
            if kind == "line":
                found.append(tuple((1 - t) * a + t * b for a, b in zip(ends[0], ends[1], strict=True)))  # pyright: ignore
            else:
                weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
                found.append(tuple(sum(w * p[i] for w, p in zip(weights, ends, strict=True)) for i in (0, 1)))  # pyright: ignore
        at = given_[-1]
    return found


def inside(point: Point, box: Box, margin: float = 0.02) -> bool:
    dx, dy = abs(point[0] - box.x), abs(point[1] - box.y)
    return dx < box.width / 2 - margin and dy < box.height / 2 - margin


def apart(a: Box, b: Box) -> bool:
    return abs(a.x - b.x) >= (a.width + b.width) / 2 or abs(a.y - b.y) >= (a.height + b.height) / 2


# ---------------------------------------------------------------- layout


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_no_arrow_runs_through_a_box(case: tuple[dict[str, Point], list[Arrow]]) -> None:
    layout = arrange(*case)
    assert not [
        (route, box)
        for route in layout.routes.values()
        for point in points(route)
        for box in layout.boxes.values()
        if inside(point, box)
    ]


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_boxes_do_not_overlap_and_stay_in_the_picture(case: tuple[dict[str, Point], list[Arrow]]) -> None:
    layout = arrange(*case)
    boxes = list(layout.boxes.values())
    assert all(apart(a, b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert all(
        _within(layout, (b.x + s * b.width / 2, b.y + s * b.height / 2)) for b in boxes for s in (-1, 1)
    )


def _within(layout: Layout, point: Point, margin: float = 1e-6) -> bool:
    x, y = point
    return -margin <= x <= layout.width + margin and -margin <= y <= layout.height + margin


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_arrows_start_and_end_on_their_boxes_and_apart(case: tuple[dict[str, Point], list[Arrow]]) -> None:
    _, arrows = case
    layout = arrange(*case)
    ends: list[Point] = []
    for arrow in arrows:
        route, source, target = (
            layout.routes[arrow.name],
            layout.boxes[arrow.source],
            layout.boxes[arrow.target],
        )
        start, end = route.start, route.pieces[-1][1][-1]
        assert start[0] == pytest.approx(source.x + source.width / 2)
        assert end[0] == pytest.approx(target.x - target.width / 2)
        assert abs(start[1] - source.y) <= source.height / 2
        assert abs(end[1] - target.y) <= target.height / 2
        ends += [start, end]
    rounded = {(round(x, 3), round(y, 3)) for x, y in ends}
    assert len(rounded) == len(ends)


def test_columns_are_longest_paths() -> None:
    arrows = [Arrow("1", "a", "b"), Arrow("2", "b", "c"), Arrow("3", "a", "c"), Arrow("4", "d", "c")]
    assert columns("cbad", arrows) == {"a": 0, "b": 1, "c": 2, "d": 0}


def test_a_chain_is_drawn_straight() -> None:
    sizes = dict.fromkeys("abcd", (1.0, 0.5))
    layout = arrange(sizes, [Arrow("1", "a", "b"), Arrow("2", "b", "c"), Arrow("3", "c", "d")])
    assert len({round(box.y, 6) for box in layout.boxes.values()}) == 1


def test_many_columns_are_broken_into_rows() -> None:
    names = [f"p{i}" for i in range(30)]
    arrows = [Arrow(b, a, b) for a, b in itertools.pairwise(names)]
    layout = arrange(dict.fromkeys(names, (1.0, 0.5)), arrows)
    assert layout.width < 2 * 10 + 2
    assert len({round(box.y, 3) for box in layout.boxes.values()}) == 3


def test_a_long_chain_is_no_deep_recursion() -> None:
    names = [f"p{i}" for i in range(1500)]
    arrows = [Arrow(b, a, b) for a, b in itertools.pairwise(names)]
    assert columns(reversed(names), arrows)["p1499"] == 1499


# ---------------------------------------------------------------- pictures


def test_the_same_network_gives_the_same_bytes() -> None:
    net = network("input x[2] hidden h[3] output y[2] x -> h h -> y x -> y [fixed]")
    assert draw.render(net, "svg") == draw.render(net, "svg")
    assert draw.render(net, "png") == draw.render(net, "png")


def test_an_svg_is_well_formed_and_has_the_size_of_its_layout() -> None:
    small, large = (ElementTree.fromstring(draw.render(network(body), "svg")) for body in (SMALL, LARGE))
    assert _points_wide(large) > _points_wide(small)


SMALL = "input x[2] output y[2] x -> y"
LARGE = "input x[2] hidden a[2] hidden b[2] hidden c[2] output y[2] x -> a a -> b b -> c c -> y x -> y"


def _points_wide(svg: ElementTree.Element) -> float:
    return float(svg.attrib["width"].removesuffix("pt"))


def test_backward_projections_that_lead_back_are_drawn_the_other_way_round() -> None:
    shown = draw.Shown.of(
        network("input x[2] hidden h[2] output y[2] x -> h h -> y [forward] y -> h [backward]")
    )
    arrow = next(a for a in shown.arrows if a.name == "y->h")
    assert (arrow.source, arrow.target) == ("h", "y")
    assert shown.reversed == (False, False, True)


def test_the_legend_names_the_kinds_that_are_there() -> None:
    body = "input x[2] hidden h[2] output y[2] x -> h h -> y [forward] x -> y [fixed] h -> y [backward]"
    legend = [
        entry if isinstance(entry, str) else entry.label
        for _, entry in draw._legend(draw.Shown.of(network(body)))
    ]
    assert legend == ["both ways", "forward only", "backward only", "both ways, fixed", "bias"]


# ---------------------------------------------------------------- other forms

KINDS = (
    "input x[2, 3]  hidden h[2]  output y[2] { phi = linear }  "
    "x -> h  h -> y [forward, fixed]  h -> y [backward, label = back]"
)


def test_dot_tells_the_kinds_apart() -> None:
    lines = [line.strip() for line in dot.text(network(KINDS)).splitlines() if "->" in line]
    assert lines == [
        '"x" -> "h" [dir = "both"];',
        '"h" -> "y" [dir = "forward", color = "gray60"];',
        '"h" -> "y" [dir = "back", style = "dashed", label = "back"];',
    ]


def test_dot_escapes_what_means_something_in_it() -> None:
    assert dot.quoted('a"b\\c\nd') == '"a\\"b\\\\c\\nd"'


@pytest.mark.skipif(which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_the_dot_file(tmp_path: Path) -> None:
    (tmp_path / "n.dot").write_text(dot.text(network(KINDS)))
    subprocess.run(["dot", "-Tsvg", str(tmp_path / "n.dot")], check=True, capture_output=True)


def test_graphml_comes_back_with_shapes_and_ways() -> None:
    text = graph.graphml(graph.build(network(KINDS)))
    back = nx.parse_graphml(text, force_multigraph=True)
    assert back.nodes["x"]["shape"] == "2x3"
    assert back.nodes["y"]["slots"] == "phi=linear"
    assert back.edges["h", "y", "back"]["forward"] is False
    assert back.edges["h", "y", "back"]["feedback"] is True
