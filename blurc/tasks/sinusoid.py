"""Sinusoids to regress on, each episode another one: the first task of most papers on meta-learning.

y = a sin(x - p), with an amplitude a in [0.1, 5] and a phase p in [0, pi], both uniform and drawn once an episode, and
x uniform in [-5, 5]. Finn, Abbeel and Levine, "Model-Agnostic Meta-Learning" (ICML 2017), section 5.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp

from blurc.tasks.objective import TargetKind
from blurc.tasks.source import Draw, Drawn

NAME = "sinusoid"
DESCRIPTION = "a sinusoid of another amplitude and phase in each episode, to regress on"
AMPLITUDES = (0.1, 5.0)
PHASES = (0.0, 3.141592653589793)
WIDE = 5.0  # the largest |x|


@partial(jax.tree_util.register_dataclass, data_fields=[], meta_fields=[])
@dataclass(frozen=True, eq=False)
class Sinusoid:
    """All points are new, so `test` makes no difference."""

    @property
    def features(self) -> int:
        return 1

    @property
    def outputs(self) -> int:
        return 1

    @property
    def targets(self) -> TargetKind:
        return "values"

    def draw(self, key: jax.Array, count: int, query: int, test: bool) -> Drawn:
        place_key, key = jax.random.split(key)
        return self.placed(place_key, test)(key, count, query)

    def placed(self, key: jax.Array, test: bool) -> Draw:
        amplitude_key, phase_key = jax.random.split(key)
        amplitude = jax.random.uniform(amplitude_key, minval=AMPLITUDES[0], maxval=AMPLITUDES[1])
        phase = jax.random.uniform(phase_key, minval=PHASES[0], maxval=PHASES[1])

        def draw(draw_key: jax.Array, count: int, query: int) -> Drawn:
            x = jax.random.uniform(draw_key, (count + query, 1), minval=-WIDE, maxval=WIDE)
            y = amplitude * jnp.sin(x - phase)
            return Drawn(x[:count], y[:count], x[count:], y[count:])

        return draw
