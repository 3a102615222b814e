"""A network from a graph of networkx: it is written as the text of a spec, and compiled as any other.

from_graph.py   the text of the whole spec, and its model
populations.py  graphs whose nodes are populations
neurons.py      graphs whose nodes are neurons: which of them become one population
links.py        what the edges between neurons say
attributes.py   what nodes and edges say, in whatever types
given.py        what a caller wishes, and lines of a network
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.from_graph.from_graph import from_graph
    from blurc.from_graph.given import Neurons, Wishes

__all__ = ["Neurons", "Wishes", "from_graph"]

face(__name__)
