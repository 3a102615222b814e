"""The meaning of the language: a slow, obvious interpreter of a checked model, in NumPy and float64.

Nothing is separated, scheduled or left out here: `incoming(E)` builds E for every example and every synapse,
and sums. Compiled programs are tested against this file, so each sentence of section 3 of the design ("what
one step means") has its lines here, and is quoted beside them.

A value in the scope of a neuron is an array [*shape, batch, n]; in the scope of a synapse it is
[*shape, batch, pre, post]; always in full, whether it differs over these axes or not.

Known inefficiencies, all meant: memory grows with batch x pre x post, a total in `update` is computed anew
for every use and every projection, and dead channels are computed like live ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blurc import graph, model
from blurc.functions import STANDARDIZE_EPS
from blurc.model import UNIT, Apply, Expr, Over, Phase, Projection

Array: TypeAlias = NDArray[np.float64]
Variables: TypeAlias = dict[str, Array]  # the states of a population, or the channels of a projection
Arrays: TypeAlias = Mapping[str, ArrayLike]
GenomeValues: TypeAlias = Mapping[str, "ArrayLike | Arrays"]  # an array, or one for each projection
Items: TypeAlias = tuple["int | tuple[int, int]", ...]  # of `a[1:]`

# ---------------------------------------------------------------- functions


def softplus(x: Array) -> Array:
    return np.logaddexp(0.0, x)


def sigmoid(x: Array) -> Array:
    return np.exp(-softplus(-x))  # 1 / (1 + exp(-x)), without overflow


# Each function of one argument, with its derivative.
UNARY: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "linear": (lambda x: x, lambda x: np.ones_like(x)),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "relu": (lambda x: np.maximum(x, 0.0), lambda x: np.where(x > 0, 1.0, 0.0)),
    "sigmoid": (sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
    "softplus": (softplus, sigmoid),
    "exp": (np.exp, np.exp),
    "log": (np.log, lambda x: 1 / x),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "abs": (np.abs, np.sign),
    "sign": (np.sign, lambda x: np.zeros_like(x)),
    "square": (np.square, lambda x: 2 * x),
}


def matmul(m: Array, x: Array) -> Array:
    """(M @ x)[r] = sum_c M[r, c] x[c], for each neuron or synapse by itself. `x` may be a matrix, too."""
    return np.einsum("rc...,c...->r..." if x.ndim < m.ndim else "rc...,cs...->rs...", m, x)


def clip(x: Array, low: Array, high: Array) -> Array:
    return np.minimum(np.maximum(x, low), high)


# The operators, and the functions of several arguments. A scalar meets a vector by NumPy's broadcasting, for
# the axes of the shape come first.
NARY: dict[str, Callable[..., Array]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "pow": np.power,
    "neg": np.negative,
    "matmul": matmul,
    "min": lambda *xs: reduce(np.minimum, xs),
    "max": lambda *xs: reduce(np.maximum, xs),
    "clip": clip,
}


BATCH, NEURONS = -2, -1  # the last axes of a value in the scope of a neuron


def softmax(z: Array) -> Array:
    """Over the neurons of the population, each state by itself."""
    e = np.exp(z - z.max(axis=NEURONS, keepdims=True))
    return e / e.sum(axis=NEURONS, keepdims=True)


def standardize(z: Array) -> Array:
    """Each neuron and state: zero mean, unit variance over the batch. A value without a batch becomes 0."""
    mean, variance = z.mean(axis=BATCH, keepdims=True), z.var(axis=BATCH, keepdims=True)
    return (z - mean) / np.sqrt(variance + STANDARDIZE_EPS)


POPULATION: dict[str, Callable[[Array], Array]] = {
    "softmax": softmax,
    "standardize": standardize,
    "population_mean": lambda z: z.mean(axis=NEURONS, keepdims=True),
    "population_sum": lambda z: z.sum(axis=NEURONS, keepdims=True),
}


# ---------------------------------------------------------------- scopes


@dataclass
class Moment:
    """All that equations can read at one moment of a step; statements change the neurons and the synapses."""

    model: model.Model
    genome: GenomeValues
    batch: int
    neurons: dict[str, Variables]  # {population: {state: [*states, batch, n]}}
    synapses: dict[str, Variables]  # {projection: {channel: [*channels, pre, post]}}
    signals: Mapping[str, Mapping[str, Array]]  # {"input" or "target": {population: [batch, n]}}

    def size(self, population: str) -> int:
        return self.model.network.population(population).size


@dataclass
class NeuronScope:
    """One neuron; all neurons of a population at once. Values are [*shape, batch, n]."""

    now: Moment
    population: str
    lets: Variables = field(default_factory=dict[str, Array])

    @property
    def extent(self) -> tuple[int, ...]:
        return self.now.batch, self.now.size(self.population)

    def meta(self, name: str) -> ArrayLike:
        value = self.now.genome[name]
        assert not isinstance(value, Mapping), f"{name} differs between projections, a neuron is of none"
        return value

    def function(self, slot: model.Slot) -> str:
        return self.now.model.slot(self.population, slot.name)


@dataclass
class SynapseScope:
    """One synapse; all synapses of a projection at once. Values are [*shape, batch, pre, post]."""

    now: Moment
    projection: Projection
    channels: Variables
    lets: Variables = field(default_factory=dict[str, Array])

    @property
    def extent(self) -> tuple[int, ...]:
        return self.now.batch, self.now.size(self.projection.source), self.now.size(self.projection.target)

    def population(self, side: model.Side) -> str:
        return self.projection.source if side == "pre" else self.projection.target

    def along(self, side: model.Side, value: Array) -> Array:
        """A value [*shape, batch, n] of the neurons on one side, for every synapse."""
        seen = value[..., :, None] if side == "pre" else value[..., None, :]
        return np.broadcast_to(seen, (*value.shape[:-2], *self.extent))

    def meta(self, name: str) -> ArrayLike:
        value = self.now.genome[name]
        return value[self.projection.name] if isinstance(value, Mapping) else value

    def function(self, slot: model.Slot) -> str:
        """That of the population which alone the argument is about; else the genome's default."""
        about = slot.arg.over & (Over.PRE | Over.POST | Over.SYNAPSE)
        if about == Over.PRE:
            return self.now.model.slot(self.projection.source, slot.name)
        if about == Over.POST:
            return self.now.model.slot(self.projection.target, slot.name)
        return dict(self.now.model.genome.slots)[slot.name]


