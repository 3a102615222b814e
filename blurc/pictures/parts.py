"""The contents of a frame of a picture, and which of them look alike."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, TypeVar

from blurc.model import Population, Projection

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
Member: TypeAlias = "tuple[str, ...]"  # first parts of paths, grouped
Pile: TypeAlias = "tuple[Member, ...]"  # several members make a stack
Partition: TypeAlias = "tuple[Pile, ...]"


@dataclass(frozen=True)
class Edge:
    """A projection between paths; `port` replaces the source if that is outside the frame."""

    source: str
    target: str
    of: Projection
    port: bool = False


@dataclass(frozen=True)
class Contents:
    """The populations inside a frame (or the network) by path, and the projections that end there."""

    populations: Mapping[str, Population]
    edges: Sequence[Edge]

    @property
    def names(self) -> list[str]:
        """First parts of the paths, in declaration order."""
        return list(self._paths)

    @cached_property
    def _paths(self) -> Mapping[str, list[str]]:
        return grouped((first(path), path) for path in self.populations)

    @cached_property
    def _into(self) -> Mapping[str, list[Edge]]:
        return grouped((first(edge.target), edge) for edge in self.edges)

    def inside(self, member: Member) -> Contents:
        """The contents of a frame, or of several grouped things."""
        name, *others = member
        cut = 0 if others else len(name) + 1
        held = {path: self.populations[path] for name in member for path in self._paths[name]}
        edges = [
            Edge(e.source if port else e.source[cut:], e.target[cut:], e.of, port)
            for name in member
            for e in self._into.get(name, ())
            for port in (e.port or e.source not in held,)
        ]
        return Contents({path[cut:]: p for path, p in held.items()}, edges)

    def is_frame(self, member: Member) -> bool:
        return len(member) > 1 or not self.populations.keys() >= set(member)


def grouped(pairs: Iterable[tuple[K, T]]) -> dict[K, list[T]]:
    """The second of the pairs by the first."""
    found: dict[K, list[T]] = {}
    for key, thing in pairs:
        found.setdefault(key, []).append(thing)
    return found


def first(path: str) -> str:
    return path.partition(".")[0]


def signature(member: Member, contents: Contents) -> object:
    """Equal for things that look alike."""
    inside = contents.inside(member)
    by_place = len(member) > 1 or not contents.is_frame(member)
    rename = {name: i for i, name in enumerate(inside.names)} if by_place else {}

    def path(p: str) -> tuple[object, str]:
        return rename.get(first(p), first(p)), p.partition(".")[2]

    populations = [
        (*path(p), q.role, q.shape, q.slots, q.bias, q.kind, q.values) for p, q in inside.populations.items()
    ]
    kinds = [(*path(e.source), *path(e.target), kind(e.of)) for e in inside.edges if not e.port]
    comes_in = {(*path(e.target), kind(e.of)) for e in inside.edges if e.port}
    return tuple(populations), tuple(kinds), frozenset(comes_in)


def kind(e: Projection) -> tuple[object, ...]:
    return e.forward, e.feedback, e.plastic, e.topology.caption(), e.delay, e.kind, e.values, bool(e.same)
