"""How the values of several tasks become one: their mean, or the worst of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import jax
import jax.numpy as jnp

Combine: TypeAlias = Callable[[jax.Array, jax.Array], jax.Array]


def combine(how: str, sign: int, count: int) -> Combine:
    """(values [episodes], tasks [episodes]) -> a scalar, of `count` tasks numbered from 0.

    The mean is over all episodes. The worst is the mean of the task that does worst, among those that have an episode.
    It is not finite if a value is not. sign: 1 if less is better, -1 if more is.
    """

    def mean(values: jax.Array, tasks: jax.Array) -> jax.Array:
        return values.mean()

    def worst(values: jax.Array, tasks: jax.Array) -> jax.Array:
        totals = jnp.zeros(count, values.dtype).at[tasks].add(values)
        episodes = jnp.zeros(count, values.dtype).at[tasks].add(1)
        costs = jnp.where(episodes > 0, sign * totals / jnp.maximum(episodes, 1), -jnp.inf)
        return sign * costs.max()

    return worst if how == "worst" else mean
