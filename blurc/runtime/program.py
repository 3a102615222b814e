"""The compiled network: pure functions of pytrees, made from a plan.

The checks of what a caller passes are in `Net`, outside of jit, and raise `BlurError`; inside all is traced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from blurc.diagnostics import BlurError, Diagnostic
from blurc.plan import Plan
from blurc.runtime import signature as signatures
from blurc.runtime import stacking, unroll
from blurc.runtime.initial import draw
from blurc.runtime.lower import Inputs, dtype, fold, run

Array: TypeAlias = jax.Array
GenomeValues: TypeAlias = Mapping[str, Any]
Signals: TypeAlias = Mapping[str, Any] | None  # {name: value} of the genome's signals
Values: TypeAlias = Any  # an array, or {population: array} where a network has several inputs or outputs


class State(NamedTuple):
    """What a network keeps from step to step.

    synapses[projection][channel]: `[*channels, n_pre, n_post]` where the projection is dense; of other topologies as
    `blurc.model.topology` says. neurons[population][state]: `[*states, batch, *population]`, persistent states, and as
    `"x@2"` the state x at the end of the step two steps ago, where a delayed projection reads it.
    """

    synapses: dict[str, dict[str, Array]]
    neurons: dict[str, dict[str, Array]]


class Fed(NamedTuple):
    """What else a step is fed. modulators: {name: [*dims]}; key: where there is noise; reset: whether each example
    starts anew, `[]` or `[batch]`. In `train` modulators and reset have a leading axis of steps."""

    modulators: dict[str, Array] = {}  # noqa: RUF012 - never changed
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
                genome[v.name] = {
                    of: draw(v, v.init, fold(key, f"{v.name}/{of}"), shape, {})
                    for of, shape in shapes.items()
                }
            else:
                genome[v.name] = draw(v, v.init, fold(key, v.name), shapes, {})
        return genome

    def init(self, key: Array, genome: GenomeValues, batch: Any) -> State:
        kept: dict[str, set[str]] = {p.name: set() for p in self.plan.projections}
        for v in self.plan.channels:
            kept[v.of].add(v.name)
        genome = {v.name: genome[v.name] for v in self.plan.metas if v.of in ("network", "projection")}
        synapses = {name: self._synapses(name, key, genome, channels) for name, channels in kept.items()}
        neurons: dict[str, dict[str, Array]] = {}
        for v in self.plan.carried:
            shape = (*v.dims, batch, *self.plan.population(v.of).shape)
            neurons.setdefault(v.of, {})[v.name] = jnp.zeros(shape, dtype())
        return State(synapses, neurons)

    def _synapses(
        self, projection: str, key: Array, genome: GenomeValues, kept: set[str]
    ) -> dict[str, Array]:
        """The channels `kept`. All are drawn, for one may start as a copy of another; XLA drops what is not used."""
        p = self.plan.projection(projection)
        names = dict(zip(("fan_in", "fan_out"), map(float, p.fans), strict=True))
        values = {k: v[projection] if isinstance(v, Mapping) else v for k, v in genome.items()}
        drawn: dict[str, Array] = {}
        for v in self.plan.channel_starts if kept else ():
            shape = (*v.dims, *p.shape)
            assert v.init is not None
            if p.unit:
                drawn[v.name] = jnp.zeros(shape, dtype())
            elif v.init.dist == "copy":
                drawn[v.name] = drawn[str(v.init.source)]
            else:
                drawn[v.name] = draw(
                    v, v.init, fold(key, f"{projection}/{v.name}"), shape, {**names, **values}
                )
        return {name: value for name, value in drawn.items() if name in kept}

    def step(
        self, genome: GenomeValues, state: State, x: Any, y: Any, fed: Fed = NOTHING
    ) -> tuple[State, dict[str, Array]]:
        packed, out = self._step(self._packed_genome(genome), self.packed(state), x, y, fed)
        return self.unpacked(packed), out

    def _step(
        self, genome: GenomeValues, state: State, x: Any, y: Any, fed: Fed
    ) -> tuple[State, dict[str, Array]]:
        """On genome and state as the plan reads them."""
        inputs = self._inputs(genome, state, x, y, fed)
        synapses = {name: dict(channels) for name, channels in state.synapses.items()}
        neurons = {name: dict(states) for name, states in state.neurons.items()}
        out: dict[str, Array] = {}
        for result, value in run(self.plan, self.plan.step, inputs):
            match result.key:
                case ("readout", population):
                    out[population] = self._shaped(population, value)
                case ("synapse", projection, channel):
                    synapses[projection][channel] = self._natural(projection, value)
                case (_, population, name):
                    neurons[population][name] = self._shaped(population, value)
                case _:
                    raise AssertionError(result.key)
        return State(synapses, neurons), out

    def predict(self, genome: GenomeValues, state: State, x: Any, fed: Fed = NOTHING) -> dict[str, Array]:
        stacks = stacking.Stacks(self.plan.predict.stacks)
        state = State(stacks.packed("synapse", state.synapses), stacks.packed("carried", state.neurons))
        inputs = self._inputs(stacks.packed_genome(genome), state, x, {}, fed)
        results = run(self.plan, self.plan.predict, inputs)
        return {r.key[1]: self._shaped(r.key[1], value) for r, value in results}

    def train(
        self,
        genome: GenomeValues,
        state: State,
        xs: Any,
        ys: Any,
        fed: Fed = NOTHING,
        *,
        recompute: bool = False,
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

    @cached_property
    def _stacks(self) -> stacking.Stacks:
        return stacking.Stacks(self.plan.step.stacks)

    def packed(self, state: State) -> State:
        """The state as a step reads it: arrays of equal layers as one. Once for many steps, for it copies."""
        return State(
            self._stacks.packed("synapse", state.synapses), self._stacks.packed("carried", state.neurons)
        )

    def unpacked(self, state: State) -> State:
        return State(
            self._stacks.unpacked("synapse", state.synapses), self._stacks.unpacked("carried", state.neurons)
        )

    def _packed_genome(self, genome: GenomeValues) -> GenomeValues:
        return self._stacks.packed_genome(genome)

    def trace(self, genome: GenomeValues, state: State, x: Any, y: Any, fed: Fed = NOTHING) -> dict[str, Any]:
        traced: dict[str, Any] = {}
        for result, value in run(self.plan, self.plan.trace, self._inputs(genome, state, x, y, fed)):
            _, phase, population, name = result.key
            traced.setdefault(phase, {}).setdefault(population, {})[name] = self._shaped(population, value)
        return traced

    def reset(self, state: State, anew: Array) -> State:
        """The state with the neurons of the examples `anew`, `[]` or `[batch]`, as at the very start."""
        axes = {(v.of, v.name): len(v.dims) for v in self.plan.carried}
        for s in self.plan.step.stacks:
            if s.kind == "carried":
                axes[s.name, s.variable] = axes[s.members[0], s.variable] + 1

        def cleared(of: str, name: str, value: Array) -> Array:
            after = value.ndim - axes[of, name] - 1
            return jnp.where(anew.reshape((*anew.shape, *(1,) * after)) if anew.ndim else anew, 0.0, value)

        neurons = {
            of: {n: cleared(of, n, v) for n, v in named.items()} for of, named in state.neurons.items()
        }
        return State(state.synapses, neurons)

    def _inputs(
        self, genome: GenomeValues, state: State, x: Mapping[str, Array], y: Mapping[str, Array], fed: Fed
    ) -> Inputs:
        batch = next(iter(x.values())).shape[0]
        return Inputs(genome, state.synapses, state.neurons, x, y, fed.modulators, fed.key, batch)

    def _natural(self, projection: str, value: Array) -> Array:
        """`[.., A, B]` as users see it."""
        return value.reshape((*value.shape[:-2], *self.plan.projection(self._stacks.first(projection)).shape))

    def _shaped(self, population: str, value: Array) -> Array:
        """`[.., n]` as `[.., *population]`."""
        return value.reshape((*value.shape[:-1], *self.plan.population(self._stacks.first(population)).shape))


@dataclass(frozen=True)
class Calls:
    """The functions behind a `Program`: of a compiled network, or of an artifact."""

    init_genome: Callable[..., Any]
    init: Callable[..., Any]
    step: Callable[..., Any]
    predict: Callable[..., Any]
    train: Callable[..., Any]
    train_donating: Callable[..., Any]


@dataclass(frozen=True)
class Jitted(Calls):
    train_recomputing: Callable[..., Any]
    trace: Callable[..., Any]


@lru_cache(maxsize=64)
def jitted(plan: Plan) -> Jitted:
    """The compiled functions of a plan. Equal plans share them."""
    e = Entries(plan)
    # The draws are jitted one by one (`initial.py`): many projections have one size, and share their compilation.
    return Jitted(
        e.init_genome,
        e.init,
        jax.jit(e.step),
        jax.jit(e.predict),
        jax.jit(e.train),
        jax.jit(e.train, donate_argnums=1),
        jax.jit(partial(e.train, recompute=True)),
        jax.jit(e.trace),
    )


class Program:
    """What a compiled network and a loaded artifact have in common: the calls, with their checks.

    All of them are pure functions of pytrees and compose with `jax.jit`, `vmap`, `scan` and, for a compiled network,
    `grad`.
    """

    signature: signatures.Signature
    _call: Any  # Calls

    def init_genome(self, key: Array) -> dict[str, Any]:
        """Fresh meta-parameters: `{"nu": [k, k], ..}`; those `per projection` as `{"nu": {"a->b": [k, k]}}`.

        key: a JAX random key. float32, or float64 in x64 mode.
        """
        signatures.check_key(key)
        return self._call.init_genome(key)

    def init(self, key: Array, genome: GenomeValues, batch: int | None = None) -> State:
        """A fresh state: drawn synapses, the unit neuron's at 0, persistent neuron states at 0.

        batch: examples per step; needed only where states are persistent. Raises `BlurError` (E903) without it then.
        """
        signatures.check_key(key)
        self.signature.check_genome(genome)
        return self._call.init(key, dict(genome), self.signature.check_batch(batch))

    def step(
        self,
        genome: GenomeValues,
        state: State,
        x: Values,
        y: Values = None,
        *,
        signals: Signals = None,
        key: Array | None = None,
    ) -> tuple[State, Values]:
        """One step, as in LANGUAGE.md: the new state, and the readout taken before the first feedback.

        x: `[batch, *input shape]` (or flat); y: `[batch, *output shape]`, not needed by a genome without `target`;
        dicts by population where there are several. signals: `{name: value}` for the genome's `signal`s. key: a random
        key, where the genome has `noise`. Raises `BlurError` (E901 to E910) where something does not fit.
        """
        self._check(genome, state)
        xs, ys = self.signature.pack(x, y, ("batch",), self.signature.uses_target)
        self.signature.check_memory(state, xs, ("batch",))
        fed = Fed(*self.signature.pack_fed("step", signals, key, ()))
        state, out = self._call.step(dict(genome), state, xs, ys, fed)
        return state, self.signature.unpack(out)

    def predict(
        self,
        genome: GenomeValues,
        state: State,
        x: Values,
        *,
        signals: Signals = None,
        key: Array | None = None,
    ) -> Values:
        """The readout for `x` after `sense` and `forward`; changes nothing. `signals` and `key` where these read
        them."""
        self._check(genome, state)
        xs, _ = self.signature.pack(x, None, ("batch",), target=False)
        self.signature.check_memory(state, xs, ("batch",))
        fed = Fed(*self.signature.pack_fed("predict", signals, key, ()))
        return self.signature.unpack(self._call.predict(dict(genome), state, xs, fed))

    def train(
        self,
        genome: GenomeValues,
        state: State,
        xs: Values,
        ys: Values = None,
        *,
        signals: Signals = None,
        key: Array | None = None,
        reset: Any = None,
        donate: bool = False,
        recompute: bool = False,
    ) -> tuple[State, Values]:
        """Many steps in one program: `xs`, `ys` and `signals` as in `step`, with a leading axis of steps. Returns
        the last state and the readouts `[steps, batch, *output shape]`.

        key: that of step t is `jax.random.fold_in(key, t)`. reset: `[steps]` or `[steps, batch]` of booleans:
        before which steps the neurons (of which examples) forget their persistent states and their past, as between
        two sequences. donate: let the memory of `state` be reused; the passed `state` is gone afterwards. recompute:
        gradients through T steps keep about sqrt(T) states and compute the rest again, see `blurc.runtime.unroll`."""
        self._check(genome, state)
        leading = ("steps", "batch")
        xs, ys = self.signature.pack(xs, ys, leading, self.signature.uses_target)
        self.signature.check_memory(state, xs, leading)
        sizes = next(iter(xs.values())).shape[:2]
        fed = Fed(
            *self.signature.pack_fed("step", signals, key, sizes[:1]), self.signature.pack_reset(reset, sizes)
        )
        state, outs = self._train(donate, recompute)(dict(genome), state, xs, ys, fed)
        return state, self.signature.unpack(outs)

    def _train(self, donate: bool, recompute: bool) -> Callable[..., Any]:
        if recompute and not isinstance(self._call, Jitted):
            message = "recompute is for gradients, and an artifact holds no derivatives"
            raise BlurError(Diagnostic("E716", message, help="compile the spec: `blurc.compile(..)`"))
        if recompute:
            return self._call.train_recomputing
        return self._call.train_donating if donate else self._call.train

    def _check(self, genome: GenomeValues, state: State) -> None:
        self.signature.check_genome(genome)
        self.signature.check_state(state)


class Compiled(Program):
    """The program of a plan, which artifacts do not have all of: derivatives, traces."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.signature = signatures.signature(plan)

    @cached_property
    def _call(self) -> Jitted:
        return jitted(self.plan)

    def trace(
        self,
        genome: GenomeValues,
        state: State,
        x: Values,
        y: Values = None,
        *,
        signals: Signals = None,
        key: Array | None = None,
    ) -> dict[str, Any]:
        """Every neuron state after every phase: `{phase: {population: {state: [*states, batch, *population]}}}`.

        Phases are named by kind, the second of a kind `forward#2`. States that need a dropped channel are left out.
        """
        self._check(genome, state)
        xs, ys = self.signature.pack(x, y, ("batch",), self.plan.trace.uses_target)
        self.signature.check_memory(state, xs, ("batch",))
        fed = Fed(*self.signature.pack_fed("trace", signals, key, ()))
        traced = self._call.trace(dict(genome), state, xs, ys, fed)
        # jit returns dicts sorted by key; phases are wanted in the order in which they ran
        order = dict.fromkeys(r.key[1] for r in self.plan.trace.results)
        return {phase: traced[phase] for phase in order}
