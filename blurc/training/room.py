"""Whether training fits into memory, by the plan of the network."""

from __future__ import annotations

from dataclasses import replace

from blurc.api import Net
from blurc.guards import of_device
from blurc.plan import Cost, part_of_state
from blurc.runtime import Program, Sharding, check_plan
from blurc.tasks import Dataset
from blurc.training.learner import Settings

DIVIDE = "use a smaller network, or divide it over more devices: `--shard model=N`"

TOO_HIGH = 1.3  # times what XLA reports for a divided network: the most that the count below was (docs/SPEED.md)


def check_training(net: Program, data: Dataset, settings: Settings, at: Sharding | None = None) -> None:
    """Before anything is compiled. An artifact, which has no plan, is let through.

    Args:
        net: the network.
        data: what it learns.
        settings: how.
        at: the places of its arrays on many devices, each of which has its share.

    Raises:
        BlurError: E919, with what would fit.
    """
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
    instead = f"not even a batch of {among} fits: {DIVIDE}"
    check_plan(plan, settings.batch, need, what, of_device(devices), instead=instead, multiple=among, slack=slack)
