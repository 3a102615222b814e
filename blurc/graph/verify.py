"""Is there a cycle, what is reached from an input, what leads to an output?"""

from __future__ import annotations

import networkx as nx

from blurc.diagnostics import Report
from blurc.graph.build import Graph, a_cycle, build, carrying
from blurc.model import Network, Population, Projection


def verify(network: Network, report: Report) -> bool:
    """Cycles, populations that no input reaches (errors), populations that lead to no output (warnings). Whether
    there are no errors."""
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
                "within one step a population is visited once, and cannot read what it is about to become"
            ],
            help=f"write `{_delayed(p)}`, to read it as it stood one step ago",
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
            notes=["within one step every population is visited once, after all that it reads"],
            help=f"write `{_delayed(last)}`, to read `{read}` as it stood one step ago; or remove "
            f"`{last.source} -> {last.target}`{_one_way(last)}",
        )
        return True
    return False


def _delayed(p: Projection) -> str:
    """A projection as it is written, with a delay."""
    written = " ".join(p.span.text.split())
    if written.endswith("]"):
        return f"{written[:-1]}, delay = 1]"
    return f"{written} [delay = 1]"


def _one_way(p: Projection) -> str:
    """The other way out, where a projection carries both ways between two populations."""
    both = p.forward and p.feedback
    return ", or let it carry one way only (`[forward]` or `[backward]`)" if both else ""


def _latest(cycle: list[tuple[str, str, str]], network: Network) -> Projection:
    """The projection of a cycle that was declared last: most likely the one too many."""
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
    """Of populations that follow each other, those that stand first: what follows them is found with them. Of those
    that follow each other in a circle, the one declared first."""
    heads = [condensed.nodes[c]["members"] for c in condensed if condensed.in_degree(c) == 0]
    chosen = [next(p for p in network.populations if p.name in members) for members in heads]
    return [p for p in network.populations if p in chosen]


def _leading_nowhere(network: Network, graph: Graph, report: Report) -> None:
    outputs = [p.name for p in network.with_role("output")]
    influence = carrying(graph, "forward", delayed=True)
    # A projection that only carries feedback is there for the sake of what its target tells its source.
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
