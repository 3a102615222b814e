"""How well a rule explains recordings that it was not fitted to, after given numbers of steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from blurc.api import Net
from blurc.diagnostics import BlurError, Diagnostic
from blurc.evaluation.course import Lost, Scores, keys
from blurc.runtime import GenomeValues, map_tree
from blurc.tasks import Objective, Recordings, Replay
from blurc.training import agreement, begun, replayed


@dataclass(frozen=True, eq=False)
class ReplayCourse:
    """All test recordings, each replayed by a network of its own, and compared over the first of so many `steps`."""

    net: Net
    recordings: Recordings
    metric: Objective
    steps: tuple[int, ...]

    def run(self, genome: GenomeValues | None, seeds: Iterable[int], lost: Lost | None = None) -> Scores:
        """Scores [seeds, steps]: the mean over the recordings. Without a genome, each seed draws its own."""
        self.recordings.check_length(min(self.steps))
        tests = self.recordings.tests(max(self.steps))
        scored = jax.jit(partial(self._scored, genome))
        found: list[Any] = []
        for seed in seeds:
            values, sound = map(np.asarray, scored(seed, tests))
            if lost and not sound.all():
                lost(seed, int(np.argmin(sound)) + 1)
            found.append(values)
        return np.asarray(found, float)

    def _scored(self, genome: GenomeValues | None, seed: Any, tests: Replay) -> tuple[jax.Array, jax.Array]:
        """The scores [steps], and whether all networks were finite in each step of the longest."""
        own = keys(seed)
        values = self.net.init_genome(own.genome) if genome is None else genome
        number = jnp.arange(self.recordings.tested)

        def one(number: jax.Array, replay: Replay) -> tuple[jax.Array, jax.Array]:
            start, noise = (jax.random.fold_in(key, number) for key in (own.start, own.noise))
            state = begun(self.net, values, start, replay)
            _, activity = replayed(self.net, values, state, replay.shown, noise)
            parts = [map_tree(lambda a, n=n: a[:n], (activity, replay.shown)) for n in self.steps]
            return jnp.stack([agreement(self.metric, *part) for part in parts]), activity.sound

        scores, sound = jax.vmap(one)(number, tests)
        return scores.mean(axis=0), sound.reshape(*sound.shape[:2], -1).all(axis=(0, 2))


def check_batch(batch: int, name: str) -> None:
    """Raises `BlurError` (E806): what is recorded is one example after the other."""
    if batch != 1:
        message = f"the batch is {batch}, and what {name} shows is learned from one at a time"
        help = "write `batch: 1` in `inner` and `evaluation`; as an option, `--batch 1`"
        raise BlurError(Diagnostic("E806", message, help=help))
