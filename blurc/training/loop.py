"""The training loop.

It prepares the next batches while the device works, and looks at the result once per chunk: a flag that says whether
all numbers are finite. Until then it keeps the carry from before the chunk, so that the chunk can be replayed. The
carry is therefore not donated, and takes twice its memory.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import numpy as np

from blurc.tasks import Batches, Dataset, Objective, stream
from blurc.training.learner import Broken, Learner, Point, Run, Settings, Watch
from blurc.training.online import Answered, ask_then_learn, check_answers
from blurc.training.scores import MOST, score


@dataclass
class Clock:
    """Adds up the seconds spent in its `with` blocks."""

    seconds: float = 0.0
    _since: float = 0.0

    def __enter__(self) -> None:
        self._since = time.perf_counter()

    def __exit__(self, *exception: object) -> None:
        self.seconds += time.perf_counter() - self._since


@dataclass
class OnTheWay:
    """What was answered to batches before they were learned: outputs, targets and masks of each chunk."""

    metric: Objective
    chunks: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])

    def add(self, answered: Answered, batches: Batches) -> None:
        outputs = np.asarray(answered.outputs).reshape(np.shape(batches.ys))
        parts = (outputs, *batches[1:])
        self.chunks.append(tuple(None if a is None else np.asarray(a).reshape(-1, *a.shape[2:]) for a in parts))

    def score(self, first: int = 0) -> float:
        """Of the chunks from this one on."""
        parts = zip(*self.chunks[first:], strict=True)
        outputs, targets, mask = (None if part[0] is None else np.concatenate(part) for part in parts)
        assert outputs is not None
        assert targets is not None
        return float(self.metric.score(outputs, targets, mask))


def fit(
    learner: Learner, data: Dataset, settings: Settings, metric: Objective, watch: Watch, curve: bool = True
) -> Run:
    """Trains on the training examples; the curve shows scores on the test examples, or of the answers on the way."""
    if settings.online:
        check_answers(settings.steps, settings.batch, data.y_train[0].size)
    chunk, chunks_per_point = settings.rhythm(data)
    training, compiling = Clock(), Clock()
    carry, points, broken, way, shown = learner.start, list[Point](), None, OnTheWay(metric), 0

    def told(step: int) -> None:
        if settings.online:
            value = way.score(shown)
        else:
            value = score(lambda x, first: learner.predict(carry, x, first), data.test, metric)
        points.append(Point(step, value, training.seconds))
        watch.point(learner.name, points[-1])

    chunks = enumerate(_chunks(data, settings, chunk), 1)
    upcoming = next(chunks)
    if curve and not settings.online:
        told(0)
    while upcoming:
        number, (first, now) = upcoming
        with compiling:
            program = _program(learner, settings, carry, now)
        with training:
            after, found = program(carry, now)
            upcoming = next(chunks, None)
            if not (found.sound.all() if settings.online else found):
                broken = Broken(carry, first, now)
                break
        if settings.online:
            way.add(found, now)
        carry = after
        watch.advance(len(now.xs))
        if curve and (number % chunks_per_point == 0 or not upcoming):
            told(first + len(now.xs))
            shown = number
    test, train = (math.nan, math.nan) if broken else _scores(learner, carry, data, metric)
    online = way.score() if settings.online and not broken else math.nan
    seconds = training.seconds, compiling.seconds
    return Run(learner.name, carry, tuple(points), test, train, *seconds, broken=broken, online=online)


def _program(learner: Learner, settings: Settings, carry: Any, batches: Batches) -> Any:
    count = len(batches.xs)
    if count not in learner.programs:
        run = partial(ask_then_learn, learner) if settings.online else learner.advance
        learner.programs[count] = jax.jit(run).lower(carry, batches).compile()
    return learner.programs[count]


def _scores(learner: Learner, carry: Any, data: Dataset, metric: Objective) -> tuple[float, float]:
    sides = (data.test, None if data.changes else data.train.at(slice(MOST)))
    test, train = (
        score(lambda x, first: learner.predict(carry, x, first), side, metric) if side else math.nan for side in sides
    )
    return test, train


def _chunks(data: Dataset, settings: Settings, chunk: int) -> Iterator[tuple[int, Batches]]:
    done = 0
    for arrays in stream(data, settings.batch, settings.seed, chunk):
        left = settings.steps - done
        if left <= 0:
            return
        yield done, Batches(*(a[:left] for a in arrays))
        done += chunk
