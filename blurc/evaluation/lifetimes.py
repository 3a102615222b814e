"""What networks are paid in environments, after given numbers of steps of their lifetimes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from blurc.api import Net
from blurc.diagnostics import Diagnostic
from blurc.evaluation.course import Lost, Scores, keys
from blurc.guards import check_room, room_on_device
from blurc.runtime import GenomeValues, Program, check_plan
from blurc.tasks import Lifetime, Objective, World, wandered
from blurc.training import Alive, Fate, KeptLifetimes, Living, relived

LAST = 100  # steps before a score whose rewards count, if nobody chooses otherwise


@dataclass(frozen=True, eq=False)
class LifeCourse:
    """Lifetimes of `batch` copies of an environment each, scored on the last `query` steps before each of `steps`.
    frozen: the network does not learn."""

    net: Program
    world: World
    metric: Objective
    steps: tuple[int, ...]
    batch: int
    query: int
    frozen: bool = False

    def run(
        self, genome: GenomeValues | None, seeds: Iterable[int], lost: Lost | None = None,
        kept: KeptLifetimes | None = None, row: str = "",
    ) -> Scores:  # fmt: skip
        """Scores [seeds, steps]. Without a genome, each seed draws its own. Lifetimes that are kept under the name of
        this row are not lived again."""
        longest = max(self.steps)
        check_room(2 * longest * self.batch, f"a lifetime of {longest:,} steps", "take fewer steps or a smaller batch")
        if isinstance(self.net, Net):
            what, fewer = f"living in {self.batch:,} copies of an environment", "use a batch of at most {}"
            check_plan(self.net.plan, self.batch, lambda cost: cost.train(1), what, room_on_device(1), fewer=fewer)
        live = jax.jit(partial(self._lived, genome))
        found: list[Scores] = []
        for seed in seeds:
            scores, end = (kept and kept.found(row, seed)) or self._scored(live(seed))
            if kept:
                kept.keep(row, seed, scores, end)
            if lost and end:
                lost(seed, end)
            found.append(np.asarray(scores, float))
        return np.stack(found)

    def where_lost(self, genome: GenomeValues | None, seed: int) -> Diagnostic | None:
        """What was not finite first in the lifetime of a seed that diverged."""
        living, values, alive, lifetime = self._born(genome, seed)
        return relived(living, lambda step: values, alive, lifetime)

    def _born(self, genome: GenomeValues | None, seed: Any) -> tuple[Living, GenomeValues, Alive, Lifetime]:
        own, living = keys(seed), Living(self.net, self.world, self.batch, self.frozen)
        values = self.net.init_genome(own.genome) if genome is None else genome
        lifetime = self.world.lifetime(own.task, max(self.steps))
        return living, values, living.born(values, own.start, lifetime), lifetime

    def _lived(self, genome: GenomeValues | None, seed: Any) -> Fate:
        living, values, alive, lifetime = self._born(genome, seed)
        return living.lived(values, alive, lifetime)[1]

    def _scored(self, fate: Fate) -> tuple[Sequence[float], int | None]:
        """And at which step it diverged, if it did."""
        sound = np.asarray(fate.sound)
        return [*map(float, self.scored(fate))], None if sound[-1] else int(np.argmin(sound)) + 1

    def scored(self, fate: Fate) -> Scores:
        """Scores [steps]."""
        totals, ends, sound = map(np.asarray, fate)
        last = [slice(max(0, n - self.query), n) for n in self.steps]
        found = [self.metric.score(totals[part], ends[part]) if sound[part.stop - 1] else np.nan for part in last]
        return np.asarray(found, float)

    def by_chance(self, seeds: Iterable[int]) -> Scores:
        """The same of random actions."""

        def live(seed: Any) -> Fate:
            _, steps = wandered(self.world, self.world.lifetime(keys(seed).task, max(self.steps)), self.batch)
            return Fate(steps.totals, steps.ends, jnp.ones(len(steps.ends), bool))

        run = jax.jit(live)
        return np.stack([self.scored(run(seed)) for seed in seeds])


def why_lost(
    net: Program, genome: GenomeValues | None, world: World, *, seed: int, step: int, batch: int
) -> Diagnostic | None:
    """What was not finite in the lifetime of a seed that diverged at this step."""
    return LifeCourse(net, world, world.score, (step,), batch, 1).where_lost(genome, seed)
