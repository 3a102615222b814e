"""What every topology says of itself. All are frozen and hashable; `pre` and `post` are the shapes of the two
populations that a projection joins.

NumPy is imported where sites are listed, for a check of a spec needs none.
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
    """A population at one end of a projection: its name, and how that is written there (`h{i}`)."""

    name: str
    written: str
    role: str
    shape: Shape

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def declare(self, shape: Shape) -> str:
        """How it would be declared with another shape. A population of a block in use has another role there."""
        role = "" if "." in self.written else f"{self.role} "
        return f"declare `{role}{self.written}{dims(shape)}`"


@dataclass(frozen=True)
class Misfit:
    """Why two populations cannot be joined so, and what to write instead."""

    message: str
    help: str


@dataclass(frozen=True)
class Topology(ABC):
    """Which neurons of two populations are joined."""

    name: ClassVar[str]  # as a spec writes it
    example: ClassVar[str] = ""  # a whole call, where it takes arguments
    keywords: ClassVar[tuple[str, ...]] = ()  # its arguments of the form `keyword = ..`
    has_synapses: ClassVar[bool] = True  # whether there are arrays of synapses
    shares: ClassVar[bool] = False  # whether one synapse acts at several places

    @abstractmethod
    def fans(self, pre: Shape, post: Shape) -> tuple[float, float]:
        """How many synapses come in at a postsynaptic neuron, and go out from a presynaptic one, on average."""

    @abstractmethod
    def synapse_shape(self, pre: Shape, post: Shape) -> Shape:
        """The natural shape of the synapse arrays, behind the axes of the channel."""

    @abstractmethod
    def sites(self, pre: Shape, post: Shape) -> Listed:
        """The presynaptic neurons, postsynaptic neurons and synapses of all sites (`model/sites.py`)."""

    def misfit(self, written: str, source: End, target: End) -> Misfit | None:
        """Whether the two populations have the sizes that it asks for; `written` is how the spec writes it."""
        return None

    def value(self) -> float:
        """What stands for the synapses where there are no arrays of them."""
        return 1.0

    def caption(self) -> str:
        """A few words for the arrow in a picture."""
        return str(self)

    def __str__(self) -> str:
        """As a spec writes it, with all arguments."""
        return self.name
