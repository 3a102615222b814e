"""Inputs by ids: what is gathered from rows of synapses and added to them, without the one-hot values of all neurons.

A bag is the ids of one example, `[m]`; an id out of range is nothing. Row i of a dense projection's synapses is that of
the presynaptic neuron i: `[*dims, n, n_post]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from blurc.runtime.kernels.dense import DenseKernel, broadcast_batch, lift, outer_plain
from blurc.runtime.kernels.elementwise import Factor


@dataclass(frozen=True)
class Rows:
    """The rows that a block computes, and where the ids of each example are among them.

    place, there: `[batch, m]`, the number of the row, and 1 or, where the id is nothing, 0. count: of rows. whole:
    `[count]`, the numbers of these rows in the whole, all different; those of no use are beyond its end. None if they
    are all rows.
    """

    place: jax.Array
    there: jax.Array
    count: Any
    whole: jax.Array | None

    @classmethod
    def all(cls, ids: jax.Array, size: int, dtype: Any) -> Rows:
        there = (ids >= 0) & (ids < size)
        return cls(jnp.where(there, ids, 0), there.astype(dtype), size, None)

    @classmethod
    def seen(cls, ids: jax.Array, size: int, dtype: Any) -> Rows:
        """As many as there are ids in the batch: ids that occur twice leave some over."""
        there = (ids >= 0) & (ids < size)
        count = ids.shape[0] * ids.shape[1]
        flat = jnp.where(there, ids, size).reshape(count).astype(jnp.int32)
        order = jnp.argsort(flat)
        ascending, number = flat[order], jnp.arange(count, dtype=jnp.int32)
        is_first = jnp.concatenate([jnp.ones(1, bool), ascending[1:] != ascending[:-1]])
        first = _first(is_first, number)
        place = jnp.zeros(count, jnp.int32).at[order].set(first, unique_indices=True).reshape(ids.shape)
        return cls(place, there.astype(dtype), count, jnp.where(is_first, ascending, size + number))

    def one_hot(self) -> jax.Array:
        """`[batch, count]`: how often each id is in a bag."""
        batch = self.place.shape[0]
        each = jnp.arange(batch)[:, None]
        return jnp.zeros((batch, self.count), self.there.dtype).at[each, self.place].add(self.there)

    def taken(self, x: jax.Array, axis: int) -> jax.Array:
        """These rows of a whole array."""
        return x if self.whole is None else jnp.take(x, self.whole, axis=axis, mode="clip")

    def written(self, x: jax.Array, rows: jax.Array) -> jax.Array:
        """The whole array `[.., n, n_post]` with these rows in place of its own."""
        if self.whole is None:
            return rows
        return x.at[..., self.whole, :].set(rows, mode="drop", unique_indices=True)


def _first(is_first: jax.Array, number: jax.Array) -> jax.Array:
    """The number of the last first up to each place; a round looks twice as far back as the one before. The cumulative
    functions of JAX cannot be exported for a batch of any size."""
    count: Any = number.shape[0]
    rounds = count.bit_length() if isinstance(count, int) else 31
    return jax.lax.fori_loop(0, rounds, lambda _, place: place[place], jnp.where(is_first, number, number - 1))


@dataclass(frozen=True)
class RowsKernel(DenseKernel):
    """A dense projection from an input by ids, of whose rows some are computed: `n_pre` is their number."""

    def outer(self, pre: jax.Array, post: jax.Array) -> jax.Array:
        dims = max(pre.ndim, post.ndim) - 2
        return outer_plain(*broadcast_batch(lift(pre, dims), lift(post, dims)))


def to_post(synapse: Factor, rows: Rows) -> jax.Array:
    """`sum_i synapse[.., i, j] * one_hot[b, i]` as `[*dims, b, j]`."""
    if synapse is None or synapse.shape[-2] == 1:
        total = jnp.sum(rows.there, axis=-1, keepdims=True)
        return total if synapse is None else synapse * total
    found = jnp.take(synapse, rows.place, axis=-2, mode="clip") * rows.there[..., None]
    return found[..., 0, :] if rows.place.shape[-1] == 1 else jnp.sum(found, axis=-2)


def outer(post: jax.Array, rows: Rows) -> jax.Array:
    """`sum_b one_hot[b, i] * post[.., b, j]` as `[*dims, i, j]`."""
    each = post[..., None, :] * rows.there[..., None]
    n_post = post.shape[-1]
    flat = each.reshape((*post.shape[:-2], rows.place.shape[0] * rows.place.shape[1], n_post))
    zero = jnp.zeros((*post.shape[:-2], rows.count, n_post), post.dtype)
    return zero.at[..., rows.place.reshape(-1), :].add(flat)
