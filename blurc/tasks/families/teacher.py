"""Teachers to learn from: each episode has another random function, and other correlations of its inputs.

The inputs are points of a Gaussian cloud in `INPUTS` dimensions, with random axes and a variance along each that is
log-uniform between `LEAST` and 1. Means of inputs by targets therefore do not solve the task: what has little variance
has to be learned as well. The linear teacher is y = A x; the one with a hidden layer is y = A tanh(B x), of `HIDDEN`
units. The entries of A and B are independent normals; each output has a variance of about 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp

from blurc.tasks.generated import Generated
from blurc.tasks.objective import TargetKind

LINEAR, LAYERED = "linear_teacher", "layered_teacher"
NAMES: Mapping[str, str] = {
    LINEAR: "a random linear function of correlated inputs in each episode, to regress on",
    LAYERED: "a random network with one hidden layer in each episode, to regress on",
}
INPUTS = 8
OUTPUTS = 4
HIDDEN = 8
LEAST = 0.1  # the smallest variance of the inputs along an axis
STEEP = 3.0  # how far the hidden units are driven into saturation


@partial(jax.tree_util.register_dataclass, data_fields=[], meta_fields=["hidden"])
@dataclass(frozen=True, eq=False)
class Teacher(Generated):
    """hidden: units of the teacher's hidden layer; 0: it has none."""

    hidden: int = 0

    @property
    def features(self) -> int:
        return INPUTS

    @property
    def outputs(self) -> int:
        return OUTPUTS

    @property
    def targets(self) -> TargetKind:
        return "values"

    def points(self, place_key: jax.Array, key: jax.Array, count: int) -> tuple[jax.Array, jax.Array]:
        axes_key, size_key, first_key, second_key = jax.random.split(place_key, 4)
        axes = jnp.linalg.qr(jax.random.normal(axes_key, (INPUTS, INPUTS)))[0]
        sizes = jnp.exp(0.5 * jax.random.uniform(size_key, (INPUTS,), minval=math.log(LEAST), maxval=0.0))
        x = jax.random.normal(key, (count, INPUTS)) * sizes @ axes.T
        seen = x / jnp.linalg.norm(sizes)
        if self.hidden:
            seen = jnp.tanh(STEEP * seen @ jax.random.normal(first_key, (INPUTS, self.hidden))) / self.hidden**0.5
        return x, seen @ jax.random.normal(second_key, (seen.shape[-1], OUTPUTS))


def make(name: str) -> Teacher:
    return Teacher(HIDDEN if name == LAYERED else 0)
