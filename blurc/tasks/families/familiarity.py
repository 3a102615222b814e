"""Whether a random pattern was shown before: recognition memory, which synapses hold.

What is learned from is a stream of patterns of -1 and 1. Each is new, or with probability 1/2 the one that was shown
`delay` examples earlier; the answer is 1 if it is not new. The questions come at the end: half are new patterns,
half are among the last `delay` that were shown. Batches of 1 make it the continual task of Tyulmankov, Yang and Abbott,
"Meta-learning synaptic plasticity and memory addressing for continual familiarity detection" (Neuron, 2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import jax
import jax.numpy as jnp

from blurc.storage import limits
from blurc.tasks.families.parametric import Parametric
from blurc.tasks.objective import TargetKind
from blurc.tasks.source import Drawn


@jax.tree_util.register_static
@dataclass(frozen=True)
class Familiarity(Parametric):
    """inputs: of a pattern. delay: after how many examples one comes again."""

    NAME: ClassVar[str] = "familiarity"
    DESCRIPTION: ClassVar[str] = "whether a random pattern was shown before in the episode"
    KIND: ClassVar[TargetKind] = "binary"

    inputs: limits.Count = 25
    delay: limits.Count = 10

    @property
    def features(self) -> int:
        return self.inputs

    @property
    def outputs(self) -> int:
        return 1

    def points(self, place_key: jax.Array, key: jax.Array, count: int) -> tuple[jax.Array, jax.Array]:
        """A stream. A pattern that comes again comes no third time."""
        new, wanted = jax.vmap(partial(self._pattern, key))(jnp.arange(count))
        wanted &= jnp.arange(count) >= self.delay

        def shown(recent: jax.Array, at: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
            """recent: the last `delay` patterns, the earliest first, and whether each was new."""
            (fresh, again) = at
            old, was_new = recent[0, :-1], recent[0, -1] > 0
            repeats = again & was_new
            x = jnp.where(repeats, old, fresh)
            row = jnp.append(x, jnp.where(repeats, 0.0, 1.0))
            return jnp.concatenate([recent[1:], row[None]]), (x, repeats)

        start = jnp.zeros((self.delay, self.inputs + 1))
        _, (x, familiar) = jax.lax.scan(shown, start, (new, wanted))
        return x, familiar[:, None].astype(jnp.float32)

    def _pattern(self, key: jax.Array, number: jax.Array) -> tuple[jax.Array, jax.Array]:
        """A new pattern, and whether an old one is wanted in its place. From the number alone: a longer episode begins
        with a shorter one."""
        new_key, again_key = jax.random.split(jax.random.fold_in(key, number))
        new = jnp.where(jax.random.bernoulli(new_key, shape=(self.inputs,)), 1.0, -1.0)
        return new, jax.random.bernoulli(again_key)

    def _drawn(self, place_key: jax.Array, key: jax.Array, count: int, query: int) -> Drawn:
        stream_key, which_key, new_key = jax.random.split(key, 3)
        x, y = self.points(place_key, stream_key, count)
        recent = min(self.delay, count)
        old = x[count - recent + jax.random.randint(which_key, (query,), 0, recent)]
        new = jnp.where(jax.random.bernoulli(new_key, shape=(query, self.inputs)), 1.0, -1.0)
        familiar = (jnp.arange(query) % 2 == 0)[:, None]
        return Drawn(x, y, jnp.where(familiar, old, new), familiar.astype(jnp.float32))
