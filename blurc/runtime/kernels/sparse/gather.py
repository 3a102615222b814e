"""Sparse products by lists: for every neuron, its connected neurons and the synapses to them. The f-th entries of all
lists are one gathered vector, and are added in one fused pass.

Lists differ in length, so neurons are grouped by similar list length and the lists padded. With a fixed number of
synapses per neuron there is one group and no padding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from blurc.model import Edges, Index, Shape, Sparse, sites
from blurc.runtime.kernels.sparse.trilinear import Trilinear, take

RATIO = 1.5  # within a group, the longest list may be this much longer than the shortest; or ..
SLACK = 1 / 32  # .. its padding may be this fraction of all synapses
CHUNK = 16  # list entries added at a time


@dataclass(frozen=True)
class Gather(Trilinear):
    def sum_post(self, w: jax.Array | None, x: jax.Array) -> jax.Array:
        return self._lists(incoming=True).total(w, x)

    def sum_pre(self, w: jax.Array | None, y: jax.Array) -> jax.Array:
        return self._lists(incoming=False).total(None if w is None else jnp.swapaxes(w, 0, 1), y)

    def _lists(self, incoming: bool) -> Lists:
        return _lists(self.topology, self.pre, self.post, incoming)


@dataclass(frozen=True, eq=False)
class Group:
    """Neurons with lists of similar length: `neurons[t, f, i]` is connected to the i-th of them by the synapse
    `synapses[t, f, i]`. Lists are padded with their last neuron and a synapse index past the end."""

    neurons: Index
    synapses: Index

    def total(self, w: jax.Array, x: jax.Array) -> jax.Array:
        """`sum_{c, t, f} w[r, c, synapses[t, f, i]] * x[c, m, b, neurons[t, f, i]]` as `[r, m, b, i]`.

        The loop is not only for long lists: it keeps XLA from recomputing x for each entry. Without it, two products in
        a row would take time quadratic in the number of entries."""
        turns, chunk, members = self.neurons.shape
        neurons, synapses = jnp.asarray(self.neurons), jnp.asarray(self.synapses)

        def turn(t: Any, total: jax.Array) -> jax.Array:
            return sum((_term(w, x, neurons[t, f], synapses[t, f]) for f in range(chunk)), total)

        return lax.fori_loop(0, turns, turn, jnp.zeros((w.shape[0], *x.shape[1:-1], members), x.dtype))


def _term(w: jax.Array, x: jax.Array, neurons: Any, synapses: Any) -> jax.Array:
    each, weights = take(x, neurons), take(w, synapses)[:, :, None, None]
    return sum((weights[:, c] * each[None, c] for c in range(1, len(each))), weights[:, 0] * each[None, 0])


@dataclass(frozen=True, eq=False)
class Lists:
    groups: tuple[Group, ...]
    place: Index | None  # of every neuron among the members of all groups; None if they are in order
    count: int  # of synapses

    def total(self, w: jax.Array | None, x: jax.Array) -> jax.Array:
        if w is None:
            w = jnp.ones((1, 1, self.count), x.dtype)
        w = jnp.concatenate([w, jnp.zeros((*w.shape[:-1], 1), w.dtype)], axis=-1)
        totals = [g.total(w, x) for g in self.groups]
        return totals[0] if self.place is None else take(jnp.concatenate(totals, axis=-1), self.place)


@lru_cache(maxsize=64)
def _lists(topology: Sparse | Edges, pre: Shape, post: Shape, incoming: bool) -> Lists:
    found = sites(topology, pre, post)
    own, other = (found.post, found.pre) if incoming else (found.pre, found.post)
    length = np.bincount(own, minlength=math.prod(post if incoming else pre))
    order = np.argsort(own, kind="stable")  # the synapses, list by list
    start = np.cumsum(length) - length
    members = list(_alike(length))
    groups = tuple(_group(order, other, start[chosen], length[chosen]) for chosen in members)
    place = None
    if len(groups) > 1:
        place = np.empty(len(length), np.int32)
        place[np.concatenate(members)] = np.arange(len(length), dtype=np.int32)
    return Lists(groups, place, len(own))


def _alike(length: Any) -> Iterator[Any]:
    """Groups of neurons with lists of similar length, longest first; those with empty lists separately."""
    neurons = np.bincount(length)  # by length
    high = len(neurons) - 1
    while high > 0:
        shorter = np.arange(high, -1, -1)
        filled = np.cumsum(neurons[shorter] * (high - shorter))
        low = max(0, min(int(high / RATIO), high - int(np.sum(filled <= SLACK * length.sum()))))
        yield np.flatnonzero((length > low) & (length <= high))
        high = int(length[length <= low].max(initial=-1))
    if high == 0:
        yield np.flatnonzero(length == 0)


def _group(order: Any, other: Index, start: Any, length: Any) -> Group:
    longest = int(length.max())
    turns = min(longest, max(2, -(-longest // CHUNK)))
    chunk = -(-longest // max(turns, 1))
    entry = np.arange(turns * chunk)[:, None]
    last = np.maximum(length - 1, 0)
    synapses = order[start + np.minimum(entry, last)] if longest else np.zeros((0, len(length)), np.int32)
    filled = np.where(entry < length, synapses, len(order))
    shape = (turns, chunk, len(length))
    return Group(other[synapses].astype(np.int32).reshape(shape), filled.astype(np.int32).reshape(shape))
