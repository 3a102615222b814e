"""Objectives, with their direction.

Methods only see `Costs`, where lower is better, and only an objective can make them, so no method can minimise an
accuracy by mistake. A value that is not finite has infinite cost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NewType

import jax
import jax.numpy as jnp
import optax

Costs = NewType("Costs", jax.Array)  # [candidates]


@dataclass(frozen=True)
class Objective:
    """What is optimised.

    Attributes:
        of: maps outputs and one-hot targets, both [examples, n], to a scalar that is not finite if an output is not.
        sign: 1 if less is better, -1 if more is.
    """

    of: Callable[[jax.Array, jax.Array], jax.Array]
    sign: int

    def costs(self, values: jax.Array) -> Costs:
        costs = self.sign * values
        return Costs(jnp.where(jnp.isfinite(costs), costs, jnp.inf))

    def natural(self, costs: Any) -> Any:
        return 0.0 + self.sign * costs  # no -0.0


def _cross_entropy(outputs: jax.Array, targets: jax.Array) -> jax.Array:
    """XLA may compute outputs twice and round them differently when subtracting the maximum. Huge outputs can then
    exceed it, and the exponential overflows although all of them are finite."""
    below = outputs - jax.lax.stop_gradient(outputs.max(axis=-1, keepdims=True))
    # Not `minimum`, which halves the gradient of the largest output.
    return optax.softmax_cross_entropy(jnp.where(below > 0, 0.0, below), targets).mean()


def _accuracy(outputs: jax.Array, targets: jax.Array) -> jax.Array:
    """NaN if an output is not finite: argmax would treat a NaN as the winning class."""
    hits = jnp.mean(outputs.argmax(-1) == targets.argmax(-1), dtype=outputs.dtype)
    return jnp.where(jnp.isfinite(outputs).all(), hits, jnp.nan)


OBJECTIVES: dict[str, Objective] = {"cross_entropy": Objective(_cross_entropy, 1), "accuracy": Objective(_accuracy, -1)}
