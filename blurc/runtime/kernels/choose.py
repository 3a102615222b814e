"""Chooses the kernel of a projection."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

import jax

from blurc.model import topology
from blurc.plan import Projection
from blurc.runtime.kernels.conv import Conv
from blurc.runtime.kernels.dense import Dense
from blurc.runtime.kernels.identity import Identity
from blurc.runtime.kernels.one_to_one import OneToOne
from blurc.runtime.kernels.pool import Pool
from blurc.runtime.kernels.shared import Shared
from blurc.runtime.kernels.sparse import sparse


class Kernel(Protocol):
    """Neuron values are `[*dims, batch or 1, n or 1]`, synapses `[*dims, A or 1, B or 1]`; a missing factor is 1. With
    `mixes` the synapses are matrices, applied to the vectors of neurons. `gate`, `[batch or 1, n_pre]`, tells a max
    pool which neuron of a window to choose.

    Results have all neurons, except that a dense projection gives one for all if they are equal.
    """

    def to_post(
        self, synapse: jax.Array | None, neuron: jax.Array | None, mixes: bool, gate: jax.Array | None = None
    ) -> jax.Array: ...

    def to_pre(
        self, synapse: jax.Array | None, neuron: jax.Array | None, mixes: bool, gate: jax.Array | None = None
    ) -> jax.Array: ...

    def outer(self, pre: jax.Array, post: jax.Array) -> jax.Array: ...

    def at_pre(self, x: jax.Array) -> jax.Array: ...

    def at_post(self, x: jax.Array) -> jax.Array: ...


@lru_cache(maxsize=4096)
def kernel(p: Projection) -> Any:  # a Kernel; without synapses it has no `outer` and no `at_`
    match p.topology:
        case topology.Dense():
            return Dense(p.n_pre, p.n_post)
        case topology.OneToOne():
            return OneToOne(p.n_pre)
        case topology.Identity():
            return Identity(p.n_pre)
        case topology.Shared():
            return Shared(p.pre, p.post)
        case topology.Conv() as conv:
            return Conv(conv, p.pre, p.post)
        case topology.Pool() as pool:
            return Pool(pool, p.pre, p.post)
        case topology.Sparse() | topology.Edges() as edges:
            return sparse(p.form, edges, p.pre, p.post)
        case _:
            raise AssertionError(f"{p.topology} has no kernel")
