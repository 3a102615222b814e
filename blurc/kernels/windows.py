"""Windows that slide over places: what `conv` and `pool` have in common. Arrays are `[.., *places, channels]`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from blurc.topology import Conv, Pool, Shape


@dataclass(frozen=True)
class Population:
    """A population, seen as places and channels."""

    places: Shape
    channels: int

    @property
    def n(self) -> int:
        return math.prod(self.places) * self.channels

    def unfold(self, x: jax.Array) -> jax.Array:
        """`[.., n or 1]` as `[.., *places, channels]`."""
        every = jnp.broadcast_to(x, (*x.shape[:-1], self.n))
        return every.reshape((*x.shape[:-1], *self.places, self.channels))

    def fold(self, x: jax.Array) -> jax.Array:
        """`[.., *places, channels or 1]` as `[.., n]`."""
        lead = x.shape[: x.ndim - len(self.places) - 1]
        return jnp.broadcast_to(x, (*lead, *self.places, self.channels)).reshape((*lead, self.n))


def population(topology: Conv | Pool, shape: Shape) -> Population:
    return Population(topology.places(shape), topology.channels(shape))


@dataclass(frozen=True)
class Windows:
    """Where the windows of a topology lie over `source` places, along each axis."""

    topology: Conv | Pool
    source: Shape

    @property
    def target(self) -> Shape:
        return self.topology.out(self.source)

    def patches(self, x: jax.Array, padding: float = 0.0) -> Iterator[jax.Array]:
        """For each place in the window, in row-major order, what all windows have there: `[.., *target, channels]`."""
        t, lead = self.topology, (x.ndim - len(self.source) - 1)
        reach = [(max(b, 0), max(e, 0), 0) for b, e in self._around()]
        padded = lax.pad(x, jnp.asarray(padding, x.dtype), [(0, 0, 0)] * lead + reach + [(0, 0, 0)])
        for first in np.ndindex(*t.window):
            along = zip(first, t.stride, self.target, strict=True)
            cut = tuple(slice(k, k + (m - 1) * s + 1, s) for k, s, m in along)
            yield padded[(..., *cut, slice(None))]

    def put_back(self, patch: jax.Array, first: Shape) -> jax.Array:
        """The transpose of the patch at place `first` in the window: `[.., *source, channels]`, 0 elsewhere."""
        t, lead = self.topology, (patch.ndim - len(self.source) - 1)
        config = [(0, 0, 0)] * lead
        along = zip(first, t.stride, self._around(), self.source, self.target, strict=True)
        for k, s, (before, _), n, m in along:
            low = k - before
            config.append((low, n - low - (m - 1) * s - 1, s - 1))
        return lax.pad(patch, jnp.zeros((), patch.dtype), [*config, (0, 0, 0)])

    def _around(self) -> tuple[tuple[int, int], ...]:
        return self.topology.pads(self.source)

    def inside(self) -> list[np.ndarray]:
        """Along each axis, whether the place k of the window at target place o is a place of the source: `[k, o]`."""
        return [(at >= 0) & (at < n) for at, n in zip(self.positions(), self.source, strict=True)]

    def positions(self) -> list[np.ndarray]:
        """Along each axis, the place of the source (or outside of it) that place k of the window at target place o
        is on: `[k, o]`."""
        t = self.topology
        along = zip(t.window, t.stride, self._around(), self.target, strict=True)
        return [np.arange(w)[:, None] + np.arange(m) * s - before for w, s, (before, _), m in along]

    def tiles(self) -> bool:
        """Whether each place of the source is in one window, and the windows are in it."""
        t = self.topology
        exact = all(n % w == 0 for n, w in zip(self.source, t.window, strict=True))
        return t.stride == t.window and exact
