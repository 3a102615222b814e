"""The unit neuron's projection to a population with `bias = shared`. It cannot be written as a topology in a spec."""

from __future__ import annotations

import math
from dataclasses import dataclass

from blurc.model.topology.topology import Listed, Shape, Topology


@dataclass(frozen=True)
class Shared(Topology):
    """From the unit neuron to a population whose last axis is channels: one synapse per channel."""

    name = "shared"
    shares = True

    def fans(self, pre: Shape, post: Shape) -> tuple[float, float]:
        return 1, post[-1]

    def synapse_shape(self, pre: Shape, post: Shape) -> Shape:
        return 1, post[-1]

    def sites(self, pre: Shape, post: Shape) -> Listed:
        import numpy as np

        each = np.arange(math.prod(post))
        return 0 * each, each, each % post[-1]

    def caption(self) -> str:
        return ""
