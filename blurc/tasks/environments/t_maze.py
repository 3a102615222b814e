"""A corridor that begins with a cue and ends at a junction: what was seen first says which way is paid.

An episode: in its first step the cue is to the left or to the right, then come `delay` steps of an empty corridor, then
the junction, where the agent turns. Turning to the side that the cue means pays 1; elsewhere its actions do nothing.
The return is the share of right turns, 0.5 by chance. In each lifetime the cue points either to the paid side or away
from it. So whoever is paid more than by chance in every lifetime remembers the cue, and has learned what it means.
After the T-maze of Bellec et al., Nature Communications 11 (2020), figure 5, with one cue; from O'Keefe and Dostrovsky
(1971) on, mazes of this form have asked animals for what they saw before.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from blurc.storage import limits, records

CORRIDOR, JUNCTION = 2, 3  # what is seen after the cue, which is 0 or 1


class Run(NamedTuple):
    """cue: 0 on the left, 1 on the right. steps: since it was shown."""

    cue: jax.Array
    steps: jax.Array


@dataclass(frozen=True, eq=False)
class TMaze:
    """delay: steps between the cue and the junction. crossed: whether a cue means the other side, of one lifetime."""

    NAME: ClassVar[str] = "t_maze"
    DESCRIPTION: ClassVar[str] = "a cue, a corridor of `delay` steps, and a junction at which to turn as the cue says"

    delay: limits.Count = 3
    observations: int = field(default=4, metadata=records.NO_KEY)  # a cue on the left, on the right, corridor, junction
    actions: int = field(default=2, metadata=records.NO_KEY)  # to the left, to the right
    bounds: None = field(default=None, metadata=records.NO_KEY)
    crossed: jax.Array | None = field(default=None, metadata=records.NO_KEY)

    def variation(self, key: jax.Array) -> TMaze:
        return replace(self, crossed=jax.random.bernoulli(key).astype(int))

    def reset(self, key: jax.Array) -> tuple[Run, jax.Array]:
        cue = jax.random.bernoulli(key).astype(int)
        return Run(cue, jnp.asarray(0)), jax.nn.one_hot(cue, self.observations)

    def step(self, key: jax.Array, state: Run, action: jax.Array) -> tuple[Run, jax.Array, jax.Array, jax.Array]:
        assert self.crossed is not None
        turns = state.steps > self.delay
        right = action == state.cue ^ self.crossed
        after = Run(state.cue, state.steps + 1)
        seen = jnp.where(after.steps > self.delay, JUNCTION, CORRIDOR)
        return after, jax.nn.one_hot(seen, self.observations), (turns & right).astype(float), turns
