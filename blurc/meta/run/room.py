"""Whether all that an experiment wants in memory at once can fit, found before any of it is made.

Counted is what surely has to be there; of a candidate, also what a program needs in between.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from blurc.diagnostics import BlurError, Diagnostic, counted
from blurc.evaluation import scoring
from blurc.guards import amount, check_room, room_on_device
from blurc.meta.experiment.experiment import Cma, Gradient, Pes, Symbolic
from blurc.meta.run.lessons import Lesson
from blurc.meta.run.memory import of_candidate
from blurc.meta.run.setup import Setup
from blurc.plan import Cost
from blurc.runtime import check_plan
from blurc.tasks import LoadedTask, Recordings, World

TOO_HIGH = 1.5  # times what XLA reports: the most that a plan's figure for a gradient was (tests/plan/test_cost.py)
DOUBLE = 2  # numbers of float32 that take as much
FEWER = "lower `tasks_per_step`, `inner.batch`, `inner.query`, or the steps of an episode"


def check(ready: Setup) -> None:
    """Raises `BlurError` (E919)."""
    e = ready.experiment
    _check_genomes(ready, e.candidates)
    _check_episodes(ready)
    for one in {*ready.lessons.values(), Lesson(ready.net, e.inner.batch)}:
        _check_networks(ready, one)
        _check_candidates(ready, one)
    ev = e.evaluation
    for one in () if ev.tasks or ev.networks else ready.tasks:
        if not isinstance(one, LoadedTask):
            continue
        net = ready.lesson(one).net
        scoring.planned(net, one, steps=ev.steps, batch=ev.batch, seeds=ev.seeds, probe=e.inner.probe)


def _check_genomes(ready: Setup, count: int) -> None:
    signature = ready.net.signature
    scoped = (shape for shapes in signature.scoped.values() for shape in shapes.values())
    size = _numbers((*signature.genome.values(), *scoped))
    match ready.experiment.method:
        case Gradient():  # Adam keeps two numbers for each
            kept, help = 4 * count * size, "lower `replicas`"
        case Cma():  # the covariances, and how they are rotated
            kept = DOUBLE * (count * size + 2 * size**2)
            help = "lower `method.population`, or take `name: pes`, which keeps no covariances"
        case Pes():
            kept, help = (2 + ready.pieces) * count * size, "lower `method.population`, or raise `method.truncation`"
        case Symbolic():  # the tables of every candidate
            assert ready.space
            size = _numbers(ready.space.interpreter.signature.genome.values())
            kept, help = count * size, "lower `method.population`"
    check_room(kept, f"a search with {count:,} genomes of {size:,} values", help)


def _check_episodes(ready: Setup) -> None:
    e = ready.experiment
    every = (*ready.tasks, *ready.validation)
    steps = e.curriculum.until if e.curriculum else e.inner.steps
    counts = [(of.steps or steps, of.batch) for of in map(ready.lesson, every)]
    if ready.worlds:
        at_once = ready.at_once
        kept = 2 * at_once * e.tasks_per_step * steps * e.inner.batch  # the rewards so far, and where episodes end
        what = f"{at_once * e.tasks_per_step:,} lifetimes of {steps:,} steps at once, each in {e.inner.batch:,} copies,"
        return check_room(kept, what, f"{_fewer(ready)}lower `inner.batch` or the steps of a lifetime")
    steps, batch = max(counts, key=math.prod)
    examples = e.tasks_per_step * (steps * batch + e.inner.query)
    lengths = [1 if isinstance(one, World) else max(1, one.time) for one in every]
    widest = max(n * (one.inputs + one.outputs) for n, one in zip(lengths, every, strict=True))
    episode = f"{steps:,} batches of {batch:,}, and {e.inner.query:,} to predict"
    what = f"{counted(e.tasks_per_step, 'episode')} of {episode},"
    check_room(examples * widest, what, FEWER)


def _check_networks(ready: Setup, lesson: Lesson) -> None:
    """Networks that learn at the same time. PES keeps those of all candidates."""
    e, net, batch = ready.experiment, lesson.net, lesson.batch
    signature = net.signature
    at_once = e.candidates if isinstance(e.method, Pes) else ready.at_once
    synapses = _numbers(signature.synapses.values())
    neurons = sum(math.prod((*before, *after)) for before, after in signature.persistent.values())
    layer = max(population.size for population in net.plan.populations)
    each = synapses + batch * max(neurons, layer)
    fewer = _fewer(ready)
    if isinstance(e.method, Pes):
        fewer = "lower `method.population`, or "
    what = f"the states of {at_once * e.tasks_per_step:,} networks, with batches of {batch:,},"
    check_room(at_once * e.tasks_per_step * each, what, f"{fewer}lower `tasks_per_step` or `inner.batch`")


def _check_candidates(ready: Setup, lesson: Lesson) -> None:
    """What a device computes at a time, counted from the plan: candidates with all that learning, or its gradient,
    keeps. Refuses gradients only if they would not fit even if the count were as much too high as the worst one
    measured."""
    e, memory = ready.experiment, room_on_device()
    if memory is None or any(isinstance(one, Recordings) for one in ready.tasks):
        return
    net = ready.space.interpreter if ready.space and lesson.net is ready.net else lesson.net
    steps = lesson.steps or (e.curriculum.until if e.curriculum else e.inner.steps)

    def need(cost: Cost) -> float:
        return of_candidate(e, net.plan, cost.batch, steps)

    tuned = isinstance(e.method, Symbolic) and e.method.tune
    slack = TOO_HIGH if tuned or isinstance(e.method, Gradient) else 1
    one, where = need(net.cost(lesson.batch)), "there is room for"
    what = f"learning {counted(e.tasks_per_step, 'episode')} of {steps:,} steps"
    if ready.width > 1 and one <= slack * memory < ready.width * one:
        message = f"{what} by {ready.width:,} candidates at once takes {amount(ready.width * one)}, and {where} "
        raise BlurError(
            Diagnostic("E919", message + amount(memory), help=f"write `chunk: {max(1, int(memory // one))}`")
        )
    instead = "not even `inner.batch: 1` fits: lower `tasks_per_step` or the steps of an episode"
    fewer = "write `inner.batch: {}`, or lower `tasks_per_step` or the steps of an episode"
    check_plan(net.plan, lesson.batch, need, what, memory, where=where, fewer=fewer, instead=instead, slack=slack)


def _fewer(ready: Setup) -> str:
    return "write `chunk: 1`, or " if ready.width > 1 and ready.experiment.chunk != 1 else ""


def _numbers(shapes: Iterable[tuple[int, ...]]) -> int:
    return sum(map(math.prod, shapes))
