"""Pictures of graphs: no arrow runs through a box, kinds are told apart, names are escaped."""

from __future__ import annotations

import itertools
import random
import subprocess
from pathlib import Path
from shutil import which
from xml.etree import ElementTree

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blurc import graph
from blurc.model.model import Network
from blurc.pictures import dot, draw
from blurc.pictures.boxes import placed
from blurc.pictures.layout import Layout, Link, Place, Point, Route, arrange, columns
from blurc.pictures.view import View, view
from blurc.spec import select_model

RULE = 'import "rules/backprop.blur"\n'


def network(body: str) -> Network:
    return select_model(RULE + "network n uses backprop { " + body + " }").network


@st.composite
def graphs(draw_: st.DrawFn) -> tuple[dict[str, Point], list[Link]]:
    """Sizes of boxes, and arrows that lead from an earlier box to a later one."""
    count = draw_(st.integers(2, 24))
    names = [f"p{i}" for i in range(count)]
    sizes = {n: (draw_(st.floats(0.9, 2.0)), draw_(st.floats(0.4, 0.8))) for n in names}
    pairs = st.integers(0, count - 2).flatmap(lambda a: st.tuples(st.just(a), st.integers(a + 1, count - 1)))
    ends = draw_(st.lists(pairs, min_size=1, max_size=2 * count))
    return sizes, [Link(f"e{i}", names[a], names[b]) for i, (a, b) in enumerate(ends)]


def points(route: Route) -> list[Point]:
    """The line, sampled closely."""
    found, at = [route.start], route.start
    for given_ in route.pieces:
        ends = (at, *given_)
        for i in range(1, 21):
            t = i / 20
            if len(given_) == 1:
                found.append(tuple((1 - t) * a + t * b for a, b in zip(ends[0], ends[1], strict=True)))  # pyright: ignore
            else:
                weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
                found.append(tuple(sum(w * p[i] for w, p in zip(weights, ends, strict=True)) for i in (0, 1)))  # pyright: ignore
        at = given_[-1]
    return found


def inside(point: Point, box: Place, margin: float = 0.02) -> bool:
    dx, dy = abs(point[0] - box.x), abs(point[1] - box.y)
    return dx < box.width / 2 - margin and dy < box.height / 2 - margin


def apart(a: Place, b: Place) -> bool:
    return abs(a.x - b.x) >= (a.width + b.width) / 2 or abs(a.y - b.y) >= (a.height + b.height) / 2


