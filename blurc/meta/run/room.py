"""Whether all that an experiment wants in memory at once can fit, found before any of it is made.

Counted is what surely has to be there, and not what a program needs in between.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from blurc.diagnostics import counted
from blurc.evaluation import scoring
from blurc.guards import check_room
from blurc.meta.experiment.experiment import Cma, Gradient, Pes, Symbolic
from blurc.meta.run.lessons import Lesson
from blurc.meta.run.setup import Setup
from blurc.tasks import LoadedTask, World

DOUBLE = 2  # numbers of float32 that take as much
FEWER = "lower `tasks_per_step`, `inner.batch`, `inner.query`, or the steps of an episode"


def check(ready: Setup) -> None:
    """Raises `BlurError` (E919)."""
    e = ready.experiment
    _check_genomes(ready, ready.candidates)
    _check_episodes(ready)
    for one in {*ready.lessons.values(), Lesson(ready.net, e.inner.batch)}:
        _check_networks(ready, one)
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
        return check_room(kept, what, "write `chunk: 1`, or lower `inner.batch` or the steps of a lifetime")
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
    at_once = ready.candidates if isinstance(e.method, Pes) else ready.at_once
    synapses = _numbers(signature.synapses.values())
    neurons = sum(math.prod((*before, *after)) for before, after in signature.persistent.values())
    layer = max(population.size for population in net.plan.populations)
    each = synapses + batch * max(neurons, layer)
    fewer = "lower `method.population`" if isinstance(e.method, Pes) else "write `chunk: 1`"
    what = f"the states of {at_once * e.tasks_per_step:,} networks, with batches of {batch:,},"
    check_room(at_once * e.tasks_per_step * each, what, f"{fewer}, or lower `tasks_per_step` or `inner.batch`")


def _numbers(shapes: Iterable[tuple[int, ...]]) -> int:
    return sum(map(math.prod, shapes))
