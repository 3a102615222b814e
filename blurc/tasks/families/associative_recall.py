"""Associative recall: pairs of a key and a value, one pair a step, then one of the keys; the answer is its value.

The keys of a sequence are distinct, its values are not. Inputs are one-hot keys beside one-hot values; the last step
has a key alone. Ba, Hinton, Mnih, Leibo and Ionescu, "Using Fast Weights to Attend to the Recent Past" (NeurIPS 2016),
section 4.1, with a pair in each step.
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
class AssociativeRecall(Sequences):
    """pairs: of a sequence. values: how many there are. There are twice as many keys as pairs."""

    NAME: ClassVar[str] = "associative_recall"
    DESCRIPTION: ClassVar[str] = "pairs of keys and values, then a key; the answer is its value"
    KIND: ClassVar[TargetKind] = "classes"

    pairs: limits.Count = 3
    values: Annotated[int, limits.Limit.whole(2)] = 4

    @property
    def time(self) -> int:
        return self.pairs + 1

    @property
    def features(self) -> int:
        return 2 * self.pairs + self.values

    @property
    def outputs(self) -> int:
        return self.values

    def points(self, place_key: jax.Array, key: jax.Array, count: int) -> tuple[jax.Array, jax.Array]:
        order_key, value_key, which_key = jax.random.split(key, 3)
        order = jax.vmap(lambda k: jax.random.permutation(k, 2 * self.pairs))(jax.random.split(order_key, count))
        keys = order[:, : self.pairs]
        values = jax.random.randint(value_key, (count, self.pairs), 0, self.values)
        which = jax.random.randint(which_key, (count, 1), 0, self.pairs)
        asked, answer = (jnp.take_along_axis(of, which, axis=1) for of in (keys, values))
        shown_keys = jax.nn.one_hot(jnp.concatenate([keys, asked], axis=1), 2 * self.pairs)
        nothing = jnp.full((count, 1), -1)  # no value is -1
        shown_values = jax.nn.one_hot(jnp.concatenate([values, nothing], axis=1), self.values)
        return jnp.concatenate([shown_keys, shown_values], axis=-1), self.last(answer)