Scope: TypeAlias = NeuronScope | SynapseScope

# ---------------------------------------------------------------- expressions


def evaluate(e: Expr, at: Scope) -> Array:
    """What an expression means where it stands: [*shape, *at.extent]."""
    match e, at:
        case model.Literal(), _:
            return spread(e.value, e, at)
        case model.Meta(), _:
            return spread(at.meta(e.name), e, at)
        case model.Let(), _:
            return at.lets[e.name]
        case model.State(), NeuronScope():
            return at.now.neurons[at.population][e.name]
        case model.State(), SynapseScope():
            return at.along(e.side, at.now.neurons[at.population(e.side)][e.name])
        case model.Channel(), SynapseScope():
            return np.broadcast_to(at.channels[e.name][..., None, :, :], (*e.shape, *at.extent))
        case model.Signal(), NeuronScope():
            return at.now.signals[e.name][at.population]
        case model.Fan(), SynapseScope():
            side = "pre" if e.name == "fan_in" else "post"
            return spread(at.now.size(at.population(side)), e, at)
        case model.Total(), NeuronScope():
            return total(e, at.population, at.now)
        case model.Total(), SynapseScope():
            return at.along(e.side, total(e, at.population(e.side), at.now))
        case model.Reduce(), SynapseScope():
            return reduced(e, at)
        case model.Slot(), _:
            return UNARY[at.function(e)][e.prime](evaluate(e.arg, at))
        case Apply(), _:
            return apply(e, at)
        case model.Pick(), _:
            return evaluate(e.arg, at)[part(e.items)]
        case model.Stack(), _:
            return np.stack([evaluate(item, at) for item in e.items])
        case _:
            raise AssertionError(f"{e.span}: the checker lets no {type(e).__name__} stand here")


def spread(value: object, e: Expr, at: Scope) -> Array:
    """A value that is the same for every example, neuron and synapse."""
    array = np.asarray(value, np.float64).reshape(*e.shape, *(1 for _ in at.extent))
    return np.broadcast_to(array, (*e.shape, *at.extent))


def part(items: Items) -> tuple[int | slice, ...]:
    """`[0]`, `[1:]`, of the axes of the shape, which come first."""
    return tuple(i if isinstance(i, int) else slice(*i) for i in items)


