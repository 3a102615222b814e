"""`one_to_one` and `identity`: neuron i with neuron i, with or without a synapse."""

from __future__ import annotations

import math
from dataclasses import dataclass

from blurc.model.topology.topology import End, Listed, Misfit, Shape, Topology


@dataclass(frozen=True)
class _Pairs(Topology):
    def fans(self, pre: Shape, post: Shape) -> tuple[float, float]:
        return 1, 1

    def misfit(self, written: str, source: End, target: End) -> Misfit | None:
        if source.size == target.size:
            return None
        return Misfit(
            f"`{written}` connects neuron i to neuron i, but `{source.name}` has {source.size:,} and "
            f"`{target.name}` has {target.size:,}",
            target.declare(source.shape),
        )


@dataclass(frozen=True)
class OneToOne(_Pairs):
    name = "one_to_one"

    def synapse_shape(self, pre: Shape, post: Shape) -> Shape:
        return (math.prod(post),)

    def sites(self, pre: Shape, post: Shape) -> Listed:
        import numpy as np

        each = np.arange(math.prod(post))
        return each, each, each

    def caption(self) -> str:
        return "one to one"


@dataclass(frozen=True)
class Identity(_Pairs):
    name = "identity"
    has_synapses = False

    def synapse_shape(self, pre: Shape, post: Shape) -> Shape:
        return ()

    def sites(self, pre: Shape, post: Shape) -> Listed:
        import numpy as np

        each = np.arange(math.prod(post))
        return each, each, 0 * each
