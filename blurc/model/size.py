"""What a network comes to, in numbers that cost nothing to find: nothing is drawn and no array is made."""

from __future__ import annotations

import math
from dataclasses import dataclass

from blurc.model.model import Genome, Network, Projection
from blurc.model.topology import Sparse

FLOAT = 4  # bytes


@dataclass(frozen=True)
class Size:
    """synapses: expected, where they are drawn. bytes: of the state for one example, as float32. per_example: those of
    them that channels `per example` take, again for every example."""

    neurons: int
    synapses: int
    bytes: int
    per_example: int = 0


def size(network: Network, genome: Genome | None = None) -> Size:
    """Without a genome, a synapse and a neuron hold one number each."""
    a_synapse = sum(math.prod(c.shape) for c in genome.channels) if genome else 1
    each = sum(math.prod(c.shape) for c in genome.channels if c.per_example) if genome else 0
    a_neuron = sum(math.prod(s.shape) for s in genome.states) if genome else 1
    neurons = sum(p.size for p in network.populations if p.role != "unit")
    synapses = sum(synapses_of(p, network) for p in network.projections)
    delays: dict[str, int] = {}
    for p in network.projections:
        delays[p.source] = max(delays.get(p.source, 0), p.delay)
    kept = neurons + sum(delay * network.population(name).size for name, delay in delays.items())
    return Size(neurons, synapses, FLOAT * (synapses * a_synapse + kept * a_neuron), FLOAT * synapses * each)


def synapses_of(p: Projection, network: Network) -> int:
    """How many one projection has."""
    pre, post = network.population(p.source).shape, network.population(p.target).shape
    if isinstance(p.topology, Sparse) and p.has_arrays:
        return round(p.topology.fans(pre, post)[0] * math.prod(post))
    return math.prod(p.topology.synapse_shape(pre, post)) if p.has_arrays else 0
