"""Writes chains as loops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from blurc.plan.passes.builder import Builder
from blurc.plan.passes.roll.alike import variable
from blurc.plan.passes.roll.chain import Alike, Chain, Family, Track, Within
from blurc.plan.passes.roll.match import Matcher
from blurc.plan.plan import DRAWS, EVERYWHERE, LEAVES, Attr, Block, Key, Loop, Op, Result, Stack, Type

Register: TypeAlias = "tuple[int, ...]"  # an offset, and the values from 1, 2 .. segments before the chain
Out: TypeAlias = "tuple[int, int | None]"  # an offset, and `found` of a track
Spot: TypeAlias = "tuple[int, int]"


def build(matcher: Matcher, chains: list[Chain]) -> Block:
    """The block with loops. It is written twice: only after the first pass is it known which values leave a loop."""
    outs: dict[Chain, dict[Out, int]] = {c: {} for c in chains}
    stacks = _stacks(matcher)
    Writer(matcher, chains, stacks, outs).block()
    return Writer(matcher, chains, stacks, outs).block()


def _stacks(matcher: Matcher) -> dict[int, tuple[Track, Stack]]:
    """The stack of every track of variables, by the track's id."""
    ops, found = matcher.tokens.block.ops, dict[int, tuple[Track, Stack]]()
    names = {s.name for s in matcher.tokens.block.stacks}
    for track in matcher.variables():
        read = [variable(ops[i]) for i in track.in_order()]
        members = tuple(v.of for v in read if v)
        first = read[0]
        assert first
        name = wanted = f"{members[0]}..{members[-1]}"
        clashes = {s.name for _, s in found.values() if (s.kind, s.members) != (first.kind, members)}
        number = 2
        while name in names or name in clashes:
            name, number = f"{wanted}#{number}", number + 1
        found[id(track)] = track, Stack(first.kind, name, first.name, members)
    return found


@dataclass
class Body:
    """The body of a chain's loop while it is written, and the arguments that the loop will have."""

    chain: Chain
    builder: Builder = field(default_factory=Builder)
    registers: dict[Register, int] = field(default_factory=dict[Register, int])
    families: dict[tuple[int, ...], tuple[int, Track | None]] = field(
        default_factory=dict[tuple[int, ...], "tuple[int, Track | None]"]
    )
    same: dict[int, int] = field(default_factory=dict[int, int])


