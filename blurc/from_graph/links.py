"""Graphs whose nodes are neurons: the direction and delay of every edge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import networkx as nx

from blurc.diagnostics import Report, did_you_mean
from blurc.from_graph.attributes import Attributes
from blurc.from_graph.ends import read_ends
from blurc.from_graph.given import AnyGraph, Edge, Node, Wishes, edges
from blurc.graph import a_cycle

ORIENTS = ("both", "order")
CYCLE = 12  # nodes of a cycle shown in a message


@dataclass(frozen=True)
class Link:
    """An edge from a presynaptic to a postsynaptic neuron. `fixes_delay`: it specifies its own delay. `edge`: what
    networkx calls it. `copy`: how many parallel edges with the same options come before it."""

    source: Node
    target: Node
    forward: bool
    feedback: bool
    plastic: bool
    delay: int
    fixes_delay: bool
    edge: Edge
    copy: int = 0

    @property
    def ways(self) -> tuple[bool, bool, bool, int]:
        return self.forward, self.feedback, self.plastic, self.delay

    @property
    def options(self) -> tuple[bool, bool, bool, int, int]:
        return *self.ways, self.copy


@dataclass(frozen=True)
class Wiring:
    nodes: tuple[Node, ...]  # inputs and outputs in the caller's order
    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    links: tuple[Link, ...]
    options: Mapping[Node, tuple[tuple[tuple[str, str], ...], str]]  # slots and bias

    @property
    def roles(self) -> dict[Node, str]:
        named = {"input": self.inputs, "output": self.outputs}
        return {**dict.fromkeys(self.nodes, "hidden"), **{n: role for role, nodes in named.items() for n in nodes}}

    def carrying(self, way: str, *, delayed: bool) -> nx.DiGraph[Node]:
        graph: nx.DiGraph[Node] = nx.DiGraph()
        graph.add_nodes_from(self.nodes)
        graph.add_edges_from((k.source, k.target) for k in self.links if getattr(k, way) and (delayed or not k.delay))
        return graph


def read(graph: AnyGraph, wishes: Wishes, report: Report) -> Wiring:
    """Complete only if nothing is reported."""
    attributes = Attributes(report)
    _check_wishes(graph, wishes, report)
    inputs, outputs = read_ends(graph, wishes, attributes, report)
    middle = [n for n in graph.nodes if n not in inputs and n not in outputs]
    nodes = (*inputs, *middle, *outputs)
    options = {n: _options(n, graph.nodes[n], attributes, has_bias=n not in inputs) for n in nodes}
    links = tuple(_links(graph, wishes, nodes, set(inputs), attributes))
    attributes.tell()
    wiring = Wiring(nodes, tuple(inputs), tuple(outputs), links, options)
    if not report.errors:
        _check_links(graph, wiring, report)
    if not report.errors:
        wiring = _numbered(_delayed(wiring, wishes.delay))
        _check_cycles(graph, wiring, report)
    return wiring


def _options(
    node: Node, data: Mapping[str, Any], attributes: Attributes, *, has_bias: bool
) -> tuple[tuple[tuple[str, str], ...], str]:
    where = f"the node `{node}`"
    return attributes.slots(where, data), attributes.bias(where, data, shared=False) if has_bias else "on"


def _check_wishes(graph: AnyGraph, wishes: Wishes, report: Report) -> None:
    if wishes.orient not in ORIENTS:
        near = did_you_mean(str(wishes.orient), ORIENTS)
        message = f'`orient` must be "both" or "order", found {wishes.orient!r}'
        report.error("E916", message, None, help=f'write orient="{near or ORIENTS[0]}"')
    elif wishes.orient == "order" and graph.is_directed():
        message = "`orient` is for undirected graphs, but this graph is directed"
        report.error("E916", message, None, help="leave `orient` out, or pass `graph.to_undirected()`")
    delay: Any = wishes.delay
    if delay is not None and (isinstance(delay, bool) or not isinstance(delay, Integral) or int(delay) < 1):
        message = f"`delay` must be an integer number of steps, at least 1, found {delay!r}"
        report.error("E916", message, None, help="write delay=1")


# ---------------------------------------------------------------- edges


def _links(
    graph: AnyGraph, wishes: Wishes, nodes: tuple[Node, ...], inputs: set[Node], attributes: Attributes
) -> Iterator[Link]:
    rank = {n: i for i, n in enumerate(nodes)}
    for a, b, key, data in edges(graph):
        edge = (a, b) if key is None else (a, b, key)
        where = f"the edge from `{a}` to `{b}`"
        delay = attributes.delay(where, data)
        flags = attributes.flags(where, data)
        for source, target in _directions(graph, wishes, a, b, rank, inputs):
            yield Link(source, target, *flags, delay or 0, delay is not None, edge)


def _directions(
    graph: AnyGraph, wishes: Wishes, a: Node, b: Node, rank: Mapping[Node, int], inputs: set[Node]
) -> Iterable[tuple[Node, Node]]:
    """An undirected edge goes both ways, or from the earlier node to the later; never into an input."""
    if graph.is_directed():
        return [(a, b)]
    early, late = (a, b) if rank[a] <= rank[b] else (b, a)
    both = [(early, late)] if wishes.orient == "order" or a == b else [(early, late), (late, early)]
    return [(source, target) for source, target in both if target not in inputs]


def _check_links(graph: AnyGraph, wiring: Wiring, report: Report) -> None:
    inputs = set(wiring.inputs)
    into = [k for k in wiring.links if k.target in inputs]
    if into:
        report.error(
            "E915",
            f"{_edges(into)} {_leads(into)} into an input, whose states come from outside",
            None,
            help="remove such edges: `graph.remove_edges_from(list(graph.in_edges(inputs)))`",
        )
    nothing = [k for k in wiring.links if not (k.forward or k.feedback)]
    if nothing:
        carries = "carry" if nothing[1:] else "carries"
        message = f"{_edges(nothing)} {carries} neither forward nor feedback"
        report.error("E915", message, None, help="leave `forward` or `feedback` True")
    if twice := _twice(graph, wiring.links):
        merge = f"networkx.{'DiGraph' if graph.is_directed() else 'Graph'}(graph)"
        report.error(
            "E915",
            f"{_edges(twice)} {'appear' if twice[1:] else 'appears'} twice with the same attributes",
            None,
            help=f"pass `{merge}`, which keeps one of them; if each is a synapse of its own, number them: "
            "`for i, (*_, data) in enumerate(graph.edges(data=True)): data['number'] = i`",
        )


def _twice(graph: AnyGraph, links: Sequence[Link]) -> list[Link]:
    """Of parallel edges, those with nothing to tell them apart. Others are synapses of their own."""
    parallel = Counter((k.source, k.target) for k in links)
    alike: dict[object, list[Link]] = {}
    for k in links:
        if parallel[k.source, k.target] > 1:
            named = [key for key in k.edge[2:] if isinstance(key, str)]
            data = sorted(graph.edges[k.edge].items(), key=str)  # pyright: ignore
            alike.setdefault((k.source, k.target, repr((named, data))), []).append(k)
    return [same[0] for same in alike.values() if same[1:]]


def _edges(links: list[Link]) -> str:
    first = f"the edge from `{links[0].source}` to `{links[0].target}`"
    return f"{first}, and {len(links) - 1:,} more," if links[1:] else first


def _leads(links: list[Link]) -> str:
    return "lead" if links[1:] else "leads"


# ---------------------------------------------------------------- cycles


def _delayed(wiring: Wiring, delay: int | None) -> Wiring:
    """With the caller's delay on every edge of a cycle within the step."""
    if delay is None:
        return wiring
    circling = set[tuple[Node, Node]]()
    for way in ("forward", "feedback"):
        within = wiring.carrying(way, delayed=False)
        part = {n: i for i, nodes in enumerate(nx.strongly_connected_components(within)) for n in nodes}
        circling |= {(a, b) for a, b in within.edges if part[a] == part[b]}
    links = [
        replace(k, delay=int(delay)) if (k.source, k.target) in circling and not k.fixes_delay else k
        for k in wiring.links
    ]
    return replace(wiring, links=tuple(links))


