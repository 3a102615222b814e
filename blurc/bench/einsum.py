"""The BLUR rule as usually written: one einsum per equation of the paper.

States come last, `[batch, n, k]`. A layer between `n_in` and `n_out` neurons has one square synapse matrix `[n_in + 1 +
n_out, n_in + 1 + n_out, k]` over its inputs, the unit neuron and its outputs: the block above the diagonal is the
forward path, the block below it the way back. The Hebbian term is the outer product of the whole state vector with
itself. The forward and the backward pass read only their block.

The rule is exactly the `blur` genome of `specs.py`. The diagonal blocks are computed and never read: that and the
layout are what this formulation costs.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

Genome = Mapping[str, jax.Array]
EPS = 1e-5


def init(key: jax.Array, sizes: Sequence[int], k: int) -> list[jax.Array]:
    """A synapse matrix per layer; the unit neuron's synapses start at 0."""
    keys = jax.random.split(key, len(sizes) - 1)
    return [_synapse(key, *n, k) for key, n in zip(keys, itertools.pairwise(sizes), strict=True)]


def _synapse(key: jax.Array, n_in: int, n_out: int, k: int) -> jax.Array:
    forth, back = jax.random.split(key)
    w = jax.random.normal(forth, (n_in, n_out, k)) / n_in**0.5
    v = jax.random.normal(back, (n_out, n_in, k)) / n_out**0.5
    return combine(w, jnp.zeros((1, n_out, k)), v)


def combine(w: jax.Array, bias: jax.Array, v: jax.Array) -> jax.Array:
    """The square matrix of `w` [n_in, n_out, k], `bias` [1, n_out, k] and `v` [n_out, n_in, k]."""
    n_in, n_out, k = w.shape
    size = n_in + 1 + n_out
    synapse = jnp.zeros((size, size, k), w.dtype)
    synapse = synapse.at[: n_in + 1, n_in + 1 :].set(jnp.concatenate([w, bias]))
    return synapse.at[n_in + 1 :, :n_in].set(v)


def _activate(genome: Genome, z: jax.Array) -> jax.Array:
    deviation = z - jnp.mean(z, axis=0)
    normal = deviation * lax.rsqrt(jnp.mean(jnp.square(deviation), axis=0) + EPS)
    return jnp.tanh(genome["gain"] * normal + genome["shift"])


def _with_unit(a: jax.Array) -> jax.Array:
    return jnp.concatenate([a, jnp.ones_like(a[:, :1])], axis=1)


def _forward(genome: Genome, synapse: jax.Array, pre: jax.Array) -> jax.Array:
    n_in = pre.shape[1]
    forth = synapse[: n_in + 1, n_in + 1 :]
    total = jnp.einsum("bic,kc,ijk->bjk", _with_unit(pre), genome["nu"], forth)
    return _activate(genome, genome["eta"] * total)


def _backward(genome: Genome, synapse: jax.Array, own: jax.Array, post: jax.Array) -> jax.Array:
    n_in = own.shape[1]
    back = synapse[n_in + 1 :, :n_in]
    total = jnp.einsum("bjc,kc,jik->bik", post, genome["mu"], back)
    return _activate(genome, genome["f"] * own + genome["eta"] * total)


def _update(genome: Genome, synapse: jax.Array, pre: jax.Array, post: jax.Array) -> jax.Array:
    both = jnp.concatenate([_with_unit(pre), post], axis=1)
    hebb = jnp.einsum("bic,kc,kd,bjd->ijk", both, genome["hp"], genome["hq"], both) / both.shape[0]
    decay = genome["oja"] * synapse * _totals(synapse, pre.shape[1])
    return genome["fs"] * synapse + genome["es"] * hebb - decay


def _totals(synapse: jax.Array, n_in: int) -> jax.Array:
    """The sum of squares over a neuron's synapses: the way back for inputs, the forward path for outputs."""
    back = jnp.sum(jnp.square(synapse[n_in + 1 :, : n_in + 1]), axis=0)
    forth = jnp.sum(jnp.square(synapse[: n_in + 1, n_in + 1 :]), axis=0)
    return jnp.concatenate([back, forth])


def _step(genome: Genome, synapses: list[jax.Array], x: jax.Array, y: jax.Array) -> tuple[list[jax.Array], jax.Array]:
    k = synapses[0].shape[-1]
    layers = [_states([x], k)]
    for synapse in synapses:
        layers.append(_forward(genome, synapse, layers[-1]))
    readout = layers[-1][..., 0]
    layers[-1] = _states([readout, 2 * y - 1], k)
    for i in reversed(range(1, len(synapses))):
        layers[i] = _backward(genome, synapses[i], layers[i], layers[i + 1])
    pairs = itertools.pairwise(layers)
    return [_update(genome, s, *pair) for s, pair in zip(synapses, pairs, strict=True)], readout


def _states(known: list[jax.Array], k: int) -> jax.Array:
    return jnp.stack([*known, *[jnp.zeros_like(known[0])] * (k - len(known))], axis=-1)


@partial(jax.jit, donate_argnums=1)
def train(genome: Genome, synapses: list[jax.Array], xs: jax.Array, ys: jax.Array) -> tuple[list[jax.Array], jax.Array]:
    """One step per leading entry of `xs` and `ys`. Returns the readouts."""
    return lax.scan(lambda s, xy: _step(genome, s, xy[0], xy[1]), synapses, (xs, ys))


def predict(genome: Genome, synapses: list[jax.Array], x: jax.Array) -> jax.Array:
    layer = _states([x], synapses[0].shape[-1])
    for synapse in synapses:
        layer = _forward(genome, synapse, layer)
    return layer[..., 0]
