"""A lifetime of random actions."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from blurc.tasks.environments.world import Lifetime, Variation, World


class Wandered(NamedTuple):
    """Observations [steps, batch, n], the rewards of each episode so far [steps, batch], and where one ended, [steps,
    batch] of zeros and ones."""

    seen: jax.Array
    totals: jax.Array
    ends: jax.Array


def wandered(world: World, lifetime: Lifetime, batch: int) -> tuple[jax.Array, Wandered]:
    """The first observations [batch, n], and the steps. Actions to choose from are equally likely; those that are
    numbers are uniform within their bounds, or normal, clipped, where one is infinite."""
    here = world.variation(lifetime.variation)
    places, first = here.begin(jax.random.split(lifetime.first, batch))

    def step(carry: Any, key: jax.Array) -> tuple[Any, Wandered]:
        places, total = carry
        act_key, move_key = jax.random.split(key)
        places, seen, rewards, ends = here.move(move_key, places, _any(here, (batch, world.outputs), act_key))
        total = total + rewards
        return (places, total * (1 - ends)), Wandered(seen, total, ends)

    return first, jax.lax.scan(step, (places, jnp.zeros(batch)), lifetime.keys)[1]


def _any(here: Variation, shape: tuple[int, int], key: jax.Array) -> jax.Array:
    if here.environment.bounds is None:
        return jax.random.randint(key, shape[:1], 0, shape[1])
    least, most = (jnp.broadcast_to(jnp.asarray(end, float), shape) for end in here.environment.bounds)
    bounded = jnp.isfinite(least) & jnp.isfinite(most)
    low, high = (jnp.where(bounded, end, other) for end, other in ((least, -1.0), (most, 1.0)))
    uniform = low + (high - low) * jax.random.uniform(key, shape)
    return jnp.where(bounded, uniform, jnp.clip(jax.random.normal(key, shape), least, most))
