"""What the tests of the library's rules share: a small network, drawn synapses, what a step changes."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

import blurc
from blurc import tasks

KEY = jax.random.key(0)
# Two hidden populations and a skip.
SMALL = """
network small {
  input  x[4]
  hidden h1[5]
  hidden h2[3]
  output y[3] { phi = linear }
  x -> h1
  h1 -> h2
  h2 -> y
  x -> h2
}
"""
LAYERED = "network n { input x[4]  hidden h1[5]  hidden h2[4]  output y[3] { phi = linear }  x -> h1 -> h2 -> y }"


def cosine(a: ArrayLike, b: ArrayLike) -> float:
    a, b = np.ravel(a), np.ravel(b)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def drawn(net: blurc.Net, scale: float = 1.0, seed: int = 0) -> blurc.State:
    """A fresh state, with synapses drawn by NumPy, biases too: no program to compile."""
    rng = np.random.default_rng(seed)
    synapses: dict[str, dict[str, jax.Array]] = {p.name: {} for p in net.plan.projections}
    for v in net.plan.channels:
        p = net.plan.projection(v.of)
        synapses[v.of][v.name] = jnp.asarray(scale * rng.normal(size=(*v.dims, *p.shape)) / np.sqrt(p.n_pre))
    return blurc.State(synapses, {})


def with_synapses(state: blurc.State, **arrays: Mapping[str, ArrayLike]) -> blurc.State:
    """The state with these synapses instead: `w={"x->y": ..}`."""
    synapses = {name: dict(channels) for name, channels in state.synapses.items()}
    for channel, by_projection in arrays.items():
        for name, array in by_projection.items():
            synapses[name][channel] = jnp.broadcast_to(jnp.asarray(array, float), synapses[name][channel].shape)
    return state._replace(synapses=synapses)


def change(net: blurc.Net, genome: Mapping, state: blurc.State, x: ArrayLike, y: ArrayLike | None = None, **more):
    """By how much a step changes `w` of all synapses, as one vector."""
    after, _ = net.step(genome, state, x, y, **more)
    names = sorted(after.synapses)
    return np.concatenate([np.ravel(after.synapses[n]["w"] - state.synapses[n]["w"]) for n in names])


def exact_slope(net: blurc.Net, genome: Mapping, state: blurc.State, x: ArrayLike, y: ArrayLike) -> Mapping:
    """Of the cross entropy of what `predict` answers, by `jax.grad`."""

    def loss(synapses):
        z = net.predict(genome, blurc.State(synapses, {}), x)
        return -(y * jax.nn.log_softmax(z)).sum(-1).mean()

    return jax.grad(loss)(state.synapses)


def accuracy_on_digits(net: blurc.Net, steps: int = 300, genome: Mapping | None = None) -> float:
    """On the test set, after training."""
    data = tasks.load("digits")
    genome = genome or net.init_genome(KEY)
    state, _ = net.train(genome, net.init(KEY, genome, batch=64), *tasks.batches(data, 64, steps, seed=0), key=KEY)
    return float((net.predict(genome, state, data.x_test).argmax(-1) == data.y_test.argmax(-1)).mean())
