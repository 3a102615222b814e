"""Delayed match to sample: a stimulus, a delay, another stimulus; the question is whether the two are the same.

Stimuli are one-hot, and nothing is on during the delay. They match in half of the sequences. A task of working memory
in animals (Miller, Erickson and Desimone, 1996) and in networks with local rules: Miconi, "Biologically plausible
learning in recurrent neural networks reproduces neural dynamics observed during cognitive tasks" (eLife, 2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import jax
import jax.numpy as jnp

from blurc.storage import limits
from blurc.tasks.families.sequences import Sequences
from blurc.tasks.objective import TargetKind


@jax.tree_util.register_static
@dataclass(frozen=True)
class DelayedMatch(Sequences):
    """stimuli: how many there are. delay: steps between two of them."""

    NAME: ClassVar[str] = "delayed_match"
    DESCRIPTION: ClassVar[str] = "whether two stimuli are the same, the second after a delay"
    KIND: ClassVar[TargetKind] = "binary"

    stimuli: Annotated[int, limits.Limit.whole(2)] = 4
    delay: limits.Size = 3

    @property
    def time(self) -> int:
        return self.delay + 2

    @property
    def features(self) -> int:
        return self.stimuli

    @property
    def outputs(self) -> int:
        return 1

    def points(self, place_key: jax.Array, key: jax.Array, count: int) -> tuple[jax.Array, jax.Array]:
        sample_key, other_key, same_key = jax.random.split(key, 3)
        sample = jax.random.randint(sample_key, (count,), 0, self.stimuli)
        other = (sample + jax.random.randint(other_key, (count,), 1, self.stimuli)) % self.stimuli
        same = jax.random.bernoulli(same_key, shape=(count,))
        nothing = jnp.full((count, self.delay), -1)  # no stimulus is -1
        shown = jnp.concatenate([sample[:, None], nothing, jnp.where(same, sample, other)[:, None]], axis=1)
        return jax.nn.one_hot(shown, self.stimuli), self.last(same[:, None, None].astype(jnp.float32))
