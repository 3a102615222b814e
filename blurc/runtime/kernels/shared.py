"""From the unit neuron to a population `[*places, channels]`: one synapse per channel, shared by all places.

Synapses are `[*dims, 1, channels]`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from blurc.model import Shape
from blurc.runtime.kernels.elementwise import Factor
from blurc.runtime.kernels.one_to_one import every, weigh


@dataclass(frozen=True)
class SharedKernel:
    pre: Shape  # of the unit neuron
    post: Shape

    @property
    def places(self) -> int:
        return math.prod(self.post[:-1])

    @property
    def channels(self) -> int:
        return self.post[-1]

    def to_post(self, synapse: Factor, neuron: Factor, mixes: bool, gate: Factor = None) -> jax.Array:
        one = every(weigh(synapse, neuron, mixes), self.channels)
        lead = one.shape[:-1]
        all_ = jnp.broadcast_to(one[..., None, :], (*lead, self.places, self.channels))
        return all_.reshape((*lead, math.prod(self.post)))

    def to_pre(self, synapse: Factor, neuron: Factor, mixes: bool, gate: Factor = None) -> jax.Array:
        neuron = jnp.full((1, 1), float(self.places)) if neuron is None else self._over_places(neuron)
        each = weigh(synapse, neuron, mixes and neuron.ndim > 2)
        return jnp.sum(every(each, self.channels), axis=-1, keepdims=True)

    def outer(self, pre: jax.Array, post: jax.Array) -> jax.Array:
        # Sum over the batch by a product first: on CPU that is faster than XLA's code for the two sums.
        return self._over_places(jnp.matmul(jnp.swapaxes(pre, -1, -2), post, precision="highest"))

    def at_pre(self, x: jax.Array) -> jax.Array:
        return x

    def at_post(self, x: jax.Array) -> jax.Array:
        return self._over_places(x) / self.places

    def _over_places(self, x: jax.Array) -> jax.Array:
        if x.shape[-1] == 1:
            return x * self.places
        return jnp.sum(x.reshape((*x.shape[:-1], self.places, self.channels)), axis=-2)
