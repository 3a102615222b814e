"""Chains and tracks: found by matching, turned into loops by `loops.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from blurc.plan.passes.roll.alike import Tokens
from blurc.plan.passes.roll.stretches import Stretch


@dataclass
class Track:
    """Values of one kind, side by side: variables, or what a chain makes. With `found`, what its segments get from the
    segment before: first `found` itself, and never what the last segment makes."""

    position: dict[int, int]
    chain: Chain | None = None  # None: variables
    offset: int = 0
    found: int | None = None

    def follows(self, a: int, b: int) -> int:
        """1 or -1 if `b` is right after or before `a`, else 0."""
        if a not in self.position or b not in self.position:
            return 0
        step = self.position[b] - self.position[a]
        return step if step in (1, -1) else 0

    def in_order(self) -> list[int]:
        return sorted(self.position, key=self.position.__getitem__)


@dataclass(frozen=True, slots=True)
class Within:
    offset: int
    lag: int


@dataclass(frozen=True, slots=True)
class Alike:
    pass


@dataclass(frozen=True, slots=True)
class Family:
    """`track` is None for random numbers."""

    track: Track | None


Link: TypeAlias = Within | Alike | Family


@dataclass(eq=False)
class Chain:
    """Segments `low` to `high` of a stretch. `links[offset][argument]`. `backwards`: its last segment comes first in
    the tracks that it reads and makes."""

    tokens: Tokens
    stretch: Stretch
    low: int = 0
    high: int = 0
    backwards: bool = False
    frame: int = 0
    links: list[list[Link]] = field(default_factory=list[list[Link]])

    @property
    def count(self) -> int:
        return self.high - self.low

    @property
    def begin(self) -> int:
        """The place of its first operation."""
        return self.stretch.start + self.low * self.stretch.period

    @property
    def end(self) -> int:
        return self.stretch.start + self.high * self.stretch.period

    def op(self, segment: int, offset: int) -> int:
        return self.tokens.order[self.stretch.start + segment * self.stretch.period + offset]

    def args(self, segment: int, offset: int) -> tuple[int, ...]:
        return self.tokens.block.ops[self.op(segment, offset)].args

    def where(self, value: int) -> tuple[int, int] | None:
        """(segment, offset) of a value of the stretch."""
        place = self.tokens.places[value] - self.stretch.start
        if self.tokens.places[value] < 0 or not 0 <= place < self.stretch.period * self.stretch.count:
            return None
        return divmod(place, self.stretch.period)

    def column(self, offset: int, argument: int) -> list[int]:
        return [self.args(j, offset)[argument] for j in range(self.low, self.high)]

    def in_order(self, values: Sequence[int]) -> tuple[int, ...]:
        """Values by segment, reordered as in tracks."""
        return tuple(reversed(values) if self.backwards else values)


def crossing(chain: Chain) -> list[int]:
    """For each offset, how many values would cross into the next segment if segments began there. A loop and what is
    taken from it stay together."""
    period, middle = chain.stretch.period, chain.count // 2
    found = [0] * period
    last: dict[int, int] = {}
    for segment in range(middle, min(middle + 3, chain.count)):
        for offset in range(period):
            for value in chain.args(segment, offset):
                at = chain.where(value)
                if at is not None and at[0] == middle:
                    last[at[1]] = (segment - middle) * period + offset
    for offset, use in last.items():
        weight = 1000 if chain.tokens.block.ops[chain.op(middle, offset)].name == "loop" else 1
        for cut in range(offset + 1, min(use, offset + period) + 1):
            found[cut % period] += weight
    return found
