"""Identity projections: neuron i connects to neuron i, with one constant synapse value for all."""

from __future__ import annotations

from dataclasses import dataclass

import jax

from blurc.runtime.kernels.one_to_one import every, weigh


@dataclass(frozen=True)
class Identity:
    """The synapse factor is `[*dims, 1, 1]`. There are no arrays of synapses, so no `outer` and no `at_`."""

    n: int

    def to_post(
        self, synapse: jax.Array | None, neuron: jax.Array | None, mixes: bool, gate: jax.Array | None = None
    ) -> jax.Array:
        return every(weigh(synapse, neuron, mixes), self.n)

    def to_pre(
        self, synapse: jax.Array | None, neuron: jax.Array | None, mixes: bool, gate: jax.Array | None = None
    ) -> jax.Array:
        return self.to_post(synapse, neuron, mixes)
