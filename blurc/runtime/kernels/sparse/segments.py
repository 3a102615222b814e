"""Sparse products synapse by synapse, summed at the target. One example at a time, so that there is never more than one
value per synapse."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import lax

from blurc.model import Index
from blurc.runtime.kernels.sparse.trilinear import Trilinear, take


@dataclass(frozen=True)
class Segments(Trilinear):
    def sum_post(self, w: jax.Array | None, x: jax.Array) -> jax.Array:
        return _scatter(w, x, self.pre_of, self.post_of, self.n_post, ordered=True)

    def sum_pre(self, w: jax.Array | None, y: jax.Array) -> jax.Array:
        turned = None if w is None else jnp.swapaxes(w, 0, 1)
        return _scatter(turned, y, self.post_of, self.pre_of, self.n_pre, ordered=False)


def _scatter(w: jax.Array | None, x: jax.Array, start: Index, end: Index, n: int, ordered: bool) -> jax.Array:
    """`sum_c w[r, c, s] * x[c, m, b, start(s)]`, summed by `end(s)`, as `[r, m, b, n]`."""

    def example(x: jax.Array) -> jax.Array:
        each = take(x, start)
        added = each if w is None else jnp.sum(w[:, :, None] * each[None], axis=1)
        zeros = jnp.zeros((*added.shape[:-1], n), added.dtype)
        return zeros.at[..., end].add(
            added, mode="promise_in_bounds", indices_are_sorted=ordered, wrap_negative_indices=False
        )

    return jnp.moveaxis(lax.map(example, jnp.moveaxis(x, -2, 0)), 0, -2)
