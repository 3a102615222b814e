"""Every batch is asked just before it is learned, so that learning shows while it goes on (prequential evaluation)."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax

from blurc.guards import check_room
from blurc.runtime import map_tree
from blurc.tasks import Batches
from blurc.training.learner import Learner


class Answered(NamedTuple):
    """outputs: [steps, batch, ..] before each batch was learned. sound: [steps], whether all was finite after it."""

    outputs: jax.Array
    sound: jax.Array


def check_answers(steps: int, batch: int, each: int) -> None:
    """Raises `BlurError` (E919) if all answers, of so many numbers each, and their targets do not fit into memory."""
    check_room(2 * steps * batch * each, f"the answers to {steps:,} batches of {batch:,}", "take fewer steps")


def ask_then_learn(learner: Learner, carry: Any, batches: Batches) -> tuple[Any, Answered]:
    """The carry after all batches, and the answers on the way. A pure function, to be compiled."""

    def step(carry: Any, batch: Batches) -> tuple[Any, Answered]:
        outputs = learner.predict(carry, batch.xs, 0)
        carry, sound = learner.advance(carry, map_tree(lambda a: a[None], batch))
        return carry, Answered(outputs, sound)

    return jax.lax.scan(step, carry, batches)