def _numbered(wiring: Wiring) -> Wiring:
    """Parallel edges with the same options become parallel projections."""
    before, links = Counter[object](), list[Link]()
    for k in wiring.links:
        same = (k.source, k.target, k.ways)
        links.append(replace(k, copy=before[same]))
        before[same] += 1
    return replace(wiring, links=tuple(links))


def _check_cycles(graph: AnyGraph, wiring: Wiring, report: Report) -> None:
    help = "pass delay=1: every edge on a cycle then reads its neuron's value from the previous step"
    if not graph.is_directed():
        help += '; or orient="order": every edge then goes from the earlier node to the later'
    loops = [k for k in wiring.links if k.source == k.target and not k.delay]
    if loops:
        message = f"{_edges(loops)} {_leads(loops)} back to the neuron itself without a delay"
        report.error("E915", message, None, help=help)
        return
    for way in ("forward", "feedback"):
        if cycle := a_cycle(wiring.carrying(way, delayed=False).pred):
            report.error(
                "E403",
                f"the edges that carry {way} form a cycle of nodes: {_cycle(cycle)}",
                None,
                notes=["each neuron is visited once per step, after everything that it reads"],
                help=help,
            )
            return


def _cycle(nodes: list[Node]) -> str:
    shown = [*nodes, nodes[0]]
    if len(nodes) > CYCLE:
        shown = [*nodes[:CYCLE], f".. ({len(nodes) - CYCLE:,} more) ..", nodes[0]]
    return " -> ".join(map(str, shown))
