"""Whether training fits into memory, by the plan of the network."""

from __future__ import annotations

import math
from dataclasses import replace

from blurc.api import Net
from blurc.guards import has_own_memory, room_on_device
from blurc.model import FLOAT
from blurc.plan import Cost, Plan, part_of_state
from blurc.runtime import Program, Sharding, check_plan
from blurc.tasks import Dataset, check_batch
from blurc.training.learner import Settings

SMALLER, DIVIDE = "use a smaller network", "or divide it over more devices: `--shard model=N`"

TOO_HIGH = 1.3  # times what XLA reports for a divided network: the most that the count below was (docs/SPEED.md)
VALUES, COPIES = 5, 7  # of hidden activity, and of synapses, that XLA holds under Adam on CPUs (docs/SPEED.md)


def of_optimizer(plan: Plan, batch: int) -> int:
    """Bytes that a step of the same wiring takes as a practitioner would train it, without the examples."""
    neurons = sum(p.size for p in plan.populations if p.role != "input")
    synapses = sum(math.prod(p.shape) for p in plan.projections)
    return FLOAT * (VALUES * batch * neurons + COPIES * synapses)


def check_baselines(net: Program, data: Dataset, settings: Settings) -> None:
    """Whether SGD and Adam fit, before the rule is trained. Raises `BlurError` (E919)."""
    if not isinstance(net, Net):
        return
    plan = net.plan

    def need(cost: Cost) -> float:
        steps = replace(settings, batch=cost.batch).rhythm(data)[0]
        return of_optimizer(plan, cost.batch) + steps * (cost.examples + cost.readout)

    what = f"the comparison with SGD and Adam, with batches of {settings.batch:,},"
    fewer, instead = "write `--batch {}`, or leave them out: `--no-baselines`", "leave them out: `--no-baselines`"
    check_plan(plan, settings.batch, need, what, room_on_device(1), fewer=fewer, instead=instead)


def check_training(net: Program, data: Dataset, settings: Settings, at: Sharding | None = None) -> None:
    """Before anything is compiled. An artifact, which has no plan, is let through.

    Args:
        net: the network.
        data: what it learns.
        settings: how.
        at: the places of its arrays on many devices, each of which has its share.

    Raises:
        BlurError: E919, with what would fit; E806 if there are fewer examples than a batch has.
    """
    check_batch(data, settings.batch)
    if not isinstance(net, Net):
        return
    plan, devices = net.plan, at.mesh.size if at else 1
    among = at.mesh.shape["data"] if at else 1

    def need(cost: Cost) -> float:
        steps = max(1, data.time) * replace(settings, batch=cost.batch).rhythm(data)[0]
        part = part_of_state(plan, at.split, cost.batch, among) if at else 1
        examples = steps * (cost.examples + cost.readout) / among
        return cost.genome + part * (cost.train(0) - cost.genome) + examples

    what = f"training with batches of {settings.batch:,}"
    if at:
        what += f", on each of {devices} devices,"
    slack = TOO_HIGH if at else 1
    instead = f"not even a batch of {among} fits: {SMALLER}{f', {DIVIDE}' if has_own_memory() else ''}"
    check_plan(plan, settings.batch, need, what, room_on_device(devices), instead=instead, multiple=among, slack=slack)
