"""Sparse products as dense ones: the synapses are put into a matrix of zeros, and read back from outer products.

Known inefficiency of meaning: 0 times infinity is no number, so that a neuron that has diverged reaches all others, not
only those it is connected to.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
from jax import lax

from blurc.kernels.dense import Dense
from blurc.kernels.sparse.trilinear import take
from blurc.sites import Index, sites
from blurc.topology import Edges, Shape, Sparse


@dataclass(frozen=True)
class Masked:
    topology: Sparse | Edges
    pre: Shape
    post: Shape

    def to_post(
        self, synapse: jax.Array | None, neuron: jax.Array | None, mixes: bool, gate: jax.Array | None = None
    ) -> jax.Array:
        return self._dense.to_post(self._matrix(synapse), neuron, mixes)

    def to_pre(
        self, synapse: jax.Array | None, neuron: jax.Array | None, mixes: bool, gate: jax.Array | None = None
    ) -> jax.Array:
        return self._dense.to_pre(self._matrix(synapse), neuron, mixes)

    def outer(self, pre: jax.Array, post: jax.Array) -> jax.Array:
        return take(self._dense.outer(pre, post), *self._place)[..., None, :]

    def at_pre(self, x: jax.Array) -> jax.Array:
        return x if x.shape[-1] == 1 else take(x, self._place[0])

    def at_post(self, x: jax.Array) -> jax.Array:
        return x if x.shape[-1] == 1 else take(x, self._place[1])

    def _matrix(self, synapse: jax.Array | None) -> jax.Array:
        """`[*dims, 1, S or 1]` as `[*dims, n_pre, n_post]`."""
        if synapse is None:
            synapse = lax.optimization_barrier(jnp.ones((1, 1)))  # or XLA would make the matrix as it compiles
        dims, (pre, post) = synapse.shape[:-2], self._place
        each = jnp.broadcast_to(synapse[..., 0, :], (*dims, self.count))
        zeros = jnp.zeros((*dims, self._dense.n_pre, self._dense.n_post), synapse.dtype)
        return zeros.at[..., pre, post].add(
            each, mode="promise_in_bounds", unique_indices=True, wrap_negative_indices=False
        )

    @cached_property
    def _dense(self) -> Dense:
        return Dense(math.prod(self.pre), math.prod(self.post))

    @property
    def count(self) -> int:
        return len(self._place[0])

    @property
    def _place(self) -> tuple[Index, Index]:
        """The row and the column of every synapse in the matrix."""
        found = sites(self.topology, self.pre, self.post)
        return found.pre, found.post
