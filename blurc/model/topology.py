"""Topologies: which neurons of two populations a projection connects, and how its synapses are laid out.

All are frozen and hashable. `pre` and `post` are the shapes of the two populations; whether they fit is for the
checker to say. The list of connections itself is in `sites.py`.

topology     synapse array `[*channels, ..]`      connects
dense        n_pre, n_post                        every neuron with every neuron
one_to_one   n                                    neuron i with neuron i
sparse       number of synapses                   a random choice
edges        number of synapses                   what a file lists
conv         *window, channels in, channels out   windows of the source with the places of the target, which share
shared       1, channels                          the unit neuron with all places of a population, which share
identity     none: every channel is 1             neuron i with neuron i
pool         none                                 windows of the source with the places of the target

Sparse synapses are in the order of their postsynaptic, then their presynaptic neurons.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias
from typing import Literal as Lit

Shape: TypeAlias = tuple[int, ...]
Padding = Lit["same", "valid"]
Form = Lit["masked", "gather", "segments"]  # how products with sparse synapses are computed


@dataclass(frozen=True)
class _Plain:
    """What most topologies have in common."""

    has_synapses: ClassVar[bool] = True  # whether there are arrays of synapses
    shares: ClassVar[bool] = False  # whether one synapse acts at several places

    def value(self) -> float:
        """What stands for the synapses where there are no arrays of them."""
        return 1.0


@dataclass(frozen=True)
class Dense(_Plain):
    def fans(self, pre: Shape, post: Shape) -> tuple[float, float]:
        return math.prod(pre), math.prod(post)

    def __str__(self) -> str:
        return "dense"


@dataclass(frozen=True)
class OneToOne(_Plain):
    def fans(self, pre: Shape, post: Shape) -> tuple[float, float]:
        return 1, 1

    def __str__(self) -> str:
        return "one_to_one"


@dataclass(frozen=True)
class Identity(_Plain):
    has_synapses: ClassVar[bool] = False

    def fans(self, pre: Shape, post: Shape) -> tuple[float, float]:
        return 1, 1

    def __str__(self) -> str:
        return "identity"


def _form(form: Form | None) -> str:
    return f", form = {form}" if form else ""


@dataclass(frozen=True)
class Sparse(_Plain):
    """Every pair with probability `p`, or `fan_in` different presynaptic neurons for every postsynaptic one, drawn
    from `seed`. `form`: how to compute, where the user says so."""

    p: float | None
    fan_in: int | None
    seed: int = 0
    form: Form | None = None

    def fans(self, pre: Shape, post: Shape) -> tuple[float, float]:
        """Expected sizes."""
        if self.fan_in is not None:
            return self.fan_in, self.fan_in * math.prod(post) / math.prod(pre)
        assert self.p is not None
        return self.p * math.prod(pre), self.p * math.prod(post)

    def __str__(self) -> str:
        what = f"p = {self.p}" if self.p is not None else f"fan_in = {self.fan_in}"
        return f"sparse({what}, seed = {self.seed}{_form(self.form)})"


@dataclass(frozen=True)
class Edges(_Plain):
    """The pairs that a file lists: presynaptic and postsynaptic neurons as little-endian 32-bit numbers, in order, each
    pair once."""

    file: str
    pre: bytes = field(repr=False)
    post: bytes = field(repr=False)
    form: Form | None = None

    @property
    def count(self) -> int:
        return len(self.pre) // 4

    def fans(self, pre: Shape, post: Shape) -> tuple[float, float]:
        """Mean sizes."""
        return self.count / math.prod(post), self.count / math.prod(pre)

    def __str__(self) -> str:
        return f'edges("{self.file}"{_form(self.form)})'


@dataclass(frozen=True)
class _Windows(_Plain):
    """Windows that slide over the places of the source. Populations are `[*places, channels]`, or `[*places]` with one
    channel; there are as many axes of places as the window has."""

    window: Shape
    stride: Shape
    padding: Padding

    def places(self, shape: Shape) -> Shape:
        return shape[: len(self.window)]

    def channels(self, shape: Shape) -> int:
        """How many values there are at each place."""
        return math.prod(shape[len(self.window) :])

    def out(self, places: Shape) -> Shape:
        """The places of the target, given those of the source."""
        each = zip(places, self.window, self.stride, strict=True)
        if self.padding == "same":
            return tuple(-(-n // s) for n, _, s in each)
        return tuple((n - w) // s + 1 for n, w, s in each)

    def pads(self, places: Shape) -> tuple[tuple[int, int], ...]:
        """How far the first and the last window reach over the ends of each axis."""
        if self.padding == "valid":
            return tuple((0, 0) for _ in places)
        each = zip(places, self.out(places), self.window, self.stride, strict=True)
        total = [max((o - 1) * s + w - n, 0) for n, o, w, s in each]
        return tuple((t // 2, t - t // 2) for t in total)

    def _words(self, name: str, *first: str) -> str:
        stride = self.stride[0] if len(set(self.stride)) == 1 else list(self.stride)
        args = [*first, *map(str, self.window), f"stride = {stride}", f"padding = {self.padding}"]
        return f"{name}({', '.join(args)})"


@dataclass(frozen=True)
class Conv(_Windows):
    shares: ClassVar[bool] = True

    def fans(self, pre: Shape, post: Shape) -> tuple[float, float]:
        size = math.prod(self.window)
        return size * self.channels(pre), size * self.channels(post)

    def __str__(self) -> str:
        return self._words("conv")


@dataclass(frozen=True)
class Pool(_Windows):
    """`avg`: every synapse is 1 / the size of the window. `max`: for each example only the synapse from the neuron
    of the window whose first state is largest (the first of several) is there, and is 1."""

    kind: Lit["avg", "max"] = "avg"
    has_synapses: ClassVar[bool] = False

    def fans(self, pre: Shape, post: Shape) -> tuple[float, float]:
        return math.prod(self.window), 1

    def value(self) -> float:
        return 1.0 if self.kind == "max" else 1.0 / math.prod(self.window)

    def __str__(self) -> str:
        return self._words("pool", self.kind)


@dataclass(frozen=True)
class Shared(_Plain):
    """From the unit neuron to a population whose last axis is its channels: one synapse a channel."""

    shares: ClassVar[bool] = True

    def fans(self, pre: Shape, post: Shape) -> tuple[float, float]:
        return 1, post[-1]

    def __str__(self) -> str:
        return "shared"


Topology: TypeAlias = Dense | OneToOne | Identity | Sparse | Edges | Conv | Pool | Shared
