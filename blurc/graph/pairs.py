"""The two neurons of every synapse of a projection."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

from blurc.model import Shape, Topology, sites, synapse_shape


@dataclass(frozen=True, repr=False)
class Pairs(Sequence[tuple[int, int]]):
    """(presynaptic, postsynaptic) neurons in the order of the synapses: pair i is that of
    `state.synapses[name]["w"].reshape(-1)[i]`. Listed on demand; `numpy.asarray` gives all, `[synapses, 2]`."""

    topology: Topology
    pre: Shape
    post: Shape

    def __len__(self) -> int:
        return math.prod(synapse_shape(self.topology, self.pre, self.post))

    def __repr__(self) -> str:
        return f"<{len(self)} pairs of a presynaptic and a postsynaptic neuron>"

    @overload
    def __getitem__(self, index: int) -> tuple[int, int]: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[tuple[int, int], ...]: ...
    def __getitem__(self, index: int | slice) -> tuple[int, int] | tuple[tuple[int, int], ...]:
        found = sites(self.topology, self.pre, self.post)
        if isinstance(index, slice):
            return tuple(zip(found.pre[index].tolist(), found.post[index].tolist(), strict=True))
        return int(found.pre[index]), int(found.post[index])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        import numpy as np

        found = sites(self.topology, self.pre, self.post)
        return np.stack([found.pre, found.post], axis=1).astype(dtype or np.int32, copy=False)
