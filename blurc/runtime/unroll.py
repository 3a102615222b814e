"""Many steps as one loop, and gradients through it in memory that grows with the square root of the steps.

    carry, outs = unroll.scan(body, carry, xs, recompute=True)

is `jax.lax.scan` in value. Its gradient keeps the carry at the beginning of each of about sqrt(T) segments, and goes
through a segment a second time before it is differentiated (Chen et al., arXiv:1604.06174), which takes about a third
more time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

Body = Callable[[Any, Any], tuple[Any, Any]]


def scan(body: Body, carry: Any, xs: Any, *, recompute: bool = False) -> tuple[Any, Any]:
    """`xs`: a pytree of arrays with a leading axis of steps, of which there is at least one. With `recompute` the
    number of steps has to be known, not symbolic."""
    steps = jax.tree.leaves(xs)[0].shape[0]
    if not recompute or steps < 4:
        return jax.lax.scan(body, carry, xs)

    def segment(carry: Any, part: Any) -> tuple[Any, Any]:
        return jax.lax.scan(body, carry, part)

    segment = jax.checkpoint(segment, prevent_cse=False)
    length = math.isqrt(steps)
    whole = steps // length * length
    parts = jax.tree.map(lambda x: x[:whole].reshape((-1, length, *x.shape[1:])), xs)
    carry, outs = jax.lax.scan(segment, carry, parts)
    outs = jax.tree.map(lambda x: x.reshape((whole, *x.shape[2:])), outs)
    if whole == steps:
        return carry, outs
    carry, rest = segment(carry, jax.tree.map(lambda x: x[whole:], xs))
    return carry, jax.tree.map(lambda x, y: jnp.concatenate([x, y]), outs, rest)
