"""How well a genome trains networks: the score on test examples after given numbers of steps, from fresh synapses,
for each seed.

Each seed has its own initial synapses and its own variation of the task. A seed diverges when a number stops being
finite; its scores are NaN from then on. Means leave diverged seeds out, and say how many there were.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from blurc.api import Net
from blurc.evaluation import room
from blurc.evaluation.course import Course, Lost, Scores, probed, ruled
from blurc.evaluation.fits import check_fits, check_numbers, check_online
from blurc.evaluation.lifetimes import LAST, LifeCourse
from blurc.evaluation.online_curves import Online
from blurc.evaluation.online_curves import run as run_online
from blurc.evaluation.replay_course import ReplayCourse, check_batch
from blurc.guards import check_room
from blurc.runtime import GenomeValues
from blurc.tasks import AnyTask, Examples, LoadedTask, Recordings, World, objective_of
from blurc.training import Probe, check_answers

STEPS = (10, 20, 50, 100)
MOST_QUERIES = 10_000
GENERATED_QUERIES = 1_000  # for tasks that generate their examples without end


def scores(
    net: Net,
    genome: GenomeValues | None,
    task: AnyTask,
    *,
    metric: str = "",
    steps: Sequence[int] = STEPS,
    batch: int = 128,
    seeds: int = 5,
    query: int | None = None,
    seed: int = 0,
    lost: Lost | None = None,
    probe: Probe | None = None,
) -> Scores:
    """Measures how good the answers to test examples are.

    Args:
        net: the network.
        genome: its meta-parameters; None draws fresh ones for each seed.
        task: what to train on.
        metric: the name of the objective to measure (`tasks.OBJECTIVES`); "": the score of the task.
        steps: numbers of steps to score after. A score does not depend on the other entries, unless the task is your
            own: it samples as many as the longest needs.
        batch: examples per step.
        seeds: how many seeds to run.
        query: how many test examples to score on. By default all, up to 10,000; 1,000 if the task generates them. Of an
            environment, the last steps before each of `steps` whose rewards are scored, by default 100. Recordings
            have none.
        seed: the first seed.
        lost: is told each seed that diverges, and at which step, counted from 1.
        probe: a readout of a population that answers in the place of the outputs, fitted to the last 10,000 examples
            that were learned; None: the outputs answer.

    Returns:
        Scores [seeds, len(steps)], accuracies from 0 to 1; NaN after divergence.

    Raises:
        BlurError: If a number is below 1 (E806), the task does not fit the network (E807), or the metric does not fit
            the targets (E813).
    """
    of = range(seed, seed + seeds)
    if isinstance(task, World | Recordings):
        return _other_course(net, task, metric, tuple(steps), batch, seeds, query, probe).run(genome, of, lost)
    course = planned(net, task, metric=metric, steps=steps, batch=batch, seeds=seeds, query=query, probe=probe)
    contender = probed(net, genome, probe) if probe else ruled(net, genome)
    return np.stack([course.run(contender, one, lost) for one in of])


def _other_course(
    net: Net, task: World | Recordings, metric: str, steps: tuple[int, ...], batch: int, seeds: int, query: int | None,
    probe: Probe | None,
) -> LifeCourse | ReplayCourse:  # fmt: skip
    """Of what has no examples. Raises `BlurError`, as `scores` does."""
    asked = query if isinstance(task, World) else None
    check_numbers(steps=steps, batch=batch, seeds=seeds, query=1 if asked is None else asked)
    if isinstance(task, Recordings):
        check_batch(batch, task.name)
    check_fits(net, task, probe)
    measured = objective_of(task, metric, task.score)
    if isinstance(task, World):
        return LifeCourse(net, task, measured, steps, batch, query or LAST)
    return ReplayCourse(net, task, measured, steps)


def online(
    net: Net,
    genome: GenomeValues | None,
    task: AnyTask,
    *,
    steps: int,
    metric: str = "",
    batch: int = 1,
    seeds: int = 5,
    seed: int = 0,
    lost: Lost | None = None,
) -> Online:
    """Measures how good answers are while the network learns: every batch is asked just before it is learned.

    Args:
        net: the network.
        genome: its meta-parameters; None draws fresh ones for each seed.
        task: what to train on; its examples and variations are those of `scores`.
        steps: how many batches.
        metric: the name of the objective to measure; "": the score of the task.
        batch: examples per step.
        seeds: how many seeds to run.
        seed: the first seed.
        lost: is told each seed that diverges, and at which step, counted from 1.

    Raises:
        BlurError: As `scores`, and E807 for an environment or recordings, which have no answers to ask for.
    """
    check_online(task)
    assert isinstance(task, LoadedTask)
    measured = planned(net, task, metric=metric, steps=(steps,), batch=batch, seeds=seeds).metric
    check_answers(steps, batch, max(1, task.time) * task.outputs)
    of = range(seed, seed + seeds)
    return run_online(net, genome, task, measured, steps=steps, batch=batch, seeds=of, lost=lost)


def planned(
    net: Net,
    task: LoadedTask,
    *,
    steps: Sequence[int],
    batch: int,
    seeds: int,
    query: int | None = None,
    metric: str = "",
    probe: Probe | None = None,
) -> Course:
    """Checks the settings and returns the course. Raises `BlurError` (E806, E807, E813, E919)."""
    measured = objective_of(task, metric, task.score)
    check_numbers(steps=tuple(steps), batch=batch, seeds=seeds, query=1 if query is None else query)
    check_fits(net, task, probe)
    numbers = (batch + (query or 0)) * max(1, task.time) * (task.inputs + task.outputs)
    check_room(
        numbers, f"a batch of {batch:,} with {query or 0:,} test examples", "use a smaller batch, or fewer tests"
    )
    course = Course(task, measured, tuple(steps), batch, query or queries(task), math.gcd(*steps))
    room.check_learning(net, course)
    room.check_asking(net, course)
    return course


def queries(task: LoadedTask) -> int:
    """The default number of examples to score on."""
    if isinstance(task.source, Examples):
        return min(len(task.source.x_test), MOST_QUERIES)
    return GENERATED_QUERIES
