"""`pool(max, 2, 2)`: windows of the source with places of the target, channel by channel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal as Lit

from blurc.model.topology.topology import Listed, Shape
from blurc.model.topology.windows import Windows


@dataclass(frozen=True)
class Pool(Windows):
    """`avg`: every synapse is 1 / the window size. `max`: for each example, the synapse from the neuron in the window
    with the largest first state (the first one on ties) is 1, and there are no others. Sites are sorted as for a
    convolution."""

    name = "pool"
    example = "pool(max, 2, 2)"
    has_synapses = False

    kind: Lit["avg", "max"] = "avg"

    def fans(self, pre: Shape, post: Shape) -> tuple[float, float]:
        return math.prod(self.window), 1

    def synapse_shape(self, pre: Shape, post: Shape) -> Shape:
        return ()

    def sites(self, pre: Shape, post: Shape) -> Listed:
        from blurc.model.topology.window_sites import window_sites

        sources, targets, synapses = window_sites(self, pre, post)
        same = sources % self.channels(pre) == targets % self.channels(pre)
        return sources[same], targets[same], 0 * synapses[same]

    def channels_out(self, pre: Shape) -> int:
        return self.channels(pre)

    def value(self) -> float:
        return 1.0 if self.kind == "max" else 1.0 / math.prod(self.window)

    def caption(self) -> str:
        return f"{self.kind} pool {self._window_caption(self.window)}"

    def __str__(self) -> str:
        return self._written(self.kind)
