"""The graph: populations are nodes, projections are edges of a frozen `networkx.MultiDiGraph`.

The only package that imports networkx.

build.py    a network as a graph, and the orders in which its populations are visited
verify.py   the questions that need a graph: is there a cycle, what reaches what
graphml.py  GraphML, read and written
given.py    a graph of somebody else's as the text of a network; `populations.py` and `neurons.py` are its two kinds,
            and `attributes.py` reads what their nodes and edges say
"""

from blurc.graph.build import Graph, backward_order, build, forward_order
from blurc.graph.graphml import NoGraph, graphml, read_graphml
from blurc.graph.verify import verify

__all__ = [
    "Graph",
    "NoGraph",
    "backward_order",
    "build",
    "forward_order",
    "graphml",
    "read_graphml",
    "verify",
]
