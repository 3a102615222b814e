"""Finds where a network in an environment diverged, by living step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from blurc.diagnostics import Diagnostic
from blurc.runtime import GenomeValues
from blurc.tasks import Lifetime
from blurc.training import diverge
from blurc.training.lifetime import Alive, Living, step_keys


def relived(
    living: Living, genome: Callable[[int], GenomeValues], alive: Alive, lifetime: Lifetime, help: str = ""
) -> Diagnostic | None:
    """What was not finite first; None if everything is. genome: that of each step, from 0. help: for the case that it
    is the rule's; "": as in training."""
    live = jax.jit(living.lived)
    for i in range(len(lifetime.keys)):
        now = lifetime._replace(keys=lifetime.keys[i : i + 1])
        after, _ = live(genome(i), alive, now)
        if not after.sound:
            return _told(living, genome(i), alive, after, now, i + 1, help)
        alive = after
    return None


def _told(living: Living, genome: Any, alive: Alive, after: Alive, now: Lifetime, step: int, help: str) -> Diagnostic:
    """What was not finite first in the step from `alive` to `after`."""
    name, net = living.world.name, living.net
    x = living.world.variation(now.variation).seen(alive.observation, alive.felt)
    if not np.isfinite(np.asarray(x)).all():
        return _of_world(f"an observation of {name} is not finite", step)
    y = after.felt.action
    fed: dict[str, Any] = {"signals": living.signals("step", alive.felt), "key": step_keys(now.keys[0])[0]}
    network, out = net.step(genome, alive.network, x, y, **fed)
    if found := diverge.of_step(net, genome, alive.network, network, out, x, y, fed):
        told = replace(found, step=step).diagnostic()
        return replace(told, help=help or told.help)
    return _of_world(f"a reward of {name} is not finite", step)


def _of_world(what: str, step: int) -> Diagnostic:
    help = "it comes from the environment, not from the rule: look for a division by 0 there"
    return Diagnostic("E905", f"the lifetime diverged at step {step}: {what}", help=help)
