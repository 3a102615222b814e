"""The checked model: a valid genome and network, with every shape known and every name resolved.

`check` builds it from the syntax tree for given compile-time parameters. Everything is frozen and hashable; equality
ignores spans. Consts and compile-time parameters have become `Literal`s, `for` is unrolled, and the unit neuron and its
projections are part of the network like any others.

Every expression has a `shape` (`()`, `(k,)` or `(r, c)`) and records what it varies `over`.
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
Per = Lit["network", "projection", "population", "neuron", "synapse"]  # what has its own copy of a meta-parameter
ParamValue: TypeAlias = float | int | str


class Over(enum.Flag):
    """What a value varies over. In neuron scope: EXAMPLE, NEURON. In synapse scope: everything but NEURON."""

    NOTHING = 0
    EXAMPLE = enum.auto()  # in the batch
    NEURON = enum.auto()  # in its own population
    PRE = enum.auto()  # the presynaptic neuron
    POST = enum.auto()  # the postsynaptic neuron
    SYNAPSE = enum.auto()
    PROJECTION = enum.auto()  # fan_in, `per projection` meta-parameters
    BUILT = enum.auto()  # a channel `per example`: there is an array of batch x pre x post


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

    `per population` and `per neuron` ones belong to a neuron: `tau` (own), `pre.tau`, `post.tau`. All others are read
    by their bare name and have side "own".
    """

    name: str
    per: Per = "network"
    side: Side = "own"


@dataclass(frozen=True)
class Constant(Meta):
    """A `const .. per population` or `per projection`: read like a meta-parameter, but fixed by the network."""


@dataclass(frozen=True)
class State(Typed):
    """A neuron state: `a` (own), `pre.a`, `post.a`."""

    name: str
    side: Side


@dataclass(frozen=True)
class Channel(Typed):
    """A channel of the synapse. It varies over EXAMPLE, and is BUILT, if it is declared `per example`."""

    name: str


@dataclass(frozen=True)
class Signal(Typed):
    name: Lit["input", "target"]


@dataclass(frozen=True)
class Modulator(Typed):
    """A `signal` of the genome: a value fed in at every step, the same for all neurons and synapses. It varies over
    EXAMPLE if it is declared `per example`."""

    name: str


@dataclass(frozen=True)
class Noise(Typed):
    """`noise(std)`: normal. In neuron scope independent for every example, neuron and entry, in `update` for every
    synapse and entry; never inside a sum. `number` distinguishes the draws of a genome; every run of a phase draws
    again."""

    std: Expr
    number: int


@dataclass(frozen=True)
class Uniform(Typed):
    """`uniform(low, high)`, independent like `noise`."""

    low: Expr
    high: Expr
    number: int


@dataclass(frozen=True)
class Fan(Typed):
    """A number of the synapse's projection. `plastic`, whether its synapses learn, came later; the hashes in users'
    files have the name of this class."""

    name: Lit["fan_in", "fan_out", "plastic"]


@dataclass(frozen=True)
class Let(Typed):
    """A value named by a `let` of the same phase. Never inside a `Total`."""

    name: str


@dataclass(frozen=True)
class Apply(Typed):
    """A function from `functions.py`, or one of add sub mul div pow neg matmul.

    `prime`: the derivative of a unary function. Operands of elementwise functions have the result's shape or `()`.
    """

    function: str
    args: tuple[Expr, ...]
    prime: bool = False


@dataclass(frozen=True)
class Slot(Typed):
    """`phi(x)` or `phi'(x)` for a function slot of the genome.

    In neuron scope, the population's own function. In synapse scope, the presynaptic population's if `x` varies over
    PRE but not over POST or SYNAPSE, likewise for the postsynaptic one, and otherwise the genome's default.
    """

    name: str
    arg: Expr
    prime: bool = False


@dataclass(frozen=True)
class Argument(Typed):
    """A number that a function is given. Only in the bodies of `Function`s."""

    name: str


@dataclass(frozen=True)
class Sloped(Typed):
    """A call of a function with a slope of its own: its value is `value`, its derivative in `arg` is `slope`. `value`
    reads `arg` only under `hold`, which has no derivative."""

    function: str = field(compare=False)
    value: Expr
    arg: Expr
    slope: Expr


@dataclass(frozen=True)
class Pick(Typed):
    """`x[0]`, `x[1:]`: an int drops its axis; a `(low, high)` pair keeps `low..high-1`, which may be empty."""

    arg: Expr
    items: tuple[int | tuple[int, int], ...]


@dataclass(frozen=True)
class Stack(Typed):
    """`[e1, e2]`: items of equal shape, stacked along a new first axis."""

    items: tuple[Expr, ...]


