"""The compiled network: pure functions of pytrees, made from a plan, that check what a caller passes.

The checks are outside of jit and raise `BlurError`; inside all is traced (`entries.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any

import jax
from jax import Array
from jax.sharding import Mesh
from jax.typing import ArrayLike

from blurc.diagnostics import BlurError, Diagnostic
from blurc.guards import by_name, check_room, require, typed
from blurc.plan import Cost, Plan, cost_of
from blurc.runtime import signature as signatures
from blurc.runtime.arguments import ArraysLike, GenomeValues, Readout, Signals, unshared
from blurc.runtime.entries import Entries, Fed, State
from blurc.runtime.finite import check_finite, of_state
from blurc.runtime.sharding import Sharding, sharding


@dataclass(frozen=True)
class Calls:
    """The functions behind a `Program`: of a compiled network, or of an artifact."""

    init_genome: Callable[..., Any]
    init: Callable[..., Any]
    step: Callable[..., Any]
    predict: Callable[..., Any]
    run: Callable[..., Any]
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
    # Draws are jitted one by one (`initial.py`), so that the many projections of one size share a compilation.
    return Jitted(
        e.init_genome,
        e.init,
        jax.jit(e.step),
        jax.jit(e.predict),
        jax.jit(e.run),
        jax.jit(e.train),
        jax.jit(e.train, donate_argnums=1),
        jax.jit(partial(e.train, recompute=True)),
        jax.jit(e.trace),
    )


class Program:
    """The calls of a compiled network or a loaded artifact, with their checks.

    All of them are pure functions of pytrees and compose with `jax.jit`, `vmap`, `scan` and, for a compiled network,
    `grad`. They compute in float32, or in float64 in JAX's x64 mode.

    Attributes:
        signature: the shapes of everything that goes in and comes out.
        check_finite: whether calls look for values that are not finite in the genome, the state and the data (E918).
            They wait for the device then.
    """

    signature: signatures.Signature
    check_finite: bool = False

    @property
    def _call(self) -> Calls:
        raise NotImplementedError

    def init_genome(self, key: Array) -> dict[str, Array | dict[str, Array]]:
        """Draws fresh meta-parameters.

        Args:
            key: a JAX random key.

        Returns:
            An array for each meta-parameter, `{"nu": [k, k], ..}`. One that is `per projection` has a dict of arrays,
            `{"nu": {"a->b": [k, k], ..}}`; the same goes for `per population`, `per neuron` and `per synapse`.

        Raises:
            BlurError: E906 where `key` is not one random key.
        """
        signatures.check_key(key)
        return self._call.init_genome(key)

    def init(self, key: Array, genome: GenomeValues, batch: int | None = None) -> State:
        """Draws a fresh state: synapses from their distributions, persistent neuron states at 0.

        The synapses of the unit neuron start at 0.

        Args:
            key: a JAX random key.
            genome: the meta-parameters, which start values may depend on.
            batch: how many examples a step has. Needed only where neuron states are persistent.

        Returns:
            The state, with an entry for every projection.

        Raises:
            BlurError: E902 where the genome does not fit, E903 where `batch` is needed or is not a positive integer,
                E906 where `key` is not one random key.
        """
        signatures.check_key(key)
        self.signature.check_genome(genome)
        if self.check_finite:
            check_finite(genome=dict(genome))
        return self._call.init(key, dict(genome), self.signature.check_batch(batch))

    @by_name
    def step(
        self,
        genome: GenomeValues,
        state: State,
        x: ArraysLike,
        y: ArraysLike | None = None,
        *,
        signals: Signals | None = None,
        key: Array | None = None,
    ) -> tuple[State, Readout]:
        """Runs one step, as in LANGUAGE.md: all phases, then the update of the synapses.

        Args:
            genome: the meta-parameters.
            state: the state before the step.
            x: inputs `[batch, *input shape]`, or flat, `[batch, n]`; of an input by ids integers, `[batch]` or
                `[batch, m]`; a dict by population where there are several.
            y: targets `[batch, *output shape]`, alike. Not needed by a genome without `target`.
            signals: `{name: value}` for the `signal`s of the genome: `[*shape]`, or `[batch, *shape]` for one `per
                example`.
            key: a random key, where the genome draws random numbers.

        Returns:
            The state after the step, and the readout `[batch, *output shape]` as it was before the first feedback; a
            dict by population where there are several outputs.

        Raises:
            BlurError: E901 to E910, or E922 for ids, where something does not fit.
        """
        arguments = self._checked("step", genome, state, x, y, signals, key)
        state, out = self._call.step(*arguments)
        return state, self.signature.unpack(out)

    @by_name
    def predict(
        self,
        genome: GenomeValues,
        state: State,
        x: ArraysLike,
        *,
        signals: Signals | None = None,
        key: Array | None = None,
    ) -> Readout:
        """Reads the network out after `sense` and `forward`; nothing changes.

        Args:
            genome: the meta-parameters.
            state: the state.
            x: inputs, as in `step`.
            signals: where these phases read them, as in `step`.
            key: where these phases draw random numbers, as in `step`.

        Returns:
            The readout `[batch, *output shape]`; a dict by population where there are several outputs.

        Raises:
            BlurError: E901 to E910, or E922 for ids, where something does not fit.
        """
        values, state, xs, _, fed = self._checked("predict", genome, state, x, None, signals, key)
        return self.signature.unpack(self._call.predict(values, state, xs, fed))

    @by_name
    def run(
        self,
        genome: GenomeValues,
        state: State,
        xs: ArraysLike,
        reset: ArrayLike | None = None,
        signals: Signals | None = None,
        *,
        key: Array | None = None,
    ) -> tuple[State, Readout]:
        """Runs a sequence with frozen synapses: in every step `sense` and `forward`, as in `predict`.

        Unlike in `predict`, persistent states and what delayed projections read go on from step to step, as the neurons
        have them after `forward`. Later phases, which learn, do not run.

        Args:
            genome: the meta-parameters.
            state: the state before the first step.
            xs: inputs `[steps, batch, *input shape]`, as in `step` else.
            reset: booleans `[steps]` or `[steps, batch]`, as in `train`.
            signals: where these phases read them, with a leading axis of steps, as in `train`.
            key: where these phases draw random numbers, as in `train`.

        Returns:
            The state after the last step, in which only neurons have changed, and the readouts `[steps, batch, *output
            shape]`; a dict by population where there are several outputs.

        Raises:
            BlurError: E901 to E911, or E922 for ids, where something does not fit.
        """
        arguments = self._checked("run", genome, state, xs, None, signals, key, reset, leading=("steps", "batch"))
        values, state, inputs, _, fed = arguments
        state, outs = self._call.run(values, state, inputs, fed)
        return state, self.signature.unpack(outs)

    @by_name
    def train(
        self,
        genome: GenomeValues,
        state: State,
        xs: ArraysLike,
        ys: ArraysLike | None = None,
        *,
        signals: Signals | None = None,
        key: Array | None = None,
        reset: ArrayLike | None = None,
        donate: bool = False,
        recompute: bool = False,
    ) -> tuple[State, Readout]:
        """Runs many steps in one program.

        Args:
            genome: the meta-parameters.
            state: the state before the first step.
            xs: inputs `[steps, batch, *input shape]`, as in `step` else.
            ys: targets `[steps, batch, *output shape]`, alike.
            signals: as in `step`, with a leading axis of steps: `[steps, *shape]` or `[steps, batch, *shape]`.
            key: a random key, where the genome draws random numbers; step t draws from `jax.random.fold_in(key, t)`.
            reset: booleans `[steps]` or `[steps, batch]`: before which steps the neurons (of which examples) forget
                their persistent states and their past, as between two sequences.
            donate: let the memory of `state` be used again. The `state` that was passed is gone afterwards.
            recompute: let gradients through T steps keep about sqrt(T) states and compute the others again
                (Chen et al., arXiv:1604.06174), see `blurc.runtime.unroll`.

        Returns:
            The state after the last step, and the readouts `[steps, batch, *output shape]`; a dict by population where
            there are several outputs.

        Raises:
            BlurError: E901 to E911, or E922 for ids, where something does not fit; E716 for `recompute` of an artifact.
        """
        require(bool, donate=donate, recompute=recompute)
        arguments = self._checked("step", genome, state, xs, ys, signals, key, reset, leading=("steps", "batch"))
        if donate:
            arguments = (arguments[0], unshared(arguments[1]), *arguments[2:])
        state, outs = self._train(donate, recompute)(*arguments)
        return state, self.signature.unpack(outs)

    def _train(self, donate: bool, recompute: bool) -> Callable[..., Any]:
        call = self._call
        if not recompute:
            return call.train_donating if donate else call.train
        if not isinstance(call, Jitted):
            message = "recompute is for gradients, and an artifact holds no derivatives"
            raise BlurError(Diagnostic("E716", message, help="compile the spec: `blurc.compile(..)`"))
        return call.train_recomputing

    def _checked(
        self,
        entry: str,
        genome: GenomeValues,
        state: State,
        x: ArraysLike,
        y: ArraysLike | None,
        signals: Signals | None,
        key: Array | None,
        reset: ArrayLike | None = None,
        leading: tuple[str, ...] = ("batch",),
    ) -> tuple[dict[str, Any], State, dict[str, Array], dict[str, Array], Fed]:
        """The arguments of a traced entry point, checked."""
        s = self.signature
        s.check_genome(genome)
        s.check_state(state)
        xs, ys = s.pack(entry, x, y, leading)
        s.check_memory(state, xs, leading)
        sizes = next(iter(xs.values())).shape[: len(leading)]
        self._check_room(sizes[-1])
        fed = Fed(*s.pack_fed(entry, signals, key, sizes), s.pack_reset(reset, sizes))
        if self.check_finite:
            check_finite(genome=dict(genome), state=of_state(state), x=xs, y=ys, signals=fed.modulators)
        return dict(genome), state, xs, ys, fed

    def _check_room(self, batch: int) -> None:
        """Raises `BlurError` (E919) where a layer in between cannot fit."""


class Compiled(Program):
    """The program of a plan, with what artifacts lack: derivatives and traces."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.signature = signatures.signature(plan)

    def __getstate__(self) -> dict[str, Any]:
        """For `pickle` and `copy`. What is compiled is left out, and compiled again when it is needed."""
        return {name: value for name, value in vars(self).items() if not _is_cached(type(self), name)}

    @property
    def _call(self) -> Jitted:
        return self._jitted

    @cached_property
    def _jitted(self) -> Jitted:  # `jitted` looks at the whole plan to find it again
        return jitted(self.plan)

    def cost(self, batch: int) -> Cost:
        """What a step with `batch` examples takes, counted from the plan in milliseconds, without compiling.

        Returns:
            Arithmetic and bytes moved, by projection and population (`.parts`), and bytes of memory: of the state
            (`.state`), for a step (`.step`), for many (`.train(steps)`) and for a gradient through them
            (`.gradient(steps)`).

        Raises:
            BlurError: E903 if `batch` is not a positive integer.
        """
        return cost_of(self.plan, signatures.whole_number(batch))

    @typed
    def sharding(self, mesh: Mesh, *, data: str | None = "data", model: str | None = "model") -> Sharding:
        """Where its arrays lie on a mesh of devices, so that many of them compute one network:

            mesh = jax.make_mesh((4, 2), ("data", "model"))
            places = net.sharding(mesh)
            state = jax.device_put(net.init(key, genome, batch=128), places.state)
            state, outs = net.train(genome, state, jax.device_put(xs, places.xs), jax.device_put(ys, places.ys))

        Args:
            mesh: the devices.
            data: the axis of the mesh along which examples are divided; None for none.
            model: the axis along which neurons and synapses are divided. Which of their axes is chosen by what has to
                be sent between devices (`print(places)`). None for none.

        Returns:
            Pytrees of `NamedSharding`, for the genome, a state, and inputs and targets.

        Raises:
            BlurError: E926 if the mesh has no such axis, or if both are the same one.
        """
        return sharding(self.plan, mesh, data, model)

    def _check_room(self, batch: int) -> None:
        widest = max(self.plan.populations, key=lambda p: p.given)
        what = f"{batch:,} examples in the {widest.size:,} neurons of `{widest.name}`"
        check_room(batch * widest.given, what, "use a smaller batch or network")

    @by_name
    def trace(
        self,
        genome: GenomeValues,
        state: State,
        x: ArraysLike,
        y: ArraysLike | None = None,
        *,
        signals: Signals | None = None,
        key: Array | None = None,
    ) -> dict[str, dict[str, dict[str, Array]]]:
        """Runs one step and keeps every neuron state after every phase.

        Args:
            genome: the meta-parameters.
            state: the state before the step.
            x: inputs, as in `step`.
            y: targets, as in `step`.
            signals: as in `step`.
            key: as in `step`.

        Returns:
            `{phase: {population: {state: [*states, batch, *population]}}}`, phases in the order in which they ran. They
            are named by kind, the second of a kind `forward#2`. States that need a dropped channel are left out.

        Raises:
            BlurError: E901 to E910, or E922 for ids, where something does not fit.
        """
        traced = self._call.trace(*self._checked("trace", genome, state, x, y, signals, key))
        # jit sorts dicts by key, but phases should come in the order in which they ran
        order = dict.fromkeys(r.key[1] for r in self.plan.trace.results)
        return {phase: traced[phase] for phase in order}


def _is_cached(cls: type, name: str) -> bool:
    return isinstance(getattr(cls, name, None), cached_property)
