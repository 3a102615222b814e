"""The graph: populations are nodes, projections are edges of a frozen `networkx.MultiDiGraph`.

The only module that imports networkx. It answers the questions that need a graph: is there a cycle, what
reaches what, in which order are the populations visited.
"""

from __future__ import annotations

from typing import TypeAlias

import networkx as nx

from blurc.diagnostics import Report
from blurc.model import Network, Projection

Graph: TypeAlias = "nx.MultiDiGraph[str]"


def build(network: Network) -> Graph:
    """The network as a frozen graph. Node attributes: role, shape, size, slots, bias; edges are keyed by
    projection name and carry forward, feedback, plastic, topology."""
    graph: Graph = nx.MultiDiGraph(name=network.name)
    for p in network.populations:
        graph.add_node(p.name, role=p.role, shape=p.shape, size=p.size, slots=dict(p.slots), bias=p.bias)
    for e in network.projections:
        graph.add_edge(
            e.source,
            e.target,
            key=e.name,
            forward=e.forward,
            feedback=e.feedback,
            plastic=e.plastic,
            topology=e.topology,
        )
    return nx.freeze(graph)


def _carrying(graph: Graph, way: str) -> Graph:
    """The subgraph of the projections that carry `way` ("forward" or "feedback"), all populations kept."""
    edges = [e for e in graph.edges(keys=True) if graph.edges[e][way]]
    kept: Graph = nx.MultiDiGraph()
    kept.add_nodes_from(graph.nodes)
    kept.add_edges_from(edges)
    return kept


def forward_order(graph: Graph) -> tuple[str, ...]:
    """Every population that is neither input nor unit, each after all that carry forward to it. Among free
    choices, the order of declaration."""
    rank = {name: i for i, name in enumerate(graph.nodes)}
    order = nx.lexicographical_topological_sort(_carrying(graph, "forward"), key=rank.__getitem__)
    return tuple(n for n in order if graph.nodes[n]["role"] not in ("input", "unit"))


def backward_order(graph: Graph) -> tuple[str, ...]:
    """Every population that is no input and gets feedback, each after all that carry feedback to it. Among
    free choices, the reverse of `forward_order`."""
    rank = {name: -i for i, name in enumerate(forward_order(graph))}
    feedback = _carrying(graph, "feedback")
    order = nx.lexicographical_topological_sort(feedback.reverse(), key=lambda n: rank.get(n, 1))
    return tuple(n for n in order if n in rank and feedback.out_degree(n) > 0)


def verify(network: Network, report: Report) -> None:
    """Cycles, populations that no input reaches (errors), populations that lead to no output (warnings)."""
    graph = build(network)
    if not _cycles(network, graph, report) and not _unreachable(network, graph, report):
        _leading_nowhere(network, graph, report)


def _cycles(network: Network, graph: Graph, report: Report) -> bool:
    for way in ("forward", "feedback"):
        try:
            cycle: list[tuple[str, str, str]] = nx.find_cycle(_carrying(graph, way))
        except nx.NetworkXNoCycle:
            continue
        path = " -> ".join([*(edge[0] for edge in cycle), cycle[0][0]])
        last = _latest(cycle, network)
        report.error(
            "E403",
            f"the projections that carry {way} form a cycle: {path}",
            last.span,
            notes=["within one step every population is visited once, after all that it reads"],
            help=f"remove `{last.source} -> {last.target}`{_one_way(last)}; recurrent projections need "
            "`delay`, which this version does not have yet",
        )
        return True
    return False


def _one_way(p: Projection) -> str:
    """The other way out, where a projection carries both ways between two populations."""
    both = p.forward and p.feedback and p.source != p.target
    return ", or let it carry one way only (`[forward]` or `[backward]`)" if both else ""


def _latest(cycle: list[tuple[str, str, str]], network: Network) -> Projection:
    """The projection of a cycle that was declared last: most likely the one too many."""
    names = {name for _, _, name in cycle}
    return next(p for p in reversed(network.projections) if p.name in names)


def _unreachable(network: Network, graph: Graph, report: Report) -> bool:
    inputs = [p.name for p in network.with_role("input")]
    forward = _carrying(graph, "forward")
    reached = set(inputs).union(*(nx.descendants(forward, i) for i in inputs))
    lost = {p.name for p in network.populations if p.role != "unit" and p.name not in reached}
    # What only follows a lost population is lost, and found, with it: those that stand first are named.
    first = [p for p in network.populations if p.name in lost and not lost & {*forward.predecessors(p.name)}]
    for p in first:
        report.error(
            "E404",
            f"no input reaches the population `{p.name}`",
            p.span,
            help=f"project something forward to it, such as `{inputs[0]} -> {p.name}`",
        )
    return bool(lost)


def _leading_nowhere(network: Network, graph: Graph, report: Report) -> None:
    outputs = [p.name for p in network.with_role("output")]
    influence = _carrying(graph, "forward")
    # A projection that only carries feedback is there for the sake of what its target tells its source.
    only_feedback = [p for p in network.projections if p.feedback and not p.forward]
    influence.add_edges_from((p.target, p.source) for p in only_feedback)
    leading = set(outputs).union(*(nx.ancestors(influence, o) for o in outputs))
    dead = {p.name for p in network.populations if p.role != "unit" and p.name not in leading}
    for p in network.populations:
        if p.name in dead and not dead & {*influence.successors(p.name)}:
            report.warn(
                "W503",
                f"the population `{p.name}` leads to no output",
                p.span,
                help=f"project it on, such as `{p.name} -> {outputs[0]}`, or remove it",
            )


def graphml(graph: Graph) -> str:
    """The graph as GraphML, which Gephi, yEd and Cytoscape read. It knows no lists: shapes become "8x8",
    slots "phi=linear"."""
    plain: Graph = nx.MultiDiGraph(name=str(graph.name))
    for name, data in graph.nodes(data=True):
        shape = "x".join(str(n) for n in data["shape"])
        slots = " ".join(f"{slot}={function}" for slot, function in data["slots"].items())
        plain.add_node(name, **{**data, "shape": shape, "slots": slots})
    for source, target, key, data in graph.edges(keys=True, data=True):
        plain.add_edge(source, target, key=key, **data)
    return "\n".join(nx.generate_graphml(plain, named_key_ids=True)) + "\n"