@dataclass(frozen=True)
class Total(Typed):
    """`incoming(E)` / `outgoing(E)`: the sum of `body` (in synapse scope) over a neuron's synapses.

    `incoming` sums over the forward projections into the neuron's population, `outgoing` over those that bring feedback
    to it. `side` says whose total it is: "own" in neuron scope; in `update`, "post" for `post.incoming(E)` and "pre"
    for `pre.outgoing(E)`. Inside another total of the same direction, these are the neuron that sums. `kind`: of which
    projections, as in `incoming[dendrite](E)`; "" for all.
    """

    direction: Direction
    side: Side
    body: Expr
    kind: str = ""

    def runs_over(self, projection: Projection) -> bool:
        return self.kind in ("", projection.kind)


@dataclass(frozen=True)
class Until(Typed):
    """`pre.outgoing_until(E)`, in `update`: for the synapse from i to j, the sum of `body` over the synapses of the
    same projection from i to neurons up to and including j. If it varies over the batch, it is inside a `Reduce`."""

    body: Expr


@dataclass(frozen=True)
class Reduce(Typed):
    """`batch_mean(E)`, `batch_sum(E)`."""

    kind: Lit["batch_mean", "batch_sum"]
    body: Expr


@dataclass(frozen=True)
class Across(Typed):
    """`projection_mean(E)`, `projection_sum(E)`, `projection_max(E)`, in `update`: over all synapses of the projection,
    with its channels as the statements before left them. `body` does not vary over the batch."""

    function: Lit["projection_mean", "projection_sum", "projection_max"]
    body: Expr


@dataclass(frozen=True)
class Running(Typed):
    """`running_mean(z)`, `running_var(z)`, `standardize(z, running)`, of statistics that every neuron keeps over steps.

    At every visit of a step, they move by `rate` to those of the batch; a prediction reads them unchanged. Only in
    neuron scope, never inside a sum. `number` distinguishes the statistics of a genome.
    """

    function: Lit["running_mean", "running_var", "standardize"]
    arg: Expr
    rate: float
    number: int

    @property
    def kept(self) -> tuple[str, ...]:
        """The names of the arrays in the state."""
        kinds = ("mean",) if self.function == "running_mean" else ("mean", "var")
        return tuple(f"running_{kind}#{self.number}" for kind in kinds)


Expr: TypeAlias = (
    Literal
    | Meta
    | State
    | Channel
    | Signal
    | Modulator
    | Noise
    | Uniform
    | Fan
    | Let
    | Apply
    | Slot
    | Argument
    | Sloped
    | Pick
    | Stack
    | Total
    | Until
    | Reduce
    | Across
    | Running
)


def children(e: Expr) -> tuple[Expr, ...]:
    match e:
        case Apply(args=args):
            return args
        case Slot(arg=arg) | Pick(arg=arg) | Running(arg=arg):
            return (arg,)
        case Stack(items=items):
            return items
        case Total(body=body) | Until(body=body) | Reduce(body=body) | Across(body=body):
            return (body,)
        case Noise(std=std):
            return (std,)
        case Uniform(low=low, high=high):
            return (low, high)
        case Sloped(value=value, arg=arg, slope=slope):
            return (value, arg, slope)
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
"""The distributions of random initial values, with their arguments."""


