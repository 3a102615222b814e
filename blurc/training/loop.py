"""The training loop.

It prepares the next batches while the device works, and looks at the result once per chunk: a flag that says whether
all numbers are finite. Until then it keeps the carry from before the chunk, so that the chunk can be replayed. The
carry is therefore not donated, and takes twice its memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import jax

from blurc.tasks import Batches, Dataset, Objective, stream
from blurc.training.learner import Broken, Learner, Point, Run, Settings, Watch
from blurc.training.online import ask_then_learn, check_answers
from blurc.training.progress import Keeper, OnTheWay, Progress
from blurc.training.scores import MOST, score


def fit(
    learner: Learner, data: Dataset, settings: Settings, metric: Objective, watch: Watch,
    curve: bool = True, keeper: Keeper | None = None,
) -> Run:  # fmt: skip
    """Trains on the training examples; the curve shows scores on the test examples, or of the answers on the way."""
    if settings.online:
        check_answers(settings.steps, settings.batch, data.y_train[0].size)
    chunk, chunks_per_point = settings.rhythm(data, keeper is not None)
    at, broken = Progress(learner.start, OnTheWay(metric)), None
    if keeper:
        keeper.resumed(at, (batches for _, batches in _chunks(data, settings, chunk)))
        watch.advance(min(at.chunks * chunk, settings.steps))
    for point in at.points:
        watch.point(learner.name, point)
    chunks = _chunks(data, settings, chunk, at.chunks)
    upcoming = next(chunks, None)
    if curve and not settings.online and not at.points:
        _tell(at, 0, learner, data, settings, watch)
    while upcoming:
        first, now = upcoming
        with at.compiling:
            program = _program(learner, settings, at.carry, now)
        with at.training:
            after, found = program(at.carry, now)
            upcoming = next(chunks, None)
            if not (found.sound.all() if settings.online else found):
                broken = Broken(at.carry, first, now)
                break
        at.learned(after, found, now)
        watch.advance(len(now.xs))
        if curve and (at.chunks % chunks_per_point == 0 or not upcoming):
            _tell(at, first + len(now.xs), learner, data, settings, watch)
        if keeper:
            keeper.keep(at, not upcoming)
    test, train = (math.nan, math.nan) if broken else _scores(learner, at.carry, data, metric)
    online = at.way.score() if settings.online and not broken else math.nan
    seconds = at.training.seconds, at.compiling.seconds
    return Run(learner.name, at.carry, tuple(at.points), test, train, *seconds, broken=broken, online=online)


def _tell(at: Progress, step: int, learner: Learner, data: Dataset, settings: Settings, watch: Watch) -> None:
    """Another point of the curve."""
    if settings.online:
        value = at.way.score(at.shown)
    else:
        value = score(lambda x, first: learner.predict(at.carry, x, first), data.test, at.way.metric)
    at.points.append(Point(step, value, at.training.seconds))
    at.shown = at.chunks
    watch.point(learner.name, at.points[-1])


def _program(learner: Learner, settings: Settings, carry: Any, batches: Batches) -> Any:
    # rates are tried with smaller batches where those of training are nearly all examples
    shapes = tuple(leaf.shape for leaf in jax.tree.leaves(batches))
    if shapes not in learner.programs:
        run = partial(ask_then_learn, learner) if settings.online else learner.advance
        learner.programs[shapes] = jax.jit(run).lower(carry, batches).compile()
    return learner.programs[shapes]


def _scores(learner: Learner, carry: Any, data: Dataset, metric: Objective) -> tuple[float, float]:
    sides = (data.test, None if data.changes else data.train.at(slice(MOST)))
    test, train = (
        score(lambda x, first: learner.predict(carry, x, first), side, metric) if side else math.nan for side in sides
    )
    return test, train


def _chunks(data: Dataset, settings: Settings, chunk: int, first: int = 0) -> Iterator[tuple[int, Batches]]:
    """From this chunk on, each with the number of its first step."""
    done = first * chunk
    for arrays in stream(data, settings.batch, settings.seed, chunk, first):
        left = settings.steps - done
        if left <= 0:
            return
        yield done, Batches(*(a[:left] for a in arrays))
        done += chunk
