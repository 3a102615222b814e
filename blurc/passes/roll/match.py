"""Which stretches of equal operations are chains: what each segment reads is what the others read, one segment on.

An argument of an operation is, in all segments of a chain,

    within     the value of an operation of the same segment, or of the one `lag` before (a carry)
    alike      the same value, or a leaf of the same meaning
    family     the entries of a track: variables, or the values that the segments of an earlier chain made

The first and the last segments may read something else; then the chain is shorter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from blurc.passes.roll.alike import Classes, Tokens, variable
from blurc.passes.roll.find import Stretch, stretches

LONGEST_LAG = 4
ROUNDS = 12  # until the chains no longer change; three or four are usual
TRIMS = 3  # rounds in which chains that read the same are trimmed: one may follow another, and it back
TRIES = 4  # of finding other chains where some were none


@dataclass
class Track:
    """Values of one kind, side by side: those of variables, or what a chain makes. With `found`, what its segments find
    from the segment before: `found` itself, and so on, without what the last one makes."""

    position: dict[int, int]
    chain: Chain | None = None  # None: of variables
    offset: int = 0
    found: int | None = None

    def follows(self, a: int, b: int) -> int:
        """1 or -1 where `b` stands right after or before `a`, else 0."""
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
    """`track` is None for draws of noise."""

    track: Track | None


Link: TypeAlias = Within | Alike | Family


@dataclass(eq=False)
class Chain:
    """Segments `low` to `high` of a stretch. `links[offset][argument]`. `backwards`: its last segment comes first
    in the tracks that it reads and makes."""

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
        """An argument, segment by segment."""
        return [self.args(j, offset)[argument] for j in range(self.low, self.high)]

    def in_order(self, values: Sequence[int]) -> tuple[int, ...]:
        """Values by segment, by their position in tracks."""
        return tuple(reversed(values) if self.backwards else values)


@dataclass
class Matcher:
    tokens: Tokens
    classes: Classes
    least: int

    def __post_init__(self) -> None:
        self.tracks: dict[int, list[Track]] = {}
        self.readers: list[tuple[Track, Chain, int, list[int]]] = []

    # ------------------------------------------------------------ all chains

    def match(self) -> list[Chain]:
        """The chains of a block, each as long as it can be. Their tracks are in `tracks`."""
        refused: frozenset[Stretch] = frozenset()
        kept: list[Chain] = []
        for _ in range(TRIES):
            found = stretches(self.tokens.sequence(), self.least, refused)
            kept = self._settled([self._whole(s) for s in found], cut=True)
            if rest := [s for c in kept for s in self._left_over(c)]:
                kept = self._settled(sorted([*kept, *map(self._whole, rest)], key=lambda c: c.begin))
            lost = {s for s in found if not any(s.start <= c.begin < s.start + s.length for c in kept)}
            if not lost:
                break
            refused |= lost
        return kept

    def _whole(self, s: Stretch) -> Chain:
        return Chain(self.tokens, s, 0, s.count)

    def _left_over(self, c: Chain) -> list[Stretch]:
        """Segments before and after a chain, as two chains in a row may be alike but not one."""
        start, period = c.stretch.start, c.stretch.period
        before, after = (
            Stretch(start, period, c.low),
            Stretch(start + c.high * period, period, c.stretch.count - c.high),
        )
        if before.count >= self.least or after.count >= self.least:
            c.stretch, c.low, c.high = Stretch(c.begin, period, c.count), 0, c.count
        return [s for s in (before, after) if s.count >= self.least]

    def _settled(self, chains: list[Chain], cut: bool = False) -> list[Chain]:
        for n in range(ROUNDS):
            self.tracks, self.readers = {}, []
            if cut and n == 0:
                chains = [self._cut(c) for c in chains]
            kept = [c for c in chains if self._fits(c)]
            if len(kept) == len(chains) and (n >= TRIMS or not self._trimmed()):
                return kept
            chains = kept
        return []

    def variables(self) -> list[Track]:
        """The tracks of variables, in the order in which they are first read."""
        return list({id(track): track for track, _, _, _ in self.readers}.values())

    def _trimmed(self) -> bool:
        """Chains that read one track read the same part of it, where that costs them little: then it is one array."""
        changed = False
        for track in self.variables():
            readers = [(c, start, values) for t, c, start, values in self.readers if t is track]
            ends = [sorted((track.position[v[0]], track.position[v[-1]])) for _, _, v in readers]
            low, high = max(e[0] for e in ends), min(e[1] for e in ends)
            longest = max(e[1] - e[0] + 1 for e in ends)
            if high - low + 1 < max(self.least, 0.75 * longest):
                continue
            for chain, start, values in readers:
                inside = [start + j for j, v in enumerate(values) if low <= track.position[v] <= high]
                ours = max(inside[0], chain.low), min(inside[-1] + 1, chain.high)
                changed |= ours != (chain.low, chain.high)
                chain.low, chain.high = ours
        return changed

    # ------------------------------------------------------------- one chain

    def _fits(self, chain: Chain) -> bool:
        """Whether the segments of a chain are alike, after trimming; then its tracks are there for the next ones. One
        segment is taken as the example: where the chain falls in two parts, it should not be the last of the first."""
        for quarter in (2, 1, 3):
            example = min(chain.count * quarter // 4, chain.count - 2)
            if chain.count >= self.least and self._like_example(chain, example):
                return True
        return False

    def _like_example(self, chain: Chain, example: int) -> bool:
        low, high = 0, chain.count
        links: list[list[Link]] = []
        for offset in range(chain.stretch.period):
            links.append([])
            for argument in range(len(chain.args(chain.low, offset))):
                found = self._link(chain, chain.column(offset, argument), example)
                if found is None:
                    return False
                low, high = max(low, found[1]), min(high, found[2])
                links[-1].append(found[0])
        low = self._start(chain, links, low)
        if high - low < self.least:
            return False
        chain.links, chain.low, chain.high = links, chain.low + low, chain.low + high
        return self._placed(chain)

    def _link(self, chain: Chain, values: list[int], middle: int) -> tuple[Link, int, int] | None:
        """How an argument goes on from segment to segment, and in which part of `values` it does."""
        here, there = values[middle], values[middle + 1]
        at = chain.where(here)
        if here == there or self._same_literal(here, there):
            low, high = _around(middle, [self._same(v, here) for v in values])
            return Alike(), max(low, at[0] + 1 - chain.low if at else 0), high
        if at is not None:
            return self._within(chain, values, middle, at)
        op = self.tokens.block.ops[here]
        if op.name == "noise":
            return Family(None), *self._like(values, middle)
        if variable(op):
            low, high = self._like(values, middle)
            if len(set(values[low:high])) < high - low:
                return None
            return Family(Track({})), low, high  # which track is decided when the chain is trimmed
        return self._in_track(values, middle)

    def _within(
        self, chain: Chain, values: list[int], middle: int, at: tuple[int, int]
    ) -> tuple[Link, int, int] | None:
        segment, offset = at
        lag = chain.low + middle - segment
        name = self.tokens.block.ops[values[middle]].name
        if lag > LONGEST_LAG or segment < 0 or (lag and name == "loop"):
            return None
        fine = [
            chain.low + j - lag >= 0 and v == chain.op(chain.low + j - lag, offset)
            for j, v in enumerate(values)
        ]
        low, high = _around(middle, fine)
        # The first `lag` segments read what stood before the chain, whatever it is.
        return Within(offset, lag), max(low - lag, 0), high

    def _same_literal(self, a: int, b: int) -> bool:
        """One number for different populations."""
        return self.tokens.block.ops[a].name == "literal" and self.tokens.tokens[a] == self.tokens.tokens[b]

    def _same(self, a: int, b: int) -> bool:
        return a == b or self._same_literal(a, b)

    def _like(self, values: list[int], middle: int) -> tuple[int, int]:
        token = self.tokens.tokens
        return _around(middle, [token[v] == token[values[middle]] for v in values])

    def _in_track(self, values: list[int], middle: int) -> tuple[Link, int, int] | None:
        best: tuple[Link, int, int] | None = None
        for track in self.tracks.get(values[middle], ()):
            step = track.follows(values[middle], values[middle + 1])
            start = track.position[values[middle]] - step * middle
            at = track.position.get
            low, high = _around(middle, [at(v) == start + step * j for j, v in enumerate(values)])
            if step and (best is None or high - low > best[2] - best[1]):
                best = Family(track), low, high
        return best

    def _start(self, chain: Chain, links: list[list[Link]], low: int) -> int:
        """Trims until what stood before the chain has the form of what is carried."""
        types = self.tokens.block.ops
        lags = [
            (k, a, link)
            for k, of_op in enumerate(links)
            for a, link in enumerate(of_op)
            if isinstance(link, Within) and link.lag
        ]
        for j in range(min(low + LONGEST_LAG, chain.count) - 1, low - 1, -1):
            segment = chain.low + j
            for k, a, link in lags:
                before, made = chain.args(segment, k)[a], chain.op(segment, link.offset)
                if not self.classes.may_start(types[before].type, types[made].type):
                    return j + 1
        return low

    # --------------------------------------------------------------- tracks

    def _placed(self, chain: Chain) -> bool:
        """Decides on tracks of variables, and on the direction."""
        votes = 0
        for k, links in enumerate(chain.links):
            for a, link in enumerate(links):
                if not isinstance(link, Family) or link.track is None:
                    continue
                values, track = chain.column(k, a), link.track
                if not track.position:
                    track = self._track_of(values)
                    if track is None:
                        return False
                    links[a] = Family(track)
                if track.chain is None:
                    self.readers.append((track, chain, chain.low, values))
                votes += track.position[values[1]] - track.position[values[0]]
        chain.backwards = votes < 0
        self._add_tracks(chain)
        return True

    def _track_of(self, values: list[int]) -> Track | None:
        """The track of variables in which these stand side by side: a known one, made longer, or a new one."""
        known = [(j, t) for j, v in enumerate(values) for t in self.tracks.get(v, ())]
        if not known:
            track = Track({})
            return self._extended(track, values, 0, 1)
        track = known[0][1]
        if any(t is not track for _, t in known):
            return None
        first, last = known[0][0], known[-1][0]
        step = 1 if first == last else track.follows(values[first], values[first + 1])
        return (
            self._extended(track, values, track.position[values[first]] - step * first, step)
            if step
            else None
        )

    def _extended(self, track: Track, values: list[int], start: int, step: int) -> Track | None:
        taken = {p: v for v, p in track.position.items()}
        places = [start + step * j for j in range(len(values))]
        if any(
            taken.get(p, v) != v or track.position.get(v, p) != p for p, v in zip(places, values, strict=True)
        ):
            return None
        for p, v in zip(places, values, strict=True):
            if v not in track.position:
                track.position[v] = p
                self.tracks.setdefault(v, []).append(track)
        return track

    def _add_tracks(self, chain: Chain) -> None:
        segments = range(chain.low, chain.high)
        for offset in range(chain.stretch.period):
            self._add(chain, [chain.op(j, offset) for j in segments], offset)
        carried = {
            (link.offset, chain.args(chain.low, k)[a])
            for k, links in enumerate(chain.links)
            for a, link in enumerate(links)
            if isinstance(link, Within) and link.lag == 1
        }
        for offset, start in sorted(carried):
            self._add(chain, [start, *(chain.op(j, offset) for j in segments[:-1])], offset, start)

    def _add(self, chain: Chain, values: list[int], offset: int, found: int | None = None) -> None:
        track = Track({v: p for p, v in enumerate(chain.in_order(values))}, chain, offset, found)
        for v in values:
            self.tracks.setdefault(v, []).append(track)


def _around(middle: int, fine: Sequence[bool]) -> tuple[int, int]:
    """The longest part without a gap around `middle`, as (low, high)."""
    low = high = middle
    while high < len(fine) and fine[high]:
        high += 1
    while low > 0 and fine[low - 1]:
        low -= 1
    return (low, high) if fine[middle] else (middle, middle)


def _best_cut(chain: Chain) -> int:
    """Where segments begin: where the fewest values cross from one into the next, if possible between two populations
    or projections. A loop and what is taken from it stay together."""
    period, middle = chain.stretch.period, chain.count // 2
    crossing = [0] * period
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
            crossing[cut % period] += weight
    of = [chain.tokens.block.ops[chain.op(middle, offset)].type.space.of for offset in range(-1, period)]
    return min(range(period), key=lambda cut: (crossing[cut], of[cut] == of[cut + 1]))
