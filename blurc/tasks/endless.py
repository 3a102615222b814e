"""One variation of a task as an endless stream of batches, in parts of bounded size.

The batches of an `Episode` depend on its length. Here the hundredth batch is always the same, however many
follow. No example is repeated within a part, if there are enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import jax

from blurc.tasks.choice import Augment
from blurc.tasks.examples import Drawn, Examples
from blurc.tasks.omniglot import ASKED, DRAWINGS, Characters
from blurc.tasks.plane import Function
from blurc.tasks.task import Source, Task, varied

# Steps per part: the largest that fits. Round numbers share divisors with others.
LENGTHS = (100, 50, 20, 10, 5, 2, 1)
PART_BYTES = 64 * 2**20

Pair: TypeAlias = tuple[jax.Array, jax.Array]  # inputs and targets
# (key, number to learn, number to be tested on) -> examples.
Draw: TypeAlias = Callable[[jax.Array, int, int], Drawn]


@dataclass(frozen=True, eq=False)
class Stream:
    """A function of the key. test: the questions are test examples; otherwise they are held-out training examples."""

    task: Task
    key: jax.Array
    batch: int
    test: bool

    @property
    def length(self) -> int:
        """Steps per part."""
        step = 4 * self.batch * (self.task.inputs + self.task.outputs)
        return next((n for n in LENGTHS if n * step <= PART_BYTES), 1)

    def questions(self, count: int) -> Pair:
        return self._drawn(0, 1, count)[1]

    def pieces(self, size: int, steps: int) -> Iterator[tuple[int, jax.Array, jax.Array]]:
        """(steps done, xs, ys), with batches [size, batch, n]. size: divides `length` and `steps`."""
        for first in range(0, steps, self.length):
            # Number 0 is for the questions.
            learned, _ = self._drawn(1 + first // self.length, self.length * self.batch, 1)
            xs, ys = (a.reshape(-1, size, self.batch, a.shape[-1]) for a in learned)
            for i in range(min(self.length, steps - first) // size):
                yield first + (i + 1) * size, xs[i], ys[i]

    def _drawn(self, number: int, count: int, query: int) -> tuple[Pair, Pair]:
        t = self.task
        return _drawn(t.source, self.key, number, t.augment, t.outputs, count, query, self.test)


@partial(jax.jit, static_argnums=range(3, 8))
def _drawn(
    source: Source, key: jax.Array, number: int, change: Augment, outputs: int, count: int, query: int, test: bool
) -> tuple[Pair, Pair]:
    """Examples to learn and to be tested on: one variation per key, but other examples for every number."""
    place_key, input_key, label_key, draw_key = jax.random.split(key, 4)
    drawn = _at(source, place_key, test)(jax.random.fold_in(draw_key, number), count, query)
    x, y, x_query, y_query = varied(drawn, change, input_key, label_key, outputs)
    return (x, y), (x_query, y_query)


def _at(source: Source, key: jax.Array, test: bool) -> Draw:
    """Draws from a source, with the variation fixed by the key."""
    match source:
        case Examples():
            return lambda draw_key, count, query: source.draw(draw_key, count, query, test)
        case Characters():
            few = _few(source, key, test)
            return lambda draw_key, count, query: few.draw(draw_key, count, query, True)
        case Function():
            return partial(source.draw_placed, key)


def _few(source: Characters, key: jax.Array, test: bool) -> Examples:
    """The characters of one episode as a data set."""
    character_key, drawing_key = jax.random.split(key)
    images = source.tested if test else source.learned
    character = jax.random.permutation(character_key, len(images))[: source.classes]
    drawing = jax.random.permutation(drawing_key, DRAWINGS)
    sides: list[Pair] = []
    for of in (drawing[: DRAWINGS - ASKED], drawing[DRAWINGS - ASKED :]):
        label = jax.numpy.repeat(jax.numpy.arange(source.classes), len(of))
        sides.append((images[character[:, None], of].reshape(-1, source.features), label))
    (x, label), (x_query, label_query) = sides
    return Examples(x, label, x_query, label_query, source.classes, len(x))