@dataclass(frozen=True)
class Init:
    """The initial value of a channel or meta-parameter.

    dist        args
    normal      (std,)           mean 0
    uniform     (low, high)
    value       (value,)         of the variable's shape or `()`
    copy        ()               the initial value of the channel `source`

    A channel's arguments may read meta-parameters and fans; a meta-parameter's are Literals.
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
class SignalVar(Declared):
    per_example: bool = False


@dataclass(frozen=True)
class ChannelVar(Declared):
    init: Init
    per_example: bool = False


@dataclass(frozen=True)
class MetaVar(Declared):
    init: Init
    per: Per = "network"


@dataclass(frozen=True)
class ConstantVar(Declared):
    """`value`: where the network gives no other. A number fills the shape."""

    value: Nested
    per: Per


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
class Function:
    """A function of numbers, which `value` and `slope` read as `Argument`s. Without a slope of its own, a function of
    one number has the derivative of `value`."""

    name: str
    arguments: tuple[str, ...]
    value: Expr
    slope: Expr | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Variant:
    """The statements of `forward of inhibitory { .. }`: for populations of a kind or role, or in `update` for
    projections of a kind."""

    of: str
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Phase:
    """One run of a phase. `name` is the name that the genome gives the phase, or else its kind; `forward#2` for the
    second run under that name, or `forward@3` in the third round of a `repeat`, which is unrolled. `statements` are for
    what none of the variants is for."""

    kind: PhaseKind
    name: str
    statements: tuple[Statement, ...]
    span: Span = field(compare=False, repr=False)
    variants: tuple[Variant, ...] = ()

    def of(self, *kinds: str) -> tuple[Statement, ...]:
        """The statements for what is of these kinds; the first that has its own counts."""
        own = {v.of: v.statements for v in self.variants}
        return next((own[kind] for kind in kinds if kind in own), self.statements)


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
    modulators: tuple[SignalVar, ...] = ()
    constants: tuple[ConstantVar, ...] = ()
    functions: tuple[Function, ...] = ()  # those that may be in a slot

    def state(self, name: str) -> StateVar:
        return next(s for s in self.states if s.name == name)

    def channel(self, name: str) -> ChannelVar:
        return next(c for c in self.channels if c.name == name)

    def function(self, name: str) -> Function | None:
        """A function of its own; None for those of the language."""
        return next((f for f in self.functions if f.name == name), None)


def filled(value: Nested, shape: Shape) -> Nested:
    """A value of this shape: the value itself, or a number everywhere."""
    if isinstance(value, tuple) or not shape:
        return value
    return tuple(filled(value, shape[1:]) for _ in range(shape[0]))


def picked(value: Nested, items: tuple[int | tuple[int, int], ...]) -> Nested:
    """`value[0]`, `value[1:]`."""
    if not items or not isinstance(value, tuple):
        return value
    first, *rest = items
    if isinstance(first, int):
        return picked(value[first], tuple(rest))
    return tuple(picked(part, tuple(rest)) for part in value[slice(*first)])


def uniform(value: Nested) -> Nested:
    """The number that all entries are, if they are equal."""
    if not isinstance(value, tuple):
        return value
    parts = {uniform(part) for part in value}
    return next(iter(parts)) if len(parts) == 1 and not isinstance(next(iter(parts)), tuple) else value


# ---------------------------------------------------------------- networks

UNIT = "unit"  # the population of the unit neuron


@dataclass(frozen=True)
class Given(Declared):
    """`{ tau = 20 }`, `[site = 0]`: what a meta-parameter starts with there, or what a constant is."""

    value: Nested


@dataclass(frozen=True)
class Population:
    name: str
    role: Lit["input", "hidden", "output", "unit"]
    shape: Shape
    slots: tuple[tuple[str, str], ...]  # overrides of function slots
    bias: bool
    span: Span = field(compare=False, repr=False)
    kind: str = ""
    values: tuple[Given, ...] = ()
    ids: bool = False  # its data are integers: which of its neurons are 1

    @property
    def size(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True)
class Projection:
    """`forward`: carries values from source to target. `feedback`: carries them from target back to source. `delay`:
    steps a state takes from one end to the other; 0 is within the same step. `same`: the projection whose synapses it
    has, if another's."""

    name: str
    source: str
    target: str
    forward: bool
    feedback: bool
    plastic: bool
    topology: Topology
    span: Span = field(compare=False, repr=False)
    delay: int = 0
    kind: str = ""
    values: tuple[Given, ...] = ()
    same: str = ""

    @property
    def has_arrays(self) -> bool:
        """Whether it has synapses of its own, with arrays."""
        return self.topology.has_synapses and not self.same

    @property
    def keeper(self) -> str:
        """The projection that has its synapses, mostly itself."""
        return self.same or self.name


@dataclass(frozen=True)
class Network:
    name: str
    params: tuple[tuple[str, ParamValue], ...]
    populations: tuple[Population, ...]  # as declared; then `unit`, if any population has a bias
    projections: tuple[Projection, ...]  # as declared; then those of the unit neuron
    span: Span = field(compare=False, repr=False)

    @cached_property
    def _by_name(self) -> dict[str, Population]:
        return {p.name: p for p in self.populations}

    def population(self, name: str) -> Population:
        return self._by_name[name]

    def with_role(self, role: str) -> tuple[Population, ...]:
        return tuple(p for p in self.populations if p.role == role)

    def given(self, per: Per, name: str) -> dict[str, Given]:
        """The values of a variable that the network gives, by population or projection."""
        owners = {"population": self.populations, "projection": self.projections}.get(per, ())
        return {of.name: value for of in owners for value in of.values if value.name == name}


@dataclass(frozen=True)
class Model:
    """A genome on a network: the unit of compilation."""

    genome: Genome
    network: Network

    def slot(self, population: str, name: str) -> str:
        """The function of a slot in a population."""
        own = dict(self.network.population(population).slots)
        return own.get(name) or dict(self.genome.slots)[name]

    def constant(self, name: str, of: str) -> Nested:
        """The value of a constant in a population or projection."""
        declared = next(c for c in self.genome.constants if c.name == name)
        given = self.network.given(declared.per, name).get(of)
        return filled(given.value if given else declared.value, declared.shape)

    def statements(self, phase: Phase, population: str) -> tuple[Statement, ...]:
        """What a phase does at a population."""
        p = self.network.population(population)
        return phase.of(p.kind, p.role)
