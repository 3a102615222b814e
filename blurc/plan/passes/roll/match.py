"""Which stretches of equal operations are chains: each segment reads what the one before reads, shifted by one.

In all segments of a chain, an argument of an operation is one of:

    within     the value of an operation of the same segment, or of the one `lag` before (a carry)
    alike      the same value, or a leaf with the same meaning
    family     the entries of a track: variables, or the values made by the segments of an earlier chain

The first and last segments may read something else; the chain then gets shorter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from blurc.plan.passes.roll.alike import Classes, Tokens, variable
from blurc.plan.passes.roll.chain import Alike, Chain, Family, Link, Track, Within, crossing
from blurc.plan.passes.roll.stretches import Stretch, stretches
from blurc.plan.plan import DRAWS

LONGEST_LAG = 4
ROUNDS = 12  # at most, until the chains stop changing; three or four are usual
TRIMS = 3  # at most, of chains that read the same track
MOST_CUTS = 8  # considered
TRIES = 6  # to find other chains after some failed


@dataclass
class Matcher:
    tokens: Tokens
    classes: Classes
    least: int

    def __post_init__(self) -> None:
        self.tracks: dict[int, list[Track]] = {}
        self.readers: list[tuple[Track, Chain, int, list[int]]] = []
        # Positions of the variables of a population or projection, whatever their names.
        self.members: dict[str, int] = {}

    # ------------------------------------------------------------ all chains

    def match(self) -> list[Chain]:
        """The chains of a block, each as long as possible. Their tracks are in `tracks`."""
        refused: dict[Stretch, int] = {}
        kept: list[Chain] = []
        for _ in range(TRIES):
            # What is not a chain may be one with segments twice as long; if not, longer periods may take it.
            gone = frozenset(s for s, n in refused.items() if n > 1 or s.widened(2).count < self.least)
            found = stretches(self.tokens.sequence(), self.least, gone)
            kept = self._settled([self._whole(s.widened(1 + refused.get(s, 0))) for s in found], cut=True)
            if rest := [s for c in kept for s in self._left_over(c)]:
                kept = self._settled(sorted([*kept, *map(self._whole, rest)], key=lambda c: c.begin))
            lost = [s for s in found if not any(s.start <= c.begin < s.start + s.length for c in kept)]
            if not lost:
                break
            refused.update({s: refused.get(s, 0) + 1 for s in lost})
        return kept

    def _whole(self, s: Stretch) -> Chain:
        return Chain(self.tokens, s, 0, s.count)

    def _left_over(self, c: Chain) -> list[Stretch]:
        """Segments before and after a chain: two chains in a row may be alike without being one."""
        start, period = c.stretch.start, c.stretch.period
        before = Stretch(start, period, c.low)
        after = Stretch(start + c.high * period, period, c.stretch.count - c.high)
        if before.count >= self.least or after.count >= self.least:
            c.stretch, c.low, c.high = Stretch(c.begin, period, c.count), 0, c.count
        return [s for s in (before, after) if s.count >= self.least]

    def _settled(self, chains: list[Chain], cut: bool = False) -> list[Chain]:
        """Those that are chains, trimmed to read the same, unless the trimming does not settle."""
        trimmed = self._rounds(chains, cut, TRIMS)
        return self._rounds(chains, cut, 0) or [] if trimmed is None else trimmed

    def _rounds(self, chains: list[Chain], cut: bool, trims: int) -> list[Chain] | None:
        chains = [replace(c) for c in chains]
        trimming = trims > 0
        for n in range(ROUNDS):
            self.tracks, self.readers, self.members = {}, [], {}
            kept: list[Chain] = []
            for c in chains:
                chain = self._cut(c) if cut and n == 0 else c
                if self._fits(chain):
                    kept.append(chain)
            if len(kept) == len(chains):
                if not trimming or not self._trimmed():
                    return kept
                trims -= 1
                if not trims:
                    return None
            chains = kept
        return None

    def _cut(self, chain: Chain) -> Chain:
        """Segments that begin elsewhere: where as few values as possible cross into the next; among these, where they
        read one position in all tracks; among these, between two populations or projections."""
        s, values = chain.stretch, crossing(chain)
        best = [cut for cut in range(s.period) if values[cut] == min(values)][:MOST_CUTS]
        return min((self._whole(s.cut(cut)) for cut in best), key=self._unlike)

    def _unlike(self, chain: Chain) -> tuple[int, bool]:
        if chain.count < 2:
            return 0, True
        j, ops = chain.count // 2 - 1, self.tokens.block.ops
        starts: set[int] = set()
        for offset in range(chain.stretch.period):
            for here, there in zip(chain.args(j, offset), chain.args(j + 1, offset), strict=True):
                starts.update(start - step * j for start, step in self._positions(here, there))
        ends = [ops[chain.op(j + 1, offset)].type.space.of for offset in (-1, 0)]
        return len(starts), ends[0] == ends[1]

    def variables(self) -> list[Track]:
        """The tracks of variables, in the order of first use."""
        return list({id(track): track for track, _, _, _ in self.readers}.values())

    def _trimmed(self) -> bool:
        """Trims chains that read one track to the same part of it, if that costs little: the part is then one array."""
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

    def _positions(self, here: int, there: int) -> Iterator[tuple[int, int]]:
        """The position of a value, with the step to the next one, in all tracks that contain both; for a variable also
        the position of other variables of its projection."""
        tracks = self.tracks.get(here, ())
        for track in tracks:
            if step := track.follows(here, there):
                yield track.position[here], step
        a, b = (self._member(v) for v in (here, there))
        if not tracks and a is not None and b is not None and abs(b - a) == 1:
            yield a, b - a

    def _member(self, value: int) -> int | None:
        v = variable(self.tokens.block.ops[value])
        return self.members.get(v.of) if v else None

    # ------------------------------------------------------------- one chain

    def _fits(self, chain: Chain) -> bool:
        """Whether the segments of a chain are alike, after trimming; if so, adds its tracks. One segment is the
        example: if the chain falls in two, it should not be the last of the first part."""
        for quarter in (2, 1, 3):
            example = min(chain.count * quarter // 4, chain.count - 2)
            if chain.count >= self.least and self._like_example(chain, example):
                return True
        return False

    def _like_example(self, chain: Chain, example: int) -> bool:
        low, high = 0, chain.count
        links: list[list[Link]] = []
        aligned = self._aligned(chain, example)
        for offset in range(chain.stretch.period):
            links.append([])
            for argument in range(len(chain.args(chain.low, offset))):
                found = self._link(chain, chain.column(offset, argument), example, aligned)
                if found is None:
                    return False
                low, high = max(low, found[1]), min(high, found[2])
                links[-1].append(found[0])
        low = self._start(chain, links, low)
        if high - low < self.least:
            return False
        chain.links, chain.low, chain.high = links, chain.low + low, chain.low + high
        return self._placed(chain)

    def _link(self, chain: Chain, values: list[int], middle: int, aligned: set[int]) -> tuple[Link, int, int] | None:
        """How an argument continues from segment to segment, and for which part of `values`."""
        here, there = values[middle], values[middle + 1]
        at = chain.where(here)
        if self._same(here, there):
            low, high = _around(middle, [self._same(v, here) for v in values])
            return Alike(), max(low, at[0] + 1 - chain.low if at else 0), high
        if at is not None:
            return self._within(chain, values, middle, at)
        op = self.tokens.block.ops[here]
        if op.name in DRAWS:
            return Family(None), *self._like(values, middle)
        if variable(op):
            low, high = self._like(values, middle)
            if len(set(values[low:high])) < high - low:
                return None
            return Family(Track({})), low, high  # the track is chosen when the chain is trimmed
        return self._in_track(values, middle, aligned)

    def _within(
        self, chain: Chain, values: list[int], middle: int, at: tuple[int, int]
    ) -> tuple[Link, int, int] | None:
        segment, offset = at
        lag = chain.low + middle - segment
        name = self.tokens.block.ops[values[middle]].name
        if lag > LONGEST_LAG or segment < 0 or (lag and name == "loop"):
            return None
        fine = [chain.low + j - lag >= 0 and v == chain.op(chain.low + j - lag, offset) for j, v in enumerate(values)]
        low, high = _around(middle, fine)
        # The first `lag` segments may read anything from before the chain.
        return Within(offset, lag), max(low - lag, 0), high

    def _same(self, a: int, b: int) -> bool:
        """One value, or one number for different populations."""
        tokens = self.tokens
        return a == b or (tokens.block.ops[a].name == "literal" and tokens.tokens[a] == tokens.tokens[b])

    def _like(self, values: list[int], middle: int) -> tuple[int, int]:
        token = self.tokens.tokens
        return _around(middle, [token[v] == token[values[middle]] for v in values])

    def _in_track(self, values: list[int], middle: int, aligned: set[int]) -> tuple[Link, int, int] | None:
        """In the track that contains the most of them; preferably one where they are aligned with the variables."""
        best, most = None, (0, 0)
        for track in self.tracks.get(values[middle], ()):
            step = track.follows(values[middle], values[middle + 1])
            start = track.position[values[middle]] - step * middle
            at = track.position.get
            low, high = _around(middle, [at(v) == start + step * j for j, v in enumerate(values)])
            length = high - low + (LONGEST_LAG if start in aligned else 0)
            if step and (length, high - low) > most:
                best, most = (Family(track), low, high), (length, high - low)
        return best

    def _aligned(self, chain: Chain, example: int) -> set[int]:
        """The positions in tracks of variables at which a chain starts to read."""
        ops, found, j = self.tokens.block.ops, set[int](), chain.low + example
        for offset in range(chain.stretch.period):
            for here, there in zip(chain.args(j, offset), chain.args(j + 1, offset), strict=True):
                if variable(ops[here]):
                    found.update(at - step * example for at, step in self._positions(here, there))
        return found

    def _start(self, chain: Chain, links: list[list[Link]], low: int) -> int:
        """Trims until the initial values have the form of what is carried."""
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
        """Chooses direction and frame, then the tracks of variables."""
        families = [
            (links, a, chain.column(k, a))
            for k, links in enumerate(chain.links)
            for a, link in enumerate(links)
            if isinstance(link, Family) and link.track is not None
        ]
        steps, frames = [0], list[int]()
        for links, a, values in families:
            track = self._known(links[a], values)
            if track and (step := track.follows(values[0], values[1])):
                steps.append(step)
                frames.append(min(track.position[values[0]], track.position[values[0]] + step * (chain.count - 1)))
        chain.backwards, chain.frame = sum(steps) < 0, frames[0] if frames else 0
        for links, a, values in families:
            track = self._known(links[a], values)
            if track is None or track.chain is None:
                track = self._track_of(chain, values)
                if track is None:
                    return False
                links[a] = Family(track)
                self.readers.append((track, chain, chain.low, values))
        self._add_tracks(chain)
        return True

    def _known(self, link: Link, values: list[int]) -> Track | None:
        """The track of a family, if it exists already."""
        assert isinstance(link, Family)
        if link.track and link.track.position:
            return link.track
        return next((t for v in values[:2] for t in self.tracks.get(v, ()) if t.chain is None), None)

    def _track_of(self, chain: Chain, values: list[int]) -> Track | None:
        """The track of variables in which these are neighbours: a known one, possibly extended, or a new one."""
        known = [(j, t) for j, v in enumerate(values) for t in self.tracks.get(v, ()) if t.chain is None]
        if not known:
            ordered = list(chain.in_order(values))
            a, b = self._member(ordered[0]), self._member(ordered[1])
            aligned = a is not None and b == a + 1
            return self._extended(Track({}), ordered, a if aligned and a is not None else chain.frame, 1)
        track = known[0][1]
        if any(t is not track for _, t in known):
            return None
        first, last = known[0][0], known[-1][0]
        step = 1 if first == last else track.follows(values[first], values[first + 1])
        return self._extended(track, values, track.position[values[first]] - step * first, step) if step else None

    def _extended(self, track: Track, values: list[int], start: int, step: int) -> Track | None:
        taken = {p: v for v, p in track.position.items()}
        places = [start + step * j for j in range(len(values))]
        if any(taken.get(p, v) != v or track.position.get(v, p) != p for p, v in zip(places, values, strict=True)):
            return None
        for p, v in zip(places, values, strict=True):
            if v not in track.position:
                track.position[v] = p
                self.tracks.setdefault(v, []).append(track)
                if found := variable(self.tokens.block.ops[v]):
                    self.members.setdefault(found.of, p)
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
        ordered = enumerate(chain.in_order(values), chain.frame)
        track = Track({v: p for p, v in ordered}, chain, offset, found)
        for v in values:
            self.tracks.setdefault(v, []).append(track)


def _around(middle: int, fine: Sequence[bool]) -> tuple[int, int]:
    """The longest run without a gap around `middle`, as (low, high)."""
    low = high = middle
    while high < len(fine) and fine[high]:
        high += 1
    while low > 0 and fine[low - 1]:
        low -= 1
    return (low, high) if fine[middle] else (middle, middle)
