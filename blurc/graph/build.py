"""A network as a frozen `networkx.MultiDiGraph`."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, overload

import networkx as nx

from blurc.model import Edges, Network, Projection, Shared

Graph: TypeAlias = "nx.MultiDiGraph[str]"


@dataclass(frozen=True, repr=False)
class Pairs(Sequence[tuple[int, int]]):
    """The edges listed in a file, as (presynaptic, postsynaptic) neurons, unpacked on demand."""

    pre: bytes = field(repr=False)
    post: bytes = field(repr=False)

    def __len__(self) -> int:
        return len(self.pre) // 4

    def __repr__(self) -> str:
        return f"<{len(self)} pairs of a presynaptic and a postsynaptic neuron>"

    @overload
    def __getitem__(self, index: int) -> tuple[int, int]: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[tuple[int, int], ...]: ...
    def __getitem__(self, index: int | slice) -> tuple[int, int] | tuple[tuple[int, int], ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(len(self))[index])
        at = 4 * range(len(self))[index]
        return struct.unpack_from("<i", self.pre, at)[0], struct.unpack_from("<i", self.post, at)[0]


def build(network: Network) -> Graph:
    """The network as a frozen graph.

    Nodes have role, shape, size, slots (a dict) and bias (False, True, "shared"). Edges are keyed by the
    projection's name and have forward, feedback, plastic, topology (as written), delay, order (of declaration) and,
    for an edge file, `pairs`.
    """
    graph: Graph = nx.MultiDiGraph(name=network.name)
    shared = {e.target for e in network.projections if isinstance(e.topology, Shared)}
    for p in network.populations:
        bias = "shared" if p.name in shared else p.bias
        graph.add_node(p.name, role=p.role, shape=p.shape, size=p.size, slots=dict(p.slots), bias=bias)
    for order, e in enumerate(network.projections):
        graph.add_edge(e.source, e.target, key=e.name, **_edge(e), order=order)
    return nx.freeze(graph)


def _edge(e: Projection) -> dict[str, Any]:
    data = {
        "forward": e.forward,
        "feedback": e.feedback,
        "plastic": e.plastic,
        "topology": str(e.topology),
        "delay": e.delay,
    }
    listed = {"pairs": Pairs(e.topology.pre, e.topology.post)} if isinstance(e.topology, Edges) else {}
    return {**data, **listed}
