"""Points of a random Gaussian cloud in each episode, to find its first principal component without being told.

The cloud has `INPUTS` dimensions and random axes. Along the first axis its variance is 1, along each of the others
uniform between 0 and `SECOND`. There is nothing to learn from but the points: all targets in training are 0. What is
asked of a new point is its coordinate along the first axis, whose sign nobody can know.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp

from blurc.tasks.generated import Generated
from blurc.tasks.objective import TargetKind

NAME = "principal_component"
DESCRIPTION = "points of a random Gaussian cloud in each episode; the answer is the coordinate along its first axis"
INPUTS = 8
SECOND = 0.6  # the greatest variance along the other axes


@partial(jax.tree_util.register_dataclass, data_fields=[], meta_fields=[])
@dataclass(frozen=True, eq=False)
class Cloud(Generated):
    @property
    def features(self) -> int:
        return INPUTS

    @property
    def outputs(self) -> int:
        return 1

    @property
    def targets(self) -> TargetKind:
        return "component"

    def points(self, place_key: jax.Array, key: jax.Array, count: int) -> tuple[jax.Array, jax.Array]:
        axes_key, size_key = jax.random.split(place_key)
        axes = jnp.linalg.qr(jax.random.normal(axes_key, (INPUTS, INPUTS)))[0]
        variances = jax.random.uniform(size_key, (INPUTS,), maxval=SECOND).at[0].set(1.0)
        along = jax.random.normal(key, (count, INPUTS)) * jnp.sqrt(variances)
        return along @ axes.T, along[:, :1]

    def told(self, y: jax.Array) -> jax.Array:
        return jnp.zeros_like(y)
