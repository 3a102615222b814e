"""Where the synapses of a projection act: a topology between two populations as a list of sites.

A site is a presynaptic neuron, a postsynaptic neuron and the synapse between them. Neurons are numbered in row-major
order of their population, synapses in row-major order of `synapse_shape`. Sites are sorted by postsynaptic neuron
unless the topology says otherwise. Without synapse arrays (identity, pool), every site has synapse 0.
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
    """One entry per site. The arrays are read-only, because all callers share them."""

    pre: Index
    post: Index
    synapse: Index
    count: int  # number of synapses


@lru_cache(maxsize=64)
def sites(topology: Topology, pre_shape: Shape, post_shape: Shape) -> Sites:
    pre, post, synapse = topology.sites(pre_shape, post_shape)
    count = math.prod(synapse_shape(topology, pre_shape, post_shape))
    return Sites(_frozen(pre), _frozen(post), _frozen(synapse), count)


@lru_cache(maxsize=1024)
def synapse_shape(topology: Topology, pre_shape: Shape, post_shape: Shape) -> Shape:
    """The natural shape of the synapse arrays, after the channel axes."""
    return topology.synapse_shape(pre_shape, post_shape)


def _frozen(numbers: Indices) -> Index:
    frozen = numbers.astype(np.int32)
    frozen.setflags(write=False)
    return frozen
