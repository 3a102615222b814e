"""Topologies: which neurons of two populations a projection connects, and how its synapses are laid out. One kind per
file; `topology.py` is their interface.

topology     synapse array `[*channels, ..]`      connects
dense        n_pre, n_post                        every neuron with every neuron
one_to_one   n                                    neuron i with neuron i
sparse       number of synapses                   a random choice
edges        number of synapses                   the pairs listed in a file
conv         *window, channels in, channels out   windows of the source with places of the target, sharing synapses
shared       1, channels                          the unit neuron with all places of a population, sharing synapses
identity     none: every channel is 1             neuron i with neuron i
pool         none                                 windows of the source with places of the target
"""

from blurc.model.topology.conv import Conv
from blurc.model.topology.dense import Dense
from blurc.model.topology.edges import Edges
from blurc.model.topology.form import Form
from blurc.model.topology.one_to_one import Identity, OneToOne
from blurc.model.topology.pool import Pool
from blurc.model.topology.shared import Shared
from blurc.model.topology.sparse import Sparse
from blurc.model.topology.topology import End, Misfit, Shape, Topology, dims
from blurc.model.topology.windows import Padding, Windows

TOPOLOGIES: tuple[type[Topology], ...] = (Dense, OneToOne, Identity, Sparse, Edges, Conv, Pool)
"""Those available in a `.blur` file, in the order that messages list them."""

__all__ = [
    "TOPOLOGIES",
    "Conv",
    "Dense",
    "Edges",
    "End",
    "Form",
    "Identity",
    "Misfit",
    "OneToOne",
    "Padding",
    "Pool",
    "Shape",
    "Shared",
    "Sparse",
    "Topology",
    "Windows",
    "dims",
]
