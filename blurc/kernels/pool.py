"""Pooling: windows of the source are connected with the places of the target, channel by channel, by a synapse that is
the same for all and never changes. There are no arrays of synapses, so no `outer` and no `at_`.

Of a max pool only that site of a postsynaptic neuron exists, for each example, where the gate of the presynaptic one is
largest, the first of equals in row-major order of the window.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from blurc.kernels.one_to_one import weigh
from blurc.kernels.windows import Population, Windows, population
from blurc.topology import Pool as Topology
from blurc.topology import Shape


@dataclass(frozen=True)
class Pool:
    """Synapse factors are `[*dims, 1, 1]`; they are applied on the smaller side."""

    topology: Topology
    pre: Shape
    post: Shape

    @property
    def source(self) -> Population:
        return population(self.topology, self.pre)

    @property
    def target(self) -> Population:
        return population(self.topology, self.post)

    @property
    def windows(self) -> Windows:
        return Windows(self.topology, self.source.places)

    def to_post(
        self, synapse: jax.Array | None, neuron: jax.Array | None, mixes: bool, gate: jax.Array | None = None
    ) -> jax.Array:
        x = self.source.unfold(jnp.ones((1, 1)) if neuron is None else neuron)
        if self.topology.kind == "avg":
            total = self._sum(x)
        else:
            assert gate is not None
            total = self._pick(self.source.unfold(gate), x)
        return weigh(synapse, self.target.fold(total), mixes and neuron is not None)

    def to_pre(
        self, synapse: jax.Array | None, neuron: jax.Array | None, mixes: bool, gate: jax.Array | None = None
    ) -> jax.Array:
        y = self.target.unfold(weigh(synapse, neuron, mixes))
        rank = len(self.source.places)
        if self.topology.kind == "avg":
            x = jax.ShapeDtypeStruct((*y.shape[: -rank - 1], *self.source.places, y.shape[-1]), y.dtype)
            return self.source.fold(jax.linear_transpose(self._sum, x)(y)[0])
        assert gate is not None
        return self.source.fold(self._return(y, self._winner(self.source.unfold(gate))))

    # ------------------------------------------------------------- all sites

    def _sum(self, x: jax.Array) -> jax.Array:
        """The sum of what is in each window."""
        if self.windows.tiles():
            rank = len(self.source.places)
            tiles = x.reshape((*x.shape[: x.ndim - rank - 1], *self._tiled(), x.shape[-1]))
            return jnp.sum(tiles, axis=tuple(range(tiles.ndim - 2 * rank, tiles.ndim, 2)))
        return sum(self.windows.patches(x), start=jnp.zeros((), x.dtype))

    def _tiled(self) -> Shape:
        """The places of the source, each axis split into windows and places in the window."""
        both = zip(self.target.places, self.topology.window, strict=True)
        return tuple(size for pair in both for size in pair)

    # ------------------------------------------- the site with the largest gate

    def _taken(self, gate: jax.Array) -> Iterator[jax.Array]:
        """For each place in the window, whether the windows take it, if none of those that follow."""
        best: jax.Array | None = None
        for i, patch in enumerate(self.windows.patches(gate, -jnp.inf)):
            take = jnp.asarray(self._first() == i)[..., None]  # whatever is there: padding never wins
            if best is not None:
                take = take | (patch > best)
            best = patch if best is None else jnp.where(take, patch, best)
            yield jnp.broadcast_to(take, best.shape)

    def _first(self) -> np.ndarray:
        """Of each window, the first place that is a place of the source."""
        along = [i.argmax(0) for i in self.windows.inside()]
        return np.ravel_multi_index(np.meshgrid(*along, indexing="ij"), self.topology.window)

    def _pick(self, gate: jax.Array, x: jax.Array) -> jax.Array:
        picked = jnp.zeros((), x.dtype)
        for take, patch in zip(self._taken(gate), self.windows.patches(x), strict=True):
            picked = jnp.where(take, patch, picked)
        return picked

    def _winner(self, gate: jax.Array) -> jax.Array:
        """The place in the window, as a number."""
        winner = jnp.zeros((), jnp.int32)
        for i, take in enumerate(self._taken(gate)):
            winner = jnp.where(take, i, winner)
        return winner

    def _return(self, y: jax.Array, winner: jax.Array) -> jax.Array:
        """`y` where the winner is, 0 elsewhere; summed where windows overlap."""
        if self.windows.tiles():
            return self._return_tiles(y, lax.optimization_barrier(winner))
        places = enumerate(np.ndindex(*self.topology.window))
        return sum(
            (self.windows.put_back(jnp.where(winner == i, y, 0), first) for i, first in places),
            start=jnp.zeros((), y.dtype),
        )

    def _return_tiles(self, y: jax.Array, winner: jax.Array) -> jax.Array:
        window = self.topology.window
        numbers = np.arange(math.prod(window)).reshape([size for w in window for size in (1, w)] + [1])
        each = jnp.where(self._beside(winner) == numbers, self._beside(y), 0)
        lead = each.shape[: each.ndim - 2 * len(window) - 1]
        return each.reshape((*lead, *self.source.places, self.source.channels))

    def _beside(self, x: jax.Array) -> jax.Array:
        """With an axis of size 1 for the places in the window behind each axis of places."""
        for axis in range(2, 2 * len(self.topology.window) + 1, 2):
            x = jnp.expand_dims(x, -axis)
        return x
