"""Scopes: what the names in an equation mean. A value has the axes of its shape first, then those of its scope,

NeuronScope   [*shape, batch, n]        the neurons of a population
SiteScope     [*shape, batch, site]     the sites of a projection, in sums over synapses and over the batch
SynapseScope  [*shape, batch, synapse]  the synapses of a projection, in the rest of an update

always in full, whether or not it varies over them. A synapse that acts at only one place has one site.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blurc import model
from blurc.model import UNIT, Over, Projection, Sites, sites
from blurc.reference.arithmetic import Array

Variables: TypeAlias = dict[str, Array]  # the states of a population, or the channels of a projection
Arrays: TypeAlias = Mapping[str, ArrayLike]
GenomeValues: TypeAlias = Mapping[str, "ArrayLike | Arrays"]  # an array, or one for each projection or population
# kind ("noise": standard normal; "uniform": between 0 and 1), population or projection, number, phase, shape
Noise: TypeAlias = Callable[[str, str, int, str, tuple[int, ...]], ArrayLike]


@dataclass
class Moment:
    """Everything that equations can read at one moment of a step; statements change the neurons and the synapses."""

    model: model.Model
    genome: GenomeValues
    batch: int
    neurons: dict[str, Variables]  # {population: {state: [*states, batch, n]}}
    past: Mapping[str, Mapping[str, Array]]  # {population: {"act@2": its value at the end of the step before the last}}
    synapses: dict[
        str, Variables
    ]  # {projection: {channel: [*channels, synapse]}}, [*channels, batch, synapse] per example
    signals: Mapping[str, Mapping[str, Array]]  # {"input" or "target": {population: [batch, n]}}
    modulators: Arrays
    noise: Noise | None
    statistics: dict[str, Variables]  # {population: {"running_mean#0": [*shape, n]}}, from their first visit on
    learns: bool  # in a step, statistics move; in a prediction they are only read

    def size(self, population: str) -> int:
        return self.model.network.population(population).size

    def sites(self, p: Projection) -> Sites:
        network = self.model.network
        return sites(p.topology, network.population(p.source).shape, network.population(p.target).shape)

    def state(self, population: str, name: str, delay: int) -> Array:
        """A state now, or "as it stood at the end of the step d steps ago". The unit neuron's states are always 1."""
        if delay and population != UNIT:
            return self.past[population][f"{name}@{delay}"]
        return self.neurons[population][name]

    def meta(self, e: model.Meta, owner: str) -> Array:
        """The meta-parameter of a projection or population, or the shared one; or a constant."""
        if isinstance(e, model.Constant):
            return np.asarray(self.model.constant(e.name, owner), np.float64)
        value = self.genome[e.name]
        if e.per != "network":
            assert isinstance(value, Mapping), f"{e.name} has one value per {e.per}"
            value = value[owner]
        return np.asarray(value, np.float64)

    def draw(self, e: model.Noise | model.Uniform, of: str, phase: str, shape: tuple[int, ...]) -> Array:
        assert self.noise is not None, f"{e.span}: no source of random numbers was given"
        kind = "noise" if isinstance(e, model.Noise) else "uniform"
        return np.asarray(self.noise(kind, of, e.number, phase, shape), np.float64).reshape(shape)

    def of_neurons(self, e: model.Meta, population: str) -> Array:
        """The meta-parameter of each neuron, [*shape, batch, n]."""
        value = self.meta(e, population).reshape(*e.shape, 1, -1)
        return np.broadcast_to(value, (*e.shape, self.batch, self.size(population)))


@dataclass
class NeuronScope:
    """One neuron; all neurons of a population at once."""

    now: Moment
    population: str
    phase: str
    lets: Variables = field(default_factory=dict[str, Array])
    moved: set[int] = field(default_factory=set[int])  # the running statistics that have moved at this visit

    @property
    def extent(self) -> tuple[int, int]:
        return self.now.batch, self.now.size(self.population)

    def meta(self, e: model.Meta) -> Array:
        """Meta-parameters of a population or neuron "are read bare in the scope of the neuron"."""
        assert e.per in ("network", "population", "neuron"), f"{e.span}: {e.name} does not belong to a neuron"
        return self.now.of_neurons(e, self.population)

    def function(self, slot: model.Slot) -> str:
        return self.now.model.slot(self.population, slot.name)

    def draw(self, e: model.Noise | model.Uniform) -> Array:
        """Of standard deviation 1, or between 0 and 1; "fresh for every example, neuron, entry and visit"."""
        return self.now.draw(e, self.population, self.phase, (*e.shape, *self.extent))


@dataclass
class _Ends:
    """What synapses and sites have in common."""

    now: Moment
    projection: Projection

    def population(self, side: model.Side) -> str:
        return self.projection.source if side == "pre" else self.projection.target

    def function(self, slot: model.Slot) -> str:
        """The function of the one population that the argument is about; otherwise the genome's default."""
        about = slot.arg.over & (Over.PRE | Over.POST | Over.SYNAPSE)
        if about == Over.PRE:
            return self.now.model.slot(self.projection.source, slot.name)
        if about == Over.POST:
            return self.now.model.slot(self.projection.target, slot.name)
        return dict(self.now.model.genome.slots)[slot.name]


@dataclass(frozen=True)
class SynapseLet:
    """The value of a let of an update outside reducers (None if it varies over the batch), and inside."""

    outside: Array | None
    at_sites: Array
    holds_reducer: bool


