"""What a task of one's own has."""

from __future__ import annotations

from typing import Protocol, TypeAlias

import jax

# xs and ys, or also a mask.
Sample: TypeAlias = "tuple[jax.Array, jax.Array] | tuple[jax.Array, jax.Array, jax.Array]"


class Task(Protocol):
    """A task of one's own: any object with these two methods, both pure functions in JAX. No base class is needed.

    class Waves:
        def sample(self, key, steps, batch):
            phase_key, x_key = jax.random.split(key)
            phase = jax.random.uniform(phase_key, maxval=jnp.pi)
            x = jax.random.uniform(x_key, (steps, batch, 1), minval=-5, maxval=5)
            return x, jnp.sin(x - phase)

        def score(self, outs, targets):
            return jnp.mean((outs - targets) ** 2)

    Three attributes are optional:

    time: True if examples are sequences. Then xs is [steps, batch, time, *input] and ys [steps, batch, time, *output],
        and a mask [steps, batch, time] may come third, 1 where an answer is asked. `score` gets [examples, time,
        *output], 0 where nothing is asked; one whose third argument is called `mask`, or has no default, is given the
        mask [examples, time] there.
    greater_is_better: the direction of `score`. If True, a score is at most 1; if False (the default), at least 0.
    kind: of the targets, one of `"values"` (the default), `"classes"` (one-hot), `"binary"` (zeros and ones). It says
        which named objectives suit the task, and what optimizers descend in a race.
    """

    def sample(self, key: jax.Array, steps: int, batch: int) -> Sample:
        """One variation of the task: `steps` batches of it.

        blurc asks for more than it trains on, and what it keeps back is what the network is asked in the end.

        Args:
            key: a JAX random key, which alone decides what is drawn.
            steps: batches.
            batch: examples per batch.

        Returns:
            xs [steps, batch, *input] and ys [steps, batch, *output].
        """
        ...

    def score(self, outs: jax.Array, targets: jax.Array) -> jax.Array:
        """How good outputs are, as a scalar: outs and targets are both [examples, *output]."""
        ...
