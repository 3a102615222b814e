"""Episodes of few classes and few examples of each, from any data set with labels: N ways, K shots.

An episode has `ways` classes, learns `shots` examples of each, pass after pass if it is longer, and is asked about
others of them. A fixed seeded fifth of the classes is not used during meta-learning: test episodes consist of these
alone. All examples of the set count, those for training and those for testing. Vinyals et al., "Matching Networks for
One Shot Learning" (2016); with plastic synapses: Miconi, Clune and Stanley, "Differentiable plasticity" (ICML 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from blurc.diagnostics import BlurError, Diagnostic
from blurc.tasks import preprocess
from blurc.tasks.choice import TaskChoice
from blurc.tasks.dataset import Dataset, Floats, Indices
from blurc.tasks.examples import rows
from blurc.tasks.objective import TargetKind
from blurc.tasks.source import Draw, Drawn

SEED = 0  # selects the held-out classes


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["x", "learned", "tested"],
    meta_fields=["outputs", "shots", "largest"],
)
@dataclass(frozen=True, eq=False)
class FewShot:
    """`x` [n, features] is ordered by class; `learned` and `tested` [classes, 2] have the first example of a class and
    how many it has. largest: of these numbers."""

    x: jax.Array
    learned: jax.Array
    tested: jax.Array
    outputs: int
    shots: int
    largest: int

    @property
    def features(self) -> int:
        return self.x.shape[1]

    @property
    def targets(self) -> TargetKind:
        return "classes"

    @property
    def time(self) -> int:
        return 0

    def draw(self, key: jax.Array, count: int, query: int, test: bool) -> Drawn:
        place_key, key = jax.random.split(key)
        return self.placed(place_key, test)(key, count, query)

    def placed(self, key: jax.Array, test: bool) -> Draw:
        class_key, order_key = jax.random.split(key)
        table = self.tested if test else self.learned
        first, size = table[jax.random.permutation(class_key, len(table))[: self.outputs]].T
        number = jax.random.uniform(order_key, (self.outputs, self.largest))
        order = jnp.argsort(jnp.where(jnp.arange(self.largest) < size[:, None], number, jnp.inf), axis=1)

        def at(label: jax.Array, place: jax.Array) -> jax.Array:
            return self.x[first[label] + order[label, place]]

        def drawn(key: jax.Array, count: int, query: int) -> Drawn:
            order_key, row_key, query_key = jax.random.split(key, 3)
            passes = jax.random.split(order_key, -(-count // (self.outputs * self.shots)))
            learned = jax.vmap(lambda key: jax.random.permutation(key, self.outputs * self.shots))(passes)
            label, place = jnp.divmod(learned.ravel()[:count], self.shots)
            asked, others = rows(row_key, self.outputs, query), jax.random.uniform(query_key, (query,))
            rest = size[asked] - self.shots
            place_query = self.shots + jnp.minimum((others * rest).astype(jnp.int32), rest - 1)
            return Drawn(at(label, place), label, at(asked, place_query), asked)

        return drawn


def divided(classes: int) -> tuple[Indices, Indices]:
    """Those to learn, and a fixed seeded fifth for test episodes."""
    mixed = np.random.default_rng(SEED).permutation(classes)
    return np.setdiff1d(mixed, mixed[::5]), mixed[::5]


def of_data(dataset: Dataset, choice: TaskChoice) -> FewShot:
    """Raises `BlurError` (E811) if there are no labels, or too few classes."""
    if dataset.kind != "classes" or dataset.time:
        what = "are sequences" if dataset.time else "have no classes"
        message = f"`shots` is for data sets with classes, and the examples of {choice.data} {what}"
        raise BlurError(Diagnostic("E811", message, help="leave it out"))
    x = np.concatenate([dataset.x_train, dataset.x_test])
    label = np.concatenate([dataset.y_train, dataset.y_test]).argmax(axis=1)
    return make(preprocess.pixels(x, choice), label, choice)


def make(x: Floats, label: Indices, choice: TaskChoice) -> FewShot:
    """Of examples [n, features] and their labels [n]. Classes without an example to be asked about are left out."""
    order = np.argsort(label, kind="stable")
    _, first, size = np.unique(label[order], return_index=True, return_counts=True)
    table = np.stack([first, size], axis=1)[size > choice.shots]
    learned, tested = (table[classes] for classes in divided(len(table)))
    if choice.ways > min(len(tested), len(learned)):
        held = f"of {len(table)} classes with more than {choice.shots} examples, {len(tested)} are held out for testing"
        why = "a fixed fifth of the classes is kept for test episodes, which have `ways` of them"
        message = f"`ways` is {choice.ways}, but {held}"
        fewer = "write fewer `shots`" if len(size) > len(table) else "take a data set with more classes"
        help = f"write `ways: {len(tested)}`, or less" if len(tested) > 1 else fewer
        raise BlurError(Diagnostic("E811", message, notes=(why,), help=help))
    x = x[order]
    if choice.center:
        mean, deviation = preprocess.moments(np.concatenate([x[a : a + n] for a, n in learned]))
        x = (x - mean) / deviation
    tables = jnp.asarray(learned, jnp.int32), jnp.asarray(tested, jnp.int32)
    return FewShot(jnp.asarray(x), *tables, choice.ways, choice.shots, int(table[:, 1].max()))
