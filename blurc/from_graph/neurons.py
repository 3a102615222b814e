"""Graphs whose nodes are neurons: groups them into populations with few projections between them.

1. Inputs, outputs and edges are read: `ends.py`, `links.py`.
2. Generations: a node comes after all that project to it within the step. Nodes of a generation with the same role
   and options form a population. All inputs are in generation 0. All outputs are one population if none of them
   leads to another within the step; otherwise they are grouped by how many outputs come before them.
3. Where populations would feed back in a circle, which takes edges with `forward=False`, they are also split by
   their generations in the feedback.
4. Nodes with slack are placed as early as possible or as late as possible, whichever makes fewer projections.
5. Parallel edges with the same options go to parallel projections, as each is a synapse of its own.
6. Between two populations, a complete set of edges is `dense`, an ordered matching `one_to_one`, the rest `edges(..)`.

Known inefficiency: a graph of d generations may need d * d / 2 projections.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import networkx as nx

from blurc.diagnostics import Report
from blurc.from_graph.given import (
    AnyGraph,
    Edge,
    Neurons,
    Node,
    Wishes,
    Written,
    pairs_file,
    population_line,
    projection_line,
    several,
    ways,
)
from blurc.from_graph.links import Link, Wiring, read

Generations: TypeAlias = dict[Node, int]


@dataclass(frozen=True)
class Group:
    """What the neurons of a population have in common. `rank`: how many outputs come before an output. `feedback`: the
    generation in the feedback, where it matters."""

    role: str
    generation: int
    feedback: int
    rank: int
    slots: tuple[tuple[str, str], ...]
    bias: str


Grouped: TypeAlias = dict[Group, list[Node]]  # in the order of the populations


def written(graph: AnyGraph, wishes: Wishes) -> Written:
    report = Report()
    wiring = read(graph, wishes, report)
    report.check()
    _reached(wiring, report)
    report.check()
    _leads_on(wiring, report)
    grouped = _fewest(wiring)
    named = dict(zip(grouped, _names(grouped), strict=True))
    neurons = Neurons.of({named[group]: nodes for group, nodes in grouped.items()})
    declared = [
        population_line(group.role, named[group], (len(nodes),), group.slots, group.bias)
        for group, nodes in grouped.items()
    ]
    projected = _projections(wiring.links, neurons)
    neurons = replace(neurons, edges=projected.edges)
    return Written((*declared, *projected.lines), projected.files, neurons, tuple(report.warnings))


# ---------------------------------------------------------------- reachability


def _reached(wiring: Wiring, report: Report) -> None:
    forward = wiring.carrying("forward", delayed=True)
    reached = _from(forward, wiring.inputs)
    lost = [node for node in wiring.nodes if node not in reached]
    if lost:
        report.error(
            "E404",
            f"no input reaches {_nodes(lost)}",
            None,
            help="remove such nodes from the graph, list more inputs, or add edges that lead to them",
        )


def _leads_on(wiring: Wiring, report: Report) -> None:
    influence = wiring.carrying("forward", delayed=True)
    influence.add_edges_from((k.target, k.source) for k in wiring.links if k.feedback and not k.forward)
    leading = _from(influence.reverse(copy=False), wiring.outputs)
    dead = [node for node in wiring.nodes if node not in leading]
    if dead:
        lead = "leads" if len(dead) == 1 else "lead"
        help = "remove such nodes from the graph, or list more outputs"
        report.warn("W503", f"{_nodes(dead)} {lead} to no output", None, help=help)


def _from(graph: nx.DiGraph[Node], starts: Iterable[Node]) -> set[Node]:
    seen, todo = set(starts), list(starts)
    while todo:
        new = [n for n in graph.successors(todo.pop()) if n not in seen]
        seen.update(new)
        todo += new
    return seen


def _nodes(nodes: list[Node]) -> str:
    return f"the node{'s' if nodes[1:] else ''} {several(nodes)}"


# ---------------------------------------------------------------- generations


def _fewest(wiring: Wiring) -> Grouped:
    """The grouping that makes fewer projections; the early one if both make the same number."""
    ranks = _ranks(wiring)
    generations = (_early(wiring, ranks), _late(wiring, ranks))
    plain = [_grouped(wiring, ranks, found, {}) for found in generations]
    ways = [grouped for grouped in plain if _feeds_back_in_order(wiring, grouped)]
    if not ways:
        feedback = _feedback(wiring)
        ways = [_grouped(wiring, ranks, found, feedback) for found in generations]
    return min(ways, key=lambda grouped: _count(wiring.links, grouped))


def _feeds_back_in_order(wiring: Wiring, grouped: Grouped) -> bool:
    group = {node: i for i, nodes in enumerate(grouped.values()) for node in nodes}
    between: nx.DiGraph[int] = nx.DiGraph()
    within = wiring.carrying("feedback", delayed=False)
    between.add_edges_from((group[a], group[b]) for a, b in within.edges)
    return nx.is_directed_acyclic_graph(between)


def _feedback(wiring: Wiring) -> Generations:
    """The generation of every node in the feedback: each of its edges goes to a later generation."""
    within = wiring.carrying("feedback", delayed=False)
    found: Generations = {}
    for node in nx.topological_sort(within):
        found[node] = 1 + max((found[p] for p in within.predecessors(node)), default=-1)
    return found


def _count(links: Iterable[Link], grouped: Grouped) -> int:
    group = {node: g for g, nodes in grouped.items() for node in nodes}
    return len({(group[k.source], group[k.target], k.options) for k in links})


def _ranks(wiring: Wiring) -> dict[Node, int]:
    """How many other outputs come before each output within the step."""
    within = wiring.carrying("forward", delayed=False)
    outputs, before = set(wiring.outputs), dict[Node, int]()
    for node in nx.topological_sort(within):
        before[node] = max((before[p] + (p in outputs) for p in within.predecessors(node)), default=0)
    return {node: before[node] for node in wiring.outputs}


def _gathered(wiring: Wiring, ranks: Mapping[Node, int]) -> nx.DiGraph[Node]:
    """The graph of the step without inputs, with the outputs of each rank merged into one node."""
    name: dict[Node, Node] = {node: ("outputs", rank) for node, rank in ranks.items()}
    inputs = set(wiring.inputs)
    gathered: nx.DiGraph[Node] = nx.DiGraph()
    gathered.add_nodes_from(name.get(n, n) for n in wiring.nodes if n not in inputs)
    within = wiring.carrying("forward", delayed=False)
    gathered.add_edges_from((name.get(a, a), name.get(b, b)) for a, b in within.edges if a not in inputs)
    return gathered


def _early(wiring: Wiring, ranks: Mapping[Node, int]) -> Generations:
    gathered = _gathered(wiring, ranks)
    found: Generations = {}
    for node in nx.topological_sort(gathered):
        found[node] = 1 + max((found[p] for p in gathered.predecessors(node)), default=0)
    return _each(wiring, ranks, found)


def _late(wiring: Wiring, ranks: Mapping[Node, int]) -> Generations:
    gathered = _gathered(wiring, ranks)
    before_end: Generations = {}
    for node in nx.topological_sort(gathered.reverse(copy=False)):
        before_end[node] = 1 + max((before_end[s] for s in gathered.successors(node)), default=0)
    last = max(before_end.values(), default=0)
    return _each(wiring, ranks, {node: last + 1 - n for node, n in before_end.items()})


def _each(wiring: Wiring, ranks: Mapping[Node, int], found: Generations) -> Generations:
    gathered = {node: ("outputs", rank) for node, rank in ranks.items()}
    return {node: found.get(gathered.get(node, node), 0) for node in wiring.nodes}


def _grouped(wiring: Wiring, ranks: Mapping[Node, int], generation: Generations, feedback: Generations) -> Grouped:
    found: Grouped = {}
    for node in wiring.nodes:
        slots, bias = wiring.options[node]
        group = Group(wiring.roles[node], generation[node], feedback.get(node, 0), ranks.get(node, 0), slots, bias)
        found.setdefault(group, []).append(node)
    order = sorted(found, key=lambda g: (g.generation, g.feedback))  # stable: ties by first node
    return {group: found[group] for group in order}


# ---------------------------------------------------------------- what is written


def _names(grouped: Grouped) -> list[str]:
    """`inputs`, `outputs` and `h1`, `h2` .. in order; `inputs1`, `inputs2` if there are several."""
    roles = [group.role for group in grouped]
    seen = dict.fromkeys(roles, 0)
    names: list[str] = []
    for role in roles:
        seen[role] += 1
        if role == "hidden":
            names.append(f"h{seen[role]}")
        else:
            names.append(f"{role}s{seen[role] if roles.count(role) > 1 else ''}")
    return names


@dataclass(frozen=True)
class Projected:
    """The lines of the projections, their edge files by name, and the edges of the graph by projection, in the order of
    its synapses."""

    lines: list[str] = field(default_factory=list[str])
    files: dict[str, str] = field(default_factory=dict[str, str])
    edges: dict[str, tuple[Edge, ...]] = field(default_factory=dict[str, tuple[Edge, ...]])


def _projections(links: Iterable[Link], neurons: Neurons) -> Projected:
    place = {name: i for i, name in enumerate(neurons.populations)}
    between: dict[tuple[int, int, tuple[bool, bool, bool, int, int]], dict[tuple[int, int], Edge]] = {}
    for link in links:
        (source, a), (target, b) = neurons[link.source], neurons[link.target]
        between.setdefault((place[target], place[source], link.options), {})[b, a] = link.edge
    names, found = list(neurons.populations), Projected()
    parallel, filed = Counter[str](), Counter[str]()
    for (target, source, options), pairs in sorted(between.items(), key=lambda item: item[0]):
        a, b = names[source], names[target]
        topology = _plain([len(neurons.populations[end]) for end in (a, b)], pairs)
        order = sorted(pairs) if topology != "dense" else sorted(pairs, key=lambda pair: pair[::-1])
        if topology is None:
            file = f"{a}-{b}{_number('-', filed, f'{a}-{b}')}.csv"
            found.files[file] = pairs_file((pre, post) for post, pre in order)
            topology = f'edges("{file}")'
        attributes = [*ways(*options[:4]), *([topology] if topology != "dense" else [])]
        found.lines.append(projection_line(a, b, attributes))
        found.edges[f"{a}->{b}{_number('#', parallel, f'{a}->{b}')}"] = tuple(pairs[pair] for pair in order)
    return found


def _number(sign: str, counted: Counter[str], name: str) -> str:
    """`#2` for the second of a name; the first has no number."""
    counted[name] += 1
    return f"{sign}{counted[name]}" if counted[name] > 1 else ""


def _plain(sizes: list[int], pairs: Collection[tuple[int, int]]) -> str | None:
    """The topology of these edges if it needs no file."""
    if len(pairs) == sizes[0] * sizes[1]:
        return "dense"
    matching = all(a == b for a, b in pairs)
    return "one_to_one" if matching and len(pairs) == sizes[0] == sizes[1] else None