# ---------------------------------------------------------------- layout


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_no_arrow_runs_through_a_box(case: tuple[dict[str, Point], list[Link]]) -> None:
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
def test_boxes_do_not_overlap_and_stay_in_the_picture(case: tuple[dict[str, Point], list[Link]]) -> None:
    layout = arrange(*case)
    boxes = list(layout.boxes.values())
    assert all(apart(a, b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert all(_within(layout, (b.x + s * b.width / 2, b.y + s * b.height / 2)) for b in boxes for s in (-1, 1))


def _within(layout: Layout, point: Point, margin: float = 1e-6) -> bool:
    x, y = point
    return -margin <= x <= layout.width + margin and -margin <= y <= layout.height + margin


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_arrows_start_and_end_on_their_boxes_and_apart(case: tuple[dict[str, Point], list[Link]]) -> None:
    _, arrows = case
    layout = arrange(*case)
    ends: list[Point] = []
    for arrow in arrows:
        route, source, target = (layout.routes[arrow.name], layout.boxes[arrow.source], layout.boxes[arrow.target])
        start, end = route.start, route.pieces[-1][-1]
        assert start[0] == pytest.approx(source.x + source.width / 2)
        assert end[0] == pytest.approx(target.x - target.width / 2)
        assert abs(start[1] - source.y) <= source.height / 2
        assert abs(end[1] - target.y) <= target.height / 2
        ends += [start, end]
    rounded = {(round(x, 3), round(y, 3)) for x, y in ends}
    assert len(rounded) == len(ends)


def test_columns_are_longest_paths() -> None:
    arrows = [Link("1", "a", "b"), Link("2", "b", "c"), Link("3", "a", "c"), Link("4", "d", "c")]
    assert columns("cbad", arrows) == {"a": 0, "b": 1, "c": 2, "d": 0}


def test_a_chain_is_drawn_straight() -> None:
    sizes = dict.fromkeys("abcd", (1.0, 0.5))
    layout = arrange(sizes, [Link("1", "a", "b"), Link("2", "b", "c"), Link("3", "c", "d")])
    assert len({round(box.y, 6) for box in layout.boxes.values()}) == 1


def test_many_columns_are_broken_into_rows() -> None:
    names = [f"p{i}" for i in range(30)]
    arrows = [Link(b, a, b) for a, b in itertools.pairwise(names)]
    layout = arrange(dict.fromkeys(names, (1.0, 0.5)), arrows)
    assert layout.width < 2 * 10 + 2
    assert len({round(box.y, 3) for box in layout.boxes.values()}) == 3


def test_a_long_chain_is_no_deep_recursion() -> None:
    names = [f"p{i}" for i in range(1500)]
    arrows = [Link(b, a, b) for a, b in itertools.pairwise(names)]
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
    shown = view(network("input x[2] hidden h[2] output y[2] x -> h h -> y [forward] y -> h [backward]"))
    assert [(a.source, a.target, a.turned) for a in shown.arrows] == [
        ("x", "h", False),
        ("h", "y", False),
        ("h", "y", True),
    ]


def legend(body: str) -> list[str]:
    found = draw.legend(view(network(body)))
    return [entry if isinstance(entry, str) else entry.label for _, entry in found]


def test_the_legend_names_the_kinds_that_are_there() -> None:
    body = (
        "input x[2] hidden h[2] { bias = off } output y[2] "
        "x -> h h -> y [forward] x -> y [fixed] h -> y [backward] h -> h [delay = 1] y -> h [delay = 1, forward]"
    )
    assert legend(body) == [
        "activity and feedback",
        "activity only",
        "feedback only",
        "activity and feedback, fixed",
        "activity and feedback, delayed",
        "activity only, delayed",
        "bias",
    ]


def test_arrows_of_one_kind_have_a_legend_too() -> None:
    assert legend("input x[2] hidden h[2] output y[2] x -> h h -> y [label = own]") == ["activity and feedback"]


def test_a_loop_is_drawn_as_what_it_carries() -> None:
    body = "input x[2] output y[2] x -> y y -> y [delay = 1, forward] y -> y [delay = 2, forward, label = old]"
    shown = view(network(body))
    (box,) = (box for box in shown.boxes if box.loops)
    assert [(a.forward, a.feedback, a.delayed) for a in box.loops] == [(True, False, True)]
    assert legend(body) == ["activity and feedback", "activity only, delayed"]


# ---------------------------------------------------------------- what is shown

BLOCK = """
block residual(width = 8) { input x[width]  hidden a[width]  output y[width]  x -> a  a -> y  x -> y [identity] }
"""


def deep(depth: int) -> Network:
    return network(
        f"input x[8] hidden h{{1}}[8] x -> h1 for i in 2..{depth} {{ hidden h{{i}}[8] h{{i-1}} -> h{{i}} }} "
        f"output y[2] h{depth} -> y"
    )


def residual(depth: int) -> Network:
    body = (
        "input x[8]  r1 = residual(x = x)  "
        f"for i in 2..{depth} {{ r{{i}} = residual(x = r{{i-1}}.y) }}  output y[2]  r{depth}.y -> y"
    )
    return select_model(f"{RULE}{BLOCK}network n uses backprop {{ {body} }}").network


def titles(found: View) -> list[str]:
    return [box.title for box in found.boxes]


def joined(found: View) -> list[tuple[str, str, str]]:
    title = {box.key: box.title for box in found.boxes}
    return [(title[a.source], title[a.target], a.label) for a in found.arrows]


def test_a_small_network_is_drawn_as_it_is() -> None:
    shown = view(deep(6))
    assert titles(shown) == ["x", "h1", "h2", "h3", "h4", "h5", "h6", "y"]
    assert joined(shown) == joined(view(deep(6), full=True))


def test_a_long_chain_becomes_one_stack() -> None:
    shown = view(deep(300))
    assert titles(shown) == ["x", "h1 .. h300", "y"]
    assert shown.boxes[1].copies == 300
    assert shown.boxes[1].lines == ("hidden  300 × [8]", "each → next")
    assert joined(shown) == [("x", "h1 .. h300", ""), ("h1 .. h300", "y", "")]


def test_full_draws_every_population_and_projection() -> None:
    shown = view(deep(300), full=True)
    assert len(shown.boxes) == 302
    assert len(shown.arrows) == 301


def test_an_instance_of_a_block_is_a_frame() -> None:
    shown = view(residual(2))
    assert titles(shown) == ["x", "r1", "r2", "y"]
    frame = shown.boxes[1].inside
    assert frame is not None
    assert [(box.title, box.role) for box in frame.boxes] == [("a", "hidden"), ("y", "hidden"), ("", "port")]
    assert joined(frame) == [("", "a", ""), ("a", "y", ""), ("", "y", "identity")]
    assert joined(shown) == [("x", "r1", ""), ("r1", "r2", ""), ("r2", "y", "")]


def test_instances_that_are_alike_become_one_frame() -> None:
    shown = view(residual(40))
    assert titles(shown) == ["x", "r1 .. r40", "y"]
    assert shown.boxes[1].lines == ("40 ×", "each → next")
    assert len(list(shown.all_boxes())) == 6


def test_chains_of_two_kinds_become_one_stack_of_pairs() -> None:
    body = "hidden a{i}[8] hidden b{i}[4] b{i-1} -> a{i} a{i} -> b{i}"
    shown = view(network(f"input x[8] hidden b{{0}}[4] x -> b0 for i in 1..20 {{ {body} }} output y[2] b20 -> y"))
    assert titles(shown) == ["x", "b0", "a1, b1 .. a20, b20", "y"]
    assert [box.title for box in shown.boxes[2].inside.boxes] == ["a1", "b1", ""]  # pyright: ignore


def test_parallel_projections_are_counted() -> None:
    shown = view(network("input x[8] output y[2] for i in 1..40 { hidden e{i}[4] x -> e{i} e{i} -> y [fixed] }"))
    assert joined(shown) == [("x", "e1 .. e40", "40 ×"), ("e1 .. e40", "y", "40 ×")]


def test_generations_of_all_sizes_become_a_few_stacks() -> None:
    body = "".join(
        f"hidden h{i}[{2 + i % 5}] " + "".join(f"h{j} -> h{i} " for j in range(1, i)) + f"x -> h{i} h{i} -> y "
        for i in range(1, 31)
    )
    shown = view(network(f"input x[3] output y[2] {body}"))
    assert titles(shown) == ["x", "y", "h1 .. h8", "h9 .. h16", "h17 .. h24", "h25 .. h30"]
    assert shown.boxes[2].lines == ("hidden  8 populations", "32 neurons, 2 to 6 each", *shown.boxes[2].lines[2:])
    assert len(shown.arrows) == 4 * 3 // 2 + 2 * 4


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_a_picture_stays_small_whatever_the_network(seed: int) -> None:
    rng = random.Random(seed)
    names = rng.sample([a + b for a in "abcdefgh" for b in "xyzuvw"], 40)
    projections = [f"{rng.choice(['x', *names[:i]])} -> {name}" for i, name in enumerate(names) for _ in range(4)]
    hidden = " ".join(f"hidden {name}[{rng.randint(2, 9)}]" for name in names)
    shown = view(network(f"input x[3] {hidden} output y[2] {' '.join(projections)} {names[-1]} -> y"))
    assert len(list(shown.all_boxes())) <= 18
    assert sum(box.copies for box in shown.boxes) == 42


def test_topologies_and_delays_stand_on_the_arrows() -> None:
    shown = view(
        network(
            "input x[8, 8] hidden c[4, 4, 3] hidden p[2, 2, 3] hidden h[12] hidden g[12] output y[12] "
            "x -> c [conv(3, 3, stride = 2)] c -> p [pool(max, 2, 2), label = halve] p -> h [sparse(p = 0.1)] "
            "h -> g [sparse(fan_in = 3), delay = 2] g -> y [one_to_one] h -> y [identity] h -> h [delay = 1]"
        )
    )
    assert [label for *_, label in joined(shown)] == [
        "conv 3×3 / 2",
        "halve, max pool 2×2",
        "sparse 10 %",
        "one to one",
        "identity",
        "sparse, 3 in, delay 2",
    ]
    assert [(box.title, box.lines[1:]) for box in shown.boxes if box.loops] == [("h", ("↻ delay 1",))]


def test_delayed_projections_go_with_the_others_or_back() -> None:
    shown = view(network("input x[2] hidden h[2] output y[2] x -> h h -> y y -> h [delay = 1] x -> y [delay = 2]"))
    assert [(a.source, a.target, a.delayed, a.turned) for a in shown.arrows] == [
        ("x", "h", False, False),
        ("h", "y", False, False),
        ("h", "y", True, True),
        ("x", "y", True, False),
    ]


def test_long_names_lose_their_middle() -> None:
    long = "a_population_with_a_name_that_goes_on"
    shown = view(network(f"input x[2] hidden {long}[2] output y[2] x -> {long} {long} -> y"))
    assert shown.boxes[1].title == "a_population_with…_goes_on"


def test_what_stands_in_a_frame_is_inside_of_it() -> None:
    everything = placed(view(residual(40)))
    frame = everything.layout.boxes["r1"]
    for box in everything.inside["r1"].layout.boxes.values():
        assert abs(box.x - frame.x) + box.width / 2 < frame.width / 2
        assert abs(box.y - frame.y) + box.height / 2 < frame.height / 2


def test_rows_are_no_wider_than_a_page() -> None:
    names = [f"p{i}" for i in range(8)]
    arrows = [Link(b, a, b) for a, b in itertools.pairwise(names)]
    assert arrange(dict.fromkeys(names, (4.0, 0.5)), arrows).width < 21


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


def test_dot_draws_delays_topologies_frames_and_stacks() -> None:
    lines = [line.strip() for line in dot.text(residual(40)).splitlines()]
    assert 'subgraph "cluster r1" {' in lines
    assert 'label = "r1 .. r40\\n40 ×\\neach → next";' in lines
    assert '"r1.port x" -> "r1.y" [dir = "both", color = "gray60", label = "identity"];' in lines
    assert '"x" -> "r1.port x" [dir = "both", lhead = "cluster r1"];' in lines
    recurrent = dot.text(network("input x[2] hidden h[2] output y[2] x -> h h -> y y -> h [delay = 1]"))
    assert '"y" -> "h" [dir = "both", style = "dotted", label = "delay 1"];' in recurrent


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
