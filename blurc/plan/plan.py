"""The plan, the waist of the compiler: flat, typed operations in single-assignment form. It does not depend on lark,
networkx or jax, and is hashable: equal plans share one compiled program.

A value has *dims* (the axes of states and channels, as in the language) and lives in a *space* that says which further
axes it has. Arrays have their dims first:

    everywhere      [*dims]
    neurons         [*dims, batch or 1, n or 1]
    synapses        [*dims, A or 1, B or 1]      for a dense projection n_pre, n_post; see `Projection.axes`
    examples        [*dims, batch or 1, A or 1, B or 1]       of every synapse and example
    sites           [*dims, batch or 1, A or 1, B or 1]       of every example and place where a synapse acts: for a
                                                 dense projection the same, else 1 and all the sites (model/sites.py)

Operation             arguments                   attributes
literal                                           value
meta                                              name [, projection or population]
modulator                                         name                   a signal, given at every step; of neurons if it
                                                                         differs over the batch
noise, uniform                                    population or projection, phase, number   standard normal,
                                                                         or between 0 and 1
input, target                                     population
carried                                           population, state      a persistent state's old value; `act@2` is
                                                                         the state at the end of two steps ago
statistic                                         population, name       a running statistic, before the step
synapse                                           projection, channel    its value at the start of the step
example                                           projection, channel    the same, for every example
FUNCTION              x..                         [prime]                elementwise
matmul                m, x                                               over dims
pick                  x                           items
put                   base, x                     items                  base with a part replaced
stack                 x..
softmax standardize population_mean population_sum population_max     x
place_mean place_sum place_max        x          places                 their number; of each channel
batch_mean batch_sum  x                                                  of a neuron value
batch_size
projection_mean projection_sum projection_max          x                 of a synapse value
power                 x                           n                      an integer power
to_post, to_pre       [synapse] [neuron] [gate]   projection, Factors    the weighted sums of a projection
outer                 pre, post                   projection, reduce     summed over the batch
until                 x                           projection             the running total over the postsynaptic neurons
outer_until           synapse, post, post         projection, reduce     the outer product with a running total
at_pre, at_post       x                           projection, dense      a neuron value as seen by the synapses; "idle"
                                                                         instead of False: 0 at some, which never act
at_sites              x                           projection, "pre", "post" or "synapse", dense     as seen at the sites
sites_to_post, sites_to_pre     x [gate]          projection             summed over the sites of a neuron
sites_to_synapse      x                           projection, reduce     summed over places and the batch
over_places           x                           projection             their mean, for every synapse and example
spread                x                                                  over the dims of its type, in its space
fill                  x                                                  stretched over all axes of its space

`passes/roll` turns equal stretches of operations into the following. A *stack* is a value with one more dim in front:
one entry per stretch, in the space of one of them. A leaf may read a stack of variables (`Stack`) by its name.

loop                  start.. stack.. same..      Loop                   everything it computes, at once
carry, each, same                                 number                 in the body of a loop: the value passed on by
                                                                         the previous stretch, an entry, an argument
final, stacked        loop                        number                 what the last stretch passes on; a stack
element               stack                       number
join                  element or stack..          items                  (low, high) of a stack; high < low: backwards
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from blurc.diagnostics import Span
from blurc.language import functions
from blurc.model import FLOAT, Dense, Form, Init, Nested, Shape, Topology, sites


@dataclass(frozen=True, slots=True)
class Factors:
    """Which arguments a weighted sum has. With `mixes` the synapse factor is a matrix, applied to the neuron factor. In
    a `dense` projection all neurons have the same partners."""

    synapse: bool
    neuron: bool
    gate: bool = False
    mixes: bool = False
    dense: bool = True

    def __str__(self) -> str:
        named = [name for name in ("synapse", "neuron") if getattr(self, name)]
        marks = [name for name in ("mixes", "gate") if getattr(self, name)]
        return ", ".join([" * ".join(named) or "count", *marks])


Attr: TypeAlias = "str | int | bool | Nested | Factors | Loop | tuple[int | tuple[int, int], ...] | tuple[str, ...]"
Key: TypeAlias = tuple[str, ...]


EACH = ("examples", "sites")  # spaces with an axis of examples in front of two others


@dataclass(frozen=True, slots=True)
class Space:
    """`of` is a population or a projection ("" for everywhere). `first`: varies over the batch, or over the presynaptic
    neurons. `second`: varies over the neurons, or over the postsynaptic neurons. In a projection that is not dense a
    value varies over both or neither."""

    kind: str  # "everywhere", "neurons", "synapses", "examples", "sites"
    of: str = ""
    first: bool = False
    second: bool = False

    def __str__(self) -> str:
        if self.kind == "everywhere":
            return ""
        axes = ("batch", self.of) if self.kind == "neurons" else ("pre", "post")
        named = [axis if there else "1" for axis, there in zip(axes, (self.first, self.second), strict=True)]
        return ", ".join(["batch"] * (self.kind in EACH) + named)


EVERYWHERE = Space("everywhere")


@dataclass(frozen=True, slots=True)
class Type:
    dims: Shape
    space: Space

    def __str__(self) -> str:
        parts = [", ".join(map(str, self.dims)), str(self.space)]
        return "[" + "; ".join(p for p in parts if p) + "]"


@dataclass(frozen=True, slots=True)
class Op:
    """An operation. Its arguments are indices of earlier operations in the block."""

    name: str
    args: tuple[int, ...]
    attrs: tuple[Attr, ...]
    type: Type
    span: Span = field(compare=False, repr=False)

    def on(self, args: Iterable[int]) -> Op:
        """The same operation on other arguments."""
        return Op(self.name, tuple(args), self.attrs, self.type, self.span)


@dataclass(frozen=True, slots=True)
class Result:
    """A value that leaves a block.

    key                                      what
    ("readout", population)                  a prediction
    ("synapse", projection, channel)         the new channel
    ("example", projection, channel)         the same, for every example
    ("carried", population, state)           the new persistent state
    ("statistic", population, name)          a running statistic
    ("trace", phase, population, state)      a state after a phase
    ("state", phase, population, state)      what a phase assigned; removed by liveness
    """

    key: Key
    value: int


@dataclass(frozen=True, slots=True)
class Stack:
    """Variables of equal shape that a block reads and writes as one array: `variable` of each projection or population
    in `members`. `kind` is the operation that reads it: a channel, a persistent state or a meta-parameter."""

    kind: str  # "synapse", "example", "carried", "meta"
    name: str
    variable: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """Operations in order, the values that leave, and the stacks of variables that are read by name."""

    ops: tuple[Op, ...]
    results: tuple[Result, ...]
    stacks: tuple[Stack, ...] = ()
    seen: tuple[str, ...] = ()  # inputs by ids of which only the rows of ids that occur are computed

    def result(self, *key: str) -> int | None:
        return next((r.value for r in self.results if r.key == key), None)

    @property
    def uses_target(self) -> bool:
        return self.uses("target")

    def uses(self, name: str) -> bool:
        return any(op.name == name for op in self.all_ops())

    @property
    def modulators(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(op.attrs[0]) for op in self.all_ops() if op.name == "modulator"))

    def all_ops(self) -> Iterator[Op]:
        """The operations, with those in the bodies of loops."""
        for op in self.ops:
            yield op
            if op.name == "loop":
                yield from loop_of(op).body.all_ops()


@dataclass(frozen=True, slots=True)
class Loop:
    """Runs `body` `count` times. Its arguments are the initial carries; then the stacks, read from the last entry to
    the first if `backwards`; then what is the same each time. Results of the body are ("carry", number) and ("stack",
    number); the entries of a result stack are in the order of those read."""

    body: Block
    count: int
    carries: int
    stacks: int
    backwards: bool

    def __str__(self) -> str:
        return f"{self.count} times{', backwards' if self.backwards else ''}"


def loop_of(op: Op) -> Loop:
    loop = op.attrs[0]
    assert isinstance(loop, Loop)
    return loop


@dataclass(frozen=True, slots=True)
class Population:
    name: str
    role: str
    shape: Shape
    size: int
    ids: bool = False

    @property
    def given(self) -> int:
        """The numbers that an example has for it: of ids, at least one."""
        return 1 if self.ids else self.size


@dataclass(frozen=True, slots=True)
class Projection:
    """`shape`: that of its synapse arrays after the dims, as users see it; `axes`: the same as two axes, as programs
    use it. Both are () and (1, 1) without arrays. `form` and `why`: how products with sparse synapses are computed."""

    name: str
    source: str
    target: str
    pre: Shape
    post: Shape
    topology: Topology
    plastic: bool
    unit: bool  # from the unit neuron
    delay: int
    shape: Shape
    axes: tuple[int, int]
    form: Form | None = None
    why: str = field(default="", compare=False)
    constants: tuple[tuple[str, Nested], ...] = ()  # those `per projection`, for start values
    same: str = ""  # the projection whose synapses it has, if another's

    @property
    def keeper(self) -> str:
        """The projection that has its synapses, mostly itself."""
        return self.same or self.name

    @property
    def has_arrays(self) -> bool:
        """Whether it has synapses of its own, with arrays."""
        return self.topology.has_synapses and not self.same

    @property
    def n_pre(self) -> int:
        return math.prod(self.pre)

    @property
    def n_post(self) -> int:
        return math.prod(self.post)

    @property
    def fans(self) -> tuple[float, float]:
        return self.topology.fans(self.pre, self.post)

    @property
    def dense(self) -> bool:
        return isinstance(self.topology, Dense)


@dataclass(frozen=True, slots=True)
class Variable:
    """A channel of a projection, a persistent state or a running statistic of a population, a meta-parameter (`of` says
    what has one each: "network", "projection" ..; `starts` are the start values of those that have their own), or a
    signal (`of` is "network" or "example")."""

    of: str
    name: str
    dims: Shape
    init: Init | None = None
    span: Span | None = field(default=None, compare=False, repr=False)
    starts: tuple[tuple[str, Init], ...] = ()


@dataclass(frozen=True, repr=False)
class Plan:
    name: str
    genome: str
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    metas: tuple[Variable, ...]
    channels: tuple[Variable, ...]  # the allocated ones
    channel_starts: tuple[Variable, ...]  # every channel of the genome, in order, with its start value
    carried: tuple[Variable, ...]
    modulators: tuple[Variable, ...]
    step: Block
    predict: Block
    trace: Block
    run: Block  # `predict`, and what the neurons carry to the next step; the same block where they carry nothing
    statistics: tuple[Variable, ...] = ()
    examples: tuple[Variable, ...] = ()  # the allocated channels per example
    dropped: tuple[str, ...] = ()  # what liveness removed, in words
    ids: tuple[str, ...] = field(default=(), compare=False)  # how inputs by ids are computed, in words

    @cached_property
    def _by_name(self) -> dict[str, Population]:
        return {p.name: p for p in self.populations}

    @cached_property
    def _projections_by_name(self) -> dict[str, Projection]:
        return {p.name: p for p in self.projections}

    def population(self, name: str) -> Population:
        return self._by_name[name]

    def projection(self, name: str) -> Projection:
        return self._projections_by_name[name]

    def with_role(self, role: str) -> tuple[Population, ...]:
        return tuple(p for p in self.populations if p.role == role)

    def meta_shapes(self, v: Variable) -> Shape | dict[str, Shape]:
        """The shape of a meta-parameter, or a shape for each population or projection that has one."""
        match v.of:
            case "projection":
                return {p.name: v.dims for p in self.projections}
            case "synapse":
                return {p.name: (*v.dims, *p.shape) for p in self.projections if p.has_arrays}
            case "population":
                return {p.name: v.dims for p in self.populations}
            case "neuron":
                return {p.name: (*v.dims, *p.shape) for p in self.populations}
            case _:
                return v.dims

    def __repr__(self) -> str:
        return f"<plan of {self.name} with {self.genome}: {len(self.step.ops)} operations per step>"

    def __str__(self) -> str:
        return "\n".join(_lines(self))


# ------------------------------------------------------------------- printing


def _lines(plan: Plan) -> Iterator[str]:
    yield f"plan of {plan.name} with {plan.genome}"
    yield ""
    for p in plan.projections:
        channels = ", ".join(f"{v.name}{list(v.dims) or ''}" for v in plan.channels if v.of == p.name)
        kind = f"{p.topology}{'' if p.plastic else ', fixed'}{f', delay {p.delay}' if p.delay else ''}"
        what = f"the synapses of {p.same}" if p.same else f"channels {channels or 'none'}"
        yield f"  {p.name}: {kind}, {p.n_pre} x {p.n_post}, {what}"
        if p.form:
            yield f"    computed as {p.form}: {p.why}"
    for v in plan.examples:
        yield f"  {v.of}.{v.name}{list(v.dims) or ''}: a value for every synapse and example, {_bytes(plan, v)}"
    for v in plan.carried:
        yield f"  {v.of}.{v.name}{list(v.dims) or ''}: carried from step to step"
    for v in plan.statistics:
        yield f"  {v.of}.{v.name}{list(v.dims) or ''}: kept over steps and examples"
    yield from (f"  {how}" for how in plan.ids)
    yield from (f"  dropped: {what}" for what in plan.dropped)
    blocks = {"step": plan.step, "predict": plan.predict} | ({"run": plan.run} if plan.carried else {})
    for name, block in blocks.items():
        yield ""
        yield f"{name}:"
        yield from show(block)


def _bytes(plan: Plan, v: Variable) -> str:
    p, numbers = plan.projection(v.of), math.prod(v.dims)
    kept = f"{FLOAT * numbers * math.prod(p.shape):,} bytes for each example"
    if not p.topology.shares:
        return kept
    places = len(sites(p.topology, p.pre, p.post).pre)
    return f"{kept}, and {FLOAT * numbers * places:,} where it is used: at {places:,} places"


def show(block: Block, indent: str = "  ") -> Iterator[str]:
    for s in block.stacks:
        yield f"{indent}{s.name}: {len(s.members)} x {s.variable} as one"
    for i, op in enumerate(block.ops):
        args = " ".join(f"%{a}" for a in op.args)
        prime = "'" if op.attrs and op.attrs[0] is True else ""
        shown = ", ".join(_attr(a) for a in op.attrs if not isinstance(a, bool))
        attrs = f" {{{shown}}}" if shown and not prime else ""
        line = f"{indent}%{i} = {op.name}{prime}{' ' + args if args else ''}{attrs} : {op.type}"
        yield f"{line:<72}  # {op.span.line}:{op.span.column}"
        if op.name == "loop":
            yield from show(loop_of(op).body, indent + "    ")
    for r in block.results:
        yield f"{indent}{' '.join(r.key)} <- %{r.value}"


def _attr(a: Attr) -> str:
    if isinstance(a, tuple) and len(a) > 1 and isinstance(a[0], str):  # the draws of a stack
        return f"{a[0]} .. {a[-1]}"
    return f"{a:g}" if isinstance(a, float) else str(a)


# --------------------------------------------------------------- verification


class InvalidPlan(AssertionError):
    """A pass broke an invariant: a bug in the compiler, never the user's mistake."""


