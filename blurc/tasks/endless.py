"""One variation of a task as batches without end, which come in parts of bounded size.

An `Episode` is there at once, and which batches it holds depends on how many they are. Here the hundredth batch is the
same whoever asks for it and however many follow. No example comes twice in a part, where there are enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import jax

from blurc.tasks import augment
from blurc.tasks.choice import Augment
from blurc.tasks.examples import Drawn, Examples
from blurc.tasks.omniglot import ASKED, DRAWINGS, Characters
from blurc.tasks.plane import Function
from blurc.tasks.task import Source, Task

# Steps in a part: the most that fit. Round numbers share divisors with others.
LENGTHS = (100, 50, 20, 10, 5, 2, 1)
PART_BYTES = 64 * 2**20

Pair: TypeAlias = tuple[jax.Array, jax.Array]  # inputs and targets
# From a key: so many to learn, and to be asked about.
Draw: TypeAlias = Callable[[jax.Array, int, int], Drawn]


@dataclass(frozen=True, eq=False)
class Stream:
    """A function of the key. test: the questions are test examples; else they are held out of the training ones."""

    task: Task
    key: jax.Array
    batch: int
    test: bool

    @property
    def length(self) -> int:
        """Of a part, in steps."""
        step = 4 * self.batch * (self.task.inputs + self.task.outputs)
        return next((n for n in LENGTHS if n * step <= PART_BYTES), 1)

    def questions(self, count: int) -> Pair:
        return self._drawn(0, 1, count)[1]

    def pieces(self, size: int, steps: int) -> Iterator[tuple[int, jax.Array, jax.Array]]:
        """Batches [size, batch, n], before them how many steps are done with these. size: divides `length`, `steps`."""
        for first in range(0, steps, self.length):
            # The number 0 is that of the questions.
            learned, _ = self._drawn(1 + first // self.length, self.length * self.batch, 1)
            xs, ys = (a.reshape(-1, size, self.batch, a.shape[-1]) for a in learned)
            for i in range(min(self.length, steps - first) // size):
                yield first + (i + 1) * size, xs[i], ys[i]

    def _drawn(self, number: int, count: int, query: int) -> tuple[Pair, Pair]:
        t = self.task
        return _drawn(t.source, self.key, number, t.augment, t.outputs, count, query, self.test)


@partial(jax.jit, static_argnums=range(3, 8))
def _drawn(
    source: Source,
    key: jax.Array,
    number: int,
    change: Augment,
    outputs: int,
    count: int,
    query: int,
    test: bool,
) -> tuple[Pair, Pair]:
    """What is learned and what is asked about: of one variation by the key, but other examples for every number."""
    place_key, input_key, label_key, draw_key = jax.random.split(key, 4)
    drawn = _at(source, place_key, test)(jax.random.fold_in(draw_key, number), count, query)
    inputs = augment.inputs(change, input_key, source.features)
    labels = augment.labels(change, label_key, outputs)
    y, y_query = (jax.nn.one_hot(labels(label), outputs) for label in (drawn.label, drawn.label_query))
    return (inputs(drawn.x), y), (inputs(drawn.x_query), y_query)


def _at(source: Source, key: jax.Array, test: bool) -> Draw:
    """The draws of a source, whose own variation the key alone decides."""
    match source:
        case Examples():
            return lambda draw_key, count, query: source.draw(draw_key, count, query, test)
        case Characters():
            few = _few(source, key, test)
            return lambda draw_key, count, query: few.draw(draw_key, count, query, True)
        case Function():
            return lambda draw_key, count, query: _points(source, key, draw_key, count, query)


def _points(source: Function, place_key: jax.Array, key: jax.Array, count: int, query: int) -> Drawn:
    x, label = source.points(place_key, key, count + query)
    x = (x - source.mean) / source.deviation
    return Drawn(x[:count], label[:count], x[count:], label[count:])


def _few(source: Characters, key: jax.Array, test: bool) -> Examples:
    """The characters of one episode, as a data set of their own."""
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
