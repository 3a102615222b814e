"""Dense projections: every presynaptic neuron connects to every postsynaptic one.

Synapses are `[*dims, n_pre, n_post]`, neuron values `[*dims, batch, n]` (batch or n is 1 if nothing varies over it).
States and channels come first, so that all products are batched matrix products: on CPU, one library call each,
without transposing.

Known inefficiency: on XLA's CPU backend a product that contracts the first axis of its left side, as in `outer`, misses
the fast library. If the result is narrow or small, transposing by hand is up to 5 times faster; the barriers keep XLA
from folding the transpose back into the product.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from blurc.runtime.kernels.elementwise import Factor

AXES = "rcdefg"  # einsum names for dims


@dataclass(frozen=True)
class DenseKernel:
    """If nothing varies over the neurons on the receiving side, one sum serves them all."""

    n_pre: int
    n_post: int

    def to_post(self, synapse: Factor, neuron: Factor, mixes: bool, gate: Factor = None) -> jax.Array:
        """`sum_i synapse[.., i, j] * neuron[.., b, i]` as `[*dims, b, j]`. Without a synapse factor it is `[*dims, b,
        1]`; without a neuron factor the total of the synapses `[*dims, 1, j]`; without both, their number."""
        if synapse is None:
            return _sum_neurons(neuron, self.n_pre)
        if neuron is None:
            return jnp.sum(synapse, axis=-2, keepdims=True) * _stretch(synapse.shape[-2], self.n_pre)
        return _product("bi", "ij", "bj", neuron, synapse, self.n_pre, -2, mixes)

    def to_pre(self, synapse: Factor, neuron: Factor, mixes: bool, gate: Factor = None) -> jax.Array:
        """`sum_j synapse[.., i, j] * neuron[.., b, j]` as `[*dims, b, i]`; with factors missing as in `to_post`."""
        if synapse is None:
            return _sum_neurons(neuron, self.n_post)
        if neuron is None:
            total = jnp.sum(synapse, axis=-1, keepdims=True) * _stretch(synapse.shape[-1], self.n_post)
            return jnp.swapaxes(total, -1, -2)
        return _product("bj", "ij", "bi", neuron, synapse, self.n_post, -1, mixes)

    def outer(self, pre: jax.Array, post: jax.Array) -> jax.Array:
        """`sum_b pre[.., b, i] * post[.., b, j]` as `[*dims, i, j]`."""
        dims = max(pre.ndim, post.ndim) - 2
        pre, post = lift(pre, dims), lift(post, dims)
        pre, post = broadcast_batch(pre, post)
        n, n_pre, n_post = pre.shape[-2], pre.shape[-1], post.shape[-1]
        return lax.platform_dependent(pre, post, cpu=_outer_cpu(n, n_pre, n_post), default=outer_plain)

    def until(self, synapse: jax.Array) -> jax.Array:
        """`sum_{k <= j} synapse[.., i, k]` as `[*dims, i, j]`."""
        return jnp.cumsum(synapse, axis=-1)

    def outer_until(self, synapse: jax.Array, there: jax.Array, here: jax.Array) -> jax.Array:
        """`sum_b here[.., b, j] * sum_{k <= j} synapse[.., i, k] * there[.., b, k]` as `[*dims, i, j]`: a product
        with the upper triangle of the correlations, never an array of batch x pre x post."""
        correlation = jnp.triu(jnp.matmul(jnp.swapaxes(there, -1, -2), here))
        return jnp.matmul(synapse, correlation)

    def at_pre(self, x: jax.Array) -> jax.Array:
        """`[*dims, 1, n_pre]` as `[*dims, n_pre, 1]`."""
        return jnp.swapaxes(x, -1, -2)

    def at_post(self, x: jax.Array) -> jax.Array:
        return x


def outer_plain(pre: jax.Array, post: jax.Array) -> jax.Array:
    return _contracted(pre, -2, post, -2, pre.ndim - 2)


def _outer_turning_post(pre: jax.Array, post: jax.Array) -> jax.Array:
    turned = lax.optimization_barrier(jnp.swapaxes(post, -1, -2))
    return jnp.swapaxes(lax.optimization_barrier(jnp.matmul(turned, pre)), -1, -2)


def _outer_turning_pre(pre: jax.Array, post: jax.Array) -> jax.Array:
    return jnp.matmul(lax.optimization_barrier(jnp.swapaxes(pre, -1, -2)), post)


def _outer_cpu(batch: Any, n_pre: int, n_post: int) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """The fastest form for these sizes, by measurement. Transposing `post` copies it and the result, transposing `pre`
    copies it, which does not pay for large products. For a symbolic batch both forms are kept; XLA drops one once it
    knows the size."""
    small = n_pre * n_post <= 2**16
    otherwise = _outer_turning_pre if small or 4 * n_pre < n_post else outer_plain
    if n_pre <= 4 * n_post:
        return otherwise
    least = 4 * n_post * n_pre / (n_pre - 4 * n_post)
    if isinstance(batch, int):
        return _outer_turning_post if batch > least else otherwise
    return lambda pre, post: lax.cond(jnp.asarray(batch) > least, _outer_turning_post, otherwise, pre, post)


def _product(
    neuron_axes: str, synapse_axes: str, out: str, neuron: jax.Array, synapse: jax.Array, n: int, axis: int, mixes: bool
) -> jax.Array:
    synapse = _full_axis(synapse, n, axis)
    neuron = _full_axis(neuron, n, -1)
    if mixes:
        rest = AXES[2 : neuron.ndim - 1]
        spec = f"c{rest}{neuron_axes},rc{synapse_axes}->r{rest}{out}"
        return jnp.einsum(spec, neuron, synapse)
    dims = synapse.ndim - 2
    if dims:
        # Neuron values without this axis are repeated: a product whose free axes surround the contracted one would
        # transpose the synapses instead.
        neuron = jnp.broadcast_to(lift(neuron, dims), (*synapse.shape[:-2], *neuron.shape[-2:]))
    return _contracted(neuron, -1, synapse, axis, dims)


def _contracted(a: jax.Array, of_a: int, b: jax.Array, of_b: int, dims: int) -> jax.Array:
    """The sum over an axis of each, along the first `dims` axes of both. As `einsum`, which takes longer to trace: a
    quarter of the time of a network of many layers."""
    along = range(dims)
    return lax.dot_general(a, b, (((of_a % a.ndim,), (of_b % b.ndim,)), (along, along)))


def _sum_neurons(neuron: Factor, n: int) -> jax.Array:
    if neuron is None:
        return jnp.full((1, 1), float(n))
    return jnp.sum(neuron, axis=-1, keepdims=True) * _stretch(neuron.shape[-1], n)


def _stretch(found: int, n: int) -> float:
    """A sum over an axis of size 1 that stands for `n` equal entries counts its entry `n` times."""
    return float(n) if found == 1 else 1.0


def _full_axis(x: jax.Array, n: int, axis: int) -> jax.Array:
    if x.shape[axis] == n:
        return x
    shape = list(x.shape)
    shape[axis] = n
    return jnp.broadcast_to(x, shape)


def lift(x: jax.Array, dims: int) -> jax.Array:
    return x.reshape((1,) * (dims - (x.ndim - 2)) + x.shape) if x.ndim - 2 < dims else x


def broadcast_batch(pre: jax.Array, post: jax.Array) -> tuple[jax.Array, jax.Array]:
    shape = jnp.broadcast_shapes(pre.shape[:-2], post.shape[:-2])
    return jnp.broadcast_to(pre, (*shape, *pre.shape[-2:])), jnp.broadcast_to(post, (*shape, *post.shape[-2:]))
