"""Sinusoids to regress on, each episode another one: the first task of most papers on meta-learning.

y = a sin(x - p), with an amplitude a in [0.1, 5] and a phase p in [0, pi], both uniform and drawn once an episode, and
x uniform in [-5, 5]. Finn, Abbeel and Levine, "Model-Agnostic Meta-Learning" (ICML 2017), section 5.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp

from blurc.tasks.generated import Generated
from blurc.tasks.objective import TargetKind

NAME = "sinusoid"
DESCRIPTION = "a sinusoid of another amplitude and phase in each episode, to regress on"
AMPLITUDES = (0.1, 5.0)
PHASES = (0.0, 3.141592653589793)
WIDE = 5.0  # the largest |x|


@partial(jax.tree_util.register_dataclass, data_fields=[], meta_fields=[])
@dataclass(frozen=True, eq=False)
class Sinusoid(Generated):
    @property
    def features(self) -> int:
        return 1

    @property
    def outputs(self) -> int:
        return 1

    @property
    def targets(self) -> TargetKind:
        return "values"

    def points(self, place_key: jax.Array, key: jax.Array, count: int) -> tuple[jax.Array, jax.Array]:
        amplitude_key, phase_key = jax.random.split(place_key)
        amplitude = jax.random.uniform(amplitude_key, minval=AMPLITUDES[0], maxval=AMPLITUDES[1])
        phase = jax.random.uniform(phase_key, minval=PHASES[0], maxval=PHASES[1])
        x = jax.random.uniform(key, (count, 1), minval=-WIDE, maxval=WIDE)
        return x, amplitude * jnp.sin(x - phase)
