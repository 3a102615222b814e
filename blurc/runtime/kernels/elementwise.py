"""The functions of the language in JAX, with their derivatives, and small matrix products over states and channels.

Arrays are `[*dims, first, second]`: dims are the axes of states and channels, the last two are batch and neuron, or
presynaptic and postsynaptic neuron.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import jax
import jax.numpy as jnp

from blurc.language import STANDARDIZE_EPS

LIBRARY = 128  # numbers of a matrix that a library multiplies
# Up to so many numbers, every row is a sum of its own: the derivative with respect to such a matrix is then a sum that
# XLA fuses, and a meta-gradient takes a third less time. Rows of larger matrices would be most of a program.
WRITTEN = 16

Function = Callable[[jax.Array], jax.Array]
Factor: TypeAlias = jax.Array | None  # of a weighted sum; a missing one is 1

UNARY: dict[str, Function] = {
    "linear": lambda x: x,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "exp": jnp.exp,
    "log": jnp.log,
    "sqrt": jnp.sqrt,
    "abs": jnp.abs,
    "sign": jnp.sign,
    "step": lambda x: (x > 0).astype(x.dtype),
    "square": jnp.square,
    "sin": jnp.sin,
    "cos": jnp.cos,
    "erf": jax.lax.erf,
    "floor": jnp.floor,
    "neg": jnp.negative,
    "hold": jax.lax.stop_gradient,
}


def _gelu_prime(x: jax.Array) -> jax.Array:
    density = jnp.exp(-0.5 * jnp.square(x)) / math.sqrt(2 * math.pi)
    return 0.5 * jax.lax.erfc(-x / math.sqrt(2)) + x * density


def _sigmoid_prime(x: jax.Array) -> jax.Array:
    s = jax.nn.sigmoid(x)
    return s * (1 - s)


# tanh' repeats tanh on purpose: XLA merges them if both phi and phi' are needed.
PRIME: dict[str, Function] = {
    "linear": jnp.ones_like,
    "tanh": lambda x: 1 - jnp.square(jnp.tanh(x)),
    "relu": lambda x: (x > 0).astype(x.dtype),
    "sigmoid": _sigmoid_prime,
    "softplus": jax.nn.sigmoid,
    "gelu": _gelu_prime,
    "exp": jnp.exp,
    "log": lambda x: 1 / x,
    "sqrt": lambda x: 0.5 / jnp.sqrt(x),
    "abs": jnp.sign,
    "sign": jnp.zeros_like,
    "step": jnp.zeros_like,
    "square": lambda x: 2 * x,
    "sin": jnp.cos,
    "cos": lambda x: -jnp.sin(x),
    "erf": lambda x: 2 / math.sqrt(math.pi) * jnp.exp(-jnp.square(x)),
    "floor": jnp.zeros_like,
}


@jax.custom_jvp
def _sloped(value: jax.Array, x: jax.Array, slope: jax.Array) -> jax.Array:
    return value


@_sloped.defjvp
def _slope(primals: tuple[jax.Array, ...], tangents: tuple[jax.Array, ...]) -> tuple[jax.Array, jax.Array]:
    value, _, slope = primals
    of_value, of_x, _ = tangents
    return value, of_value + slope * of_x


def sloped(value: jax.Array, x: jax.Array, slope: jax.Array) -> jax.Array:
    """`value`, with `slope` added to its derivative in `x`."""
    return _sloped(*jnp.broadcast_arrays(value, x, slope))


NARY: dict[str, Callable[..., jax.Array]] = {
    "add": jnp.add,
    "sub": jnp.subtract,
    "mul": jnp.multiply,
    "div": jnp.divide,
    "pow": jnp.power,
    "min": lambda *xs: _chain(jnp.minimum, xs),
    "max": lambda *xs: _chain(jnp.maximum, xs),
    "clip": lambda x, low, high: jnp.minimum(jnp.maximum(x, low), high),
    "where": lambda condition, x, y: jnp.where(condition != 0, x, y),
    "sloped": sloped,
    "less": lambda x, y: _as_number(x < y, x, y),
    "at_most": lambda x, y: _as_number(x <= y, x, y),
    "greater": lambda x, y: _as_number(x > y, x, y),
    "at_least": lambda x, y: _as_number(x >= y, x, y),
}


def _as_number(holds: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """1 or 0, in the precision of what was compared."""
    return holds.astype(jnp.result_type(x, y))


def _chain(f: Callable[[jax.Array, jax.Array], jax.Array], xs: tuple[jax.Array, ...]) -> jax.Array:
    result = xs[0]
    for x in xs[1:]:
        result = f(result, x)
    return result


def standardize(x: jax.Array) -> jax.Array:
    """Zero mean and unit variance over the batch (axis -2), separately for each neuron and state; two passes."""
    centred = x - jnp.mean(x, axis=-2, keepdims=True)
    variance = jnp.mean(jnp.square(centred), axis=-2, keepdims=True)
    return centred * jax.lax.rsqrt(variance + STANDARDIZE_EPS)


def softmax(x: jax.Array) -> jax.Array:
    """Over the neurons of the population (axis -1)."""
    return jax.nn.softmax(x, axis=-1)


def matmul(m: jax.Array, x: jax.Array, columns: int) -> jax.Array:
    """`sum_c m[r, c] * x[c]`. With the few states of a neuron it is written out, fuses with its surroundings and is
    faster than a library product; with more, as in small networks in every synapse, it is not. Both are exact on GPUs
    too: the number of states does not decide whether products are in TF32."""
    rows = m.shape[0]
    if rows * columns <= WRITTEN:
        return jnp.stack([_chain(jnp.add, tuple(m[r, c] * x[c] for c in range(columns))) for r in range(rows)])
    if m.size == rows * columns >= LIBRARY and x.ndim > 1:
        return jnp.tensordot(m.reshape(m.shape[:2]), x, 1, precision="highest")
    m = m.reshape((*m.shape[:2], *(1,) * (x.ndim + 1 - m.ndim), *m.shape[2:]))
    return _chain(jnp.add, tuple(m[:, c] * x[c] for c in range(columns)))
