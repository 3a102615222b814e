"""The best genome of a search: that of all judgements on the same episodes, which no search sees.

Candidates are judged on the episode of their meta-step; that says which of them go on. What the method believes in is
judged now and then on `TRIALS` other episodes, always the same, drawn from the training examples as all are. So no
genome is the best by the luck of its episodes; but the value of the best is that of many judgements on these, and looks
a little better than it is: test examples tell (`evaluate.py`).

Where episodes have become longer, which a curriculum is on its way to, the best so far is judged on such ones too.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import jax
import numpy as np

from blurc.meta.run.setup import Setup
from blurc.runtime import map_tree
from blurc.tasks import Episode, Task

EVERY = 50  # episodes between two judgements
TRIALS = 16  # episodes; one of every task, where there are more tasks


class Best(NamedTuple):
    """cost: infinite before there is any. unroll: steps of the episodes that it was judged on. step: meta-steps until
    then. All but the genome are arrays without axes, to be kept in a checkpoint."""

    genome: Any
    cost: np.ndarray
    unroll: np.ndarray
    step: np.ndarray

    @property
    def known(self) -> bool:
        return math.isfinite(self.cost)


def nothing(ready: Setup, state: Any) -> Best:
    """Before any was judged. The genome has the right shapes."""
    one = map_tree(lambda x: np.asarray(x[0]), ready.method.genomes(state))
    return Best(one, np.asarray(math.inf), np.asarray(0), np.asarray(0))


def is_due(ready: Setup, step: int) -> bool:
    """Whether what a method believes in after the meta-step `step` is judged."""
    return (step + 1) % (EVERY * ready.pieces) == 0


def updated(ready: Setup, best: Best, state: Any, step: int) -> tuple[Best, float]:
    """The best after the meta-step `step`, and the least cost of what the method believes in now. Where nothing is
    finite on longer episodes, the best stays that of shorter ones."""
    unroll, genomes = ready.unroll(step), ready.method.genomes(state)
    costs = trials(ready, genomes, unroll)
    which, cost = int(np.argmin(costs)), float(costs.min())
    before = _again(ready, best, unroll)
    if cost < before.cost:
        one = map_tree(lambda x: np.asarray(x[which]), genomes)
        return Best(one, np.asarray(cost), np.asarray(unroll), np.asarray(step + 1)), cost
    return (before if before.known else best), cost


def _again(ready: Setup, best: Best, unroll: int) -> Best:
    """The same genome, judged on episodes of `unroll` steps if it was on others."""
    if not best.known or unroll == best.unroll:
        return best
    (cost,) = trials(ready, map_tree(lambda x: x[None], best.genome), unroll)
    return best._replace(cost=np.asarray(cost), unroll=np.asarray(unroll))


def trials(ready: Setup, genomes: Any, unroll: int) -> np.ndarray:
    """Mean costs [genomes] of genomes with a leading axis, infinite for one that diverged in any trial."""
    values = [ready.judge.values(genomes, *trial(ready, number, unroll)) for number in range(count(ready))]
    found = np.mean([np.where(v.finite, v.values, np.nan) for v in values], axis=0)
    return np.asarray(ready.judge.objective.costs(found), float)


def count(ready: Setup) -> int:
    return max(TRIALS, len(ready.tasks))


def trial(ready: Setup, number: int, unroll: int) -> tuple[jax.Array, Episode]:
    """Keys and episodes, both with an axis [1]."""
    inner = ready.experiment.inner
    key, start = jax.random.split(ready.trial_key(number))
    episode = task_of(ready, number).episode(key, steps=unroll, batch=inner.batch, query=inner.query)
    return start[None], map_tree(lambda x: x[None], episode)


def task_of(ready: Setup, number: int) -> Task:
    """The tasks share the trials by their weights."""
    weights = np.cumsum([choice.weight for choice in ready.experiment.tasks])
    return ready.tasks[int(np.searchsorted(weights, (number + 0.5) / count(ready) * weights[-1]))]
