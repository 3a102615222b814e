"""The entry points of a plan, to be traced: `x` and `y` are `{population: [batch, n]}`, and nothing is checked."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from blurc.language import functions
from blurc.model import Meta, walk
from blurc.plan import Plan
from blurc.runtime import stacking, unroll
from blurc.runtime.arguments import GenomeValues
from blurc.runtime.initial import draw, draws
from blurc.runtime.lower import Inputs, dtype, fold, run


class State(NamedTuple):
    """What a network keeps from step to step.

    synapses[projection][channel]: `[*channels, n_pre, n_post]` where the projection is dense; of other topologies as
    `blurc.model.topology` says. neurons[population][state]: `[*states, batch, *population]`, persistent states, and as
    `"x@2"` the state x at the end of the step two steps ago, where a delayed projection reads it.
    neurons[projection][channel]: `[*channels, batch, n_pre, n_post]`, or alike: the channels `per example`.
    statistics[population]["running_mean#0"]: `[*states, *population]`, of any batch: what the functions `running_mean`,
    `running_var` and `standardize(z, running)` of a genome keep, counted from 0.
    """

    synapses: dict[str, dict[str, Array]]
    neurons: dict[str, dict[str, Array]]
    statistics: dict[str, dict[str, Array]] = {}  # noqa: RUF012 - never modified


class Fed(NamedTuple):
    """What else a step takes. modulators: {name: [*dims]}, or [batch, *dims] for one per example; key: for noise;
    reset: which examples start anew, `[]` or `[batch]`. In `train`, modulators and reset have a leading axis of steps.
    """

    modulators: dict[str, Array] = {}  # noqa: RUF012 - never modified
    key: Array | None = None
    reset: Array | None = None


NOTHING = Fed()


@dataclass(frozen=True)
class Entries:
    """The traced functions of a plan, by keyword-free arguments; `x` and `y` are {population: [batch, n]}."""

    plan: Plan

    def init_genome(self, key: Array) -> dict[str, Any]:
        genome: dict[str, Any] = {}
        for v in self.plan.metas:
            assert v.init is not None
            shapes = self.plan.meta_shapes(v)
            if isinstance(shapes, dict):
                starts = dict(v.starts)
                genome[v.name] = {
                    of: draw(v, starts.get(of, v.init), fold(key, f"{v.name}/{of}"), shape, {})
                    for of, shape in shapes.items()
                }
            else:
                genome[v.name] = draw(v, v.init, fold(key, v.name), shapes, {})
        return genome

    def init(self, key: Array, genome: GenomeValues, batch: Any) -> State:
        genome = {v.name: genome[v.name] for v in self.plan.metas if v.of in ("network", "projection")}
        drawn: dict[str, dict[str, Array]] = {}
        for names, kept in self._alike():
            drawn |= dict(zip(names, self._synapses(names, key, genome, kept), strict=True))
        synapses = {p.name: drawn[p.name] for p in self.plan.projections}
        neurons: dict[str, dict[str, Array]] = {}
        for v in self.plan.carried:
            shape = (*v.dims, batch, *self.plan.population(v.of).shape)
            neurons.setdefault(v.of, {})[v.name] = jnp.zeros(shape, dtype())
        for v in self.plan.examples:
            shape = (*v.dims, batch, *self.plan.projection(v.of).shape)
            neurons.setdefault(v.of, {})[v.name] = jnp.zeros(shape, dtype())
        statistics: dict[str, dict[str, Array]] = {}
        for v in self.plan.statistics:
            start = jnp.ones if v.name.startswith("running_var") else jnp.zeros
            statistics.setdefault(v.of, {})[v.name] = start((*v.dims, *self.plan.population(v.of).shape), dtype())
        return State(synapses, neurons, statistics)

    def _alike(self) -> list[tuple[list[str], frozenset[str]]]:
        """The projections whose synapses are drawn in the same way, with the channels that are kept of them."""
        channels: dict[str, set[str]] = {p.name: set() for p in self.plan.projections}
        for v in self.plan.channels:
            channels[v.of].add(v.name)
        read = [e for v in self.plan.channel_starts if v.init for a in v.init.args for e in walk(a)]
        differ = any(isinstance(e, Meta) and e.per == "projection" for e in read)
        found: dict[Hashable, tuple[list[str], frozenset[str]]] = {}
        for p in self.plan.projections:
            kept = frozenset(channels[p.name])
            kind = (p.shape, p.unit, p.fans, p.constants, kept, p.name if differ else "")
            found.setdefault(kind, ([], kept))[0].append(p.name)
        return list(found.values())

    def _synapses(
        self, projections: Sequence[str], key: Array, genome: GenomeValues, kept: frozenset[str]
    ) -> list[dict[str, Array]]:
        """The channels `kept` of each. All are drawn, as one may start as a copy of another; XLA drops unused ones."""
        p = self.plan.projection(projections[0])
        names: dict[str, Any] = dict(zip(functions.FANS, map(float, p.fans), strict=True))
        names |= dict(p.constants)
        names |= {k: v[p.name] if isinstance(v, Mapping) else v for k, v in genome.items()}
        drawn: dict[str, list[Array]] = {}
        for v in self.plan.channel_starts if kept else ():
            shape = (*v.dims, *p.shape)
            assert v.init is not None
            if p.unit:
                drawn[v.name] = [jnp.zeros(shape, dtype()) for _ in projections]
            elif v.init.dist == "copy":
                # memory of its own, so that it can be donated
                drawn[v.name] = [jnp.copy(x) for x in drawn[str(v.init.source)]]
            else:
                drawn[v.name] = draws(v, v.init, key, [f"{of}/{v.name}" for of in projections], shape, names)
        return [{name: every[i] for name, every in drawn.items() if name in kept} for i in range(len(projections))]

    def step(
        self, genome: GenomeValues, state: State, x: Any, y: Any, fed: Fed = NOTHING
    ) -> tuple[State, dict[str, Array]]:
        packed, out = self._step(self._packed_genome(genome), self.packed(state), x, y, fed)
        return self.unpacked(packed), out

    def _step(self, genome: GenomeValues, state: State, x: Any, y: Any, fed: Fed) -> tuple[State, dict[str, Array]]:
        """A step on the packed genome and state."""
        inputs = self._inputs(genome, state, x, y, fed)
        synapses = {name: dict(channels) for name, channels in state.synapses.items()}
        neurons = {name: dict(states) for name, states in state.neurons.items()}
        statistics = {name: dict(kept) for name, kept in state.statistics.items()}
        out: dict[str, Array] = {}
        for result, value in run(self.plan, self.plan.step, inputs):
            match result.key:
                case ("readout", population):
                    out[population] = self._shaped(population, value)
                case ("synapse", projection, channel):
                    synapses[projection][channel] = self._natural(projection, value)
                case ("example", projection, channel):
                    neurons[projection][channel] = self._natural(projection, value)
                case ("statistic", population, name):
                    statistics[population][name] = self._shaped(population, value[..., 0, :])
                case (_, population, name):
                    neurons[population][name] = self._shaped(population, value)
                case _:
                    raise AssertionError(result.key)
        return State(synapses, neurons, statistics), out

    def predict(self, genome: GenomeValues, state: State, x: Any, fed: Fed = NOTHING) -> dict[str, Array]:
        stacks = stacking.Stacks(self.plan.predict.stacks)
        state = _packed(stacks, state)
        inputs = self._inputs(stacks.packed_genome(genome), state, x, {}, fed)
        results = run(self.plan, self.plan.predict, inputs)
        return {r.key[1]: self._shaped(r.key[1], value) for r, value in results}

    def train(
        self, genome: GenomeValues, state: State, xs: Any, ys: Any, fed: Fed = NOTHING, *, recompute: bool = False
    ) -> tuple[State, dict[str, Array]]:
        genome = self._packed_genome(genome)

        def body(carry: State, now: tuple[Any, Any, Any, Array]) -> tuple[State, dict[str, Array]]:
            x, y, (modulators, _, anew), i = now
            key = None if fed.key is None else jax.random.fold_in(fed.key, i)
            carry = carry if anew is None else self.reset(carry, anew)
            return self._step(genome, carry, x, y, Fed(modulators, key))

        steps = jnp.arange(next(iter(xs.values())).shape[0])
        each = (xs, ys, fed._replace(key=None), steps)
        packed, outs = unroll.scan(body, self.packed(state), each, recompute=recompute)
        return self.unpacked(packed), outs

    def run(self, genome: GenomeValues, state: State, xs: Any, fed: Fed = NOTHING) -> tuple[State, dict[str, Array]]:
        """Many steps of the neurons, up to the readout: synapses and statistics stay."""
        stacks = stacking.Stacks(self.plan.run.stacks)
        genome = stacks.packed_genome(genome)
        synapses = stacks.packed(("synapse",), state.synapses)

        def body(neurons: Any, now: tuple[Any, Any, Array]) -> tuple[Any, dict[str, Array]]:
            x, (modulators, _, anew), i = now
            key = None if fed.key is None else jax.random.fold_in(fed.key, i)
            carry = State(synapses, neurons, state.statistics)
            carry = carry if anew is None else self.reset(carry, anew)
            return self._run(genome, carry, x, Fed(modulators, key))

        steps = jnp.arange(next(iter(xs.values())).shape[0])
        neurons, outs = jax.lax.scan(body, state.neurons, (xs, fed._replace(key=None), steps))
        return state._replace(neurons=neurons), outs

    def _run(self, genome: GenomeValues, state: State, x: Any, fed: Fed) -> tuple[Any, dict[str, Array]]:
        """The neurons after the step, and the readout."""
        neurons = {name: dict(states) for name, states in state.neurons.items()}
        out: dict[str, Array] = {}
        for result, value in run(self.plan, self.plan.run, self._inputs(genome, state, x, {}, fed)):
            match result.key:
                case ("readout", population):
                    out[population] = self._shaped(population, value)
                case (_, population, name):
                    neurons[population][name] = self._shaped(population, value)
                case _:
                    raise AssertionError(result.key)
        return neurons, out

    @cached_property
    def _stacks(self) -> stacking.Stacks:
        return stacking.Stacks(self.plan.step.stacks)

    def packed(self, state: State) -> State:
        """The state as a step reads it: arrays of equal layers as one. Done once for many steps, as it copies."""
        return _packed(self._stacks, state)

    def unpacked(self, state: State) -> State:
        stacks = self._stacks
        neurons = stacks.unpacked(("carried", "example"), state.neurons)
        return State(stacks.unpacked(("synapse",), state.synapses), neurons, state.statistics)

    def _packed_genome(self, genome: GenomeValues) -> GenomeValues:
        return self._stacks.packed_genome(genome)

    def trace(self, genome: GenomeValues, state: State, x: Any, y: Any, fed: Fed = NOTHING) -> dict[str, Any]:
        traced: dict[str, Any] = {}
        for result, value in run(self.plan, self.plan.trace, self._inputs(genome, state, x, y, fed)):
            _, phase, population, name = result.key
            traced.setdefault(phase, {}).setdefault(population, {})[name] = self._shaped(population, value)
        return traced

    def reset(self, state: State, anew: Array) -> State:
        """Resets the neurons of the examples `anew`, `[]` or `[batch]`, to the initial state."""
        axes = {(v.of, v.name): len(v.dims) for v in (*self.plan.carried, *self.plan.examples)}
        for s in self.plan.step.stacks:
            if s.kind in ("carried", "example"):
                axes[s.name, s.variable] = axes[s.members[0], s.variable] + 1

        def cleared(of: str, name: str, value: Array) -> Array:
            after = value.ndim - axes[of, name] - 1
            return jnp.where(anew.reshape((*anew.shape, *(1,) * after)) if anew.ndim else anew, 0.0, value)

        neurons = {of: {n: cleared(of, n, v) for n, v in named.items()} for of, named in state.neurons.items()}
        return state._replace(neurons=neurons)

    def _inputs(
        self, genome: GenomeValues, state: State, x: Mapping[str, Array], y: Mapping[str, Array], fed: Fed
    ) -> Inputs:
        batch = next(iter(x.values())).shape[0]
        return Inputs(genome, state.synapses, state.neurons, x, y, fed.modulators, fed.key, batch, state.statistics)

    def _natural(self, projection: str, value: Array) -> Array:
        """`[.., A, B]` as users see it."""
        return value.reshape((*value.shape[:-2], *self.plan.projection(self._stacks.first(projection)).shape))

    def _shaped(self, population: str, value: Array) -> Array:
        """`[.., n]` as `[.., *population]`."""
        return value.reshape((*value.shape[:-1], *self.plan.population(self._stacks.first(population)).shape))


def _packed(stacks: stacking.Stacks, state: State) -> State:
    neurons = stacks.packed(("carried", "example"), state.neurons)
    return State(stacks.packed(("synapse",), state.synapses), neurons, state.statistics)
