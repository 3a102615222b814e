"""What families of sequences have in common."""

from __future__ import annotations

from abc import abstractmethod

import jax
import jax.numpy as jnp

from blurc.tasks.families.parametric import Parametric
from blurc.tasks.source import Drawn


class Sequences(Parametric):
    """`points` gives sequences [count, time, features] and answers [count, time, ..], asked where `asked` says so."""

    @property
    @abstractmethod
    def time(self) -> int: ...

    @property
    def asked(self) -> int:
        """How many of the last steps have an answer."""
        return 1

    def _drawn(self, place_key: jax.Array, key: jax.Array, count: int, query: int) -> Drawn:
        drawn = super()._drawn(place_key, key, count, query)
        mask = jnp.arange(self.time) >= self.time - self.asked
        masks = (jnp.broadcast_to(mask, (n, self.time)).astype(jnp.float32) for n in (count, query))
        return Drawn(*drawn[:4], *masks)

    def last(self, answers: jax.Array) -> jax.Array:
        """Answers [count, asked, ..] with zeros before them: [count, time, ..]."""
        rest = [(0, 0)] * (answers.ndim - 2)
        return jnp.pad(answers, [(0, 0), (self.time - self.asked, 0), *rest])
