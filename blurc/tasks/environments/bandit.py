"""A bandit with several arms, each of which pays 1 or nothing, with a chance of its own.

The chances are uniform in [0, 1], and drawn anew for every lifetime. Every pull is an episode, so the return is the
share of pulls that pay. There is nothing to see: the observation is always 1. Duan et al., "RL²: Fast Reinforcement
Learning via Slow Reinforcement Learning" (2016), section 3.1; Wang et al., "Learning to reinforcement learn" (2016).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp

NAME = "bandit"
DESCRIPTION = "arms (`ways`) that pay 1 or nothing, with other chances in each lifetime"


@dataclass(frozen=True, eq=False)
class Bandit:
    """chances: [actions], of one lifetime."""

    actions: int
    chances: jax.Array | None = None
    observations: int = 1
    bounds: None = None

    def variation(self, key: jax.Array) -> Bandit:
        return replace(self, chances=jax.random.uniform(key, (self.actions,)))

    def reset(self, key: jax.Array) -> tuple[tuple[()], jax.Array]:
        return (), jnp.ones(1)

    def step(
        self, key: jax.Array, state: tuple[()], action: jax.Array
    ) -> tuple[tuple[()], jax.Array, jax.Array, jax.Array]:
        assert self.chances is not None
        pays = jax.random.bernoulli(key, self.chances[action])
        return (), jnp.ones(1), pays.astype(float), jnp.asarray(True)