def verify(block: Block, after: str) -> None:
    """Checks that arguments precede their use, spaces fit and results exist."""
    for i, op in enumerate(block.ops):
        if op.args:
            if not 0 <= min(op.args) <= max(op.args) < i:
                raise InvalidPlan(f"after {after}: %{i} = {op.name} uses a value that does not exist yet")
            _verify_space(i, op, [block.ops[a].type for a in op.args], after)
        if op.name == "loop":
            _verify_loop(i, op, after)
    for r in block.results:
        if not 0 <= r.value < len(block.ops):
            raise InvalidPlan(f"after {after}: {r.key} has no value")


def _verify_loop(i: int, op: Op, after: str) -> None:
    loop = loop_of(op)
    verify(loop.body, after)
    read = {name: [int(str(o.attrs[0])) for o in loop.body.ops if o.name == name] for name in ("carry", "each", "same")}
    there = {"carry": loop.carries, "each": loop.stacks, "same": len(op.args) - loop.carries - loop.stacks}
    handed = sum(r.key[0] == "carry" for r in loop.body.results)
    if any(n >= there[name] for name in read for n in read[name]) or handed != loop.carries:
        raise InvalidPlan(f"after {after}: the body of %{i} = loop does not fit its arguments")


def _verify_space(i: int, op: Op, args: list[Type], after: str) -> None:
    inferred = infer_space(op.name, [a.space for a in args], op.attrs, op.type.space)
    if inferred is not op.type.space and inferred != op.type.space:
        raise InvalidPlan(f"after {after}: %{i} = {op.name} : {op.type}, but its arguments give {inferred}")
    if op.name in ("at_pre", "at_post") and args[0].space.first:
        raise InvalidPlan(f"after {after}: %{i} = {op.name} : {op.type}, of a value that varies over the batch")
    if op.name in CROSSING:
        return
    own = op.type.space
    for a in args:
        if a.space.kind != "everywhere" and (a.space.of != own.of or a.space.kind != own.kind):
            raise InvalidPlan(f"after {after}: %{i} = {op.name} : {op.type} has an argument {a} of another space")


