"""Cycles, populations that no input reaches, and populations that lead to no output."""

from __future__ import annotations

import networkx as nx

from blurc.diagnostics import Report
from blurc.graph.build import Graph, a_cycle, build, carrying
from blurc.model import Network, Population, Projection


def verify(network: Network, report: Report) -> bool:
    """Reports cycles and unreachable populations (errors), and populations that lead to no output (warnings). Returns
    whether there are no errors."""
    graph = build(network)
    if _loops(network, report) or _cycles(network, graph, report) or _unreachable(network, graph, report):
        return False
    _leading_nowhere(network, graph, report)
    return True


def _loops(network: Network, report: Report) -> bool:
    """Projections from a population to itself."""
    found = [p for p in network.projections if p.source == p.target and not p.delay]
    for p in found:
        report.error(
            "E413",
            f"`{p.source}` projects to itself without a delay",
            p.span,
            notes=[
                "each population is visited once per step, and cannot read its own new value while that is computed"
            ],
            help=f"write `{_delayed(p)}`, to read its value from the previous step",
        )
    return bool(found)


def _cycles(network: Network, graph: Graph, report: Report) -> bool:
    for way in ("forward", "feedback"):
        cycle: list[tuple[str, str, str]] = a_cycle(carrying(graph, way, delayed=False))
        if not cycle:
            continue
        path = " -> ".join([*(edge[0] for edge in cycle), cycle[0][0]])
        last = _latest(cycle, network)
        read = last.source if way == "forward" else last.target
        report.error(
            "E403",
            f"the projections that carry {way} form a cycle: {path}",
            last.span,
            notes=["each population is visited once per step, after everything that it reads"],
            help=f"write `{_delayed(last)}`, to read `{read}` from the previous step; or remove "
            f"`{last.source} -> {last.target}`{_one_way(last)}",
        )
        return True
    return False


def _delayed(p: Projection) -> str:
    """The projection as written, plus a delay."""
    written = " ".join(p.span.text.split())
    if written.endswith("]"):
        return f"{written[:-1]}, delay = 1]"
    return f"{written} [delay = 1]"


def _one_way(p: Projection) -> str:
    """An extra way out for a projection that carries both ways between two populations."""
    both = p.forward and p.feedback
    return ", or let it carry one way only (`[forward]` or `[backward]`)" if both else ""


def _latest(cycle: list[tuple[str, str, str]], network: Network) -> Projection:
    """The projection of a cycle that was declared last: probably the mistaken one."""
    names = {name for _, _, name in cycle}
    return next(p for p in reversed(network.projections) if p.name in names)


def _unreachable(network: Network, graph: Graph, report: Report) -> bool:
    inputs = [p.name for p in network.with_role("input")]
    forward = carrying(graph, "forward", delayed=True)
    reached = set(inputs).union(*(nx.descendants(forward, i) for i in inputs))
    lost = {p.name for p in network.populations if p.role != "unit" and p.name not in reached}
    for p in _first(network, nx.condensation(forward.subgraph(lost))):
        report.error(
            "E404",
            f"no input reaches the population `{p.name}`",
            p.span,
            help=f"project something forward to it, such as `{inputs[0]} -> {p.name}`",
        )
    return bool(lost)


def _first(network: Network, condensed: nx.DiGraph[int]) -> list[Population]:
    """The lost populations to report: the first in each chain, as the rest are lost with it. In a circle, the one
    declared first."""
    heads = [condensed.nodes[c]["members"] for c in condensed if condensed.in_degree(c) == 0]
    chosen = [next(p for p in network.populations if p.name in members) for members in heads]
    return [p for p in network.populations if p in chosen]


def _leading_nowhere(network: Network, graph: Graph, report: Report) -> None:
    outputs = [p.name for p in network.with_role("output")]
    influence = carrying(graph, "forward", delayed=True)
    # A feedback-only projection matters because of what its target sends back to its source.
    only_feedback = [p for p in network.projections if p.feedback and not p.forward]
    influence.add_edges_from((p.target, p.source) for p in only_feedback)
    leading = set(outputs).union(*(nx.ancestors(influence, o) for o in outputs))
    dead = {p.name for p in network.populations if p.role != "unit" and p.name not in leading}
    for p in _first(network, nx.condensation(influence.subgraph(dead).reverse())):
        report.warn(
            "W503",
            f"the population `{p.name}` leads to no output",
            p.span,
            help=f"project it on, such as `{p.name} -> {outputs[0]}`, or remove it",
        )