@dataclass
class Writer:
    matcher: Matcher
    chains: list[Chain]
    stacks: dict[int, tuple[Track, Stack]]
    outs: dict[Chain, dict[Out, int]]

    def __post_init__(self) -> None:
        self.old = self.matcher.tokens
        self.builder = Builder()
        self.new: dict[int, int] = {}
        self.loops: dict[Chain, tuple[int, dict[int, int]]] = {}  # the carry that holds the last value of an offset
        self.chain_at = {place: c for c in self.chains for place in range(c.begin, c.end)}
        self.track_of = {v: found for found in self.stacks.values() for v in found[0].position}

    def block(self) -> Block:
        place = 0
        while place < len(self.old.order):
            chain = self.chain_at.get(place)
            if chain:
                self._loop(chain)
                place = chain.end
                continue
            i = self.old.order[place]
            self.new[i] = self.builder.add(self._op(i).on(map(self.value, self._op(i).args)))
            place += 1
        results = tuple(self._results())
        stacks = (*self.old.block.stacks, *(s for _, s in self.stacks.values()))
        return Block(tuple(self.builder.ops), results, stacks, self.old.block.seen)

    def _op(self, i: int) -> Op:
        return self.old.block.ops[i]

    def _taken(self, name: str, args: tuple[int, ...], attr: Attr, type_: Type, like: Op) -> int:
        return self.builder.emit(name, args, (attr,), type_, like.span)

    # ---------------------------------------------------------------- values

    def value(self, i: int) -> int:
        """The new index of a value of the old block."""
        op, place = self._op(i), self.old.places[i]
        if op.name in LEAVES:
            if i not in self.track_of:
                return self.builder.add(op)
            track, _ = self.track_of[i]
            return self._element(self.whole(track), track.position[i] - min(track.position.values()), op)
        chain = self.chain_at.get(place)
        return self._last_or_element(chain, i) if chain else self.new[i]

    def _last_or_element(self, chain: Chain, i: int) -> int:
        loop, last = self.loops[chain]
        segment, offset = divmod(self.old.places[i] - chain.begin, chain.stretch.period)
        if segment == chain.count - 1 and offset in last:
            return self._taken("final", (loop,), last[offset], self._op(i).type, self._op(i))
        at = chain.count - 1 - segment if chain.backwards else segment
        return self._element(self._made(chain, (offset, None)), at, self._op(i))

    def _element(self, stack: int, at: int, like: Op) -> int:
        return self._taken("element", (stack,), at, like.type, like)

    def whole(self, track: Track) -> int:
        if track.chain:
            return self._made(track.chain, (track.offset, track.found))
        _, stack = self.stacks[id(track)]
        op = self._op(next(iter(track.position)))
        attrs = (stack.variable, stack.name) if stack.kind == "meta" else (stack.name, stack.variable)
        type_ = Type((len(stack.members), *op.type.dims), op.type.space)
        return self.builder.emit(op.name, (), attrs, type_, op.span)

    def _made(self, chain: Chain, out: Out) -> int:
        number = self.outs[chain].setdefault(out, len(self.outs[chain]))
        like = self._op(chain.op(chain.low, out[0]))
        type_ = Type((chain.count, *like.type.dims), like.type.space)
        return self._taken("stacked", (self.loops[chain][0],), number, type_, like)

    def family(self, values: tuple[int, ...], track: Track | None) -> int:
        """Neighbouring values, in track order, as one."""
        if track is None:
            return self._draws(values)
        part = _part(track, values)
        stack = self.whole(track)
        return stack if part == (0, len(track.position)) else self._join([stack], (part,), values)

    def _draws(self, values: tuple[int, ...]) -> int:
        draws = [self._op(v) for v in values]
        names = tuple(name for op in draws for name in _names(op))
        type_ = Type((len(values), *draws[0].type.dims), draws[0].type.space)
        return self._taken(draws[0].name, (), names, type_, draws[0])

    def _join(self, args: list[int], items: tuple[int | Spot, ...], values: Sequence[int]) -> int:
        like = self._op(values[0])
        type_ = Type((len(values), *like.type.dims), like.type.space)
        return self._taken("join", tuple(args), items, type_, like)

    # ---------------------------------------------------------------- results

    def _results(self) -> Iterator[Result]:
        values = {r.key: r.value for r in self.old.block.results}
        stacks: dict[Key, Stack] = {}
        for _, s in self.stacks.values():
            stacks.update({(s.kind, of, s.variable): s for of in s.members})
        written: set[Stack] = set()
        for r in self.old.block.results:
            stack = stacks.get(r.key)
            if stack is None:
                yield Result(r.key, self.value(r.value))
            elif stack not in written:
                written.add(stack)
                members = [values[stack.kind, of, stack.variable] for of in stack.members]
                yield Result((stack.kind, stack.name, stack.variable), self._gathered(members))

    def _gathered(self, values: list[int]) -> int:
        """Arbitrary values as one stack, from as few pieces as possible."""
        args: list[int] = []
        items: list[int | Spot] = []
        i = 0
        while i < len(values):
            track, length = self._longest(values, i)
            if track and length > 1:
                part = _part(track, values[i : i + length])
                if part == (0, len(values)) == (0, len(track.position)):
                    return self.whole(track)
                args.append(self.whole(track))
                items.append(part)
            else:
                args.append(self.value(values[i]))
                items.append(0)
            i += length
        return self._join(args, tuple(items), values)

    def _longest(self, values: list[int], i: int) -> tuple[Track | None, int]:
        best, longest = None, 1
        for track in self.matcher.tracks.get(values[i], ()):
            step = track.follows(values[i], values[i + 1]) if i + 1 < len(values) else 0
            length = 1
            while step and i + length < len(values):
                if track.position.get(values[i + length]) != track.position[values[i]] + step * length:
                    break
                length += 1
            if length > longest:
                best, longest = track, length
        return best, longest

    # ------------------------------------------------------------------ loops

    def _loop(self, chain: Chain) -> None:
        body = Body(chain)
        last = max((k.lag for links in chain.links for k in links if isinstance(k, Within)), default=0)
        example = chain.low + last  # reads nothing from before the chain
        local: list[int] = []
        for offset in range(chain.stretch.period):
            op = self._op(chain.op(example, offset))
            args = [self._argument(body, local, example, offset, a) for a in range(len(op.args))]
            local.append(body.builder.add(op.on(args)))
        results = [self._next(body, local, r) for r in list(body.registers)]
        results = [Result(("carry", str(n)), value) for n, value in enumerate(results)]
        for (offset, found), n in self.outs[chain].items():
            value = local[offset] if found is None else self._carry(body, (offset, found))
            results.append(Result(("stack", str(n)), value))
        args = (
            *(self.value(r[-1]) for r in body.registers),
            *(self.family(values, track) for values, (_, track) in body.families.items()),
            *(self.value(v) for v in body.same),
        )
        block = Block(tuple(body.builder.ops), tuple(results))
        loop = Loop(block, chain.count, len(body.registers), len(body.families), chain.backwards)
        like = self._op(chain.op(example, 0))
        ends = {r[0]: n for r, n in body.registers.items() if len(r) == 2}
        self.loops[chain] = self._taken("loop", args, loop, Type((), EVERYWHERE), like), ends

    def _argument(self, body: Body, local: list[int], example: int, offset: int, a: int) -> int:
        chain, link = body.chain, body.chain.links[offset][a]
        i = chain.args(example, offset)[a]
        op = self._op(i)
        match link:
            case Within(offset=made, lag=0):
                return local[made]
            case Within(offset=made, lag=lag):
                before = tuple(chain.args(chain.low + lag - n, offset)[a] for n in range(1, lag + 1))
                return self._carry(body, (made, *before))
            case Family(track=track):
                values = chain.in_order(chain.column(offset, a))
                number, _ = body.families.setdefault(values, (len(body.families), track))
                return body.builder.emit("each", (), (number,), op.type, op.span)
            case Alike():
                if op.name in LEAVES - DRAWS and i not in self.track_of:
                    return body.builder.add(op)
                number = body.same.setdefault(i, len(body.same))
                return body.builder.emit("same", (), (number,), op.type, op.span)

    def _carry(self, body: Body, register: Register) -> int:
        """The value made `len(register) - 1` segments ago."""
        for n in range(2, len(register) + 1):
            body.registers.setdefault(register[:n], len(body.registers))
        made = self._op(body.chain.op(body.chain.low, register[0]))
        return body.builder.emit("carry", (), (body.registers[register],), made.type, made.span)

    def _next(self, body: Body, local: list[int], register: Register) -> int:
        """The new value of a register after the body: what was made, or the old value of the register one segment
        shorter."""
        return local[register[0]] if len(register) == 2 else self._carry(body, register[:-1])


def _part(track: Track, values: Sequence[int]) -> Spot:
    """(low, high) of a track; if high < low, read backwards."""
    base = min(track.position.values())
    first, last = track.position[values[0]] - base, track.position[values[-1]] - base
    return (first, last + 1) if first <= last else (first + 1, last)


def _names(op: Op) -> tuple[str, ...]:
    if len(op.attrs) == 1 and isinstance(op.attrs[0], tuple):
        return tuple(str(name) for name in op.attrs[0])
    return ("/".join(map(str, op.attrs)),)
