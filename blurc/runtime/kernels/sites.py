"""Values for every example and site of a projection, which a rule with channels `per example` builds.

Arrays are `[*dims, batch or 1, A or 1, B or 1]`: `A, B` are the two sides of a dense projection, and of all others 1
and the sites (`model/sites.py`). Synapses are `[*dims, batch or 1, A', B']`, with the two axes of synapse arrays.

Known inefficiency: a convolution gathers the neurons of every window, where XLA's convolutions would not; and sums by
index are slow on CPU.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from blurc.model import Dense, Index, Pool, Shape, Sites, Topology, sites
from blurc.plan import Projection
from blurc.runtime.kernels.sparse.trilinear import take


@lru_cache(maxsize=4096)
def at_sites(p: Projection) -> DenseSites | ListedSites:
    if isinstance(p.topology, Dense):
        return DenseSites((p.n_pre, p.n_post))
    return ListedSites(p.topology, p.pre, p.post, p.axes)


@dataclass(frozen=True)
class DenseSites:
    axes: tuple[int, int]

    def at_pre(self, x: jax.Array) -> jax.Array:
        return x[..., None]

    def at_post(self, x: jax.Array) -> jax.Array:
        return x[..., None, :]

    def at_synapse(self, x: jax.Array) -> jax.Array:
        return x

    def to_post(self, x: jax.Array, gate: jax.Array | None) -> jax.Array:
        return jnp.sum(x, axis=-2)

    def to_pre(self, x: jax.Array, gate: jax.Array | None) -> jax.Array:
        return jnp.sum(x, axis=-1)

    def to_synapse(self, x: jax.Array) -> jax.Array:
        return x

    over_places = to_synapse


@dataclass(frozen=True)
class ListedSites:
    topology: Topology
    pre: Shape
    post: Shape
    of_synapses: tuple[int, int]

    @property
    def axes(self) -> tuple[int, int]:
        return 1, len(self._sites.pre)

    def at_pre(self, x: jax.Array) -> jax.Array:
        return _at(x, self._sites.pre)

    def at_post(self, x: jax.Array) -> jax.Array:
        return _at(x, self._sites.post)

    def at_synapse(self, x: jax.Array) -> jax.Array:
        if x.shape[-2:] == (1, 1):
            return x
        every = jnp.broadcast_to(x, (*x.shape[:-2], *self.of_synapses))
        flat = every.reshape((*x.shape[:-2], 1, -1))
        return take(flat, self._sites.synapse) if self._shares else flat

    def to_post(self, x: jax.Array, gate: jax.Array | None) -> jax.Array:
        return _added(self._open(x, gate)[..., 0, :], self._sites.post, math.prod(self.post))

    def to_pre(self, x: jax.Array, gate: jax.Array | None) -> jax.Array:
        return _added(self._open(x, gate)[..., 0, :], self._sites.pre, math.prod(self.pre))

    def to_synapse(self, x: jax.Array) -> jax.Array:
        """Summed over the places of each synapse."""
        flat = _added(x[..., 0, :], self._sites.synapse, self._sites.count) if self._shares else x
        return flat.reshape((*x.shape[:-2], *self.of_synapses))

    def over_places(self, x: jax.Array) -> jax.Array:
        """The mean over the places of each synapse; 0 where there is none."""
        places = np.bincount(self._sites.synapse, minlength=self._sites.count).reshape(self.of_synapses)
        total = self.to_synapse(x)
        return total / jnp.asarray(np.maximum(places, 1), x.dtype) if self._shares else total

    def _open(self, x: jax.Array, gate: jax.Array | None) -> jax.Array:
        """0 but for the site in each window of a max pool whose presynaptic neuron has the largest gate, `[batch or 1,
        n_pre]`: the first of equals."""
        if not isinstance(self.topology, Pool) or self.topology.kind != "max" or gate is None:
            return x
        s, n = self._sites, math.prod(self.post)
        each = take(gate, s.pre)
        largest = jnp.full((*gate.shape[:-1], n), -jnp.inf, gate.dtype).at[..., s.post].max(each)
        number = jnp.where(each < take(largest, s.post), len(s.pre), np.arange(len(s.pre)))
        first = jnp.full((*gate.shape[:-1], n), len(s.pre)).at[..., s.post].min(number)
        return jnp.where((number == take(first, s.post))[..., None, :], x, 0)

    @property
    def _shares(self) -> bool:
        return self.topology.shares

    @cached_property
    def _sites(self) -> Sites:
        return sites(self.topology, self.pre, self.post)


def _at(x: jax.Array, neurons: Index) -> jax.Array:
    each = x if x.shape[-1] == 1 else take(x, neurons)
    return each[..., None, :]


def _added(x: jax.Array, to: Index, n: int) -> jax.Array:
    """Values `[.., site]`, summed into `n` bins."""
    if len(to) == n and np.array_equal(to, np.arange(n)):
        return x
    zeros = jnp.zeros((*x.shape[:-1], n), x.dtype)
    return zeros.at[..., to].add(x, mode="promise_in_bounds", wrap_negative_indices=False)
