"""The wiring of a network as a practitioner would train it: ReLU, He initialisation, batch normalisation with learned
scale and shift, standardised inputs, a readout that starts at 0.

The forward pass follows the network's own graph with the kernels of `blurc.runtime`, whatever its rule. Hidden
populations have ReLU, unless the spec gives them a linear function (pools, the sums of residual blocks). Those that
learned synapses lead into are normalised. Statistics over the batch are for learning; whoever asks gets running ones,
so that an example is answered the same whatever is asked beside it.

He, Zhang, Ren and Sun, "Delving Deep into Rectifiers" (2015); Ioffe and Szegedy, "Batch Normalization" (2015).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp

from blurc import graph
from blurc.api import Net
from blurc.artifact import Loaded
from blurc.diagnostics import BlurError
from blurc.model import Conv, Dense
from blurc.plan import Plan, Projection
from blurc.runtime import Signature, dtype, fold, kernel
from blurc.training.columns import gathered
from blurc.training.recompile import recompile

EPS = 1e-5
DECAY = 0.5  # of running statistics, a step: learning takes few steps, and the synapses change much in each

Normalization = Literal["batch", "layer", "none"]
Inputs = Literal["overall", "each", "example"]


class Variables(NamedTuple):
    """learned: `weights`, and of normalised populations `scale` and `shift`. fixed: weights of projections marked
    `[fixed]`. running: of each normalised population the mean and the variance, and `weight`, by which they are
    divided. seen: of the inputs, how many steps, and the sums over steps of the mean and the mean square."""

    learned: dict[str, Any]
    fixed: dict[str, Any]
    running: dict[str, Any]
    seen: tuple[jax.Array, jax.Array, jax.Array]


@dataclass(frozen=True)
class ReluNetwork:
    """normalization: of hidden activity, over the batch (`batch`), over the population (`layer`), or not at all.
    inputs: standardised by the moments of all of them (`overall`), of each, or of those of the same `example`; then the
    mean of each is subtracted as well."""

    plan: Plan
    order: tuple[str, ...]  # of populations that are not inputs
    forward: tuple[Projection, ...]
    linear: frozenset[str]  # populations without ReLU
    normalization: Normalization = "batch"
    inputs: Inputs = "overall"
    ids: bool = False  # whether the inputs are given by ids, a column for each, or a bag for the only one

    def init(self, key: jax.Array) -> Variables:
        arrays = (self.plan.projection(p.keeper) for p in self.forward if p.topology.has_synapses)
        weights = {p.name: self._drawn(p, fold(key, p.name)) for p in arrays}
        plastic = {p.keeper for p in self.forward if p.plastic}
        sizes = {name: self._features(name) for name in self.order if self._normalised(name)}
        learned = {
            "weights": {name: w for name, w in weights.items() if name in plastic},
            "scale": {name: jnp.ones(n, dtype()) for name, n in sizes.items()},
            "shift": {name: jnp.zeros(n, dtype()) for name, n in sizes.items()},
        }
        fixed = {name: w for name, w in weights.items() if name not in plastic}
        empty = {name: jnp.zeros((2, n), dtype()) for name, n in sizes.items()}
        running = {"weight": jnp.zeros((), dtype()), "moments": empty if self.normalization == "batch" else {}}
        wide = 1 if self.ids or self.inputs == "overall" else self.plan.population(self._input).size
        zeros = jnp.zeros(wide, dtype())
        return Variables(learned, fixed, running, (jnp.zeros((), dtype()), zeros, zeros))

    def see(self, variables: Variables, x: jax.Array) -> Variables:
        """With the moments of the inputs `x`, [batch, n], which are about to be learned."""
        if self.ids:
            return variables
        count, mean, square = variables.seen
        axis = None if self.inputs == "overall" else 0
        x = _by_example(x) if self.inputs == "example" else x
        now = (x.mean(axis, keepdims=True).reshape(-1), (x**2).mean(axis, keepdims=True).reshape(-1))
        return variables._replace(seen=(count + 1, mean + now[0], square + now[1]))

    def learn(self, variables: Variables, x: jax.Array) -> tuple[jax.Array, dict[str, Any]]:
        """Outputs [batch, n], and the running statistics with those of this batch."""
        found: dict[str, jax.Array] = {}

        def moments(name: str, z: jax.Array) -> jax.Array:
            found[name] = jnp.stack([z.mean(0), z.var(0)])
            return found[name]

        outputs = self._outputs(variables, x, moments)
        old, weight = variables.running["moments"], variables.running["weight"]
        kept = {name: DECAY * old[name] + (1 - DECAY) * now for name, now in found.items()}
        return outputs, {"weight": DECAY * weight + (1 - DECAY), "moments": kept}

    def predict(self, variables: Variables, x: jax.Array) -> jax.Array:
        """Outputs [examples, n], each of its example alone."""
        moments, weight = variables.running["moments"], variables.running["weight"]
        return self._outputs(variables, x, lambda name, _: _ratio(moments[name], weight))

    # ------------------------------------------------------------------ forth

    def _outputs(self, variables: Variables, x: jax.Array, moments: Any) -> jax.Array:
        weights = variables.learned["weights"] | variables.fixed
        active = self._given(x) if self.ids else {self._input: self._standardised(variables, x)}
        for name in self.order:
            z = sum((_sum(p, weights, active) for p in self._into(name)), jnp.zeros((), dtype()))
            z = jnp.broadcast_to(z, (len(x), self.plan.population(name).size))
            if self._normalised(name):
                z = self._normal(name, variables.learned, z, moments)
            active[name] = z if name in self.linear else jax.nn.relu(z)
        return active[self._output]

    def _given(self, x: jax.Array) -> dict[str, jax.Array]:
        """The ids of each input, [batch, m]."""
        x, names = x.astype(jnp.int32), [p.name for p in self.plan.with_role("input")]
        return {names[0]: x} if len(names) == 1 else {name: x[:, i : i + 1] for i, name in enumerate(names)}

    def _standardised(self, variables: Variables, x: jax.Array) -> jax.Array:
        count, mean, square = variables.seen
        centre = _ratio(mean, count)
        if self.inputs == "example":
            return _by_example(x) - centre
        return (x - centre) / jnp.sqrt(jnp.maximum(_ratio(square, count) - centre**2, 0) + EPS)

    def _normal(self, name: str, learned: Mapping[str, Any], z: jax.Array, moments: Any) -> jax.Array:
        scale, shift = learned["scale"][name], learned["shift"][name]
        rows = z.reshape(-1, len(scale))  # of a convolution, places are examples
        if self.normalization == "layer":
            mean, variance = z.mean(-1, keepdims=True), z.var(-1, keepdims=True)
            rows = ((z - mean) * jax.lax.rsqrt(variance + EPS)).reshape(rows.shape)
        else:
            mean, variance = moments(name, rows)
            rows = (rows - mean) * jax.lax.rsqrt(variance + EPS)
        return (scale * rows + shift).reshape(z.shape)

    # -------------------------------------------------------------- structure

    def _into(self, name: str) -> list[Projection]:
        return [p for p in self.forward if p.target == name]

    @property
    def _input(self) -> str:
        return self.plan.with_role("input")[0].name

    @property
    def _output(self) -> str:
        return self.plan.with_role("output")[0].name

    def _normalised(self, name: str) -> bool:
        if self.normalization == "none" or name == self._output:
            return False
        return any(p.topology.has_synapses and not p.unit for p in self._into(name))

    def _features(self, name: str) -> int:
        """How many means and scales a population has: one a neuron, or one a channel below a convolution."""
        population = self.plan.population(name)
        convs = (p.topology for p in self._into(name) if isinstance(p.topology, Conv))
        conv = next(convs, None)
        return conv.channels(population.shape) if conv else population.size

    def _drawn(self, p: Projection, key: jax.Array) -> jax.Array:
        if p.unit or (p.plastic and p.target == self._output):
            return jnp.zeros(_shape(p), dtype())
        inputs = 1 if self.plan.population(p.source).ids else p.fans[0]  # so many are not 0
        return math.sqrt(2 / inputs) * jax.random.normal(key, _shape(p), dtype())


def _by_example(x: jax.Array) -> jax.Array:
    """Inputs [.., n] with a mean of 0 and a variance of 1 in every example."""
    return (x - x.mean(-1, keepdims=True)) * jax.lax.rsqrt(x.var(-1, keepdims=True) + EPS)


def _ratio(total: jax.Array, weight: jax.Array) -> jax.Array:
    """0 before the first step, when nothing is weighed yet."""
    return total / jnp.where(weight == 0, 1, weight)


def _shape(p: Projection) -> tuple[int, ...]:
    """Matrices where there are any, so that optimizers which look at them as such can; else vectors."""
    return p.axes if min(p.axes) > 1 else (max(p.axes),)


def _sum(p: Projection, weights: Mapping[str, jax.Array], active: Mapping[str, jax.Array]) -> jax.Array:
    x = jnp.ones((1, 1), dtype()) if p.unit else active[p.source]
    w = weights[p.keeper].reshape(p.axes) if p.topology.has_synapses else jnp.full((1, 1), p.topology.value())
    if jnp.issubdtype(x.dtype, jnp.integer):
        return gathered(w, x)
    return kernel(p).to_post(w, x, False, x)


class LeftOut(Exception):
    """Says why optimizers cannot train the wiring of a network."""


def relu_network(net: Net | Loaded) -> ReluNetwork:
    """Raises `LeftOut`: examples must stand alone, and something must learn."""
    _refuse(net.signature)
    net = compiled(net)
    check_ids(net)
    network = net.model.network
    forward = {p.name for p in network.projections if p.forward}
    projections = tuple(p for p in net.plan.projections if p.name in forward)
    if not any(p.plastic and p.topology.has_synapses for p in projections):
        raise LeftOut(f"no projection of `{network.name}` learns")
    linear = {p.name for p in network.populations if p.role == "output" or "linear" in dict(p.slots).values()}
    by_ids = bool(net.signature.ids)
    return ReluNetwork(net.plan, graph.forward_order(network), projections, frozenset(linear), ids=by_ids)


def check_ids(net: Net) -> None:
    """Raises `LeftOut` for ids whose synapses are not rows of a matrix."""
    ids = net.signature.ids
    for p in net.plan.projections if ids else ():
        if p.source in ids and not isinstance(p.topology, Dense):
            raise LeftOut(f"`{p.name}` leads from an input by ids and is not dense, which they cannot read")


def _refuse(signature: Signature) -> None:
    name, reads = signature.name, signature.reads
    if any("@" in kept for kept in signature.persistent):
        raise LeftOut(f"`{name}` has delayed projections, but they do not see earlier steps")
    if signature.persistent:
        raise LeftOut(f"`{name}` keeps neuron states between steps, but they do not see earlier steps")
    if signal := next((s for read in reads.values() for s in read.signals), None):
        raise LeftOut(f"`{name}` reads the signal `{signal}`, which they do not read")
    if reads["predict"].noise:
        raise LeftOut(f"`{name}` predicts with noise, which they do not have")


def compiled(net: Net | Loaded) -> Net:
    try:
        return recompile(net) if isinstance(net, Loaded) else net
    except ImportError:  # artifacts run without the compiler
        raise LeftOut("they need the compiler (lark, networkx)") from None
    except BlurError as error:
        name, reason = net.signature.name, error.diagnostics[0].message
        raise LeftOut(f"`{name}` does not compile again: {reason}") from None
