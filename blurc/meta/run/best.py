"""The best genome of a search, chosen on a fixed set of episodes that the search never sees.

The search itself compares candidates on the episodes of their meta-step. Every so often, its current genome is judged
on `TRIALS` fixed episodes, also drawn from the training examples: of the tasks of the search, or of those set apart for
it (`validation`). So no genome wins because it had lucky episodes. The best value is still slightly optimistic, since
it is the best of many; test examples give the honest one.

What a search starts from is judged first, and competes with all that it finds. So what comes back is never worse than
what went in. When a curriculum lengthens the episodes, the start and the best genome are judged again on the longer
ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from blurc.api import Net
from blurc.meta.experiment.experiment import Symbolic
from blurc.meta.run import front as fronts
from blurc.meta.run.setup import TRIAL, Setup
from blurc.meta.search.episode import Drawn, Judge, stacked
from blurc.meta.search.mixed import Mixed
from blurc.runtime import map_tree
from blurc.tasks import AnyTask

EVERY = 50  # episodes between judgements
EVERY_FRONT = 5  # of a symbolic search, whose meta-steps are as long as ten of others
TRIALS = 16  # episodes; one per task if there are more tasks


class Best(NamedTuple):
    """cost: infinite if no genome stayed finite yet. start: the cost of the start on the same episodes. unroll: length
    of the episodes it was judged on. step: meta-steps so far, 0 for the start. All but the genome are 0-d arrays, so
    that a checkpoint can store them. front: of a symbolic search; empty for other methods."""

    genome: Any
    cost: np.ndarray
    start: np.ndarray
    unroll: np.ndarray
    step: np.ndarray
    front: Any = ()

    @property
    def known(self) -> bool:
        return math.isfinite(self.cost)


class Judgement(NamedTuple):
    """The costs of some genomes, the lowest, where that one is among them, and its value for each task, NaN where it
    diverged."""

    costs: NDArray[np.float64]
    cost: float
    which: int
    by_task: Mapping[str, float]


def nothing(ready: Setup, state: Any) -> Best:
    """The placeholder before the first judgement: its genome only has the right shapes."""
    one = map_tree(lambda x: np.asarray(x[0]), ready.method.genomes(state))
    never, zero = np.asarray(math.inf), np.asarray(0)
    return Best(one, never, never, zero, zero, fronts.empty(ready))


def is_due(ready: Setup, step: int) -> bool:
    """Whether the genome is judged after meta-step `step`."""
    return (step + 1) % _every(ready) == 0


def is_judged(ready: Setup, steps: int) -> bool:
    """Whether a search of that many meta-steps was judged yet."""
    return steps >= _every(ready)


def _every(ready: Setup) -> int:
    """Meta-steps between judgements."""
    return (EVERY_FRONT if isinstance(ready.experiment.method, Symbolic) else EVERY) * ready.pieces


def begun(ready: Setup, unroll: int) -> Best:
    """What the search starts from, judged on episodes of this length. That of a symbolic search is a rule, and none of
    its candidates."""
    if isinstance(ready.experiment.method, Symbolic):
        start = worth(ready, ready.net, ready.own, unroll)
        return nothing(ready, ready.method.init(None))._replace(start=np.asarray(start), unroll=np.asarray(unroll))
    genomes = ready.method.genomes(ready.method.init(ready.start()))
    found = judged(ready, genomes, unroll)
    return Best(_taken(genomes, found.which), *map(np.asarray, (found.cost, found.cost, unroll, 0)))


def updated(ready: Setup, best: Best, state: Any, step: int) -> tuple[Best, Judgement]:
    """The best after meta-step `step`, and the judgement of the current genomes. If nothing is finite on longer
    episodes, the best of the shorter ones is kept."""
    unroll, genomes = ready.unroll(step), ready.method.genomes(state)
    found, before = judged(ready, genomes, unroll), _again(ready, best, unroll)
    front = fronts.joined(ready, best.front, genomes, found.costs)
    if found.cost < before.cost:
        new = (np.asarray(found.cost), before.start, np.asarray(unroll), np.asarray(step + 1))
        return Best(_taken(genomes, found.which), *new, front), found
    return (before if before.known else best)._replace(front=front), found


def _again(ready: Setup, best: Best, unroll: int) -> Best:
    """If it was judged on episodes of another length: the better of the same genome and the start on these."""
    if not best.known or unroll == best.unroll:
        return best
    start, found = begun(ready, unroll), judged(ready, map_tree(lambda x: x[None], best.genome), unroll)
    if start.cost < found.cost:
        return start
    return best._replace(cost=np.asarray(found.cost), start=start.cost, unroll=np.asarray(unroll))


def _taken(genomes: Any, which: int) -> Any:
    return map_tree(lambda x: np.asarray(x[which]), genomes)


# ----------------------------------------------------------------- trials


def judged(ready: Setup, genomes: Any, unroll: int) -> Judgement:
    """genomes: with a leading axis."""
    values = _values(ready, genomes, unroll)
    costs = _costs(ready, values)
    which = int(np.argmin(costs))
    return Judgement(costs, float(costs[which]), which, by_task([t.name for t in trial_tasks(ready)], values[which]))


def trials(ready: Setup, genomes: Any, unroll: int) -> NDArray[np.float64]:
    """Costs [genomes]; infinite for a genome that diverged in any trial."""
    return _costs(ready, _values(ready, genomes, unroll))


def worth(ready: Setup, net: Net, genome: Any, unroll: int) -> float:
    """The cost of one genome of any compiled network."""
    of = ready.judge
    judge = Judge(net, of.objective, of.inner, 0, of.over_tasks, of.tasks)
    drawn = stacked([trial(ready, number, unroll) for number in range(count(ready))])
    value, _ = jax.jit(judge.one)(genome, drawn)
    return float(ready.judge.objective.costs(value))


def _values(ready: Setup, genomes: Any, unroll: int) -> NDArray[np.float64]:
    """[genomes, trials], NaN where a genome diverged."""
    found = [ready.judge.values(genomes, _alone(ready, number, unroll)) for number in range(count(ready))]
    return np.concatenate([np.where(f.finite[:, None], f.each, np.nan) for f in found], axis=1, dtype=float)


def _costs(ready: Setup, values: NDArray[np.float64]) -> NDArray[np.float64]:
    tasks = jnp.asarray(_numbers(ready))
    combined = jax.vmap(lambda each: ready.judge.combine(each, tasks))(jnp.asarray(values))
    return np.asarray(ready.judge.objective.costs(combined), float)


def by_task(names: Sequence[str], values: Iterable[float]) -> dict[str, float]:
    """The mean of each task over its episodes: names and values [episodes]."""
    of: dict[str, list[float]] = {}
    for name, value in zip(names, values, strict=True):
        of.setdefault(name, []).append(float(value))
    return {name: float(np.mean(each)) for name, each in of.items()}


def count(ready: Setup) -> int:
    return max(TRIALS, len(ready.judging))


def trial(ready: Setup, number: int, unroll: int) -> Drawn:
    """One episode."""
    which = _numbers(ready)[number]
    key, start = jax.random.split(ready.key(TRIAL, number))
    return ready.single(ready.judging[which], which, key, start, unroll)


def _alone(ready: Setup, number: int, unroll: int) -> Drawn | Mixed:
    """The same, as the judge has it."""
    return ready.together([(ready.judging[_numbers(ready)[number]], trial(ready, number, unroll))])


def trial_tasks(ready: Setup) -> list[AnyTask]:
    """The task of each trial."""
    return [ready.judging[i] for i in _numbers(ready)]


def _numbers(ready: Setup) -> list[int]:
    """The task of each trial: by weight, but equally often if the worst of them counts."""
    e, trials = ready.experiment, count(ready)
    weights = [1.0 if e.over_tasks == "worst" else choice.weight for choice in e.validation or e.tasks]
    shares, middles = np.cumsum(weights), (np.arange(trials) + 0.5) / trials
    return np.searchsorted(shares, middles * shares[-1]).tolist()
