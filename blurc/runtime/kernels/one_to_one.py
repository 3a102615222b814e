"""Neuron i connects to neuron i: everything is elementwise."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from blurc.runtime.kernels import elementwise
from blurc.runtime.kernels.elementwise import Factor


@dataclass(frozen=True)
class IdentityKernel:
    """One constant synapse value `[*dims, 1, 1]` for all; without arrays of synapses there is no `outer` or `at_`."""

    n: int

    def to_post(self, synapse: Factor, neuron: Factor, mixes: bool, gate: Factor = None) -> jax.Array:
        return every(weigh(synapse, neuron, mixes), self.n)

    to_pre = to_post


@dataclass(frozen=True)
class OneToOneKernel(IdentityKernel):
    """Synapses are `[*dims, 1, n]`."""

    def outer(self, pre: jax.Array, post: jax.Array) -> jax.Array:
        return jnp.sum(pre * post, axis=-2, keepdims=True)

    def at_pre(self, x: jax.Array) -> jax.Array:
        return x

    at_post = at_pre


def weigh(synapse: Factor, neuron: Factor, mixes: bool) -> jax.Array:
    """The product of the two factors if every neuron has one synapse; a missing factor is 1."""
    if synapse is None:
        return jnp.ones((1, 1)) if neuron is None else neuron
    if neuron is None:
        return synapse
    if mixes:
        return elementwise.matmul(synapse, neuron, synapse.shape[1])
    return synapse * neuron


def every(x: jax.Array, n: int) -> jax.Array:
    """Broadcast to all `n` neurons."""
    return jnp.broadcast_to(x, (*x.shape[:-1], n))
