"""Copying memory: symbols to remember, a delay, then a signal to say them again in the same order.

Inputs are one-hot: the symbols, a blank at each step of the delay, and a signal at the last `length` steps, where the
answers are. Hochreiter and Schmidhuber (1997); Arjovsky, Shah and Bengio, "Unitary Evolution Recurrent Neural
Networks" (ICML 2016), section 5.1.
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
class Copying(Sequences):
    """symbols: how many there are. length: how many are to be copied. delay: steps in between."""

    NAME: ClassVar[str] = "copying"
    DESCRIPTION: ClassVar[str] = "symbols to remember and to say again after a delay"
    KIND: ClassVar[TargetKind] = "classes"

    symbols: Annotated[int, limits.Limit.whole(2)] = 4
    length: limits.Count = 3
    delay: limits.Size = 3

    @property
    def time(self) -> int:
        return 2 * self.length + self.delay

    @property
    def asked(self) -> int:
        return self.length

    @property
    def features(self) -> int:
        return self.symbols + 2

    @property
    def outputs(self) -> int:
        return self.symbols

    def points(self, place_key: jax.Array, key: jax.Array, count: int) -> tuple[jax.Array, jax.Array]:
        symbol = jax.random.randint(key, (count, self.length), 0, self.symbols)
        blank = jnp.full((count, self.delay), self.symbols)
        ask = jnp.full((count, self.length), self.symbols + 1)
        shown = jnp.concatenate([symbol, blank, ask], axis=1)
        return jax.nn.one_hot(shown, self.features), self.last(symbol)
