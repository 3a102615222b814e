"""Recordings as a task: inputs in the order in which they were shown, and what populations did meanwhile.

An episode replays one recording: a network learns from the same inputs, one at a time, and its activity on the way is
what is compared. As in Mehta et al., "Model-based inference of synaptic plasticity rules" (NeurIPS 2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from blurc.diagnostics import BlurError, Diagnostic
from blurc.runtime import map_tree
from blurc.tasks.hashed import hashed
from blurc.tasks.objective import LOSS, SCORE, Objective, TargetKind


class Shown(NamedTuple):
    """Of every step: the inputs [steps, n], the targets of a teacher [steps, m] (None: there was none), signals by
    name, [steps, *dims], and by what was recorded its values [steps, neurons], with 1 where a value is known and 0
    where it is missing. With time, an axis of it follows the first."""

    xs: jax.Array
    ys: jax.Array | None
    signals: dict[str, jax.Array]
    recorded: dict[str, jax.Array]
    known: dict[str, jax.Array]


class Replay(NamedTuple):
    """A recording. start: the first values of channels, by projection and channel ("" if the file names none), [n_pre,
    n_post] or alike; what is not there is drawn."""

    shown: Shown
    start: dict[str, dict[str, jax.Array]]


@dataclass(frozen=True, eq=False)
class Recordings:
    """A task, made by `file.load`.

    Attributes:
        record: what is compared, `POPULATION` or `POPULATION.STATE`.
        whole: all recordings, with a leading axis of them: first the `fit` to learn from, then those to test with.
        time: the steps of a sequence, if what is shown in a step is one; else 0.
        kind: of the recorded values: zeros and ones, or any numbers.
    """

    name: str
    record: tuple[str, ...]
    whole: Replay
    fit: int
    time: int
    kind: TargetKind

    @property
    def inputs(self) -> int:
        return self.whole.shown.xs.shape[-1]

    @property
    def outputs(self) -> int:
        """Numbers that are compared in each step."""
        return sum(values.shape[-1] for values in self.whole.shown.recorded.values())

    @property
    def taught(self) -> int:
        """The size of a target; 0 if there are none."""
        return 0 if self.whole.shown.ys is None else self.whole.shown.ys.shape[-1]

    @property
    def steps(self) -> int:
        return self.whole.shown.xs.shape[1]

    @property
    def tested(self) -> int:
        """How many recordings test: a single one is both learned from and tested with."""
        return max(1, len(self.whole.shown.xs) - self.fit)

    @property
    def is_alone(self) -> bool:
        return len(self.whole.shown.xs) == 1

    @property
    def loss(self) -> Objective:
        return LOSS[self.kind]

    @property
    def score(self) -> Objective:
        return SCORE[self.kind]

    @cached_property
    def digest(self) -> str:
        return hashed(self.whole)

    def replay(self, key: jax.Array, steps: int) -> Replay:
        """The first steps of one of the recordings to learn from. Raises `BlurError` (E811)."""
        self.check_length(steps)
        return _picked(self.whole, jax.random.randint(key, (), 0, self.fit), steps)

    def tests(self, steps: int) -> Replay:
        """The first steps of all recordings to test with, along a leading axis. Raises `BlurError` (E811)."""
        self.check_length(steps)
        start, shown = self.whole.start, self.whole.shown
        first = len(shown.xs) - self.tested
        return Replay(map_tree(lambda a: a[first:, :steps], shown), map_tree(lambda a: a[first:], start))

    def check_length(self, steps: int) -> None:
        """Raises `BlurError` (E811) if recordings are shorter, or if there is nothing to compare in one."""
        if steps > self.steps:
            message = f"the recordings of {self.name} have {self.steps:,} steps, and {steps:,} are replayed"
            raise BlurError(Diagnostic("E811", message, help=f"replay {self.steps:,} steps, or fewer"))
        empty = np.flatnonzero(self._first > steps)
        if len(empty):
            message = f"a recording of {self.name} has no value in its first {steps:,} steps"
            raise BlurError(Diagnostic("E811", message, help=f"replay {int(self._first.max()):,} steps, or more"))

    @cached_property
    def _first(self) -> NDArray[np.int64]:
        """After how many steps there is a value, of each recording."""
        shown = self.whole.shown
        known = [np.asarray(part).reshape(*part.shape[:2], -1).any(axis=2) for part in shown.known.values()]
        return np.logical_or.reduce(known).argmax(axis=1) + 1


@partial(jax.jit, static_argnums=2)
def _picked(whole: Replay, which: jax.Array, steps: int) -> Replay:
    one = map_tree(lambda a: a[which], whole)
    return Replay(map_tree(lambda a: a[:steps], one.shown), one.start)
