"""Whether the populations of a projection have the sizes that its topology asks for, and which they would be."""

from __future__ import annotations

import math
from dataclasses import dataclass

from blurc.checker.wording import dims
from blurc.model import Conv, Edges, Identity, OneToOne, Pool, Shape, Sparse, Topology

MOST_PAIRS = 2**31 - 1  # of a matrix: places in it are 32-bit numbers


@dataclass(frozen=True)
class Problem:
    message: str
    help: str


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


def problem(topology: Topology, written: str, source: End, target: End) -> Problem | None:
    """`written` is the topology as it stands in the text."""
    match topology:
        case OneToOne() | Identity():
            return _pairs(written, source, target)
        case Sparse(fan_in=int(fan_in)) if fan_in > source.size:
            message = f"`fan_in = {fan_in}` asks for more neurons than `{source.name}` has: {source.size}"
            return Problem(message, f"write `fan_in = {source.size}` or less")
        case Sparse(form="masked") | Edges(form="masked") if source.size * target.size > MOST_PAIRS:
            return Problem(
                f"`form = masked` makes a matrix of at most {MOST_PAIRS:,} pairs of neurons, but `{source.name}` and "
                f"`{target.name}` have {source.size * target.size:,}",
                "write `form = gather`, which makes none, or leave `form` out",
            )
        case Conv() | Pool():
            return _source(topology, written, source) or _target(topology, written, source, target)
        case _:
            return None


def _pairs(written: str, source: End, target: End) -> Problem | None:
    if source.size == target.size:
        return None
    return Problem(
        f"`{written}` joins neuron i with neuron i, but `{source.name}` has {source.size:,} and "
        f"`{target.name}` has {target.size:,}",
        target.declare(source.shape),
    )


# ---------------------------------------------------------------- windows


def _source(topology: Conv | Pool, written: str, source: End) -> Problem | None:
    axes = len(topology.window)
    if len(source.shape) not in (axes, axes + 1):
        return Problem(
            f"`{written}` reads {_axes(axes)} of places and at most one of channels, but `{source.name}` is "
            f"{dims(source.shape)}",
            _window_help(topology, source),
        )
    places = topology.places(source.shape)
    larger = any(w > n for w, n in zip(topology.window, places, strict=True))
    if topology.padding == "valid" and larger:
        return Problem(
            f"the window {dims(topology.window)} of `{written}` is larger than the places {dims(places)} of "
            f"`{source.name}`",
            "make it smaller, or write `padding = same`",
        )
    return None


def _axes(count: int) -> str:
    return f"{count} {'axis' if count == 1 else 'axes'}"


def _window_help(topology: Conv | Pool, source: End) -> str:
    axes = len(source.shape) - 1
    if not 1 <= axes <= 3:
        return source.declare((*(8 for _ in topology.window), source.size))
    size = topology.window[0]
    return f"give the window one size an axis of places: {', '.join([str(size)] * axes)}"


def _target(topology: Conv | Pool, written: str, source: End, target: End) -> Problem | None:
    axes = len(topology.window)
    places = topology.out(topology.places(source.shape))
    channels = topology.channels(source.shape)
    has_places = len(target.shape) in (axes, axes + 1)
    found = topology.channels(target.shape) if has_places else 8
    wanted = channels if isinstance(topology, Pool) else found
    plain = len(target.shape) == axes and wanted == 1
    right = target.declare(places if plain else (*places, wanted))
    made = f"`{written}` makes {dims(places)} places of {dims(topology.places(source.shape))}"
    if not has_places:
        return Problem(f"{made}, but `{target.name}` is {dims(target.shape)}", right)
    if topology.places(target.shape) != places:
        return Problem(f"{made}, but `{target.name}` has {dims(topology.places(target.shape))}", right)
    if found != wanted:
        message = (
            f"a pool keeps the channels: `{source.name}` has {channels}, but `{target.name}` has {found}"
        )
        return Problem(message, right)
    return None
