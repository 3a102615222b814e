"""Which of several random directions an input points along most: a random linear classifier in each episode.

Inputs are independent normals. What can be learned is the projection alone, so a rule that does well has learned to
learn and not what images look like. Random projections make many tasks of one in Kirsch, Harrison, Sohl-Dickstein and
Metz, "General-Purpose In-Context Learning by Meta-Learning Transformers" (2022), section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import jax
import jax.numpy as jnp

from blurc.storage import limits
from blurc.tasks.families.parametric import Parametric
from blurc.tasks.objective import TargetKind


@jax.tree_util.register_static
@dataclass(frozen=True)
class RandomProjection(Parametric):
    """inputs, classes: their numbers."""

    NAME: ClassVar[str] = "random_projection"
    DESCRIPTION: ClassVar[str] = "which of several random directions an input points along, redrawn in each episode"
    KIND: ClassVar[TargetKind] = "classes"

    inputs: limits.Count = 8
    classes: Annotated[int, limits.Limit.whole(2)] = 4

    @property
    def features(self) -> int:
        return self.inputs

    @property
    def outputs(self) -> int:
        return self.classes

    def points(self, place_key: jax.Array, key: jax.Array, count: int) -> tuple[jax.Array, jax.Array]:
        directions = jax.random.normal(place_key, (self.inputs, self.classes))
        x = jax.random.normal(key, (count, self.inputs))
        return x, jnp.argmax(x @ (directions / jnp.linalg.norm(directions, axis=0)), axis=1).astype(jnp.int32)
