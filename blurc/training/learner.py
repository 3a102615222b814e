"""Anything that learns from batches, and what becomes of its training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from blurc.tasks import Batches, Dataset, Objective, chosen

EVALUATIONS = 20
CHUNK_BYTES = 64 * 2**20
CHUNKS, CHUNK_STEPS = 1000, (100, 10_000)  # where progress is saved: of all steps so many chunks, within these limits


@dataclass(frozen=True)
class Settings:
    """metric: the name of the objective to measure; "": the score of the targets. truncate: steps of a sequence after
    which backpropagation through time starts anew; 0: never. online: every batch is asked before it is learned, and the
    curve shows these answers instead of those to the test examples."""

    steps: int
    batch: int
    seed: int
    metric: str = ""
    truncate: int = 0
    online: bool = False

    @property
    def asked(self) -> str:
        """What the scores of the curve are called."""
        return "online" if self.online else "test"

    def measure(self, data: Dataset) -> Objective:
        """Raises `BlurError` (E813) if the metric does not suit the targets."""
        return chosen(self.metric, data.kind, data.name, data.shown, lambda: (data.y_test[:6], None))

    def rhythm(self, data: Dataset, saved: bool = False) -> tuple[int, int]:
        """Steps per chunk, and chunks between evaluations. saved: whether progress is saved between chunks."""
        step_bytes = 4 * self.batch * (data.x_train[0].size + data.y_train[0].size)
        most = max(1, CHUNK_BYTES // step_bytes)
        if saved:
            least, longest = CHUNK_STEPS
            most = min(most, longest, max(least, math.ceil(self.steps / CHUNKS)))
        every = math.ceil(self.steps / EVALUATIONS)
        chunks = math.ceil(every / most)
        return math.ceil(every / chunks), chunks


@dataclass(frozen=True)
class Point:
    """A point of a learning curve: after this many steps and seconds of training, the test score, or the score of the
    answers since the point before, each to a batch that was then learned."""

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
    """The result of training. Scores are NaN if it diverged, and `train` where the right answers changed on the way.
    online: of all answers on the way, if there are any."""

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
    online: float = math.nan


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
    programs: dict[Any, Any] = field(default_factory=dict[Any, Any])  # by shapes


def finite(tree: Any) -> jax.Array:
    leaves = [jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(tree)]
    return jnp.stack(leaves).all() if leaves else jnp.asarray(True)
