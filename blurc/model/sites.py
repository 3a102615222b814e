"""Where the synapses of a projection act: a topology, on two populations, as a list of sites.

A site is a presynaptic neuron, a postsynaptic neuron and the synapse between them. Neurons are counted in row-major
order of their population, synapses in row-major order of `synapse_shape`. The order of the sites is that of the
postsynaptic neurons, where a topology does not say otherwise. Where there are no arrays of synapses (identity, pool),
every site is of synapse 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from blurc.model.topology import Shape, Topology
from blurc.model.topology.topology import Indices

Index = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Sites:
    """One entry a site. The arrays are read-only, for all callers get the same."""

    pre: Index
    post: Index
    synapse: Index
    count: int  # how many synapses there are


@lru_cache(maxsize=64)
def sites(topology: Topology, pre_shape: Shape, post_shape: Shape) -> Sites:
    """All sites of a projection."""
    pre, post, synapse = topology.sites(pre_shape, post_shape)
    count = math.prod(synapse_shape(topology, pre_shape, post_shape))
    return Sites(_frozen(pre), _frozen(post), _frozen(synapse), count)


@lru_cache(maxsize=1024)
def synapse_shape(topology: Topology, pre_shape: Shape, post_shape: Shape) -> Shape:
    """The natural shape of the synapse arrays, behind the axes of the channel."""
    return topology.synapse_shape(pre_shape, post_shape)


def _frozen(numbers: Indices) -> Index:
    frozen = numbers.astype(np.int32)
    frozen.setflags(write=False)
    return frozen
