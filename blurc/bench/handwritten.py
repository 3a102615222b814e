"""Backpropagation by hand, in idiomatic JAX: a perceptron, tanh hidden layers, softmax cross entropy, SGD.

It is the yardstick, so it is written to be fast: one jitted scan over the steps, with donated parameters.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from blurc.runtime import map_pair

Params = list[tuple[jax.Array, jax.Array]]  # weights and bias of each layer


def init(key: jax.Array, sizes: Sequence[int]) -> Params:
    keys = jax.random.split(key, len(sizes) - 1)
    return [
        (jax.random.normal(k, (n_in, n_out)) / n_in**0.5, jnp.zeros(n_out))
        for k, (n_in, n_out) in zip(keys, itertools.pairwise(sizes), strict=True)
    ]


def predict(params: Params, x: jax.Array) -> jax.Array:
    *hidden, (weights, bias) = params
    for w, b in hidden:
        x = jnp.tanh(x @ w + b)
    return x @ weights + bias


def loss(params: Params, x: jax.Array, y: jax.Array) -> jax.Array:
    return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(predict(params, x)), axis=-1))


def _step(params: Params, x: jax.Array, y: jax.Array, rate: float) -> tuple[Params, jax.Array]:
    value, gradient = jax.value_and_grad(loss)(params, x, y)
    return map_pair(lambda p, g: p - rate * g, params, gradient), value


step = jax.jit(_step, donate_argnums=0)


@partial(jax.jit, donate_argnums=0)
def train(params: Params, xs: jax.Array, ys: jax.Array, rate: float = 0.1) -> tuple[Params, jax.Array]:
    """One step per leading entry of `xs` and `ys`. Returns the losses."""
    return lax.scan(lambda p, xy: _step(p, xy[0], xy[1], rate), params, (xs, ys))
