"""Stacking arrays, and unstacking them.

XLA's CPU backend compiles a separate kernel for every slice at a constant place, but equal kernels only once. So
`unstack` takes its entries at places known only at run time: 300 of them compile in a tenth of the time. A kernel that
joins 300 arrays compiles longer than two that join 18, so `stack` joins many in groups. And each is the derivative of
the other, where JAX's own would slice, or add up as many whole stacks as there are entries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

FEW = 4  # up to this many, plain slices compile as fast
MANY = 64  # from this many on, the time that groups save in compiling is worth another copy


def stack(entries: Sequence[jax.Array]) -> jax.Array:
    """Along a new first axis."""
    return stack_p.bind(*entries)


def unstack(x: jax.Array) -> list[jax.Array]:
    """The entries along the first axis."""
    return unstack_p.bind(x)


def _unstack(x: jax.Array) -> list[jax.Array]:
    n, shape = x.shape[0], x.shape[1:]
    if n <= FEW:
        return [x[i] for i in range(n)]
    rows = shape[0] if shape else 1
    flat = x.reshape((n * rows, *shape[1:]))  # an entry is then a slice as it is
    side = math.isqrt(n - 1) + 1
    column = _counted(side, rows)
    row = [lax.mul(i, jnp.uint32(side)) for i in column]
    rest = (jnp.uint32(0),) * (flat.ndim - 1)
    starts = [lax.add(row[i // side], column[i % side]) for i in range(n)]
    return [lax.dynamic_slice(flat, (i, *rest), (rows, *shape[1:])).reshape(shape) for i in starts]


def _counted(n: int, by: int) -> tuple[jax.Array, ...]:
    """0, by, 2 * by, .., n of them, one by one, in a way that the compiler cannot constant-fold."""

    def push(last: tuple[jax.Array, ...], now: jax.Array) -> tuple[tuple[jax.Array, ...], None]:
        return (*last[1:], now), None

    zero = jnp.uint32(0)  # unsigned, as JAX checks signed indices
    return lax.scan(push, (zero,) * n, jnp.arange(n, dtype=jnp.uint32) * by)[0]


stack_p, unstack_p = Primitive("blurc_stack"), Primitive("blurc_unstack")
unstack_p.multiple_results = True


def _stack(*entries: jax.Array) -> jax.Array:
    if entries[0].ndim == 0:
        return jnp.stack(entries)
    return _joined(entries).reshape((len(entries), *entries[0].shape))


def _joined(entries: Sequence[jax.Array]) -> jax.Array:
    n = len(entries)
    if n < MANY:
        return jnp.concatenate(entries)
    side = math.isqrt(n - 1) + 1
    groups = [jnp.concatenate(entries[i : i + side]) for i in range(0, n, side)]
    return jnp.concatenate(lax.optimization_barrier(groups))  # XLA would join all of them at once


def _stack_shape(*entries: Any) -> Any:
    return ShapedArray((len(entries), *entries[0].shape), entries[0].dtype)


def _unstack_shape(x: Any) -> list[Any]:
    return [ShapedArray(x.shape[1:], x.dtype)] * x.shape[0]


def _stack_back(ct: Any, *entries: Any) -> list[Any]:
    return [ad.Zero(e.aval) for e in entries] if isinstance(ct, ad.Zero) else unstack(ct)


def _unstack_back(cts: Sequence[Any], x: Any) -> list[Any]:
    return [stack([ad.instantiate_zeros(ct) for ct in cts])]


def _stack_batched(entries: Sequence[jax.Array], axes: Sequence[int | None]) -> tuple[jax.Array, int]:
    size = next(e.shape[a] for e, a in zip(entries, axes, strict=True) if a is not None)
    return stack([_in_front(e, a, size) for e, a in zip(entries, axes, strict=True)]), 1


def _in_front(x: jax.Array, axis: int | None, size: int) -> jax.Array:
    return jnp.broadcast_to(x, (size, *x.shape)) if axis is None else jnp.moveaxis(x, axis, 0)


def _unstack_batched(args: Sequence[jax.Array], axes: Sequence[int]) -> tuple[list[jax.Array], list[int]]:
    x = jnp.moveaxis(args[0], axes[0], 1)
    return unstack(x), [0] * x.shape[0]


@jax.jit
def _entry(x: jax.Array, i: Any) -> jax.Array:
    return lax.dynamic_index_in_dim(x, i, keepdims=False)


def _entries(x: jax.Array) -> list[jax.Array]:
    """Outside of programs, one by one: they share one that is compiled at once."""
    return [_entry(x, np.uint32(i)) for i in range(x.shape[0])]


stack_p.def_impl(jax.jit(_stack))
unstack_p.def_impl(_entries)
stack_p.def_abstract_eval(_stack_shape)
unstack_p.def_abstract_eval(_unstack_shape)
mlir.register_lowering(stack_p, mlir.lower_fun(_stack, multiple_results=False))
mlir.register_lowering(unstack_p, mlir.lower_fun(_unstack, multiple_results=True))
ad.deflinear2(stack_p, _stack_back)
ad.deflinear2(unstack_p, _unstack_back)
batching.primitive_batchers[stack_p] = _stack_batched
batching.primitive_batchers[unstack_p] = _unstack_batched
