"""One variation of a task as an endless stream of batches, in parts of bounded size.

The batches of an `Episode` depend on its length. Here the hundredth batch is always the same, however many
follow. No example is repeated within a part, if there are enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import jax
import numpy as np

from blurc.runtime import map_tree
from blurc.tasks.choice import Augment
from blurc.tasks.source import Batches, Drawn, Source
from blurc.tasks.task import LoadedTask, varied

# Steps per part: the largest that fits. Round numbers share divisors with others.
LENGTHS = (100, 50, 20, 10, 5, 2, 1)
PART_BYTES = 64 * 2**20


@dataclass(frozen=True, eq=False)
class Stream:
    """A function of the key. test: the questions are test examples; otherwise they are held-out training examples."""

    task: LoadedTask
    key: jax.Array
    batch: int
    test: bool

    @property
    def length(self) -> int:
        """Steps per part."""
        step = 4 * self.batch * max(1, self.task.time) * (self.task.inputs + self.task.outputs)
        return next((n for n in LENGTHS if n * step <= PART_BYTES), 1)

    def changes(self, before: int, done: int) -> bool:
        """Whether questions after `done` steps differ from those after `before`, which are fewer."""
        augment = self.task.augment
        return augment.drift > 0 or before < augment.relabel_at <= done

    def questions(self, count: int, done: int = 0) -> tuple[jax.Array, jax.Array, jax.Array | None]:
        """Inputs and targets [count, ..], and the mask [count, time], as in an `Episode` of `done` steps."""
        drawn = self._drawn(0, 1, count, 0, done)
        return drawn.x_query, drawn.y_query, drawn.mask_query

    def pieces(self, size: int, steps: int) -> Iterator[tuple[int, Batches]]:
        """How many steps are done after each, and `size` batches. size: divides `length` and `steps`."""
        for first in range(0, steps, self.length):
            # Number 0 is for the questions.
            drawn = self._drawn(1 + first // self.length, self.length * self.batch, 1, first, 0)
            part = Batches(drawn.x, drawn.y, drawn.mask)
            part = map_tree(lambda a: a.reshape(-1, size, self.batch, *a.shape[1:]), part)
            for i in range(min(self.length, steps - first) // size):
                yield first + (i + 1) * size, map_tree(lambda a, i=i: a[i], part)

    def _drawn(self, number: int, count: int, query: int, first: int, asked_after: int) -> Drawn:
        """first: the step of the first that are learned."""
        t = self.task
        sizes = (t.augment, t.outputs, t.target, count, query, self.test)
        done = first + np.arange(count, dtype=np.int32) // self.batch
        return _drawn(t.source, self.key, number, *sizes, done, np.int32(asked_after))


@partial(jax.jit, static_argnums=range(3, 9))
def _drawn(
    source: Source, key: jax.Array, number: int, change: Augment, outputs: int, target: str, count: int, query: int,
    test: bool, done: jax.Array, asked_after: jax.Array,
) -> Drawn:  # fmt: skip
    """Examples to learn and to be tested on: one variation per key, but other examples for every number."""
    place_key, input_key, label_key, draw_key = jax.random.split(key, 4)
    drawn = source.placed(place_key, test)(jax.random.fold_in(draw_key, number), count, query)
    return varied(drawn, change, input_key, label_key, outputs, target, done, asked_after)
