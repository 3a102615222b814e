"""`dense`: every neuron with every neuron."""

from __future__ import annotations

import math
from dataclasses import dataclass

from blurc.model.topology.topology import Listed, Shape, Topology


@dataclass(frozen=True)
class Dense(Topology):
    """Sites are sorted by presynaptic, then postsynaptic neuron."""

    name = "dense"

    def fans(self, pre: Shape, post: Shape) -> tuple[float, float]:
        return math.prod(pre), math.prod(post)

    def synapse_shape(self, pre: Shape, post: Shape) -> Shape:
        return math.prod(pre), math.prod(post)

    def sites(self, pre: Shape, post: Shape) -> Listed:
        import numpy as np

        synapses = np.arange(math.prod(pre) * math.prod(post))
        return *np.divmod(synapses, math.prod(post)), synapses

    def caption(self) -> str:
        return ""
