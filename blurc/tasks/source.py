"""Where the examples of a task come from: what data sets, families of functions and characters have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias

import jax

from blurc.tasks.objective import TargetKind, Values


class Drawn(NamedTuple):
    """Examples to train on [count, features], others to query [query, features], and the answers of both: numbers of
    classes [count], which are integers, or targets [count, outputs].

    With time, examples are sequences, [count, time, features], and so are their answers, [count, time] or [count, time,
    outputs]. The masks [count, time] and [query, time] are 1 where an answer is asked, and None where all are.
    """

    x: jax.Array
    y: jax.Array
    x_query: jax.Array
    y_query: jax.Array
    mask: jax.Array | None = None
    mask_query: jax.Array | None = None


class Batches(NamedTuple):
    """What is learned from, one batch after the other: xs [steps, batch, inputs] and ys [steps, batch, outputs].

    With time, a batch is of whole sequences: xs [steps, batch, time, inputs], ys [steps, batch, time, outputs], and
    masks [steps, batch, time], which are 1 where an answer is asked; None if all are.
    """

    xs: Values
    ys: Values
    masks: Values | None = None


# (key, number to learn, number to be tested on) -> examples.
Draw: TypeAlias = Callable[[jax.Array, int, int], Drawn]


class Source(Protocol):
    """A JAX pytree whose leaves are examples, or what they are made from.

    Attributes:
        features: size of an input.
        outputs: classes, or the size of a target.
        targets: of which kind they are.
        time: the steps of an example, if it is a sequence; else 0.
    """

    @property
    def features(self) -> int: ...

    @property
    def outputs(self) -> int: ...

    @property
    def targets(self) -> TargetKind: ...

    @property
    def time(self) -> int: ...

    def draw(self, key: jax.Array, count: int, query: int, test: bool) -> Drawn:
        """One variation and its examples, all from the key."""
        ...

    def placed(self, key: jax.Array, test: bool) -> Draw:
        """Draws from the one variation that the key gives."""
        ...
