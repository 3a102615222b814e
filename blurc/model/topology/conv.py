"""`conv(3, 3, stride = 2)`: windows of the source with places of the target, sharing synapses."""

from __future__ import annotations

import math
from dataclasses import dataclass

from blurc.model.topology.topology import Listed, Shape
from blurc.model.topology.windows import Windows


@dataclass(frozen=True)
class Conv(Windows):
    """Sites are sorted by place in the window, place of the target, input channel, output channel."""

    name = "conv"
    example = "conv(3, 3)"
    shares = True

    def fans(self, pre: Shape, post: Shape) -> tuple[float, float]:
        size = math.prod(self.window)
        return size * self.channels(pre), size * self.channels(post)

    def synapse_shape(self, pre: Shape, post: Shape) -> Shape:
        return *self.window, self.channels(pre), self.channels(post)

    def sites(self, pre: Shape, post: Shape) -> Listed:
        from blurc.model.topology.window_sites import window_sites

        return window_sites(self, pre, post)

    def caption(self) -> str:
        return f"conv {self._window_caption((1,) * len(self.window))}"

    def __str__(self) -> str:
        return self._written()
