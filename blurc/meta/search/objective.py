"""Objectives, with their direction: a `Loss` is minimised, a `Score` maximised.

Methods only see `Costs`, where lower is better, and only an objective can make them, so no method can minimise an
accuracy by mistake. A value that is not finite has infinite cost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NewType, TypeAlias

import jax
import jax.numpy as jnp
import optax

Costs = NewType("Costs", jax.Array)  # [candidates]


@dataclass(frozen=True)
class Loss:
    """of: maps outputs and one-hot targets, both [examples, n], to a scalar. Differentiable."""

    name: str
    of: Callable[[jax.Array, jax.Array], jax.Array]

    greater_is_better = False

    def costs(self, values: jax.Array) -> Costs:
        return _finite_or_worst(values)

    def natural(self, costs: Any) -> Any:
        return costs


@dataclass(frozen=True)
class Score:
    """of: maps outputs and one-hot targets, both [examples, n], to a scalar; NaN if an output is not finite."""

    name: str
    of: Callable[[jax.Array, jax.Array], jax.Array]

    greater_is_better = True

    def costs(self, values: jax.Array) -> Costs:
        return _finite_or_worst(-values)

    def natural(self, costs: Any) -> Any:
        return 0.0 - costs  # no -0.0


Objective: TypeAlias = Loss | Score


def _finite_or_worst(values: jax.Array) -> Costs:
    return Costs(jnp.where(jnp.isfinite(values), values, jnp.inf))


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


OBJECTIVES: dict[str, Objective] = {
    "cross_entropy": Loss("cross_entropy", _cross_entropy),
    "accuracy": Score("accuracy", _accuracy),
}
