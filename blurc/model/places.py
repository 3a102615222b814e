"""Where the neurons of a population lie: at places, with a neuron for each channel at every place.

The windows of `conv` and `pool` slide over places, so wiring says which axes of a population are places and which one
is channels. A population of the same shape that `identity` or `one_to_one` connects to it lies at the same places.

    pixels[28, 28] -> h[14, 14, 8] [conv(5, 5, stride = 2)]     784 places of 1 channel, 196 places of 8 channels
    h -> skip[14, 14, 8]           [identity]                   196 places of 8 channels
    skip -> class[10]                                           1 place of 10 channels
"""

from __future__ import annotations

import math

from blurc.model.model import Network, Projection
from blurc.model.topology import Identity, OneToOne, Windows


def places(network: Network) -> dict[str, int]:
    """The number of places of each population; the rest of its size is channels, which vary fastest.

    The axes of places are those that the windows of `conv` and `pool` projections slide over, which arrive at the
    population, leave it, or do so at a population of the same shape that `identity` or `one_to_one` projections connect
    with it, directly or through others. If several windows differ, the one of fewest axes counts. Without any, all
    neurons lie at one place.
    """
    alike = _alike(network)
    ranks: dict[str, set[int]] = {name: set() for name in alike}
    for p in network.projections:
        if isinstance(p.topology, Windows):
            for name in alike[p.source] | alike[p.target]:
                ranks[name].add(len(p.topology.window))
    return {p.name: math.prod(p.shape[: min(ranks[p.name], default=0)]) for p in network.populations}


def _alike(network: Network) -> dict[str, set[str]]:
    """The populations that lie at the same places as each one, with itself."""
    found = {p.name: {p.name} for p in network.populations}
    for p in network.projections:
        if _pairs(network, p):
            joined = found[p.source] | found[p.target]
            found |= dict.fromkeys(joined, joined)
    return found


def _pairs(network: Network, p: Projection) -> bool:
    same_shape = network.population(p.source).shape == network.population(p.target).shape
    return same_shape and isinstance(p.topology, Identity | OneToOne)
