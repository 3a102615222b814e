"""The graph: populations are nodes, projections are edges of a frozen `networkx.MultiDiGraph`.

The only module that imports networkx. It answers the questions that need a graph: is there a cycle, what reaches
what, in which order are the populations visited.
"""

from __future__ import annotations

from typing import TypeAlias

import networkx as nx

from blurc.diagnostics import Report
from blurc.model import Network

Graph: TypeAlias = "nx.MultiDiGraph[str]"


def build(network: Network) -> Graph:
    """The network as a frozen graph. Node attributes: role, shape, size, slots, bias; edges are keyed by projection
    name and carry forward, feedback, plastic, topology."""
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
    """Every population that is neither input nor unit, each after all that carry forward to it. Among free choices,
    the order of declaration."""
    rank = {name: i for i, name in enumerate(graph.nodes)}
    order = nx.lexicographical_topological_sort(_carrying(graph, "forward"), key=rank.__getitem__)
    return tuple(n for n in order if graph.nodes[n]["role"] not in ("input", "unit"))


def backward_order(graph: Graph) -> tuple[str, ...]:
    """Every population that is no input and gets feedback, each after all that carry feedback to it. Among free
    choices, the reverse of `forward_order`."""
    rank = {name: -i for i, name in enumerate(forward_order(graph))}
    feedback = _carrying(graph, "feedback")
    order = nx.lexicographical_topological_sort(feedback.reverse(), key=lambda n: rank.get(n, 1))
    return tuple(n for n in order if n in rank and feedback.out_degree(n) > 0)


def verify(network: Network, report: Report) -> None:
    """Cycles, populations that no input reaches (errors), populations that lead to no output (warnings)."""
    graph = build(network)
    if _cycles(network, graph, report):
        return
    _unreachable(network, graph, report)
    _leading_nowhere(network, graph, report)


def _cycles(network: Network, graph: Graph, report: Report) -> bool:
    for way in ("forward", "feedback"):
        try:
            cycle: list[tuple[str, str, str]] = nx.find_cycle(_carrying(graph, way))
        except nx.NetworkXNoCycle:
            continue
        path = " -> ".join([*(edge[0] for edge in cycle), cycle[0][0]])
        last = next(p for p in network.projections if p.name == cycle[-1][2])
        report.error(
            "E403",
            f"the projections that carry {way} form a cycle: {path}",
            last.span,
            notes=["within one step every population is visited once, after all that it reads"],
            help=f"remove `{last.source} -> {last.target}`, or let it carry one way only (`[forward]` or "
            "`[backward]`); recurrent projections need `delay`, which this version does not have yet",
        )
        return True
    return False


def _unreachable(network: Network, graph: Graph, report: Report) -> None:
    inputs = [p.name for p in network.with_role("input")]
    reached = set(inputs).union(*(nx.descendants(_carrying(graph, "forward"), i) for i in inputs))
    for p in network.populations:
        if p.role != "unit" and p.name not in reached:
            report.error(
                "E404",
                f"no input reaches the population `{p.name}`",
                p.span,
                help=f"project something forward to it, such as `{inputs[0]} -> {p.name}`" if inputs else None,
            )


def _leading_nowhere(network: Network, graph: Graph, report: Report) -> None:
    outputs = [p.name for p in network.with_role("output")]
    forward = _carrying(graph, "forward")
    leading = set(outputs).union(*(nx.ancestors(forward, o) for o in outputs))
    for p in network.populations:
        if p.role != "unit" and p.name not in leading:
            report.warn(
                "W503",
                f"the population `{p.name}` leads to no output",
                p.span,
                help=f"project it on, such as `{p.name} -> {outputs[0]}`, or remove it" if outputs else None,
            )
