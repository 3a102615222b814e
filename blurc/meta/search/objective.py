"""What a genome is judged by, and which way is better: a `Loss` is minimised, a `Score` maximised.

Methods see `Costs` alone, of which less is better, and nothing but an objective makes these: so no method can minimise
an accuracy by mistake. What is not finite costs infinitely much.
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
    """of: outputs and one-hot targets, both [examples, n], to a scalar. It has a gradient."""

    name: str
    of: Callable[[jax.Array, jax.Array], jax.Array]

    greater_is_better = False

    def costs(self, values: jax.Array) -> Costs:
        return _finite_or_worst(values)

    def natural(self, costs: Any) -> Any:
        return costs


@dataclass(frozen=True)
class Score:
    """of: outputs and one-hot targets, both [examples, n], to a scalar, NaN where an output is not finite."""

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
    """XLA may compute outputs twice, and round them another way where their maximum is taken off: huge ones are then
    above it, and the exponential overflows, though all of them are finite."""
    below = outputs - jax.lax.stop_gradient(outputs.max(axis=-1, keepdims=True))
    # Not `minimum`, which halves the gradient of the greatest output.
    return optax.softmax_cross_entropy(jnp.where(below > 0, 0.0, below), targets).mean()


def _accuracy(outputs: jax.Array, targets: jax.Array) -> jax.Array:
    """argmax takes a NaN for a class: what is not finite has no accuracy."""
    hits = jnp.mean(outputs.argmax(-1) == targets.argmax(-1), dtype=outputs.dtype)
    return jnp.where(jnp.isfinite(outputs).all(), hits, jnp.nan)


OBJECTIVES: dict[str, Objective] = {
    "cross_entropy": Loss("cross_entropy", _cross_entropy),
    "accuracy": Score("accuracy", _accuracy),
}
