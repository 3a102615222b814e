"""Anything that learns from batches, and its training loop.

The loop prepares the next batches while the device works, and looks at the result once per chunk: a flag that says
whether all numbers are finite. Until then it keeps the carry from before the chunk, so that the chunk can be replayed.
The carry is therefore not donated, and takes twice its memory.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from blurc.tasks import Batches, Dataset, Objective, chosen, stream
from blurc.training.scores import MOST, score

EVALUATIONS = 20
CHUNK_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Settings:
    """metric: the name of the objective to measure; "": the score of the targets. truncate: steps of a sequence after
    which backpropagation through time starts anew; 0: never."""

    steps: int
    batch: int
    seed: int
    metric: str = ""
    truncate: int = 0

    def measure(self, data: Dataset) -> Objective:
        """Raises `BlurError` (E813) if the metric does not suit the targets."""
        return chosen(self.metric, data.kind, data.name, data.shown)

    def rhythm(self, data: Dataset) -> tuple[int, int]:
        """Steps per chunk, and chunks between evaluations."""
        step_bytes = 4 * self.batch * (data.x_train[0].size + data.y_train[0].size)
        most = max(1, CHUNK_BYTES // step_bytes)
        every = math.ceil(self.steps / EVALUATIONS)
        chunks = math.ceil(every / most)
        return math.ceil(every / chunks), chunks


@dataclass(frozen=True)
class Point:
    """A point of a learning curve: the test score after this many steps and seconds of training."""

    step: int
    score: float
    seconds: float


@dataclass(frozen=True)
class Broken:
    """The chunk in which some number stopped being finite: the carry before it, and its batches."""

    carry: Any
    first: int
    batches: Batches


@dataclass(frozen=True)
class Run:
    """The result of training. Scores are NaN if it diverged."""

    name: str
    carry: Any
    points: tuple[Point, ...]
    test: float
    train: float
    seconds: float
    compile_seconds: float
    rate: float | None = None
    # The rates tried, with their scores on held-out examples.
    rates: Mapping[float, float] = field(default_factory=dict[float, float])
    broken: Broken | None = None


class Watch(Protocol):
    """Gets the progress of training."""

    def begin(self, name: str, steps: int) -> None: ...

    def advance(self, steps: int) -> None: ...

    def point(self, name: str, point: Point) -> None: ...


@dataclass(frozen=True)
class Learner:
    """Pure functions of a carry.

    advance: (carry, batches) -> (the next carry, whether everything is finite).
    predict: (carry, examples `[examples, n]` or `[examples, time, n]`, the number of the first of them) -> outputs.
    """

    name: str
    start: Any
    advance: Callable[[Any, Batches], tuple[Any, jax.Array]]
    predict: Callable[[Any, Any, int], Any]
    programs: dict[int, Any] = field(default_factory=dict[int, Any])  # by steps in a chunk

    def program(self, carry: Any, batches: Batches) -> Any:
        count = len(batches.xs)
        if count not in self.programs:
            self.programs[count] = jax.jit(self.advance).lower(carry, batches).compile()
        return self.programs[count]


def finite(tree: Any) -> jax.Array:
    leaves = [jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(tree)]
    return jnp.stack(leaves).all() if leaves else jnp.asarray(True)


@dataclass
class Clock:
    """Adds up the seconds spent in its `with` blocks."""

    seconds: float = 0.0
    _since: float = 0.0

    def __enter__(self) -> None:
        self._since = time.perf_counter()

    def __exit__(self, *exception: object) -> None:
        self.seconds += time.perf_counter() - self._since


def fit(
    learner: Learner, data: Dataset, settings: Settings, metric: Objective, watch: Watch, curve: bool = True
) -> Run:
    """Trains on the training examples; the curve shows scores on the test examples."""
    chunk, chunks_per_point = settings.rhythm(data)
    training, compiling = Clock(), Clock()
    carry, points, broken = learner.start, list[Point](), None

    def tested(step: int) -> None:
        value = score(lambda x, first: learner.predict(carry, x, first), data.test, metric)
        points.append(Point(step, value, training.seconds))
        watch.point(learner.name, points[-1])

    chunks = enumerate(_chunks(data, settings, chunk), 1)
    upcoming = next(chunks)
    if curve:
        tested(0)
    while upcoming:
        number, (first, now) = upcoming
        with compiling:
            program = learner.program(carry, now)
        with training:
            after, sound = program(carry, now)
            upcoming = next(chunks, None)
            if not sound:
                broken = Broken(carry, first, now)
                break
        carry = after
        watch.advance(len(now.xs))
        if curve and (number % chunks_per_point == 0 or not upcoming):
            tested(first + len(now.xs))
    test, train = (math.nan, math.nan) if broken else _scores(learner, carry, data, metric)
    return Run(learner.name, carry, tuple(points), test, train, training.seconds, compiling.seconds, broken=broken)


def _scores(learner: Learner, carry: Any, data: Dataset, metric: Objective) -> tuple[float, float]:
    sides = (data.test, data.train.at(slice(MOST)))
    test, train = (score(lambda x, first: learner.predict(carry, x, first), side, metric) for side in sides)
    return test, train


def _chunks(data: Dataset, settings: Settings, chunk: int) -> Iterator[tuple[int, Batches]]:
    done = 0
    for arrays in stream(data, settings.batch, settings.seed, chunk):
        left = settings.steps - done
        if left <= 0:
            return
        yield done, Batches(*(a[:left] for a in arrays))
        done += chunk
