"""A learner whose network lies on a mesh of devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import numpy as np
from jax.lax import with_sharding_constraint
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from blurc.api import Net
from blurc.diagnostics import BlurError, Diagnostic
from blurc.runtime import Sharding
from blurc.tasks import Batches
from blurc.training.learner import Learner

DATA, MODEL = "data", "model"


def places(net: Net, parts: Mapping[str, int], batch: int) -> Sharding:
    """parts: of the axes `DATA` and `MODEL`, into how many they are divided.

    Raises:
        BlurError: E926 if there are fewer devices, or if the batch cannot be divided.
    """
    sizes = {name: parts.get(name, 1) for name in (DATA, MODEL)}
    check_divisible(batch, sizes[DATA])
    devices, needed = jax.devices(), sizes[DATA] * sizes[MODEL]
    if needed > len(devices):
        message = f"{needed} devices are needed to divide the network like this, and {len(devices)} can be seen"
        raise BlurError(Diagnostic("E926", message, help="divide it by less"))
    mesh = Mesh(np.asarray(devices[:needed]).reshape(*sizes.values()), (DATA, MODEL))
    return net.sharding(mesh, data=DATA, model=MODEL)


def check_divisible(batch: int, data: int) -> None:
    """Raises `BlurError` (E926) if a batch cannot be divided by the axis `DATA`."""
    if batch % data:
        message = f"a batch of {batch:,} cannot be divided by {data}"
        raise BlurError(Diagnostic("E926", message, help=f"take a multiple of {data}: --batch"))


def divided(learner: Learner, at: Sharding) -> Learner:
    """The learner of a network (`rules.learner_of`) on these places, where its state stays."""
    genome, state, key = learner.start
    everywhere = NamedSharding(at.mesh, PartitionSpec())
    examples = NamedSharding(at.mesh, PartitionSpec(None, DATA))
    carried = (at.genome, at.state, everywhere)

    def advance(carry: Any, batches: Batches) -> tuple[Any, jax.Array]:
        batches = jax.tree.map(lambda a: with_sharding_constraint(a, examples), batches)
        after, found = learner.advance(carry, batches)
        return with_sharding_constraint(after, carried), found

    return replace(learner, start=jax.device_put((genome, state, key), carried), advance=advance)
