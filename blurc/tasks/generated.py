"""Families of problems whose examples are made on the device: batches and queries are always new."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial

import jax

from blurc.tasks.source import Draw, Drawn


class Generated(ABC):
    """What such sources have in common. All points are new, so `test` makes no difference."""

    @property
    def time(self) -> int:
        return 0

    @abstractmethod
    def points(self, place_key: jax.Array, key: jax.Array, count: int) -> tuple[jax.Array, jax.Array]:
        """`count` inputs and their answers, of the variation that `place_key` alone gives."""

    def told(self, y: jax.Array) -> jax.Array:
        """What is learned from, for the answers `y`: these themselves, if there is a teacher."""
        return y

    def draw(self, key: jax.Array, count: int, query: int, test: bool) -> Drawn:
        place_key, key = jax.random.split(key)
        return self._drawn(place_key, key, count, query)

    def placed(self, key: jax.Array, test: bool) -> Draw:
        return partial(self._drawn, key)

    def _drawn(self, place_key: jax.Array, key: jax.Array, count: int, query: int) -> Drawn:
        x, y = self.points(place_key, key, count + query)
        return Drawn(x[:count], self.told(y[:count]), x[count:], y[count:])
