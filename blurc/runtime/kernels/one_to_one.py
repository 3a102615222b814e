"""One-to-one projections: neuron i connects to neuron i. Synapses are `[*dims, 1, n]`; everything is elementwise."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from blurc.runtime.kernels import elementwise


@dataclass(frozen=True)
class OneToOne:
    n: int

    def to_post(
        self, synapse: jax.Array | None, neuron: jax.Array | None, mixes: bool, gate: jax.Array | None = None
    ) -> jax.Array:
        return every(weigh(synapse, neuron, mixes), self.n)

    def to_pre(
        self, synapse: jax.Array | None, neuron: jax.Array | None, mixes: bool, gate: jax.Array | None = None
    ) -> jax.Array:
        return self.to_post(synapse, neuron, mixes)

    def outer(self, pre: jax.Array, post: jax.Array) -> jax.Array:
        return jnp.sum(pre * post, axis=-2, keepdims=True)

    def at_pre(self, x: jax.Array) -> jax.Array:
        return x

    def at_post(self, x: jax.Array) -> jax.Array:
        return x


def weigh(synapse: jax.Array | None, neuron: jax.Array | None, mixes: bool) -> jax.Array:
    """The product of the two factors if every neuron has one synapse; a missing factor is 1."""
    if synapse is None:
        return jnp.ones((1, 1)) if neuron is None else neuron
    if neuron is None:
        return synapse
    if mixes:
        rows, columns = synapse.shape[:2]
        return elementwise.matmul(synapse, neuron, rows, columns)
    return synapse * neuron


def every(x: jax.Array, n: int) -> jax.Array:
    """Broadcast to all `n` neurons."""
    return jnp.broadcast_to(x, (*x.shape[:-1], n))
