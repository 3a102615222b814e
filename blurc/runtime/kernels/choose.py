"""Chooses the kernel of a projection."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

import jax

from blurc.model import Conv, Dense, Edges, Identity, OneToOne, Pool, Shared, Sparse
from blurc.plan import Projection
from blurc.runtime.kernels.conv import ConvKernel
from blurc.runtime.kernels.dense import DenseKernel
from blurc.runtime.kernels.elementwise import Factor
from blurc.runtime.kernels.one_to_one import IdentityKernel, OneToOneKernel
from blurc.runtime.kernels.pool import PoolKernel
from blurc.runtime.kernels.shared import SharedKernel
from blurc.runtime.kernels.sparse import sparse


class Kernel(Protocol):
    """Neuron values are `[*dims, batch or 1, n or 1]`, synapses `[*dims, A or 1, B or 1]`; a missing factor is 1. With
    `mixes` the synapses are matrices, applied to the vectors of neurons. `gate`, `[batch or 1, n_pre]`, tells a max
    pool which neuron of a window to choose.

    Results have all neurons, except that a dense projection gives one for all if they are equal.
    """

    def to_post(self, synapse: Factor, neuron: Factor, mixes: bool, gate: Factor = None) -> jax.Array: ...

    def to_pre(self, synapse: Factor, neuron: Factor, mixes: bool, gate: Factor = None) -> jax.Array: ...

    def outer(self, pre: jax.Array, post: jax.Array) -> jax.Array: ...

    def at_pre(self, x: jax.Array) -> jax.Array: ...

    def at_post(self, x: jax.Array) -> jax.Array: ...


@lru_cache(maxsize=4096)
def kernel(p: Projection) -> Any:  # a Kernel; without synapses it has no `outer` and no `at_`
    match p.topology:
        case Dense():
            return DenseKernel(p.n_pre, p.n_post)
        case OneToOne():
            return OneToOneKernel(p.n_pre)
        case Identity():
            return IdentityKernel(p.n_pre)
        case Shared():
            return SharedKernel(p.pre, p.post)
        case Conv() as conv:
            return ConvKernel(conv, p.pre, p.post)
        case Pool() as pool:
            return PoolKernel(pool, p.pre, p.post)
        case Sparse() | Edges() as edges:
            return sparse(p.form, edges, p.pre, p.post)
        case _:
            raise AssertionError(f"{p.topology} has no kernel")
