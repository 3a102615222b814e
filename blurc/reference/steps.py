"""Phases, and whole steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from blurc import graph, model
from blurc.model import UNIT, Over, Phase, Projection, synapse_shape
from blurc.reference.arithmetic import Array
from blurc.reference.expressions import Items, evaluate, holds_reducer, part
from blurc.reference.scopes import (
    Arrays,
    GenomeValues,
    Moment,
    NeuronScope,
    Noise,
    SiteScope,
    SynapseLet,
    SynapseScope,
    Variables,
    added,
)

# ---------------------------------------------------------------- phases


def visit(phase: Phase, population: str, now: Moment) -> None:
    """The statements of a phase "run in order, each seeing the ones before", for all neurons of a population at once.
    A neighbour's state is read as it is at this moment."""
    neuron = NeuronScope(now, population, phase.name)
    for s in now.model.statements(phase, population):
        value = evaluate(s.value, neuron)
        if isinstance(s, model.LetStatement):
            neuron.lets[s.name] = value
        else:
            states = now.neurons[population]
            states[s.name] = with_part(states[s.name], s.items, value)


def update(phase: Phase, now: Moment) -> None:
    """All plastic projections "at once, all reading the same neuron states and the old synapses". The changes of those
    with the same synapses "add up"."""
    plastic = [p for p in now.model.network.projections if p.plastic and p.topology.has_synapses]
    new: dict[str, Variables] = {}
    for p in plastic:
        found, old = updated(phase, p, now), now.synapses[p.keeper]
        before = new.get(p.keeper)
        new[p.keeper] = {c: before[c] + found[c] - old[c] for c in found} if before else found
    now.synapses |= new


def updated(phase: Phase, projection: Projection, now: Moment) -> Variables:
    """The new channels of a projection. A synapse's own channels are read as the previous statements left them; the
    totals `post.incoming(E)` and `pre.outgoing(E)` read `now.synapses`, which is not modified yet."""
    synapse = SynapseScope(now, projection, dict(now.synapses[projection.keeper]), phase.name)
    for s in phase.of(projection.kind):
        varies = Over.EXAMPLE in s.value.over
        value = None if varies else evaluate(s.value, synapse)
        if isinstance(s, model.LetStatement):
            at_sites = evaluate(s.value, SiteScope(now, projection, synapse))
            synapse.lets[s.name] = SynapseLet(value, at_sites, holds_reducer(s.value, synapse))
        elif now.model.genome.channel(s.name).per_example:
            synapse.channels[s.name] = with_part(synapse.channels[s.name], s.items, of_examples(s.value, synapse))
        else:
            assert value is not None, f"{s.span}: a synapse is shared by the batch"
            any_example = value[..., 0, :]
            synapse.channels[s.name] = with_part(synapse.channels[s.name], s.items, any_example)
    return synapse.channels


def of_examples(e: model.Expr, synapse: SynapseScope) -> Array:
    """A value of every synapse and example: "place by place, as inside reducers", and then "the mean over the places",
    0 if there is none."""
    at = synapse.now.sites(synapse.projection)
    places = np.bincount(at.synapse, minlength=at.count)
    values = evaluate(e, SiteScope(synapse.now, synapse.projection, synapse))
    return added(values, at.synapse, at.count) / np.maximum(places, 1)


def with_part(whole: Array, items: Items, value: Array) -> Array:
    """`a[1:] <- e` as a new array, so that values read before stay unchanged. A scalar fills the part."""
    result = whole.copy()
    result[part(items)] = value
    return result


# ---------------------------------------------------------------- steps


def joined(one: Mapping[str, Variables], other: Mapping[str, Variables]) -> dict[str, Variables]:
    return {of: {**one.get(of, {}), **other.get(of, {})} for of in {**one, **other}}


@dataclass(frozen=True)
class ReferenceState:
    """What one step passes to the next. Synapses have their natural shape; identity and pool have none."""

    synapses: dict[str, Variables]  # {projection: {channel: [*channels, *synapses]}}
    # {population: {state: [*states, batch, n]}}: the persistent states, and for delayed projections the states of d
    # steps ago ("act@d"). {projection: {channel: [*channels, batch, *synapses]}}: the channels per example.
    neurons: dict[str, Variables]
    statistics: dict[str, Variables] = field(default_factory=dict[str, Variables])  # {population: {name: [*shape, n]}}


