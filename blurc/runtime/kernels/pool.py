"""Pooling: windows of the source connect to places of the target, channel by channel, with one constant synapse value.
There are no synapse arrays, so no `outer` and no `at_`.

In a max pool, for each example, a postsynaptic neuron has only the site whose presynaptic neuron has the largest gate,
the first of equals in row-major order of the window.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from blurc.model import Pool
from blurc.runtime.kernels.elementwise import Factor
from blurc.runtime.kernels.one_to_one import weigh
from blurc.runtime.kernels.windows import Sliding


@dataclass(frozen=True)
class PoolKernel(Sliding):
    """Synapse factors are `[*dims, 1, 1]`; they are applied on the smaller side."""

    topology: Pool

    def to_post(self, synapse: Factor, neuron: Factor, mixes: bool, gate: Factor = None) -> jax.Array:
        x = self.source.unfold(jnp.ones((1, 1)) if neuron is None else neuron)
        if self.topology.kind == "avg":
            total = self._sum(x)
        else:
            assert gate is not None
            total = self._pick(self.source.unfold(gate), x)
        return weigh(synapse, self.target.fold(total), mixes and neuron is not None)

    def to_pre(self, synapse: Factor, neuron: Factor, mixes: bool, gate: Factor = None) -> jax.Array:
        y = self.target.unfold(weigh(synapse, neuron, mixes))
        if self.topology.kind == "avg":
            return self.source.fold(self._spread(y))
        assert gate is not None
        winner = self._winner(self.source.unfold(gate))
        return self.source.fold(self.windows.put_back(lambda i: jnp.where(winner == i, y, 0)))

    def _sum(self, x: jax.Array) -> jax.Array:
        t, lead = self.topology, (1,) * (x.ndim - len(self.topology.window) - 1)
        pads = [(0, 0) for _ in lead] + [*t.pads(self.source.places), (0, 0)]
        zero = np.zeros((), x.dtype)
        return lax.reduce_window(x, zero, lax.add, (*lead, *t.window, 1), (*lead, *t.stride, 1), pads)

    def _spread(self, y: jax.Array) -> jax.Array:
        """The transpose of `_sum`."""
        lead = y.shape[: y.ndim - len(self.topology.window) - 1]
        x = jax.ShapeDtypeStruct((*lead, *self.source.places, self.source.channels), y.dtype)
        (result,) = jax.linear_transpose(self._sum, x)(y)
        return result

    def _pick(self, gate: jax.Array, x: jax.Array) -> jax.Array:
        winner = self._winner(gate)
        picked = jnp.zeros((), x.dtype)
        for i, patch in enumerate(self.windows.patches(x)):
            picked = jnp.where(winner == i, patch, picked)
        return picked

    def _winner(self, gate: jax.Array) -> jax.Array:
        """The place in the window with the largest gate, as a number; the first of equals.

        A single `argmax`: with a chain of selects, XLA sometimes found other winners on the way back than forward. The
        barrier keeps it from recomputing the argmax for each place of the source.
        """
        patches = jnp.stack(list(self.windows.patches(gate, -jnp.inf)))
        return lax.optimization_barrier(jnp.argmax(patches, axis=0))
