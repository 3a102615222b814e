"""Boolean functions of a few bits, another one in each episode.

`separable`: random threshold functions, which one layer can learn. Chalmers, "The Evolution of Learning: An Experiment
in Genetic Connectionism" (1990), evolved the delta rule on these. `any`: a random truth table. `parity`: of a random
subset of the bits, the hardest for a layer. Bits are -1 and 1, answers 0 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import jax
import jax.numpy as jnp

from blurc.storage import limits
from blurc.tasks.families.parametric import Parametric
from blurc.tasks.objective import TargetKind

FUNCTIONS = ("separable", "any", "parity")
MOST_BITS = 20  # of a truth table, which has 2^bits rows


@jax.tree_util.register_static
@dataclass(frozen=True)
class Boolean(Parametric):
    """bits: of an input. functions: of which kind they are."""

    NAME: ClassVar[str] = "boolean"
    DESCRIPTION: ClassVar[str] = "a Boolean function of a few bits, another one in each episode"
    KIND: ClassVar[TargetKind] = "binary"

    bits: Annotated[int, limits.Limit.whole(1, MOST_BITS)] = 5
    functions: Annotated[str, limits.Limit.one_of(*FUNCTIONS)] = "separable"

    @property
    def features(self) -> int:
        return self.bits

    @property
    def outputs(self) -> int:
        return 1

    def points(self, place_key: jax.Array, key: jax.Array, count: int) -> tuple[jax.Array, jax.Array]:
        bits = jax.random.bernoulli(key, shape=(count, self.bits))
        x = jnp.where(bits, 1.0, -1.0)
        if self.functions == "separable":
            weights, threshold = jnp.split(jax.random.normal(place_key, (self.bits + 1,)), [self.bits])
            yes = x @ weights > threshold
        elif self.functions == "parity":
            yes = jnp.sum(bits & jax.random.bernoulli(place_key, shape=(self.bits,)), axis=1) % 2 == 1
        else:
            table = jax.random.bernoulli(place_key, shape=(2**self.bits,))
            yes = table[bits @ (2 ** jnp.arange(self.bits))]
        return x, yes[:, None].astype(jnp.float32)
