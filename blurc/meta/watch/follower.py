"""Whoever follows the progress of a run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from blurc.meta.watch.metrics import Metrics
from blurc.tasks import Objective


class Follower(Protocol):
    """Follows the progress of a run. If it also has a method `end()`, that is called when the run is over, however it
    ended."""

    def begin(self, done: int, steps: int, objective: Objective) -> None:
        """The search begins, or goes on after `done` of its `steps` meta-steps."""
        ...

    def line(self, line: Metrics) -> None:
        """A meta-step is done; this is its line of metrics.jsonl."""
        ...


@runtime_checkable
class Ending(Follower, Protocol):
    def end(self) -> None: ...


@dataclass(frozen=True)
class Together:
    """Several followers as one."""

    followers: Sequence[Follower]

    def begin(self, done: int, steps: int, objective: Objective) -> None:
        for one in self.followers:
            one.begin(done, steps, objective)

    def line(self, line: Metrics) -> None:
        for one in self.followers:
            one.line(line)

    def end(self) -> None:
        with ExitStack() as all_of_them:  # also if one of them fails
            for one in self.followers:
                if isinstance(one, Ending):
                    all_of_them.callback(one.end)
