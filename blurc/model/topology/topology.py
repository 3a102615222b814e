"""The interface of topologies. All are frozen and hashable; `pre` and `post` are the shapes of the two populations
that a projection connects.

NumPy is imported only where sites are listed, because checking a spec does not need it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Shape: TypeAlias = tuple[int, ...]
Indices: TypeAlias = "NDArray[np.int64 | np.int32]"
Listed: TypeAlias = "tuple[Indices, Indices, Indices]"


def dims(shape: Shape) -> str:
    """A shape as it is declared: `[8, 8]`."""
    return f"[{', '.join(map(str, shape))}]"


@dataclass(frozen=True)
class End:
    """A population at one end of a projection: its name, and how the projection writes it (`h{i}`)."""

    name: str
    written: str
    role: str
    shape: Shape

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def declare(self, shape: Shape) -> str:
        """Its declaration with another shape, without the role for a block instance, where the role differs."""
        role = "" if "." in self.written else f"{self.role} "
        return f"declare `{role}{self.written}{dims(shape)}`"


@dataclass(frozen=True)
class Misfit:
    """Why two populations cannot be connected this way, and what to write instead."""

    message: str
    help: str


@dataclass(frozen=True)
class Topology(ABC):
    """Which neurons of two populations are connected."""

    name: ClassVar[str]  # in a spec
    example: ClassVar[str] = ""  # a complete call, if it takes arguments
    keywords: ClassVar[tuple[str, ...]] = ()  # its arguments of the form `keyword = ..`
    has_synapses: ClassVar[bool] = True  # whether there are arrays of synapses
    shares: ClassVar[bool] = False  # whether one synapse acts at several places

    @abstractmethod
    def fans(self, pre: Shape, post: Shape) -> tuple[float, float]:
        """Average fan-in of a postsynaptic neuron and fan-out of a presynaptic one."""

    def idles(self, source: Shape) -> bool:
        """Whether some synapses act at no place."""
        return False

    @abstractmethod
    def synapse_shape(self, pre: Shape, post: Shape) -> Shape:
        """The natural shape of the synapse arrays, after the channel axes."""

    @abstractmethod
    def sites(self, pre: Shape, post: Shape) -> Listed:
        """The presynaptic neurons, postsynaptic neurons and synapses of all sites (`model/sites.py`)."""

    def misfit(self, written: str, source: End, target: End) -> Misfit | None:
        """Why the sizes of the two populations do not fit, if they do not; `written` is the topology as in the spec."""
        return None

    def value(self) -> float:
        """The value of every synapse if there are no synapse arrays."""
        return 1.0

    def caption(self) -> str:
        """A short label for the arrow in a picture."""
        return str(self)

    def __str__(self) -> str:
        """As written in a spec, with all arguments."""
        return self.name
