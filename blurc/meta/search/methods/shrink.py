"""A pull of chosen meta-parameters to 0: the proximal step of an L1 penalty, after each step of an optimizer.

Added to the loss, a penalty would be divided by Adam's denominator and leave small numbers; this leaves zeros. Parikh
and Boyd, "Proximal Algorithms" (2014), section 6.5.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax

from blurc.runtime import map_pair

Rate = float | Callable[[Any], Any]


def shrink(names: Sequence[str], strength: float, rate: Rate) -> optax.GradientTransformation:
    """Moves what an update leads to by `rate * strength` towards 0, and not past it."""

    def init(params: Any) -> jax.Array:
        return jnp.zeros((), jnp.int32)

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        by = strength * (rate(state) if callable(rate) else rate)

        def shrunk(change: jax.Array, now: jax.Array) -> jax.Array:
            after = now + change
            kept = jnp.sign(after) * jnp.maximum(jnp.abs(after) - by, 0)
            return jnp.where(kept == 0, -now, kept - now)

        pulled = {name: map_pair(shrunk, updates[name], params[name]) for name in names}
        return {**updates, **pulled}, state + 1

    return optax.GradientTransformation(init, update)