def apply(e: Apply, at: Scope) -> Array:
    args = [evaluate(arg, at) for arg in e.args]
    if e.function in UNARY:
        return UNARY[e.function][e.prime](*args)
    if e.function in NARY:
        return NARY[e.function](*args)
    assert isinstance(at, NeuronScope), f"{e.span}: {e.function} is about the neurons of a population"
    return np.broadcast_to(POPULATION[e.function](*args), (*e.shape, *at.extent))


def reduced(e: model.Reduce, synapse: SynapseScope) -> Array:
    """`batch_sum(E)`; `batch_mean(E)` is that divided by the batch size."""
    result = evaluate(e.body, synapse).sum(axis=-3, keepdims=True)
    if e.kind == "batch_mean":
        result = result / synapse.now.batch
    return np.broadcast_to(result, (*e.shape, *synapse.extent))


def total(e: model.Total, population: str, now: Moment) -> Array:
    """`incoming(E)` / `outgoing(E)`: "the sum of E over all its incoming / outgoing synapses, of every
    projection" that carries forward into the population, or feedback back to it."""
    result = np.zeros((*e.shape, now.batch, now.size(population)))
    for p in now.model.network.projections:
        synapse = SynapseScope(now, p, now.synapses[p.name])
        if e.direction == "incoming" and p.forward and p.target == population:
            result += evaluate(e.body, synapse).sum(axis=-2)  # over the presynaptic neurons
        if e.direction == "outgoing" and p.feedback and p.source == population:
            result += evaluate(e.body, synapse).sum(axis=-1)  # over the postsynaptic neurons
    return result


# ---------------------------------------------------------------- phases


def visit(phase: Phase, population: str, now: Moment) -> None:
    """The statements of a phase "run in order, each seeing the ones before"; all neurons of a population at
    once. A neighbour's state is read as it stands at this moment."""
    neuron = NeuronScope(now, population)
    for s in phase.statements:
        value = evaluate(s.value, neuron)
        if isinstance(s, model.LetStatement):
            neuron.lets[s.name] = value
        else:
            states = now.neurons[population]
            states[s.name] = with_part(states[s.name], s.items, value)


def update(phase: Phase, now: Moment) -> None:
    """All plastic projections "at once, all reading the same neuron states and the old synapses"."""
    plastic = [p for p in now.model.network.projections if p.plastic]
    now.synapses |= {p.name: updated(phase, p, now) for p in plastic}


def updated(phase: Phase, projection: Projection, now: Moment) -> Variables:
    """The new channels of a projection. A synapse's own channels are read as the statements before left them;
    the totals `post.incoming(E)` and `pre.outgoing(E)` read `now.synapses`, where nothing is written yet."""
    synapse = SynapseScope(now, projection, channels=dict(now.synapses[projection.name]))
    for s in phase.statements:
        value = evaluate(s.value, synapse)
        if isinstance(s, model.LetStatement):
            synapse.lets[s.name] = value
        else:
            assert Over.EXAMPLE not in s.value.over, f"{s.span}: a synapse is shared by the batch"
            any_example = value[..., 0, :, :]
            synapse.channels[s.name] = with_part(synapse.channels[s.name], s.items, any_example)
    return synapse.channels


def with_part(whole: Array, items: Items, value: Array) -> Array:
    """`a[1:] <- e`: a new array, so that what was read before keeps its value. A scalar fills the part."""
    result = whole.copy()
    result[part(items)] = value
    return result


# ---------------------------------------------------------------- steps


@dataclass(frozen=True)
class ReferenceState:
    """What one step leaves to the next."""

    synapses: dict[str, Variables]  # {projection: {channel: [*channels, pre, post]}}
    neurons: dict[str, Variables]  # {population: {state: [*states, batch, n]}}, of the persistent states


