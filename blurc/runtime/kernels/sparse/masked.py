"""Sparse products as dense ones: the synapses are written into a matrix of zeros, and read back from outer products.

Known deviation: 0 times infinity is NaN, so a neuron that has diverged affects all others, not only those it is
connected to.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from blurc.model import Edges, Index, Shape, Sites, Sparse, sites
from blurc.runtime.kernels.dense import DenseKernel
from blurc.runtime.kernels.elementwise import Factor
from blurc.runtime.kernels.sparse.trilinear import take


@dataclass(frozen=True)
class Masked:
    topology: Sparse | Edges
    pre: Shape
    post: Shape

    def to_post(self, synapse: Factor, neuron: Factor, mixes: bool, gate: Factor = None) -> jax.Array:
        return self._dense.to_post(self._matrix(synapse), neuron, mixes)

    def to_pre(self, synapse: Factor, neuron: Factor, mixes: bool, gate: Factor = None) -> jax.Array:
        return self._dense.to_pre(self._matrix(synapse), neuron, mixes)

    def outer(self, pre: jax.Array, post: jax.Array) -> jax.Array:
        matrix = self._dense.outer(pre, post)
        return take(matrix.reshape(*matrix.shape[:-2], 1, -1), self._place)

    def at_pre(self, x: jax.Array) -> jax.Array:
        return take(x, self._sites.pre)

    def at_post(self, x: jax.Array) -> jax.Array:
        return take(x, self._sites.post)

    def _matrix(self, synapse: Factor) -> jax.Array:
        """`[*dims, 1, S or 1]` as `[*dims, n_pre, n_post]`."""
        if synapse is None:
            ones = lax.optimization_barrier(jnp.ones((1, 1)))  # or XLA would build the matrix at compile time
            synapse = jnp.asarray(ones)
        dims, (n_pre, n_post) = synapse.shape[:-2], (self._dense.n_pre, self._dense.n_post)
        each = jnp.broadcast_to(synapse[..., 0, :], (*dims, self.count))
        zeros = jnp.zeros((*dims, n_pre * n_post), synapse.dtype)
        flat = zeros.at[..., self._place].add(
            each, mode="promise_in_bounds", unique_indices=True, wrap_negative_indices=False
        )
        return flat.reshape(*dims, n_pre, n_post)

    @cached_property
    def _dense(self) -> DenseKernel:
        return DenseKernel(math.prod(self.pre), math.prod(self.post))

    @property
    def _sites(self) -> Sites:
        return sites(self.topology, self.pre, self.post)

    @property
    def count(self) -> int:
        return len(self._sites.pre)

    @cached_property
    def _place(self) -> Index:
        """The flat positions of the synapses in the matrix. One number each: XLA would take seconds to combine rows and
        columns."""
        if self._dense.n_pre * self._dense.n_post > 2**31:
            size = f"{self._dense.n_pre:,} x {self._dense.n_post:,}"
            raise ValueError(f"`form = masked` would make matrices of {size}; `form = gather` makes none")
        return self._sites.pre * np.int32(self._dense.n_post) + self._sites.post
