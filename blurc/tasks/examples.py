"""A data set as a source of episodes: its examples on the device, and which of them an episode gets.

A fixed sixth of the training examples is never trained on during meta-learning: queries come from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from blurc.diagnostics import BlurError, Diagnostic
from blurc.tasks import preprocess
from blurc.tasks.choice import TaskChoice
from blurc.tasks.dataset import Dataset, Floats, Indices
from blurc.tasks.draws import generator
from blurc.tasks.objective import TargetKind
from blurc.tasks.source import Draw, Drawn

SEED = 0  # selects the held-out sixth


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["x", "y", "x_test", "y_test", "mask", "mask_test"],
    meta_fields=["outputs", "fit", "targets"],
)
@dataclass(frozen=True, eq=False)
class Examples:
    """`x` [n, features] are the training examples, first the `fit` ones to train on, then the held-out sixth; `y` are
    their answers and `mask` says which of them are asked, as in `Drawn`."""

    x: jax.Array
    y: jax.Array
    x_test: jax.Array
    y_test: jax.Array
    outputs: int
    fit: int
    targets: TargetKind = "classes"
    mask: jax.Array | None = None
    mask_test: jax.Array | None = None

    @property
    def features(self) -> int:
        return self.x.shape[-1]

    @property
    def time(self) -> int:
        return self.x.shape[1] if self.x.ndim > 2 else 0

    def draw(self, key: jax.Array, count: int, query: int, test: bool) -> Drawn:
        order_key, row_key, query_key = jax.random.split(key, 3)
        n = len(self.x)
        row = shuffled_rows(order_key, row_key, n if test else self.fit, count)
        if test:
            at = rows(query_key, len(self.x_test), query)
            queried = _at(at, self.x_test, self.y_test, self.mask_test)
        else:
            at = self.fit + rows(query_key, n - self.fit, query)
            queried = _at(at, self.x, self.y, self.mask)
        x, y, mask = _at(row, self.x, self.y, self.mask)
        return Drawn(x, y, queried[0], queried[1], mask, queried[2])

    def placed(self, key: jax.Array, test: bool) -> Draw:
        """There is only one variation."""
        return lambda draw_key, count, query: self.draw(draw_key, count, query, test)


def _at(
    rows: jax.Array, x: jax.Array, y: jax.Array, mask: jax.Array | None
) -> tuple[jax.Array, jax.Array, jax.Array | None]:
    return x[rows], y[rows], None if mask is None else mask[rows]


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
    """Of a data set with labels or targets; `choice.target` is not its concern."""
    is_classes = dataset.kind == "classes"
    if dataset.time:
        _check_sequences(choice)
    train, test, outputs = _labels(dataset, choice) if is_classes else _targets(dataset, choice)
    (kept, y), (kept_test, y_test) = train, test
    has_one_label = is_classes and not dataset.time
    fit, held = preprocess.held_out(y if has_one_label else np.zeros(len(y), np.int64), SEED)
    if not (len(fit) and len(held) and len(kept_test)):
        of = " of these classes" if is_classes else ""
        message = f"{choice.data} has {len(kept)} training and {len(kept_test)} test examples{of}"
        help = "provide at least 2 training examples and 1 test example"
        raise BlurError(Diagnostic("E811", message, help=help))
    if lacking := sorted(set(range(outputs)) - set(y.tolist())) if choice.classes else []:
        message = f"`classes` lists {choice.classes[lacking[0]]}, of which {choice.data} has no training example"
        raise BlurError(Diagnostic("E811", message, help="list only classes with examples"))
    order = np.concatenate([fit, held])
    x, x_test = _inputs(dataset.x_train[kept[order]], dataset.x_test[kept_test], choice, dataset.time)
    # Shuffle the test examples too: `rows` takes one from each stretch of them.
    mixed = generator("test examples", SEED).permutation(len(x_test))
    dtype = jnp.int32 if is_classes else jnp.float32
    arrays = jnp.asarray(x), jnp.asarray(y[order], dtype), jnp.asarray(x_test[mixed]), jnp.asarray(y_test[mixed], dtype)
    masks = [
        None if mask is None else jnp.asarray(mask[at])
        for mask, at in ((dataset.mask_train, kept[order]), (dataset.mask_test, kept_test[mixed]))
    ]
    return Examples(*arrays, outputs, len(fit), dataset.kind, *masks)


def _inputs(x: Floats, x_test: Floats, choice: TaskChoice, time: int) -> tuple[Floats, Floats]:
    leading = 2 if time else 1
    x, x_test = preprocess.pixels(x, choice, leading), preprocess.pixels(x_test, choice, leading)
    if not choice.center:
        return x, x_test
    mean, deviation = preprocess.moments(x)
    return (x - mean) / deviation, (x_test - mean) / deviation


Answers: TypeAlias = tuple[tuple[Indices, Any], tuple[Indices, Any], int]


def _labels(dataset: Dataset, choice: TaskChoice) -> Answers:
    """For training and test examples: which are kept, and their labels. Also the number of classes."""
    assert dataset.classes
    most = dataset.classes - 1
    if wrong := [c for c in choice.classes if not 0 <= c <= most]:
        message = f"`classes` contains {wrong[0]}, but those of {choice.data} are 0 to {most}"
        raise BlurError(Diagnostic("E811", message, help="list only classes that exist"))
    if dataset.time:
        train, test = ((np.arange(len(y)), y.argmax(axis=2)) for y in (dataset.y_train, dataset.y_test))
        return train, test, dataset.classes
    classes = choice.classes or tuple(range(dataset.classes))
    train, test = (preprocess.keep(y.argmax(axis=1), classes) for y in (dataset.y_train, dataset.y_test))
    return train, test, len(classes)


def _targets(dataset: Dataset, choice: TaskChoice) -> Answers:
    """All examples with their targets, flat. Also the size of a target."""
    labels = {
        "classes": choice.classes,
        "augment.permute_labels": choice.augment.permute_labels,
        "augment.relabel_at": choice.augment.relabel_at,
    }
    for key, given in labels.items():
        if given:
            message = f"`{key}` is for data sets with classes, but the targets of {choice.data} are numbers"
            raise BlurError(Diagnostic("E811", message, help="leave it out"))
    leading = 2 if dataset.time else 1
    train, test = (y.reshape(*y.shape[:leading], -1) for y in (dataset.y_train, dataset.y_test))
    return (np.arange(len(train)), train), (np.arange(len(test)), test), train.shape[-1]


def _check_sequences(choice: TaskChoice) -> None:
    """Raises `BlurError` (E811) for what sequences do not have."""
    for name in ("crop", "resize", "classes"):
        if getattr(choice, name):
            message = f"`{name}` is for examples without time, but those of {choice.data} are sequences"
            raise BlurError(Diagnostic("E811", message, help="leave it out"))
