"""The batches of an evaluation: without end, or of one sample where a task cannot go on with the same variation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import jax

from blurc.runtime import map_tree
from blurc.tasks.endless import Stream
from blurc.tasks.families.familiarity import Familiarity
from blurc.tasks.own.source import OwnSource
from blurc.tasks.source import Batches
from blurc.tasks.task import Episode, LoadedTask, turned


def streamed(task: LoadedTask, key: jax.Array, batch: int, test: bool, steps: int, query: int) -> Stream | Whole:
    """At least `steps` batches of one variation, and `query` questions."""
    if isinstance(task.source, OwnSource | Familiarity):
        return Whole(task, key, batch, steps, query)
    return Stream(task, key, batch, test)


@dataclass(frozen=True, eq=False)
class Whole:
    """As `Stream`, where a variation holds for one sample, or what is asked is about what was learned."""

    task: LoadedTask
    key: jax.Array
    batch: int
    length: int
    query: int

    @cached_property
    def _episode(self) -> Episode:
        return self._of(self.length)

    def _of(self, length: int) -> Episode:
        return self.task.episode(self.key, steps=length, batch=self.batch, query=self.query)

    @property
    def _asks_of_the_past(self) -> bool:
        return isinstance(self.task.source, Familiarity)

    def changes(self, before: int, done: int) -> bool:
        """As `Stream` has it; here classes stay the same."""
        return self.task.augment.drift > 0 or self._asks_of_the_past

    def questions(self, count: int, done: int = 0) -> tuple[jax.Array, jax.Array, jax.Array | None]:
        # Of the past, a shorter episode asks, with which the whole one begins.
        length = max(1, done) if self._asks_of_the_past else self.length
        e = self._episode if length == self.length else self._of(length)
        x = turned(self.task, self.key, e.x[:count], done - length)
        return x, x if self.task.target == "inputs" else e.y[:count], None if e.mask is None else e.mask[:count]

    def pieces(self, size: int, steps: int) -> Iterator[tuple[int, Batches]]:
        for first in range(0, steps, size):
            yield first + size, map_tree(lambda a, first=first: a[first : first + size], self._episode.batches)
