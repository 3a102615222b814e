"""The network as a graph: populations are nodes, projections are edges of a frozen `networkx.MultiDiGraph`.

build.py    a network as a graph of networkx, which only `net.graph` and GraphML need
pairs.py    the two neurons of every synapse of a projection
order.py    the orders in which to visit populations, and what reaches what
verify.py   checks: cycles, unreachable populations
nir.py      writes NIR
graphml.py  reads and writes GraphML
edges.py    edge files: the pairs of neurons that `edges("wiring.csv")` connects; their texts (edge_text.py) with a
            line for each edge (edge_lines.py), or in GraphML (edge_graphml.py)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.graph.build import Graph, build
    from blurc.graph.edge_text import WrongFile
    from blurc.graph.edges import SUFFIXES, EdgeFile, edges
    from blurc.graph.graphml import NoGraph, graphml, read_graphml
    from blurc.graph.nir import Synapses, nir_bytes, nir_package
    from blurc.graph.order import a_cycle, backward_order, forward_order, reached
    from blurc.graph.pairs import Pairs
    from blurc.graph.verify import verify

__all__ = [
    "SUFFIXES",
    "EdgeFile",
    "Graph",
    "NoGraph",
    "Pairs",
    "Synapses",
    "WrongFile",
    "a_cycle",
    "backward_order",
    "build",
    "edges",
    "forward_order",
    "graphml",
    "nir_bytes",
    "nir_package",
    "reached",
    "read_graphml",
    "verify",
]

face(__name__)