class Reference:
    """Interprets a model literally.

    `signals` are the values of the genome's signals in this step. `noise(kind, of, number, phase, shape)` returns the
    numbers that one visit of `noise(..)` or `uniform(..)` draws: standard normal ones, or ones between 0 and 1. Their
    shape is [*states, batch, n] for a population, and [*channels, synapse] for a projection.
    """

    def __init__(self, model: model.Model) -> None:
        self.model = model
        network = model.network
        self.inputs = tuple(p.name for p in network.with_role("input"))
        self.outputs = tuple(p.name for p in network.with_role("output"))
        # The populations that each kind of phase visits, in order. No phase visits the unit neuron.
        self.visited = {
            "sense": self.inputs,
            "forward": graph.forward_order(network),
            "feedback": self.outputs,
            "backward": graph.backward_order(network),
        }
        # "the readout, taken just before the first `feedback` (at the end where there is none)"
        kinds = [phase.kind for phase in model.genome.phases]
        readout_at = kinds.index("feedback") if "feedback" in kinds else len(kinds)
        self.before, self.after = model.genome.phases[:readout_at], model.genome.phases[readout_at:]

    def state(self, synapses: Mapping[str, Arrays], batch: int) -> ReferenceState:
        """A state with these synapses, {projection: {channel: [*channels, *synapses]}}, and zeros for persistent and
        past neuron states. Every channel of every projection that has arrays is needed, dead or not."""
        given = {
            p.name: {
                c.name: np.zeros((*c.shape, batch, *self._synapse_shape(p)))
                if c.per_example
                else np.asarray(synapses[p.name][c.name], np.float64)
                for c in self.model.genome.channels
            }
            for p in self._with_synapses()
        }
        zeros = self._zeros(batch)
        past = {
            population: {f"{name}@{d}": zero for name, zero in zeros[population].items() for d in range(1, far + 1)}
            for population, far in self._remembered().items()
        }
        shared, of_examples = self._divided(given)
        return ReferenceState(shared, joined(self._kept(zeros, past), of_examples))

    def step(
        self,
        genome: GenomeValues,
        state: ReferenceState,
        x: Arrays,
        y: Arrays,
        signals: Arrays | None = None,
        noise: Noise | None = None,
    ) -> tuple[ReferenceState, Variables]:
        """The new state and the readout {population: [batch, n]}, "given the state, a batch x and targets y".

        x and y: {population: [batch, n]}, or [batch, *shape]; ids as integers [batch], or [batch, m]."""
        now = self._start(genome, state, x, y, signals, noise)
        self._run(self.before, now)
        readout = self._readout(now)
        self._run(self.after, now)
        kept = self._kept(now.neurons, self._past_of_the_next(now))
        shared, of_examples = self._divided(now.synapses)
        return ReferenceState(shared, joined(kept, of_examples), now.statistics), readout

    def predict(
        self,
        genome: GenomeValues,
        state: ReferenceState,
        x: Arrays,
        signals: Arrays | None = None,
        noise: Noise | None = None,
    ) -> Variables:
        """The readout alone: "runs `sense` and the `forward` phases up to there and changes nothing"."""
        now = self._start(genome, state, x, {}, signals, noise, learns=False)
        self._run([phase for phase in self.before if phase.kind in ("sense", "forward")], now)
        return self._readout(now)

    def trace(
        self,
        genome: GenomeValues,
        state: ReferenceState,
        x: Arrays,
        y: Arrays,
        signals: Arrays | None = None,
        noise: Noise | None = None,
    ) -> dict[str, dict[str, Variables]]:
        """Every neuron state after every phase, {phase: {population: {state: [*states, batch, n]}}}, except the unit
        neuron's."""
        now = self._start(genome, state, x, y, signals, noise)
        seen: dict[str, dict[str, Variables]] = {}
        for phase in self.model.genome.phases:
            self._run([phase], now)
            seen[phase.name] = {p: dict(states) for p, states in now.neurons.items() if p != UNIT}
        return seen

    # ------------------------------------------------------------ start, run and end of a step

    def _start(
        self,
        genome: GenomeValues,
        state: ReferenceState,
        x: Arrays,
        y: Arrays,
        signals: Arrays | None,
        noise: Noise | None,
        learns: bool = True,
    ) -> Moment:
        """The first moment: "every non-persistent neuron state is 0", but the unit neuron's are 1, always."""
        data = {"input": self._batches(self.inputs, x), "target": self._batches(y, y)}
        batch = len(data["input"][self.inputs[0]])
        zeros = self._zeros(batch)
        persistent = self._persistent()
        neurons = {
            name: states | {s: state.neurons[name][s] for s in persistent if name != UNIT}
            for name, states in zeros.items()
        }
        if UNIT in neurons:
            neurons[UNIT] = {name: np.ones_like(zero) for name, zero in zeros[UNIT].items()}
        channels = joined(state.synapses, state.neurons)
        flat = {
            p.name: {
                c.name: channels[p.name][c.name].reshape(*c.shape, *[batch] * c.per_example, -1)
                for c in self.model.genome.channels
            }
            for p in self._with_synapses()
        }
        kept = {name: dict(named) for name, named in state.statistics.items()}
        return Moment(self.model, genome, batch, neurons, state.neurons, flat, data, signals or {}, noise, kept, learns)

    def _run(self, phases: Iterable[Phase], now: Moment) -> None:
        """Phases "run in the order written"; the kind of a phase determines the populations it visits."""
        for phase in phases:
            if phase.kind == "update":
                update(phase, now)
            else:
                for population in self.visited[phase.kind]:
                    visit(phase, population, now)

    def _readout(self, now: Moment) -> Variables:
        scopes = [NeuronScope(now, name, "readout") for name in self.outputs]
        return {at.population: evaluate(self.model.genome.readout, at) for at in scopes}

    def _past_of_the_next(self, now: Moment) -> dict[str, Variables]:
        """In the next step, "act@1 is act at the end of the last step", act@2 is the former act@1, and so on."""
        names = [s.name for s in self.model.genome.states]
        return {
            population: {f"{name}@{d}": now.state(population, name, d - 1) for name in names for d in range(1, far + 1)}
            for population, far in self._remembered().items()
        }

    def _remembered(self) -> dict[str, int]:
        """The populations at the far end of delayed projections, and how many steps back they are read: `incoming`
        reads the source, `outgoing` the target if feedback is carried."""
        far: dict[str, int] = {}
        for p in self.model.network.projections:
            for population in (p.source, p.target) if p.feedback else (p.source,):
                if p.delay and population != UNIT:
                    far[population] = max(p.delay, far.get(population, 0))
        return far

    # ------------------------------------------------------------ shapes

    def _zeros(self, batch: int) -> dict[str, Variables]:
        populations, states = self.model.network.populations, self.model.genome.states
        return {p.name: {s.name: np.zeros((*s.shape, batch, p.size)) for s in states} for p in populations}

    def _persistent(self) -> list[str]:
        return [s.name for s in self.model.genome.states if s.persistent]

    def _kept(self, neurons: Mapping[str, Variables], past: Mapping[str, Variables]) -> dict[str, Variables]:
        """The neuron states that persist; populations without any are left out."""
        names = self._persistent()
        kept = {
            p: {name: states[name] for name in names} | past.get(p, {}) for p, states in neurons.items() if p != UNIT
        }
        return {p: states for p, states in kept.items() if states}

    def _with_synapses(self) -> list[Projection]:
        return [p for p in self.model.network.projections if p.has_arrays]

    def _divided(self, synapses: Mapping[str, Variables]) -> tuple[dict[str, Variables], dict[str, Variables]]:
        """The channels that the batch shares, and those of every example, in their natural shapes."""
        shared: dict[str, Variables] = {}
        of_examples: dict[str, Variables] = {}
        for p in self._with_synapses():
            shape = self._synapse_shape(p)
            shared[p.name] = {}
            for c in self.model.genome.channels:
                value = synapses[p.name][c.name]
                if c.per_example:
                    natural = value.reshape(*c.shape, value.shape[len(c.shape)], *shape)
                    of_examples.setdefault(p.name, {})[c.name] = natural
                else:
                    shared[p.name][c.name] = value.reshape(*c.shape, *shape)
        return shared, of_examples

    def _synapse_shape(self, p: Projection) -> tuple[int, ...]:
        network = self.model.network
        return synapse_shape(p.topology, network.population(p.source).shape, network.population(p.target).shape)

    def _batches(self, populations: Iterable[str], given: Arrays) -> dict[str, Array]:
        """Batches [batch, n]; [batch, *shape] is flattened, and ids become what they mean."""
        found = {name: self.model.network.population(name) for name in populations}
        return {
            name: one_hot(given[name], p.size) if p.ids else np.asarray(given[name], np.float64).reshape(-1, p.size)
            for name, p in found.items()
        }


def one_hot(ids: ArrayLike, size: int) -> Array:
    """Ids [batch], or bags of them [batch, m], as [batch, size]: how often each id is in the bag. "An id of -1 is
    nothing"."""
    bags = np.asarray(ids, np.int64)
    return (bags.reshape(len(bags), -1, 1) == np.arange(size)).sum(axis=1).astype(np.float64)
