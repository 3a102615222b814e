"""Judges genomes by what networks are paid in environments.

A lifetime of `inner.steps` steps, in `inner.batch` copies of the environment, is worth the return of its last
`inner.query` steps; with `inner.judge_every`, the mean of that after every so many steps. Networks go on learning all
the time. All candidates get the same variations and the same random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

import jax

from blurc.meta.search.episode import Judge
from blurc.runtime import GenomeValues
from blurc.tasks import Lifetime, World
from blurc.training import Alive, Living

T = TypeVar("T")
Lives: TypeAlias = tuple[
    Alive, ...
]  # one state for each environment; only that of the lifetime's environment is advanced


@dataclass(frozen=True, eq=False)
class LifetimeJudge(Judge):
    """worlds: all environments of the experiment, as `Lifetime.number` counts them."""

    worlds: tuple[World, ...] = field(kw_only=True)

    @cached_property
    def living(self) -> tuple[Living, ...]:
        return tuple(Living(self.net, world, self.inner.batch) for world in self.worlds)

    def value(self, genome: GenomeValues, key: jax.Array, episode: Lifetime) -> jax.Array:
        start_key, _ = jax.random.split(key)

        def of(living: Living, _: int) -> jax.Array:
            return self._whole(living, genome, living.born(genome, start_key, episode), episode)

        return self._in_its_world(episode, of)

    def _whole(self, living: Living, genome: GenomeValues, alive: Alive, lifetime: Lifetime) -> jax.Array:
        steps = len(lifetime.keys)
        every = min(self.inner.judge_every or steps, steps)
        rest = steps % every

        def part(alive: Alive, keys: jax.Array) -> tuple[Alive, jax.Array]:
            alive, fate = living.lived(genome, alive, lifetime._replace(keys=keys))
            return alive, fate.worth(self.objective, self.inner.query)

        if rest:
            alive, _ = part(alive, lifetime.keys[:rest])
        return jax.lax.scan(part, alive, lifetime.keys[rest:].reshape(-1, every))[1].mean()

    def cut(self, episodes: Lifetime, first: int, count: int) -> Lifetime:
        return episodes._replace(keys=episodes.keys[:, first : first + count])

    def begun(self, genome: GenomeValues, key: jax.Array, episode: Lifetime) -> Lives:
        return tuple(living.born(genome, key, episode) for living in self.living)

    def continued(self, genome: GenomeValues, alive: Lives, key: jax.Array, piece: Lifetime) -> tuple[Lives, jax.Array]:
        def of(living: Living, number: int) -> tuple[Lives, jax.Array]:
            after, fate = living.lived(genome, alive[number], piece)
            lives = (*alive[:number], after, *alive[number + 1 :])
            return lives, fate.worth(self.objective, self.inner.query)

        return self._in_its_world(piece, of)

    def _in_its_world(self, lifetime: Lifetime, of: Callable[[Living, int], T]) -> T:
        branches: list[Any] = [lambda i=i, living=living: of(living, i) for i, living in enumerate(self.living)]
        return branches[0]() if len(branches) == 1 else jax.lax.switch(lifetime.number, branches)