@dataclass
class SynapseScope(_Ends):
    """One synapse, without anything that varies over the batch; all synapses of a projection at once. `channels` are as
    the previous statements left them, [*channels, synapse], or [*channels, batch, synapse] for one per example."""

    channels: Variables
    phase: str = ""
    lets: dict[str, SynapseLet] = field(default_factory=dict[str, "SynapseLet"])

    @property
    def extent(self) -> tuple[int, int]:
        return self.now.batch, self.now.sites(self.projection).count

    def along(self, side: model.Side, value: Array) -> Array:
        """A value [*shape, batch, n] of the neurons on one side, as the synapses see it: "its mean over those
        places" where the synapse acts, and 0 if it acts nowhere. The totals of a max pool, which chooses other neurons
        for every example, are averaged over the batch."""
        value = np.broadcast_to(value.mean(axis=-2, keepdims=True), value.shape)
        at = self.now.sites(self.projection)
        places = np.bincount(at.synapse, minlength=at.count)
        seen = value[..., at.pre if side == "pre" else at.post]
        return added(seen, at.synapse, at.count) / np.maximum(places, 1)

    def of_synapses(self, value: Array) -> Array:
        """A value [*shape, synapse], for every example."""
        return np.broadcast_to(value[..., None, :], (*value.shape[:-1], *self.extent))

    def channel(self, e: model.Channel) -> Array:
        return self.of_synapses(self.channels[e.name])

    def draw(self, e: model.Noise | model.Uniform) -> Array:
        """ "One for every synapse", also where it is shared, the same for all examples."""
        shape = (*e.shape, self.now.sites(self.projection).count)
        return self.of_synapses(self.now.draw(e, self.projection.name, self.phase, shape))

    def let(self, name: str) -> Array:
        value = self.lets[name].outside
        assert value is not None, f"{name} varies over the batch"
        return value

    def meta(self, e: model.Meta) -> Array:
        return synapse_meta(e, self)


@dataclass
class SiteScope(_Ends):
    """One synapse at one of the places where it acts, for one example; all sites of a projection at once. Inside a
    reducer, `update` is the enclosing scope; throughout an update, postsynaptic states are current."""

    update: SynapseScope | None = None
    post_now: bool = False

    @property
    def extent(self) -> tuple[int, int]:
        return self.now.batch, len(self.now.sites(self.projection).synapse)

    def along(self, side: model.Side, value: Array) -> Array:
        """A value [*shape, batch, n] of the neurons on one side, for every site."""
        at = self.now.sites(self.projection)
        return value[..., at.pre if side == "pre" else at.post]

    def of_synapses(self, value: Array) -> Array:
        """A value [*shape, synapse], for every example and site."""
        value = value[..., self.now.sites(self.projection).synapse]
        return np.broadcast_to(value[..., None, :], (*value.shape[:-1], *self.extent))

    def state(self, e: model.State) -> Array:
        """`incoming` reads pre.x and `outgoing` post.x delayed; "in `update` pre.x is the delayed one and post.x is
        now"."""
        delay = 0 if (self.update or self.post_now) and e.side == "post" else self.projection.delay
        return self.along(e.side, self.now.state(self.population(e.side), e.name, delay))

    def channel(self, e: model.Channel) -> Array:
        if not self.projection.topology.has_synapses:
            return self.without_array(e.shape)
        if Over.BUILT not in e.over:
            return self.of_synapses(self.now.synapses[self.projection.keeper][e.name])
        channels = self.update.channels if self.update else self.now.synapses[self.projection.keeper]
        return channels[e.name][..., self.now.sites(self.projection).synapse]

    def without_array(self, shape: tuple[int, ...]) -> Array:
        """Without arrays, "every channel reads as `topology.value()` for numbers and vectors, as that times the
        identity matrix for [r, c] channels"."""
        entries = np.eye(*shape) if len(shape) == 2 else np.ones(shape)
        return self.of_synapses(self.projection.topology.value() * entries[..., None])

    def let(self, name: str) -> Array:
        assert self.update is not None, f"no sum can read the let {name}"
        return self.update.lets[name].at_sites

    def meta(self, e: model.Meta) -> Array:
        if e.per == "synapse" and not self.projection.topology.has_synapses:
            return self.without_array(e.shape)
        return synapse_meta(e, self)


Scope: TypeAlias = NeuronScope | SiteScope | SynapseScope


def synapse_meta(e: model.Meta, at: SiteScope | SynapseScope) -> Array:
    """Those `per projection` and `per synapse` are read bare; those of neurons as `pre.m` and `post.m`."""
    if isinstance(e, model.Constant) or e.per == "population":
        # the number itself, also for a shared synapse that acts at no place
        value = at.now.meta(e, at.projection.name if e.per == "projection" else at.population(e.side))
    elif e.per == "neuron":
        return at.along(e.side, at.now.of_neurons(e, at.population(e.side)))
    else:
        value = at.now.meta(e, at.projection.keeper if e.per == "synapse" else at.projection.name)
    if e.per == "synapse":
        return at.of_synapses(value.reshape(*e.shape, -1))
    return np.broadcast_to(value.reshape(*e.shape, 1, 1), (*e.shape, *at.extent))


def added(values: Array, to: NDArray[np.int32], size: int) -> Array:
    """Values [.., site], summed into `size` bins."""
    first = values.shape[:-1]
    rows = np.arange(math.prod(first)).reshape(*first, 1) * size
    sums = np.bincount((rows + to).ravel(), values.ravel(), rows.size * size)
    return sums.astype(np.float64).reshape(*first, size)
