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

from blurc.tasks.objective import TargetKind
from blurc.tasks.source import Draw, Drawn

NAME = "principal_component"
DESCRIPTION = "points of a random Gaussian cloud in each episode; asked is the coordinate along its first axis"
INPUTS = 8
SECOND = 0.6  # the greatest variance along the other axes


@partial(jax.tree_util.register_dataclass, data_fields=[], meta_fields=[])
@dataclass(frozen=True, eq=False)
class Cloud:
    """All points are new, so `test` makes no difference."""

    @property
    def features(self) -> int:
        return INPUTS

    @property
    def outputs(self) -> int:
        return 1

    @property
    def targets(self) -> TargetKind:
        return "component"

    def draw(self, key: jax.Array, count: int, query: int, test: bool) -> Drawn:
        place_key, key = jax.random.split(key)
        return self.placed(place_key, test)(key, count, query)

    def placed(self, key: jax.Array, test: bool) -> Draw:
        axes_key, size_key = jax.random.split(key)
        axes = jnp.linalg.qr(jax.random.normal(axes_key, (INPUTS, INPUTS)))[0]
        variances = jax.random.uniform(size_key, (INPUTS,), maxval=SECOND).at[0].set(1.0)

        def draw(draw_key: jax.Array, count: int, query: int) -> Drawn:
            along = jax.random.normal(draw_key, (count + query, INPUTS)) * jnp.sqrt(variances)
            x = along @ axes.T
            return Drawn(x[:count], jnp.zeros((count, 1)), x[count:], along[count:, :1])

        return draw
