"""Where the examples of a task come from: what data sets, families of functions and characters have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias

import jax

from blurc.tasks.objective import TargetKind


class Drawn(NamedTuple):
    """Examples to train on [count, features], others to query [query, features], and the answers of both: numbers of
    classes [count], or targets [count, outputs]."""

    x: jax.Array
    y: jax.Array
    x_query: jax.Array
    y_query: jax.Array


# (key, number to learn, number to be tested on) -> examples.
Draw: TypeAlias = Callable[[jax.Array, int, int], Drawn]


class Source(Protocol):
    """A JAX pytree whose leaves are examples, or what they are made from.

    Attributes:
        features: size of an input.
        outputs: classes, or the size of a target.
        targets: of which kind they are.
    """

    @property
    def features(self) -> int: ...

    @property
    def outputs(self) -> int: ...

    @property
    def targets(self) -> TargetKind: ...

    def draw(self, key: jax.Array, count: int, query: int, test: bool) -> Drawn:
        """One variation and its examples, all from the key."""
        ...

    def placed(self, key: jax.Array, test: bool) -> Draw:
        """Draws from the one variation that the key gives."""
        ...
