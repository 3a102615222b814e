"""The adding problem: a sequence of random numbers, two of which are marked; the answer, at the end, is their sum.

Each step has a number, uniform in [0, 1], and a mark. One mark is in the first half of the sequence, the other in the
second. A network that always says 1 has a mean squared error of 1/6. Hochreiter and Schmidhuber, "Long Short-Term
Memory" (1997), experiment 4, in the form of Le, Jaitly and Hinton (2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import jax
import jax.numpy as jnp

from blurc.storage import limits
from blurc.tasks.families.sequences import Sequences
from blurc.tasks.objective import TargetKind


@jax.tree_util.register_static
@dataclass(frozen=True)
class Adding(Sequences):
    """length: of a sequence."""

    NAME: ClassVar[str] = "adding"
    DESCRIPTION: ClassVar[str] = "sequences of numbers, two of them marked; the answer, at the end, is their sum"
    KIND: ClassVar[TargetKind] = "values"

    length: Annotated[int, limits.Limit.whole(2)] = 10

    @property
    def time(self) -> int:
        return self.length

    @property
    def features(self) -> int:
        return 2

    @property
    def outputs(self) -> int:
        return 1

    def points(self, place_key: jax.Array, key: jax.Array, count: int) -> tuple[jax.Array, jax.Array]:
        number_key, first_key, second_key = jax.random.split(key, 3)
        numbers = jax.random.uniform(number_key, (count, self.length))
        half = self.length // 2
        first = jax.random.randint(first_key, (count,), 0, half)
        second = jax.random.randint(second_key, (count,), half, self.length)
        marks = jax.nn.one_hot(first, self.length) + jax.nn.one_hot(second, self.length)
        sums = jnp.sum(numbers * marks, axis=1)
        return jnp.stack([numbers, marks], axis=-1), self.last(sums[:, None, None])
