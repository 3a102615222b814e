"""The best genome of a search, chosen on a fixed set of episodes that the search never sees.

The search itself compares candidates on the episodes of their meta-step. Every so often, its current genome is judged
on `TRIALS` fixed episodes, also drawn from the training examples. So no genome wins because it had lucky episodes. The
best value is still slightly optimistic, since it is the best of many; test examples give the honest one.

When a curriculum lengthens the episodes, the best genome is judged again on the longer ones.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import jax
import numpy as np

from blurc.meta.run.setup import TRIAL, Setup
from blurc.runtime import map_tree
from blurc.tasks import Episode, Task

EVERY = 50  # episodes between judgements
TRIALS = 16  # episodes; one per task if there are more tasks


class Best(NamedTuple):
    """cost: infinite until the first judgement. unroll: length of the episodes it was judged on. step: meta-steps so
    far. All but the genome are 0-d arrays, so that a checkpoint can store them."""

    genome: Any
    cost: np.ndarray
    unroll: np.ndarray
    step: np.ndarray

    @property
    def known(self) -> bool:
        return math.isfinite(self.cost)


def nothing(ready: Setup, state: Any) -> Best:
    """The placeholder before the first judgement: its genome only has the right shapes."""
    one = map_tree(lambda x: np.asarray(x[0]), ready.method.genomes(state))
    return Best(one, np.asarray(math.inf), np.asarray(0), np.asarray(0))


def is_due(ready: Setup, step: int) -> bool:
    """Whether the genome is judged after meta-step `step`."""
    return (step + 1) % (EVERY * ready.pieces) == 0


def updated(ready: Setup, best: Best, state: Any, step: int) -> tuple[Best, float]:
    """The best after meta-step `step`, and the lowest cost of the current genomes. If nothing is finite on longer
    episodes, the best of the shorter ones is kept."""
    unroll, genomes = ready.unroll(step), ready.method.genomes(state)
    costs = trials(ready, genomes, unroll)
    which, cost = int(np.argmin(costs)), float(costs.min())
    before = _again(ready, best, unroll)
    if cost < before.cost:
        one = map_tree(lambda x: np.asarray(x[which]), genomes)
        return Best(one, np.asarray(cost), np.asarray(unroll), np.asarray(step + 1)), cost
    return (before if before.known else best), cost


def _again(ready: Setup, best: Best, unroll: int) -> Best:
    """The same genome, judged again if it was judged on episodes of another length."""
    if not best.known or unroll == best.unroll:
        return best
    (cost,) = trials(ready, map_tree(lambda x: x[None], best.genome), unroll)
    return best._replace(cost=np.asarray(cost), unroll=np.asarray(unroll))


def trials(ready: Setup, genomes: Any, unroll: int) -> np.ndarray:
    """Mean costs [genomes]; infinite for a genome that diverged in any trial."""
    values = [ready.judge.values(genomes, *trial(ready, number, unroll)) for number in range(count(ready))]
    found = np.mean([np.where(v.finite, v.values, np.nan) for v in values], axis=0)
    return np.asarray(ready.judge.objective.costs(found), float)


def count(ready: Setup) -> int:
    return max(TRIALS, len(ready.tasks))


def trial(ready: Setup, number: int, unroll: int) -> tuple[jax.Array, Episode]:
    """A key and an episode, both with a leading axis of 1."""
    inner = ready.experiment.inner
    key, start = jax.random.split(ready.key(TRIAL, number))
    episode = task_of(ready, number).episode(key, steps=unroll, batch=inner.batch, query=inner.query)
    return start[None], map_tree(lambda x: x[None], episode)


def task_of(ready: Setup, number: int) -> Task:
    """Trials are split between tasks by weight."""
    weights = np.cumsum([choice.weight for choice in ready.experiment.tasks])
    return ready.tasks[int(np.searchsorted(weights, (number + 0.5) / count(ready) * weights[-1]))]
