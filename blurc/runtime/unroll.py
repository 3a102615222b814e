"""A scan over many steps, with gradients in memory that grows with the square root of their number.

    carry, outs = unroll.scan(body, carry, xs, recompute=True)

equals `jax.lax.scan` in value. Its gradient keeps the carry at the start of each of about sqrt(T) segments, and
recomputes a segment before differentiating it (Chen et al., arXiv:1604.06174), which takes about a third more time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from blurc.runtime.trees import map_pair, map_tree

Body = Callable[[Any, Any], tuple[Any, Any]]


def scan(body: Body, carry: Any, xs: Any, *, recompute: bool = False) -> tuple[Any, Any]:
    """`xs`: a pytree of arrays with a leading axis of at least one step. With `recompute` the number of steps must be
    known, not symbolic."""
    steps = jax.tree.leaves(xs)[0].shape[0]
    if not recompute or steps < 4:
        return jax.lax.scan(body, carry, xs)

    @partial(jax.checkpoint, prevent_cse=False)
    def segment(carry: Any, part: Any) -> tuple[Any, Any]:
        return jax.lax.scan(body, carry, part)

    length = math.isqrt(steps)
    whole = steps // length * length
    parts = map_tree(lambda x: x[:whole].reshape((-1, length, *x.shape[1:])), xs)
    carry, outs = jax.lax.scan(segment, carry, parts)
    outs = map_tree(lambda x: x.reshape((whole, *x.shape[2:])), outs)
    if whole == steps:
        return carry, outs
    carry, rest = segment(carry, map_tree(lambda x: x[whole:], xs))
    return carry, map_pair(lambda x, y: jnp.concatenate([x, y]), outs, rest)
