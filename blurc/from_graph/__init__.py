"""A network from a networkx graph: it is written as the text of a spec, then compiled like any other.

from_graph.py   the whole spec as text, and its model
populations.py  graphs whose nodes are populations
neurons.py      graphs whose nodes are neurons: how they are grouped into populations
ends.py         which neurons are inputs and outputs
links.py        the edges between neurons: direction, delay, cycles
attributes.py   our attributes of nodes and edges
nir.py          graphs of populations from NIR files
values.py       values as other tools write them
given.py        the caller's options, and lines of a network
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.from_graph.from_graph import from_graph
    from blurc.from_graph.given import AnyGraph, Neurons, Wishes
    from blurc.from_graph.nir import nir_graph

__all__ = ["AnyGraph", "Neurons", "Wishes", "from_graph", "nir_graph"]

face(__name__)
