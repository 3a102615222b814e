"""Backpropagation by hand, in idiomatic JAX: the yardstick for compiled rules.

A perceptron and a small convolutional network, with tanh, softmax cross entropy, and SGD or Muon. They are written to
be fast: one jitted scan over the steps, with donated parameters.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import jax
import jax.numpy as jnp
import optax
from jax import lax

from blurc.runtime import map_pair

Params = list[tuple[jax.Array, jax.Array]]  # weights and bias of each layer
Predict = Callable[[Params, jax.Array], jax.Array]

CHANNELS = (1, 8, 16)  # of the images, and of the layers of the convolutional network
SIDE = 28


def init(key: jax.Array, sizes: Sequence[int]) -> Params:
    """A perceptron."""
    keys = jax.random.split(key, len(sizes) - 1)
    return [_layer(k, n_in, (n_in, n_out)) for k, (n_in, n_out) in zip(keys, itertools.pairwise(sizes), strict=True)]


def init_convolutions(key: jax.Array) -> Params:
    """Two convolutions of 3x3 with stride 2 and a dense layer to 10 classes."""
    keys = jax.random.split(key, len(CHANNELS))
    pairs = zip(keys, itertools.pairwise(CHANNELS), strict=False)
    last = (SIDE // 4) ** 2 * CHANNELS[-1]
    return [
        *(_layer(k, 9 * n_in, (3, 3, n_in, n_out)) for k, (n_in, n_out) in pairs),
        _layer(keys[-1], last, (last, 10)),
    ]


def _layer(key: jax.Array, fan_in: int, shape: tuple[int, ...]) -> tuple[jax.Array, jax.Array]:
    return jax.random.normal(key, shape) / fan_in**0.5, jnp.zeros(shape[-1])


def perceptron(params: Params, x: jax.Array) -> jax.Array:
    *hidden, (weights, bias) = params
    for w, b in hidden:
        x = jnp.tanh(x @ w + b)
    return x @ weights + bias


def convolutions(params: Params, x: jax.Array) -> jax.Array:
    """x: images [batch, side, side, channels]; kernels are [3, 3, in, out]."""
    *kernels, (weights, bias) = params
    for kernel, b in kernels:
        z = lax.conv_general_dilated(x, kernel, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = jnp.tanh(z + b)
    return x.reshape(x.shape[0], -1) @ weights + bias


def _step(predict: Predict, params: Params, x: jax.Array, y: jax.Array, rate: Any) -> tuple[Params, jax.Array]:
    value, gradient = _gradient(predict, params, x, y)
    return map_pair(lambda p, g: p - rate * g, params, gradient), value


def _gradient(predict: Predict, params: Params, x: jax.Array, y: jax.Array) -> tuple[jax.Array, Params]:
    """The loss, and how it changes with the parameters."""

    def loss(params: Params) -> jax.Array:
        return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(predict(params, x)), axis=-1))

    return jax.value_and_grad(loss)(params)


step = jax.jit(partial(_step, perceptron), donate_argnums=0)


@partial(jax.jit, static_argnames="predict", donate_argnums=0)
def train(
    params: Params, xs: jax.Array, ys: jax.Array, rate: float = 0.1, predict: Predict = perceptron
) -> tuple[Params, jax.Array]:
    """One step per leading entry of `xs` and `ys`. Returns the losses."""
    return lax.scan(lambda p, xy: _step(predict, p, *xy, rate), params, (xs, ys))


MUON = optax.contrib.muon(0.01, consistent_rms=0.2)
Learning = tuple[Params, optax.OptState]


def init_muon(key: jax.Array, sizes: Sequence[int]) -> Learning:
    params = init(key, sizes)
    return params, MUON.init(params)


@partial(jax.jit, donate_argnums=0)
def train_muon(learning: Learning, xs: jax.Array, ys: jax.Array) -> tuple[Learning, jax.Array]:
    """Like `train`, by Muon, for a perceptron."""

    def step(learning: Learning, xy: tuple[jax.Array, jax.Array]) -> tuple[Learning, jax.Array]:
        params, state = learning
        value, gradient = _gradient(perceptron, params, *xy)
        change, state = MUON.update(gradient, state, params)
        return (cast("Params", optax.apply_updates(params, change)), state), value

    return lax.scan(step, learning, (xs, ys))
