"""`edges("wiring.csv")`: the pairs listed in a file."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from blurc.model.topology.form import Form, argument, too_large
from blurc.model.topology.topology import End, Listed, Misfit, Shape, Topology


@dataclass(frozen=True)
class Edges(Topology):
    """Presynaptic and postsynaptic neurons as little-endian 32-bit integers, sorted by postsynaptic, then presynaptic
    neuron, without duplicate pairs. Site i is synapse i."""

    name = "edges"
    example = 'edges("wiring.csv")'
    keywords = ("form",)

    file: str
    pre: bytes = field(repr=False)
    post: bytes = field(repr=False)
    form: Form | None = None

    @property
    def count(self) -> int:
        return len(self.pre) // 4

    def fans(self, pre: Shape, post: Shape) -> tuple[float, float]:
        return self.count / math.prod(post), self.count / math.prod(pre)

    def synapse_shape(self, pre: Shape, post: Shape) -> Shape:
        return (self.count,)

    def sites(self, pre: Shape, post: Shape) -> Listed:
        import numpy as np

        return np.frombuffer(self.pre, "<i4"), np.frombuffer(self.post, "<i4"), np.arange(self.count)

    def misfit(self, written: str, source: End, target: End) -> Misfit | None:
        return too_large(self.form, source, target)

    def caption(self) -> str:
        return f"{self.count:,} edge{'s' if self.count != 1 else ''}"

    def __str__(self) -> str:
        return f'edges("{self.file}"{argument(self.form)})'
