"""A network as a frozen `networkx.MultiDiGraph`."""

from __future__ import annotations

from typing import Any, TypeAlias

import networkx as nx

from blurc.graph.pairs import Pairs
from blurc.model import Network, Population, Projection, Shared, given

Graph: TypeAlias = "nx.MultiDiGraph[str]"


def build(network: Network) -> Graph:
    """The network as a frozen graph.

    Nodes have role, shape, size, slots (a dict), bias (False, True, "shared") and, where it is true, ids. Edges are
    keyed by the projection's name and have forward, feedback, plastic, topology (as written), delay, order (of
    declaration) and, unless there are no synapses or shared ones, `pairs`; `same` is the projection whose synapses it
    has, if another's. Both have a `kind`, and `values` as they are written, if they were given.
    """
    graph: Graph = nx.MultiDiGraph(name=network.name)
    shared = {e.target for e in network.projections if isinstance(e.topology, Shared)}
    for p in network.populations:
        bias = "shared" if p.name in shared else p.bias
        more = {**({"ids": True} if p.ids else {}), **_given(p)}
        graph.add_node(p.name, role=p.role, shape=p.shape, size=p.size, slots=dict(p.slots), bias=bias, **more)
    for order, e in enumerate(network.projections):
        graph.add_edge(e.source, e.target, key=e.name, **_edge(e, network), order=order)
    return nx.freeze(graph)


def _given(e: Population | Projection) -> dict[str, str]:
    kind = {"kind": e.kind} if e.kind else {}
    return {**kind, "values": ", ".join(map(given, e.values))} if e.values else kind


def _edge(e: Projection, network: Network) -> dict[str, Any]:
    data: dict[str, Any] = {
        "forward": e.forward,
        "feedback": e.feedback,
        "plastic": e.plastic,
        "topology": str(e.topology),
        "delay": e.delay,
        **_given(e),
        **({"same": e.same} if e.same else {}),
    }
    if e.has_arrays and not e.topology.shares:
        data["pairs"] = Pairs(e.topology, *(network.population(name).shape for name in (e.source, e.target)))
    return data