class Reference:
    """A model, run by the book."""

    def __init__(self, model: model.Model) -> None:
        self.model = model
        network, wiring = model.network, graph.build(model.network)
        self.inputs = tuple(p.name for p in network.with_role("input"))
        self.outputs = tuple(p.name for p in network.with_role("output"))
        # Which populations a kind of phase visits, and in which order. None visits the unit neuron.
        self.visited = {
            "sense": self.inputs,
            "forward": graph.forward_order(wiring),
            "feedback": self.outputs,
            "backward": graph.backward_order(wiring),
        }
        # "the readout, taken just before the first `feedback` (at the end where there is none)"
        kinds = [phase.kind for phase in model.genome.phases]
        readout_at = kinds.index("feedback") if "feedback" in kinds else len(kinds)
        self.before, self.after = model.genome.phases[:readout_at], model.genome.phases[readout_at:]

    def state(self, synapses: Mapping[str, Arrays], batch: int) -> ReferenceState:
        """A state with these synapses, {projection: {channel: [*channels, pre, post]}}, and persistent neuron
        states of 0. Every channel of every projection is needed, dead or not."""
        shaped = {p.name: self._channels(p, synapses[p.name]) for p in self.model.network.projections}
        return ReferenceState(shaped, self._persistent(self._zeros(batch)))

    def step(
        self, genome: GenomeValues, state: ReferenceState, x: Arrays, y: Arrays
    ) -> tuple[ReferenceState, Variables]:
        """The new state and the readout {population: [batch, n]}, "given the state, a batch x and targets y".

        x and y: {population: [batch, n]}, or [batch, *shape]."""
        now = self._start(genome, state, x, y)
        self._run(self.before, now)
        readout = self._readout(now)
        self._run(self.after, now)
        return ReferenceState(now.synapses, self._persistent(now.neurons)), readout

    def predict(self, genome: GenomeValues, state: ReferenceState, x: Arrays) -> Variables:
        """The readout alone: "runs `sense` and the `forward` phases up to there and changes nothing"."""
        now = self._start(genome, state, x, {})
        self._run([phase for phase in self.before if phase.kind in ("sense", "forward")], now)
        return self._readout(now)

    def trace(
        self, genome: GenomeValues, state: ReferenceState, x: Arrays, y: Arrays
    ) -> dict[str, dict[str, Variables]]:
        """Every neuron state after every phase: {phase: {population: {state: [*states, batch, n]}}}, of all
        populations but the unit neuron."""
        now = self._start(genome, state, x, y)
        seen: dict[str, dict[str, Variables]] = {}
        for phase in self.model.genome.phases:
            self._run([phase], now)
            seen[phase.name] = {p: dict(states) for p, states in now.neurons.items() if p != UNIT}
        return seen

    def _start(self, genome: GenomeValues, state: ReferenceState, x: Arrays, y: Arrays) -> Moment:
        """The first moment: "every non-persistent neuron state is 0", but 1 in the unit neuron, always."""
        signals = {"input": self._signals(self.inputs, x), "target": self._signals(y, y)}
        batch = len(signals["input"][self.inputs[0]])
        zeros = self._zeros(batch)
        neurons = {name: states | state.neurons.get(name, {}) for name, states in zeros.items()}
        if UNIT in neurons:
            neurons[UNIT] = {name: np.ones_like(zero) for name, zero in zeros[UNIT].items()}
        return Moment(self.model, genome, batch, neurons, dict(state.synapses), signals)

    def _run(self, phases: Iterable[Phase], now: Moment) -> None:
        """Phases "run in the order written"; the kind of a phase says which populations it visits."""
        for phase in phases:
            if phase.kind == "update":
                update(phase, now)
            else:
                for population in self.visited[phase.kind]:
                    visit(phase, population, now)

    def _readout(self, now: Moment) -> Variables:
        return {name: evaluate(self.model.genome.readout, NeuronScope(now, name)) for name in self.outputs}

    def _zeros(self, batch: int) -> dict[str, Variables]:
        populations, states = self.model.network.populations, self.model.genome.states
        return {p.name: {s.name: np.zeros((*s.shape, batch, p.size)) for s in states} for p in populations}

    def _persistent(self, neurons: Mapping[str, Variables]) -> dict[str, Variables]:
        names = [s.name for s in self.model.genome.states if s.persistent]
        kept = {p: {name: states[name] for name in names} for p, states in neurons.items() if p != UNIT}
        return kept if names else {}

    def _channels(self, projection: Projection, given: Arrays) -> Variables:
        network = self.model.network
        sizes = network.population(projection.source).size, network.population(projection.target).size
        return {
            c.name: np.asarray(given[c.name], np.float64).reshape(*c.shape, *sizes)
            for c in self.model.genome.channels
        }

    def _signals(self, populations: Iterable[str], given: Arrays) -> dict[str, Array]:
        """Batches [batch, n]; those given as [batch, *shape] are flattened."""
        sizes = {p.name: p.size for p in self.model.network.populations}
        return {name: np.asarray(given[name], np.float64).reshape(-1, sizes[name]) for name in populations}
