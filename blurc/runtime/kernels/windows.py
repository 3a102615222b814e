"""Sliding windows, shared by `conv` and `pool`. Arrays are `[.., *places, channels]`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from blurc.model import Shape, Windows


@dataclass(frozen=True)
class Grid:
    """A population of places with channels."""

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


@dataclass(frozen=True)
class Placed:
    """Where the windows of a topology are on the `source` places, along each axis."""

    topology: Windows
    source: Shape

    @property
    def target(self) -> Shape:
        return self.topology.out(self.source)

    def patches(self, x: jax.Array, padding: float = 0.0) -> Iterator[jax.Array]:
        """For each place in the window, in row-major order, its value in all windows: `[.., *target, channels]`."""
        t, lead = self.topology, [(0, 0, 0)] * (x.ndim - len(self.source) - 1)
        around = [(before, after, 0) for before, after in self._around()]
        padded = lax.pad(x, jnp.asarray(padding, x.dtype), [*lead, *around, (0, 0, 0)])
        for first in np.ndindex(*t.window):
            along = zip(first, t.stride, self.target, strict=True)
            cut = tuple(slice(k, k + (m - 1) * s + 1, s) for k, s, m in along)
            yield padded[(..., *cut, slice(None))]

    def put_back(self, patches: Callable[[int], jax.Array]) -> jax.Array:
        """The transpose of `patches`, which are given by place in the window: `[.., *source, channels]`.

        Which window places reach a source place depends on its phase, the position modulo the stride. Each phase is
        summed separately. XLA's own way, sums of arrays with zeros between their entries, is twice as slow on CPU.
        """
        t = self.topology
        along = zip(self.source, t.stride, self._around(), strict=True)
        steps = tuple(-(-(n + before) // s) for n, s, (before, _) in along)
        phases: dict[Shape, list[jax.Array]] = {phase: [] for phase in np.ndindex(*t.stride)}
        for i, place in enumerate(np.ndindex(*t.window)):
            phase = tuple(k % s for k, s in zip(place, t.stride, strict=True))
            ahead = tuple(k // s for k, s in zip(place, t.stride, strict=True))
            phases[phase].append(self._shift(patches(i), ahead, steps))
        nothing = jnp.zeros_like(phases[(0,) * len(steps)][0])
        return self._interleave([sum(p[1:], start=p[0]) if p else nothing for p in phases.values()])

    def _shift(self, x: jax.Array, ahead: Shape, steps: Shape) -> jax.Array:
        along = [(a, q - m - a, 0) for a, q, m in zip(ahead, steps, self.target, strict=True)]
        lead = [(0, 0, 0)] * (x.ndim - len(along) - 1)
        return lax.pad(x, jnp.zeros((), x.dtype), [*lead, *along, (0, 0, 0)])

    def _interleave(self, phases: list[jax.Array]) -> jax.Array:
        """Interleaves the phases, each `[.., *steps, channels]`, and cuts off what is outside the source."""
        rank = len(self.source)
        *shape, channels = phases[0].shape
        lead, steps = shape[:-rank], shape[-rank:]
        x = jnp.stack(phases, axis=len(lead)).reshape((*lead, *self.topology.stride, *steps, channels))
        first = len(lead)
        pairs = [axis for i in range(rank) for axis in (first + rank + i, first + i)]
        x = jnp.transpose(x, (*range(first), *pairs, x.ndim - 1))
        x = x.reshape((*lead, *(q * s for q, s in zip(steps, self.topology.stride, strict=True)), channels))
        cut = (slice(before, before + n) for (before, _), n in zip(self._around(), self.source, strict=True))
        return x[(..., *cut, slice(None))]

    def _around(self) -> tuple[tuple[int, int], ...]:
        return self.topology.pads(self.source)

    def inside(self) -> list[np.ndarray]:
        """Along each axis, whether place k of the window at target place o is inside the source: `[k, o]`."""
        return [(at >= 0) & (at < n) for at, n in zip(self.positions(), self.source, strict=True)]

    def positions(self) -> list[np.ndarray]:
        """Along each axis, the source position (may be outside) of window place k at target place o: `[k, o]`."""
        t = self.topology
        along = zip(t.window, t.stride, self._around(), self.target, strict=True)
        return [np.arange(w)[:, None] + np.arange(m) * s - before for w, s, (before, _), m in along]


@dataclass(frozen=True)
class Sliding:
    """What kernels of sliding windows have in common: the two populations, and the windows from one to the other."""

    topology: Windows
    pre: Shape
    post: Shape

    @property
    def source(self) -> Grid:
        return Grid(self.topology.places(self.pre), self.topology.channels(self.pre))

    @property
    def target(self) -> Grid:
        return Grid(self.topology.places(self.post), self.topology.channels(self.post))

    @property
    def windows(self) -> Placed:
        return Placed(self.topology, self.source.places)
