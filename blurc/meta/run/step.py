"""One meta-step: its inputs and outputs, and what happens to replicas that diverge.

It depends only on the experiment, the step number and the `Carry`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from blurc.meta.run import best, persistent
from blurc.meta.run.best import Best
from blurc.meta.run.setup import CANDIDATES, JITTER, LENGTHEN, RESTART, TUNE, Setup
from blurc.meta.search import curriculum
from blurc.meta.search.curriculum import Record
from blurc.meta.search.episode import Drawn, Feedback
from blurc.meta.search.interpreted import InterpretedJudge
from blurc.meta.search.methods import flat
from blurc.meta.search.mixed import Mixed
from blurc.meta.watch.metrics import Metrics
from blurc.runtime import map_tree, stack_trees


class Carry(NamedTuple):
    """method: the state of the search. record: of recent meta-steps. inner: what PES carries through an episode.
    best: the best genome so far."""

    method: Any
    record: Record
    inner: Any
    best: Best


@dataclass(frozen=True)
class Lost:
    """A candidate that diverged. earlier: with PES, its genomes in the earlier pieces of the episode."""

    candidate: int
    genome: Any
    earlier: tuple[Any, ...] = ()


def start(ready: Setup) -> Carry:
    state = ready.method.init(ready.start())
    replicas = jax.tree.leaves(ready.method.genomes(state))[0].shape[0]
    count = replicas if ready.method.wants == "gradients" else 1
    return Carry(state, Record.empty(count), persistent.start(ready), best.nothing(ready, state))


def believed(ready: Setup, carry: Carry) -> Any:
    """The genome that did best in recent meta-steps."""
    which = carry.record.best()
    return map_tree(lambda x: np.asarray(x[which]), ready.method.genomes(carry.method))


def meta_step(ready: Setup, carry: Carry, step: int) -> tuple[Carry, Metrics, list[Lost]]:
    """The new carry, the line of metrics, and the candidates that diverged."""
    method, judge = ready.method, ready.judge
    if curriculum.lengthened(ready.experiment, step):
        carry = _best_to_all(ready, carry, step)
    state, inner = carry.method, carry.inner
    if method.wants == "persistent":
        state = persistent.begun(ready, state, step)
    candidates = method.ask(state, ready.key(CANDIDATES, step))
    if method.wants == "persistent":
        feedback, inner = persistent.piece(ready, candidates, inner, step)
    else:
        feedback = _judged(ready, candidates, ready.episodes(step, ready.unroll(step)), step)
    costs = judge.objective.costs(jnp.where(feedback.finite, feedback.values, jnp.nan))
    state = method.tell(state, candidates, costs, feedback)
    known = np.asarray(costs, float)
    lost = _lost(ready, _as_judged(candidates, feedback), feedback, carry.inner, step)
    line, found = _line(ready, step, known, np.asarray(feedback.each, float)), carry.best
    if best.is_due(ready, step):
        found, judgement = best.updated(ready, found, state, step)
        line["judged"] = _natural(ready, judgement.cost)
        if len(ready.judging) > 1:
            line["judged_by_task"] = _finite(judgement.by_task)
    carry = Carry(state, _recorded(ready, carry.record, known), inner, found)
    anew = _to_restart(ready, carry, step)
    if anew.any():
        line["restarted"] = np.flatnonzero(anew).tolist()
        carry = _restarted(ready, carry, anew, step)
    return carry, line, lost


def _judged(ready: Setup, candidates: Any, drawn: Drawn | Mixed, step: int) -> Feedback:
    match ready.method.wants, ready.judge:
        case "tuned", InterpretedJudge() as judge:
            assert isinstance(drawn, Drawn)
            return judge.tuned(candidates, drawn, ready.key(TUNE, step))
        case "gradients", judge:
            return judge.gradients(candidates, drawn)
        case _, judge:
            return judge.values(candidates, drawn)


def _as_judged(candidates: Any, feedback: Feedback) -> Any:
    """With the constants that a symbolic search has tuned."""
    return candidates if feedback.tuned is None else candidates._replace(values=feedback.tuned.values)


def _line(ready: Setup, step: int, costs: Any, each: Any) -> Metrics:
    """costs: [candidates]. each: the values of their episodes, [candidates, episodes]."""
    natural = [_natural(ready, cost) for cost in costs.tolist()]
    sound, leading = np.isfinite(costs), int(np.argmin(costs))
    known = costs[sound]
    tasks = [ready.tasks[i].name for i in ready.drawn(persistent.episode_of(ready, step))]
    line: Metrics = {
        "step": step,
        "unroll": ready.unroll(step),
        "task": tasks,
        "value": natural[leading] if len(known) else None,
        "candidates": len(costs),
        "diverged": len(costs) - len(known),
    }
    if len(ready.tasks) > 1 and len(known):
        shown = each[leading] if ready.method.wants == "gradients" else _middle(ready)(each[sound], axis=0)
        line["by_task"] = _finite(best.by_task(tasks, shown))
    if ready.method.wants == "gradients":
        return {**line, "values": natural}
    middle = _natural(ready, float(_middle(ready)(known))) if len(known) else None
    return {**line, "median": middle} if ready.space else {**line, "mean": middle}


def _middle(ready: Setup) -> Any:
    """Some candidates of a symbolic search are huge without diverging: a mean would show nothing but these."""
    return np.nanmedian if ready.space else np.nanmean


def _finite(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def _natural(ready: Setup, cost: float) -> float | None:
    """The objective as JSON stores it: null if it diverged."""
    return ready.judge.objective.natural(cost) if math.isfinite(cost) else None


def _recorded(ready: Setup, record: Record, costs: Any) -> Record:
    """If the candidates are replicas, each has its own record; otherwise the population shares one."""
    if ready.method.wants != "gradients":
        costs = np.asarray([Record(costs[:, None]).mean(0)])
    return record.with_(costs)


def _lost(ready: Setup, candidates: Any, feedback: Feedback, before: Any, step: int) -> list[Lost]:
    which = ~np.asarray(feedback.finite)
    number = step % ready.pieces
    if number:  # mid-episode, a candidate that diverged stays diverged: report it once
        which &= ~np.asarray(before.lost)

    def of(i: int) -> Lost:
        genome = map_tree(lambda x: x[i], candidates)
        earlier = flat.genomes(before.trail[:number, i], genome) if number else ()
        return Lost(i, genome, tuple(map_tree(lambda x, n=n: x[n], earlier) for n in range(number)))

    return [of(int(i)) for i in np.flatnonzero(which)]


def _best_to_all(ready: Setup, carry: Carry, step: int) -> Carry:
    """When episodes get longer, every replica continues from the best."""
    others = np.arange(carry.record.costs.shape[1]) != carry.record.best()
    return _replaced(ready, carry, others, step, LENGTHEN) if others.any() else carry


def _to_restart(ready: Setup, carry: Carry, step: int) -> Any:
    """Replicas that keep diverging, a boolean [replicas]. Diverged networks stay diverged until the episode ends, so
    nothing restarts in the middle of one. A symbolic search has new candidates at every step anyway."""
    return carry.record.lost() & ((step + 1) % ready.pieces == 0) & (ready.method.wants != "tuned")


def _restarted(ready: Setup, carry: Carry, lost: Any, step: int) -> Carry:
    """Restarts lost replicas from the best of the others; if all are lost, from `_elsewhere`."""
    if not lost.all():
        return _replaced(ready, carry, lost, step)
    stacked = _elsewhere(ready, carry, step, len(lost))
    method = ready.method.replaced(carry.method, stacked, jnp.asarray(lost))
    return carry._replace(method=method, record=Record.empty(len(lost)))


def _elsewhere(ready: Setup, carry: Carry, step: int, count: int) -> Any:
    """Genomes to restart from: copies of the best so far (before any judgement, the start), or fresh ones. Jitter is
    added to whatever could equal what was lost: copies of the start, a best of shorter episodes, and fresh genomes,
    which are all equal if the rule sets constants."""
    best, e = carry.best, ready.experiment
    shorter = int(best.unroll) < ready.unroll(step)
    if e.start or (best.known and (e.jitter or not shorter)):
        copies = map_tree(lambda x: jnp.stack([jnp.asarray(x)] * count), best.genome)
        return ready.jittered(copies, (np.arange(count) > 0) | shorter, step + 1)
    fresh = [ready.net.init_genome(ready.key(RESTART, step, i)) for i in range(count)]
    return ready.jittered(stack_trees(fresh), np.ones(count, bool), step + 1)


def _replaced(ready: Setup, carry: Carry, which: Any, step: int, purpose: int = JITTER) -> Carry:
    """Replaces the replicas in `which`, a boolean [replicas], by copies of the best."""
    chosen = np.where(which, carry.record.best(), np.arange(len(which)))
    copies = map_tree(lambda x: x[chosen], ready.method.genomes(carry.method))
    stacked = ready.jittered(copies, which, step + 1, purpose)
    method = ready.method.replaced(carry.method, stacked, jnp.asarray(which))
    return carry._replace(method=method, record=carry.record.forgotten(which))