# --------------------------------------------------------------------- spaces

DRAWS = {"noise", "uniform"}
VARIABLES = {"meta", "synapse", "example", "carried", "statistic"}
LEAVES = {"literal", "modulator", "input", "target", "batch_size", *VARIABLES, *DRAWS}
LOOP = {"loop", "final", "stacked", "element", "join"}  # a loop, and what is taken from it
GIVEN = {"carry", "each", "same"}  # what is given to the body of a loop
FROM_SITES = {"sites_to_post", "sites_to_pre", "sites_to_synapse", "over_places"}
SITES = FROM_SITES | {"at_sites"}
DECLARED = LEAVES | LOOP | GIVEN | FROM_SITES | {"fill", "outer", "outer_until", "until"}  # the type is not inferred
# of several neurons or synapses
OF_ALL = {"to_post", "to_pre", "softmax", *functions.WHOLE, *functions.PLACES, *functions.PROJECTION}
# from one space to another
CROSSING = LOOP | SITES | {"to_post", "to_pre", "outer", "outer_until", "at_pre", "at_post"}


def infer_space(name: str, args: list[Space], attrs: tuple[Attr, ...], declared: Space) -> Space:
    """The axes that a result varies over, given its arguments. `declared` gives the population or projection."""
    if name in DECLARED:
        return declared
    first = second = False
    for a in args:  # a loop for speed: this runs for every operation of every pass
        first, second = first or a.first, second or a.second
    if name in ("to_post", "to_pre"):
        factors = attrs[1]
        assert isinstance(factors, Factors)
        # Without a synapse factor all neurons get the same sum; without a neuron factor all examples do.
        first = any(a.first for a in args if a.kind == "neurons")
        second = not factors.dense or (factors.synapse and (args[0].second if name == "to_post" else args[0].first))
    elif name in ("at_pre", "at_post"):
        seen, dense = attrs[1] == "idle" or any(a.second for a in args), attrs[1] is True
        first, second = seen and (name == "at_pre" or not dense), seen and (name == "at_post" or not dense)
    elif name == "at_sites":
        first, second = _at_sites(args[0], attrs)
    elif name in functions.WHOLE:
        second = False
    elif name in ("batch_mean", "batch_sum"):
        first = False
    elif name in ("projection_mean", "projection_sum", "projection_max"):
        first = second = False
    if (first, second) == (declared.first, declared.second):
        return declared
    return Space(declared.kind, declared.of, first, second)


def _at_sites(arg: Space, attrs: tuple[Attr, ...]) -> tuple[bool, bool]:
    _, side, dense = attrs
    if side == "synapse":
        either = arg.first or arg.second
        return (arg.first, arg.second) if dense else (either, either)
    return arg.second and (side == "pre" or not dense), arg.second and (side == "post" or not dense)


def reachable(block: Block, roots: Iterable[int]) -> set[int]:
    """The operations that the roots depend on, including the roots."""
    seen: set[int] = set()
    todo = list(roots)
    while todo:
        i = todo.pop()
        if i not in seen:
            seen.add(i)
            todo.extend(block.ops[i].args)
    return seen
