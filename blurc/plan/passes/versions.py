"""Which operation holds the current value of every neuron state and synapse channel at one moment of a step."""

from __future__ import annotations

from dataclasses import dataclass, field

from blurc import model as m
from blurc.model import Model, Topology
from blurc.plan.passes.builder import Builder
from blurc.plan.plan import EVERYWHERE, Space, Type


@dataclass
class Versions:
    """Maps every neuron state and synapse channel to the operation that holds its current value."""

    model: Model
    learns: bool = True  # in a step, running statistics move
    builder: Builder = field(default_factory=Builder)
    states: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    synapses: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])

    statistics: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])

    def __post_init__(self) -> None:
        genome, network = self.model.genome, self.model.network
        self.places = m.places(network)
        self.into: dict[str, list[m.Projection]] = {p.name: [] for p in network.populations}
        self.out_of: dict[str, list[m.Projection]] = {p.name: [] for p in network.populations}
        for p in network.projections:
            if p.forward:
                self.into[p.target].append(p)
            if p.feedback:
                self.out_of[p.source].append(p)
        for population in network.populations:
            for state in genome.states:
                self.states[population.name, state.name] = self._start(population, state)
        for projection in network.projections:
            for channel in genome.channels:
                self.synapses[projection.name, channel.name] = self._channel(projection, channel)

    def _start(self, population: m.Population, state: m.StateVar) -> int:
        if population.role == "unit":
            return self.builder.literal(1.0, Type(state.shape, Space("neurons", m.UNIT)), state.span)
        if state.persistent:
            type_ = Type(state.shape, Space("neurons", population.name, True, True))
            return self.builder.emit("carried", (), (population.name, state.name), type_, state.span)
        return self.builder.literal(0.0, Type(state.shape, Space("neurons", population.name)), state.span)

    def _channel(self, p: m.Projection, channel: m.ChannelVar) -> int:
        if p.topology.has_synapses:
            kind, space = ("example", "examples") if channel.per_example else ("synapse", "synapses")
            type_ = Type(channel.shape, Space(space, p.keeper, True, True))
            return self.builder.emit(kind, (), (p.keeper, channel.name), type_, channel.span)
        type_ = Type(channel.shape, Space("synapses", p.name))
        return self.builder.literal(without_array(p.topology, channel.shape), type_, channel.span)

    def before(self, population: str, state: m.StateVar, steps: int) -> int:
        """A state at the end of an earlier step; the unit neuron's are always 1."""
        if not steps or population == m.UNIT:
            return self.states[population, state.name]
        type_ = Type(state.shape, Space("neurons", population, True, True))
        return self.builder.emit("carried", (), (population, f"{state.name}@{steps}"), type_, state.span)

    def statistic(self, population: str, name: str, e: m.Running) -> int:
        """The array `name` of a running statistic, as the visits before left it."""
        found = self.statistics.get((population, name))
        if found is not None:
            return found
        type_ = Type(e.shape, Space("neurons", population, False, True))
        return self.builder.emit("statistic", (), (population, name), type_, e.span)

    def meta(self, e: m.Meta, of: str) -> int:
        space = EVERYWHERE
        if isinstance(e, m.Constant):
            value = m.uniform(self.model.constant(e.name, of))
            return self.builder.literal(value, Type(e.shape, space), e.span)
        if e.per == "neuron":
            space = Space("neurons", of, False, True)
        elif e.per == "synapse":
            space = Space("synapses", of, True, True)
        attrs = (e.name,) if e.per == "network" else (e.name, of)
        return self.builder.emit("meta", (), attrs, Type(e.shape, space), e.span)


def without_array(topology: Topology, shape: m.Shape) -> m.Nested:
    """What a channel, or a meta-parameter per synapse, reads as in a projection without synapse arrays."""
    if len(shape) < 2:
        return topology.value()
    rows, columns = shape
    return tuple(tuple(topology.value() * (r == c) for c in range(columns)) for r in range(rows))
