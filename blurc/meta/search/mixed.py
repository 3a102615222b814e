"""Judges genomes on episodes of several networks and sizes, one episode after the other.

Each network has its own `Judge`, whose program is compiled once for each shape of episodes, whatever is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

from blurc.meta.search.episode import Drawn, Feedback, Judge

# The episodes of a meta-step, each alone, with the judge of its network.
Mixed: TypeAlias = Sequence[tuple[Judge, Drawn]]


@dataclass(frozen=True, eq=False)
class MixedJudge(Judge):
    """`net` is the first network, which the others share their meta-parameters with."""

    @cached_property
    def values(self) -> Callable[..., Feedback]:
        """(candidates, mixed) -> Feedback."""

        def run(candidates: Any, mixed: Mixed) -> Feedback:
            found = [judge.values(candidates, drawn) for judge, drawn in mixed]
            each, values, _ = self._together(found, mixed)
            return Feedback(values, jnp.isfinite(values), each)

        return run

    @cached_property
    def gradients(self) -> Callable[..., Feedback]:
        """(candidates, mixed) -> Feedback."""

        def run(candidates: Any, mixed: Mixed) -> Feedback:
            found = [judge.gradients(candidates, drawn) for judge, drawn in mixed]
            each, values, slopes = self._together(found, mixed)

            def total(*of_episodes: jax.Array) -> jax.Array:
                parts = [_times(slope, g) for slope, g in zip(slopes.T, of_episodes, strict=True)]
                return jnp.stack(parts).sum(axis=0)

            gradients = jax.tree.map(total, *(f.gradients for f in found))
            finite = jnp.stack([f.finite for f in found]).all(axis=0)
            return Feedback(values, jnp.isfinite(values) & finite, each, gradients)

        return run

    def _together(self, found: Sequence[Feedback], mixed: Mixed) -> tuple[jax.Array, jax.Array, jax.Array]:
        """The value of each episode [candidates, episodes], those of all [candidates], and how they depend on each."""
        each = jnp.concatenate([f.each for f in found], axis=1)
        tasks = jnp.concatenate([drawn.tasks for _, drawn in mixed])
        values, slopes = jax.vmap(jax.value_and_grad(lambda one: self.combine(one, tasks)))(each)
        return each, values, slopes


def _times(slope: jax.Array, gradient: jax.Array) -> jax.Array:
    """slope [candidates], gradient [candidates, ..]. What does not count is 0, even if it is not finite."""
    slope = slope.reshape(-1, *(1,) * (gradient.ndim - 1))
    return jnp.where(slope == 0, 0, slope * gradient)
