"""What networks are paid in environments, after given numbers of steps of their lifetimes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from blurc.api import Net
from blurc.evaluation.course import Lost, Scores, keys
from blurc.guards import check_room
from blurc.runtime import GenomeValues
from blurc.tasks import Objective, World
from blurc.training import Fate, Living

LAST = 100  # steps before a score whose rewards count, if nobody chooses otherwise


@dataclass(frozen=True, eq=False)
class LifeCourse:
    """Lifetimes of `batch` copies of an environment each, scored on the last `query` steps before each of `steps`."""

    net: Net
    world: World
    metric: Objective
    steps: tuple[int, ...]
    batch: int
    query: int

    def run(self, genome: GenomeValues | None, seeds: Iterable[int], lost: Lost | None = None) -> Scores:
        """Scores [seeds, steps]. Without a genome, each seed draws its own."""
        longest = max(self.steps)
        check_room(2 * longest * self.batch, f"a lifetime of {longest:,} steps", "take fewer steps or a smaller batch")
        live = jax.jit(partial(self._lived, genome))
        return np.stack([self._scored(seed, live(seed), lost) for seed in seeds])

    def _lived(self, genome: GenomeValues | None, seed: Any) -> Fate:
        own, living = keys(seed), Living(self.net, self.world, self.batch)
        values = self.net.init_genome(own.genome) if genome is None else genome
        lifetime = self.world.lifetime(own.task, max(self.steps))
        return living.lived(values, living.born(values, own.start, lifetime), lifetime)[1]

    def _scored(self, seed: int, fate: Fate, lost: Lost | None) -> Scores:
        sound = np.asarray(fate.sound)
        if lost and not sound[-1]:
            lost(seed, int(np.argmin(sound)) + 1)
        found = [Fate(*(part[:n] for part in fate)).worth(self.metric, self.query) for n in self.steps]
        return np.asarray(jnp.stack(found), float)
