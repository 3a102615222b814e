"""The plan, the waist of the compiler: flat, typed operations in single-assignment form. It knows no lark, networkx
or jax, and is hashable: equal plans share one compiled program.

A value has *dims* (the axes of states and channels, in the words of the language) and lives in a *space* that says
which further axes it has. Arrays are laid out with dims first:

    everywhere      [*dims]
    neurons         [*dims, batch or 1, n or 1]
    synapses        [*dims, n_pre or 1, n_post or 1]

Operation             arguments                   attributes
literal                                           value
meta                                              name [, projection]
input, target                                     population
carried                                           population, state      a persistent state, as it was
synapse                                           projection, channel    as it was at the start of the step
FUNCTION              x..                         [prime]                element by element
matmul                m, x                                               over dims
pick                  x                           items
put                   base, x                     items                  base with a part replaced
stack                 x..
softmax standardize population_mean population_sum     x
batch_mean batch_sum  x                                                  of a neuron value
batch_size
power                 x                           n                      a whole power
to_post, to_pre       [synapse] [neuron]          projection, form, mixes  the weighted sums of a projection
outer                 pre, post                   projection, reduce     summed over the batch
at_pre, at_post       x                           projection             a neuron value, seen by the synapses
spread                x                                                  over the dims of its type, in its space
fill                  x                                                  stretched over all axes of its space
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from blurc.diagnostics import Span
from blurc.model import Init, Nested, Shape

Attr: TypeAlias = "str | int | bool | Nested | tuple[int | tuple[int, int], ...]"
Key: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Space:
    """`of` is a population or a projection ("" for everywhere). `first`: varies over the batch, or over the
    presynaptic neurons. `second`: varies over the neurons, or over the postsynaptic neurons."""

    kind: str  # "everywhere", "neurons", "synapses"
    of: str = ""
    first: bool = False
    second: bool = False

    def __str__(self) -> str:
        axes = {"neurons": ("batch", self.of), "synapses": ("pre", "post")}.get(self.kind, ("", ""))
        named = [axis if there else "1" for axis, there in zip(axes, (self.first, self.second), strict=True)]
        return "" if self.kind == "everywhere" else ", ".join(named)


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
    """One operation. Arguments are the indices of earlier operations of the block."""

    name: str
    args: tuple[int, ...]
    attrs: tuple[Attr, ...]
    type: Type
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Result:
    """A value that leaves a block.

    key                                      what
    ("readout", population)                  a prediction
    ("synapse", projection, channel)         the new channel
    ("carried", population, state)           the new persistent state
    ("trace", phase, population, state)      a state after a phase
    ("state", phase, population, state)      what a phase assigned; gone after liveness
    """

    key: Key
    value: int


@dataclass(frozen=True)
class Block:
    """Operations in order, and the values that leave."""

    ops: tuple[Op, ...]
    results: tuple[Result, ...]

    def result(self, *key: str) -> int | None:
        return next((r.value for r in self.results if r.key == key), None)

    @property
    def uses_target(self) -> bool:
        return any(op.name == "target" for op in self.ops)


@dataclass(frozen=True, slots=True)
class Population:
    name: str
    role: str
    shape: Shape
    size: int


@dataclass(frozen=True, slots=True)
class Projection:
    name: str
    source: str
    target: str
    n_pre: int
    n_post: int
    topology: str
    plastic: bool
    unit: bool  # from the unit neuron


@dataclass(frozen=True, slots=True)
class Variable:
    """A channel of a projection, a persistent state of a population, or a meta-parameter (`of` is empty, or "*" for
    one a projection)."""

    of: str
    name: str
    dims: Shape
    init: Init | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, repr=False)
class Plan:
    name: str
    genome: str
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    metas: tuple[Variable, ...]
    channels: tuple[Variable, ...]  # those that are allocated
    channel_starts: tuple[Variable, ...]  # every channel of the genome, in order, with how it starts
    carried: tuple[Variable, ...]
    step: Block
    predict: Block
    trace: Block
    dropped: tuple[str, ...] = ()  # what liveness removed, in words

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

    def __repr__(self) -> str:
        return f"<plan of {self.name} with {self.genome}: {len(self.step.ops)} operations a step>"

    def __str__(self) -> str:
        return "\n".join(_lines(self))


# ------------------------------------------------------------------- printing


def _lines(plan: Plan) -> Iterator[str]:
    yield f"plan of {plan.name} with {plan.genome}"
    yield ""
    for p in plan.projections:
        channels = ", ".join(f"{v.name}{list(v.dims) or ''}" for v in plan.channels if v.of == p.name)
        kind = p.topology + ("" if p.plastic else ", fixed")
        yield f"  {p.name}: {kind}, {p.n_pre} x {p.n_post}, channels {channels or 'none'}"
    for v in plan.carried:
        yield f"  {v.of}.{v.name}{list(v.dims) or ''}: carried from step to step"
    yield from (f"  dropped: {what}" for what in plan.dropped)
    for name, block in (("step", plan.step), ("predict", plan.predict)):
        yield ""
        yield f"{name}:"
        yield from show(block)


def show(block: Block) -> Iterator[str]:
    for i, op in enumerate(block.ops):
        args = " ".join(f"%{a}" for a in op.args)
        prime = "'" if op.attrs and op.attrs[0] is True else ""
        shown = ", ".join(_attr(a) for a in op.attrs if a is not False)
        attrs = f" {{{shown}}}" if shown and not prime else ""
        line = f"  %{i} = {op.name}{prime}{' ' + args if args else ''}{attrs} : {op.type}"
        yield f"{line:<72}  # {op.span.line}:{op.span.column}"
    for r in block.results:
        yield f"  {' '.join(r.key)} <- %{r.value}"


def _attr(a: Attr) -> str:
    if a is True:
        return "mixes"
    return f"{a:g}" if isinstance(a, float) else str(a)


# --------------------------------------------------------------- verification


class InvalidPlan(AssertionError):
    """A pass broke an invariant: a mistake of the compiler, never of the user."""


def verify(block: Block, after: str) -> None:
    """Arguments come before their use, spaces fit, results exist."""
    for i, op in enumerate(block.ops):
        if any(not 0 <= a < i for a in op.args):
            raise InvalidPlan(f"after {after}: %{i} = {op.name} uses a value that is not there yet")
        _verify_space(i, op, [block.ops[a].type for a in op.args], after)
    for r in block.results:
        if not 0 <= r.value < len(block.ops):
            raise InvalidPlan(f"after {after}: {r.key} has no value")


def _verify_space(i: int, op: Op, args: list[Type], after: str) -> None:
    inferred = infer_space(op.name, [a.space for a in args], op.attrs, op.type.space)
    if inferred != op.type.space:
        raise InvalidPlan(f"after {after}: %{i} = {op.name} : {op.type}, but its arguments give {inferred}")
    if op.name in CROSSING:
        return
    for a in args:
        if a.space.kind != "everywhere" and (a.space.kind, a.space.of) != (
            op.type.space.kind,
            op.type.space.of,
        ):
            raise InvalidPlan(
                f"after {after}: %{i} = {op.name} : {op.type} has an argument {a} of another space"
            )


# --------------------------------------------------------------------- spaces

LEAVES = {
    "literal",
    "meta",
    "input",
    "target",
    "carried",
    "synapse",
    "batch_size",
    "fill",
}  # their type is given
CROSSING = {"to_post", "to_pre", "outer", "at_pre", "at_post"}  # operations that lead from space to space


def infer_space(name: str, args: list[Space], attrs: tuple[Attr, ...], declared: Space) -> Space:
    """Over which axes a result varies, given its arguments. `declared` says which space it is of."""
    if name in LEAVES or name == "outer":
        return declared
    first, second = any(a.first for a in args), any(a.second for a in args)
    if name in ("to_post", "to_pre"):
        # Without a synapse factor all neurons get the same sum; without a neuron factor all examples do.
        synapse = args[0] if "synapse" in str(attrs[1]) else None
        first = args[-1].first if "neuron" in str(attrs[1]) else False
        second = synapse is not None and (synapse.second if name == "to_post" else synapse.first)
    elif name == "at_pre":
        first, second = second, False
    elif name == "at_post":
        first = False
    elif name in ("population_mean", "population_sum"):
        second = False
    elif name in ("batch_mean", "batch_sum"):
        first = False
    return Space(declared.kind, declared.of, first, second)


def reachable(block: Block, roots: Iterable[int]) -> set[int]:
    """The operations that the roots depend on, roots included."""
    seen: set[int] = set()
    todo = list(roots)
    while todo:
        i = todo.pop()
        if i not in seen:
            seen.add(i)
            todo.extend(block.ops[i].args)
    return seen
