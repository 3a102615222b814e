"""Where training stands between two chunks of steps."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from blurc.tasks import Batches, Objective
from blurc.training.learner import Point
from blurc.training.online import Answered


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

    def add(self, outputs: Any, batches: Batches) -> None:
        parts = (np.asarray(outputs).reshape(np.shape(batches.ys)), *batches[1:])
        self.chunks.append(tuple(None if a is None else np.asarray(a).reshape(-1, *a.shape[2:]) for a in parts))

    def score(self, first: int = 0) -> float:
        """Of the chunks from this one on."""
        parts = zip(*self.chunks[first:], strict=True)
        outputs, targets, mask = (None if part[0] is None else np.concatenate(part) for part in parts)
        assert outputs is not None
        assert targets is not None
        return float(self.metric.score(outputs, targets, mask))


@dataclass
class Progress:
    """What training goes on from.

    Attributes:
        carry: of the learner.
        way: the answers so far, if any are asked.
        chunks: that are done.
        shown: of them, when the curve had its last point.
        points: of the curve.
        training: the seconds of learning.
        compiling: the seconds before.
    """

    carry: Any
    way: OnTheWay
    chunks: int = 0
    shown: int = 0
    points: list[Point] = field(default_factory=list[Point])
    training: Clock = field(default_factory=Clock)
    compiling: Clock = field(default_factory=Clock)

    def learned(self, carry: Any, found: Any, batches: Batches) -> None:
        """After another chunk."""
        if isinstance(found, Answered):
            self.way.add(found.outputs, batches)
        self.carry = carry
        self.chunks += 1


class Keeper(Protocol):
    """Keeps progress where it survives the process."""

    def resumed(self, progress: Progress, batches: Iterable[Batches]) -> None:
        """Changes fresh progress to what was kept, if anything was. batches: of all chunks from the first."""
        ...

    def keep(self, progress: Progress, done: bool) -> None:
        """May do so. done: all steps are done."""
        ...

    def interrupted(self) -> None:
        """Keeps what `keep` was given last."""
        ...
