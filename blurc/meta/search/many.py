"""Map a function of one candidate over many, in one program: in chunks, and across all devices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from blurc.runtime import map_tree

AXIS = "candidates"


def over(function: Callable[..., Any], candidates: Any, shared: tuple[Any, ...] = (), *, chunk: int = 0) -> Any:
    """`function(candidate, *shared)` for each candidate along the leading axis, split across devices.

    chunk: how many candidates a device runs in parallel; 0: all of them. Running one at a time is fastest if a single
    candidate keeps the device busy.
    """
    count, devices = _count(candidates), jax.devices()
    if count == 1 or len(devices) == 1:
        return _here(function, candidates, shared, chunk)
    # Pad with the last candidate so that every device gets the same number.
    filled = np.minimum(np.arange(-(-count // len(devices)) * len(devices)), count - 1)
    each, all_of_it = PartitionSpec(AXIS), PartitionSpec()

    def here(part: Any, *shared: Any) -> Any:
        return _here(function, part, shared, chunk)

    found = jax.shard_map(
        here,
        mesh=Mesh(np.asarray(devices), (AXIS,)),
        in_specs=(each, *(all_of_it for _ in shared)),
        out_specs=each,
        check_vma=False,
    )(map_tree(lambda x: x[filled], candidates), *shared)
    return map_tree(lambda x: x[:count], found)


def automatic() -> int:
    """One at a time on CPUs, where parallel was never faster (`blurc bench` measures both); elsewhere all."""
    return 1 if jax.default_backend() == "cpu" else 0


def _here(function: Callable[..., Any], candidates: Any, shared: tuple[Any, ...], chunk: int) -> Any:
    def one(candidate: Any) -> Any:
        return function(candidate, *shared)

    count = _count(candidates)
    if count == 1 or chunk == 1:
        return jax.lax.map(one, candidates)
    if not chunk or chunk >= count:
        return jax.vmap(one)(candidates)
    return jax.lax.map(one, candidates, batch_size=chunk)


def _count(candidates: Any) -> int:
    return jax.tree.leaves(candidates)[0].shape[0]


def finite(tree: Any) -> jax.Array:
    """[candidates]: whether every value of a candidate is finite."""
    leaves = [jnp.isfinite(x).reshape(x.shape[0], -1).all(axis=1) for x in jax.tree.leaves(tree)]
    return jnp.stack(leaves).all(axis=0)
