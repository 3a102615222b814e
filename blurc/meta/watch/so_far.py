"""What is known of a search while it goes on, and how long it will take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from blurc.meta.search.curriculum import unroll

if TYPE_CHECKING:
    from blurc.meta.experiment.experiment import Experiment
    from blurc.meta.watch.metrics import Metrics
    from blurc.tasks import Objective

WINDOW = 50  # meta-steps


@dataclass
class Search:
    """What is known of a search so far. Times are in seconds, of this process alone.

    Attributes:
        values: the objective at each meta-step, and `by_task` of each task where it was drawn; None where all diverged.
        judged: the last value of the genome on episodes not used in the search, and the best.
    """

    experiment: Experiment
    now: Callable[[], float] = time.monotonic
    objective: str = ""
    more_is_better: bool = False
    steps: int = 0
    done: int = 0
    unroll: int = 0
    values: list[float | None] = field(default_factory=list[float | None])
    by_task: dict[str, list[float | None]] = field(default_factory=dict[str, list[float | None]])
    judged: float | None = None
    is_judged: bool = False
    diverged: int = 0
    candidates: int = 0
    _begun: float = 0.0
    _last: float | None = None
    _seen: set[str] = field(default_factory=set[str])
    _to_do: int = 0  # inner steps
    _recent: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=WINDOW))  # seconds, inner steps

    def __post_init__(self) -> None:
        self._begun = self.now()

    def begin(self, done: int, steps: int, objective: Objective) -> None:
        self.objective, self.steps, self.done = objective.name.replace("_", " "), steps, done
        self.more_is_better = objective.greater_is_better
        self._to_do = sum(unroll(self.experiment, step) for step in range(done, steps))

    def add(self, line: Metrics) -> None:
        self.done, self.unroll = line["step"] + 1, line["unroll"]
        self.values.append(line.get("mean", line.get("median", line["value"])))
        for name, value in line.get("by_task", {}).items():
            self.by_task.setdefault(name, []).append(value)
        if "judged" in line:
            self.judged, self.is_judged = line["judged"], True
        self.diverged += line["diverged"]
        self.candidates += line["candidates"]
        now = self.now()
        if self._last is not None and not self._compiled(line):
            self._recent.append((now - self._last, self.unroll))
        self._last = now
        self._to_do -= self.unroll

    def _compiled(self, line: Metrics) -> bool:
        """The first time that a task is drawn, or the genome is judged, the time is that of compiling."""
        parts = {*line.get("by_task", {}), *(["judged"] if "judged" in line else [])}
        new = parts - self._seen
        self._seen |= new
        return bool(new)

    @property
    def gone(self) -> float:
        return self.now() - self._begun

    @property
    def left(self) -> float | None:
        """By the inner steps to do, and what those of recent meta-steps took; None after the first one."""
        if not self._recent:
            return None
        seconds, steps = (sum(column) for column in zip(*self._recent, strict=True))
        return seconds / steps * self._to_do


def running(values: Sequence[float | None]) -> float | None:
    """The mean of the last values that did not diverge."""
    known = [value for value in values[-WINDOW:] if value is not None]
    return sum(known) / len(known) if known else None
