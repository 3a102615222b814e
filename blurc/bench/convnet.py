"""A small convolutional network in idiomatic handwritten JAX: the yardstick for compiled convolutions.

Two convolutions with stride 2 and tanh, one bias per channel, a dense layer, softmax cross entropy, SGD. Images are
`[batch, side, side, channels]`, kernels `[3, 3, in, out]`.
"""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from blurc.runtime import map_pair

CHANNELS = (1, 8, 16)
SIDE = 28

Params = dict[str, Any]


def init(key: jax.Array) -> Params:
    keys = jax.random.split(key, len(CHANNELS))
    kernels = [
        (jax.random.normal(k, (3, 3, c_in, c_out)) / (9 * c_in) ** 0.5, jnp.zeros(c_out))
        for k, (c_in, c_out) in zip(keys, itertools.pairwise(CHANNELS), strict=False)
    ]
    last = (SIDE // 4) ** 2 * CHANNELS[-1]
    return {"convolutions": kernels, "dense": (jax.random.normal(keys[-1], (last, 10)) / last**0.5, jnp.zeros(10))}


def predict(params: Params, x: jax.Array) -> jax.Array:
    for kernel, bias in params["convolutions"]:
        z = lax.conv_general_dilated(x, kernel, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = jnp.tanh(z + bias)
    weights, bias = params["dense"]
    return x.reshape(x.shape[0], -1) @ weights + bias


def loss(params: Params, x: jax.Array, y: jax.Array) -> jax.Array:
    return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(predict(params, x)), axis=-1))


@partial(jax.jit, donate_argnums=0)
def train(params: Params, xs: jax.Array, ys: jax.Array, rate: float = 0.1) -> tuple[Params, jax.Array]:
    """One step per leading entry of `xs`, `[steps, batch, side, side, 1]`, and `ys`. Returns the losses."""

    def step(params: Params, batch: tuple[jax.Array, jax.Array]) -> tuple[Params, jax.Array]:
        value, gradient = jax.value_and_grad(loss)(params, *batch)
        return map_pair(lambda p, g: p - rate * g, params, gradient), value

    return lax.scan(step, params, (xs, ys))
