"""The checked model: a genome and a network that make sense, with every shape known and every name resolved.

`check` makes these from the syntax tree, for given compile-time parameters. All is frozen and hashable. Spans take
no part in equality. Consts and compile-time parameters are gone: they are `Literal`s now. `for` is unrolled, and
the unit neuron with its projections stands in the network like any other.

Every expression has a `shape` (`()`, `(k,)` or `(r, c)`) and says what it varies `over`.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Literal as Lit
from typing import TypeAlias

from blurc.diagnostics import Span
from blurc.language import PhaseKind
from blurc.model.topology import Shape, Topology

Nested: TypeAlias = "float | tuple[Nested, ...]"
Direction = Lit["incoming", "outgoing"]
Side = Lit["own", "pre", "post"]
Per = Lit[
    "network", "projection", "population", "neuron", "synapse"
]  # of what there is one meta-parameter each
ParamValue: TypeAlias = "float | int | str"


class Over(enum.Flag):
    """What a value differs over. In the scope of one neuron: EXAMPLE, NEURON. In the scope of one synapse: all but
    NEURON."""

    NOTHING = 0
    EXAMPLE = enum.auto()  # of the batch
    NEURON = enum.auto()  # of the own population
    PRE = enum.auto()  # the presynaptic neuron
    POST = enum.auto()  # the postsynaptic neuron
    SYNAPSE = enum.auto()
    PROJECTION = enum.auto()  # fan_in, `per projection` meta-parameters


@dataclass(frozen=True, kw_only=True)
class Typed:
    shape: Shape
    over: Over
    span: Span = field(compare=False, repr=False)


# ---------------------------------------------------------------- expressions


@dataclass(frozen=True)
class Literal(Typed):
    value: Nested  # a number, a tuple of numbers, or a tuple of rows


@dataclass(frozen=True)
class Meta(Typed):
    """A meta-parameter.

    One `per population` or `per neuron` belongs to a neuron: `tau` (own), `pre.tau`, `post.tau`. All others are read
    by bare name, and have the side "own".
    """

    name: str
    per: Per = "network"
    side: Side = "own"


@dataclass(frozen=True)
class State(Typed):
    """A neuron state: `a` (own), `pre.a`, `post.a`."""

    name: str
    side: Side


@dataclass(frozen=True)
class Channel(Typed):
    """A channel of the synapse itself."""

    name: str


@dataclass(frozen=True)
class Signal(Typed):
    name: Lit["input", "target"]


@dataclass(frozen=True)
class Modulator(Typed):
    """A `signal` of the genome: a value fed at every step, the same for all neurons and synapses."""

    name: str


@dataclass(frozen=True)
class Noise(Typed):
    """`noise(std)`: normal, independent for every example, neuron and entry of the shape. In neuron scope, never inside
    a sum. `number` tells the draws of a genome apart; every visit of a phase draws anew."""

    std: Expr
    number: int


@dataclass(frozen=True)
class Fan(Typed):
    name: Lit["fan_in", "fan_out"]


@dataclass(frozen=True)
class Let(Typed):
    """A value named by a `let` of the same phase. Never inside a `Total`."""

    name: str


@dataclass(frozen=True)
class Apply(Typed):
    """A function of `functions.py`, or one of add sub mul div pow neg matmul.

    `prime` asks for the derivative of a unary function. Operands of elementwise functions have the shape of the
    result or `()`.
    """

    function: str
    args: tuple[Expr, ...]
    prime: bool = False


@dataclass(frozen=True)
class Slot(Typed):
    """`phi(x)` or `phi'(x)` for a function slot of the genome.

    In neuron scope the population's own function. In synapse scope the presynaptic population's where `x` varies
    over PRE and neither POST nor SYNAPSE, the postsynaptic population's likewise, and else the genome's default.
    """

    name: str
    arg: Expr
    prime: bool = False


@dataclass(frozen=True)
class Pick(Typed):
    """`x[0]`, `x[1:]`: an int drops its axis, a `(low, high)` pair keeps `low..high-1` (may be empty)."""

    arg: Expr
    items: tuple[int | tuple[int, int], ...]


@dataclass(frozen=True)
class Stack(Typed):
    """`[e1, e2]`: the items, which have one shape, along a new first axis."""

    items: tuple[Expr, ...]


@dataclass(frozen=True)
class Total(Typed):
    """`incoming(E)` / `outgoing(E)`: the sum of `body` (in synapse scope) over a neuron's synapses.

    `incoming` sums over the projections that carry forward into the neuron's population, `outgoing` over those that
    carry feedback back to it. `side` is whose total it is: "own" in neuron scope; in `update`, "post" for
    `post.incoming(E)` and "pre" for `pre.outgoing(E)`.
    """

    direction: Direction
    side: Side
    body: Expr


@dataclass(frozen=True)
class Until(Typed):
    """`pre.outgoing_until(E)`, in `update`: for the synapse from i to j, the sum of `body` over the synapses of the
    same projection from i to the neurons up to and including j. What varies over the batch stands inside a
    `Reduce`."""

    body: Expr


@dataclass(frozen=True)
class Reduce(Typed):
    """`batch_mean(E)`, `batch_sum(E)`."""

    kind: Lit["batch_mean", "batch_sum"]
    body: Expr


Expr: TypeAlias = (
    Literal
    | Meta
    | State
    | Channel
    | Signal
    | Modulator
    | Noise
    | Fan
    | Let
    | Apply
    | Slot
    | Pick
    | Stack
    | Total
    | Until
    | Reduce
)


def children(e: Expr) -> tuple[Expr, ...]:
    match e:
        case Apply(args=args):
            return args
        case Slot(arg=arg) | Pick(arg=arg):
            return (arg,)
        case Stack(items=items):
            return items
        case Total(body=body) | Until(body=body) | Reduce(body=body):
            return (body,)
        case Noise(std=std):
            return (std,)
        case _:
            return ()


def walk(e: Expr) -> Iterator[Expr]:
    """The expression and everything in it, outermost first."""
    yield e
    for child in children(e):
        yield from walk(child)


# ---------------------------------------------------------------- genomes


Drawn = Lit["normal", "uniform"]
DRAWN: Mapping[Drawn, tuple[str, ...]] = MappingProxyType({"normal": ("std",), "uniform": ("low", "high")})
"""The distributions that random start values come from, with their arguments."""


@dataclass(frozen=True)
class Init:
    """How a channel or a meta-parameter starts.

    dist        args
    normal      (std,)           mean 0
    uniform     (low, high)
    value       (value,)         of the variable's shape or `()`
    copy        ()               the initial value of the channel `source`

    The arguments of a channel may read meta-parameters and fans; those of a meta-parameter are Literals.
    """

    dist: Drawn | Lit["value", "copy"]
    args: tuple[Expr, ...] = ()
    source: str | None = None

    @property
    def is_random(self) -> bool:
        return self.dist in DRAWN


@dataclass(frozen=True, kw_only=True)
class Declared:
    name: str
    shape: Shape
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class StateVar(Declared):
    persistent: bool = False


@dataclass(frozen=True)
class ChannelVar(Declared):
    init: Init


@dataclass(frozen=True)
class MetaVar(Declared):
    init: Init
    per: Per = "network"


@dataclass(frozen=True)
class ModulatorVar(Declared):
    pass


@dataclass(frozen=True)
class LetStatement:
    name: str
    value: Expr
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Assign:
    """`name[items] <- value`. `items` is empty for the whole variable; `value` has the shape of the part or `()`."""

    name: str
    items: tuple[int | tuple[int, int], ...]
    value: Expr
    span: Span = field(compare=False, repr=False)


Statement: TypeAlias = LetStatement | Assign


@dataclass(frozen=True)
class Phase:
    """`name` is the kind, or `forward#2` for the second phase of a kind, or `forward@3` in the third round of a
    `repeat`, which stands written out."""

    kind: PhaseKind
    name: str
    statements: tuple[Statement, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Genome:
    name: str
    params: tuple[tuple[str, ParamValue], ...]
    states: tuple[StateVar, ...]
    channels: tuple[ChannelVar, ...]
    metas: tuple[MetaVar, ...]
    slots: tuple[tuple[str, str], ...]  # slot, function
    phases: tuple[Phase, ...]
    readout: Expr
    span: Span = field(compare=False, repr=False)
    modulators: tuple[ModulatorVar, ...] = ()

    def state(self, name: str) -> StateVar:
        return next(s for s in self.states if s.name == name)

    def channel(self, name: str) -> ChannelVar:
        return next(c for c in self.channels if c.name == name)


# ---------------------------------------------------------------- networks

UNIT = "unit"  # the population of the unit neuron


@dataclass(frozen=True)
class Population:
    name: str
    role: Lit["input", "hidden", "output", "unit"]
    shape: Shape
    slots: tuple[tuple[str, str], ...]  # overrides of function slots
    bias: bool
    span: Span = field(compare=False, repr=False)

    @property
    def size(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True)
class Projection:
    """`forward`: carries from source to target. `feedback`: carries from target back to source. `delay`: steps that
    a state needs from one end to the other; 0 is within the step."""

    name: str
    source: str
    target: str
    forward: bool
    feedback: bool
    plastic: bool
    topology: Topology
    span: Span = field(compare=False, repr=False)
    delay: int = 0


@dataclass(frozen=True)
class Network:
    name: str
    params: tuple[tuple[str, ParamValue], ...]
    populations: tuple[Population, ...]  # as declared; `unit` last, where any population has a bias
    projections: tuple[Projection, ...]  # as declared; then those of the unit neuron
    span: Span = field(compare=False, repr=False)

    @cached_property
    def _by_name(self) -> dict[str, Population]:
        return {p.name: p for p in self.populations}

    def population(self, name: str) -> Population:
        return self._by_name[name]

    def with_role(self, role: str) -> tuple[Population, ...]:
        return tuple(p for p in self.populations if p.role == role)


@dataclass(frozen=True)
class Model:
    """One genome on one network: what is compiled."""

    genome: Genome
    network: Network

    def slot(self, population: str, name: str) -> str:
        """The function that a slot holds in a population."""
        own = dict(self.network.population(population).slots)
        return own.get(name) or dict(self.genome.slots)[name]
