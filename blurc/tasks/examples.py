"""A data set as a source of episodes: its examples on the device, and which of them an episode gets.

A fixed sixth of the training examples is never trained on during meta-learning: queries come from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from blurc.diagnostics import BlurError, Diagnostic
from blurc.tasks import preprocess
from blurc.tasks.choice import TaskChoice
from blurc.tasks.dataset import Dataset, Indices
from blurc.tasks.draws import generator

SEED = 0  # selects the held-out sixth


class Drawn(NamedTuple):
    """Examples to train on [count, features], others to query [query, features], and the labels of both."""

    x: jax.Array
    label: jax.Array
    x_query: jax.Array
    label_query: jax.Array


@partial(
    jax.tree_util.register_dataclass, data_fields=["x", "label", "x_test", "label_test"], meta_fields=["classes", "fit"]
)
@dataclass(frozen=True, eq=False)
class Examples:
    """`x` [n, features] are the training examples, first the `fit` ones to train on, then the held-out sixth."""

    x: jax.Array
    label: jax.Array
    x_test: jax.Array
    label_test: jax.Array
    classes: int
    fit: int

    @property
    def features(self) -> int:
        return self.x.shape[1]

    def draw(self, key: jax.Array, count: int, query: int, test: bool) -> Drawn:
        order_key, row_key, query_key = jax.random.split(key, 3)
        n = len(self.x)
        row = shuffled_rows(order_key, row_key, n if test else self.fit, count)
        if test:
            at = rows(query_key, len(self.x_test), query)
            return Drawn(self.x[row], self.label[row], self.x_test[at], self.label_test[at])
        at = self.fit + rows(query_key, n - self.fit, query)
        return Drawn(self.x[row], self.label[row], self.x[at], self.label[at])


def rows(key: jax.Array, n: int, count: int) -> jax.Array:
    """`count` of `n` rows, ascending, distinct if there are enough: one from each of `count` equal parts.

    This avoids sorting all rows. If there are fewer rows than requested, all are used equally often, to within one.
    """
    edge = np.arange(count + 1) * n // count  # not on the device, where it would overflow
    size = np.maximum(edge[1:] - edge[:-1], 1)
    place = jnp.floor(jax.random.uniform(key, (count,)) * size.astype(np.float32)).astype(jnp.int32)
    return jnp.asarray(edge[:-1], jnp.int32) + jnp.minimum(place, size.astype(np.int32) - 1)


def shuffled_rows(order_key: jax.Array, row_key: jax.Array, n: int, count: int) -> jax.Array:
    return jax.random.permutation(order_key, rows(row_key, n, count))


def make(dataset: Dataset, choice: TaskChoice) -> Examples:
    train, test, classes = _labels(dataset, choice)
    (kept, label), (kept_test, label_test) = train, test
    fit, held = preprocess.held_out(label, SEED)
    if not (len(fit) and len(held) and len(kept_test)):
        message = f"{choice.data} has {len(kept)} training and {len(kept_test)} test examples of these classes"
        help = "provide at least 2 training examples and 1 test example"
        raise BlurError(Diagnostic("E811", message, help=help))
    if lacking := sorted(set(range(classes)) - set(label.tolist())) if choice.classes else []:
        message = f"`classes` lists {choice.classes[lacking[0]]}, of which {choice.data} has no training example"
        raise BlurError(Diagnostic("E811", message, help="list only classes with examples"))
    order = np.concatenate([fit, held])
    x = preprocess.pixels(dataset.x_train[kept[order]], choice)
    x_test = preprocess.pixels(dataset.x_test[kept_test], choice)
    if choice.center:
        mean, deviation = preprocess.moments(x)
        x, x_test = (x - mean) / deviation, (x_test - mean) / deviation
    # Shuffle the test examples too: `rows` takes one from each stretch of them.
    mixed = generator("test examples", SEED).permutation(len(x_test))
    return Examples(
        jnp.asarray(x),
        jnp.asarray(label[order], jnp.int32),
        jnp.asarray(x_test[mixed]),
        jnp.asarray(label_test[mixed], jnp.int32),
        classes,
        len(fit),
    )


def _labels(dataset: Dataset, choice: TaskChoice) -> tuple[tuple[Indices, Indices], tuple[Indices, Indices], int]:
    """For training and test examples: which are kept, and their labels. Also the number of classes."""
    if dataset.classes is None:
        message = f"the targets of {choice.data} are real numbers, but a task needs classes"
        raise BlurError(Diagnostic("E811", message, help="provide labels: integers of shape [examples]"))
    most = dataset.classes - 1
    if wrong := [c for c in choice.classes if not 0 <= c <= most]:
        message = f"`classes` contains {wrong[0]}, but those of {choice.data} are 0 to {most}"
        raise BlurError(Diagnostic("E811", message, help="list only classes that exist"))
    classes = choice.classes or tuple(range(dataset.classes))
    train, test = (preprocess.keep(y.argmax(axis=1), classes) for y in (dataset.y_train, dataset.y_test))
    return train, test, len(classes)
