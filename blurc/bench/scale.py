"""A search, or one network, on many devices: lower bounds from the plan and the data sheet, as for one step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from blurc.bench.devices import Device
from blurc.guards import most_in
from blurc.model import FLOAT
from blurc.plan import Cost, Plan, cost_of, part_of_state, split

RESULT = 9  # bytes that processes exchange for a candidate of one task: two values, and whether they are finite


@dataclass(frozen=True)
class Search:
    """A generation of a search without gradients: `count` candidates, each of which trains one network, on `devices`
    with a process for each. Answering questions afterwards is not in it."""

    cost: Cost
    steps: int
    count: int
    devices: int
    device: Device

    @property
    def each(self) -> int:
        """Candidates of a device."""
        return -(-self.count // self.devices)

    @property
    def candidate(self) -> int:
        """Bytes of one: its networks before, in and after a step, and its predictions. `blurc meta` also counts the
        questions, which it answers at the same time, and so takes fewer side by side."""
        return self.cost.train(1) - self.cost.examples + self.steps * self.cost.readout

    @property
    def side_by_side(self) -> int:
        memory = self.device.memory
        return self.each if memory is None else min(self.each, most_in(int(memory), self.candidate))

    @property
    def seconds(self) -> float:
        return self.each * self.steps * self.device.seconds(self.cost)

    @property
    def exchanged(self) -> int:
        """Bytes that pass through process 0, which takes all results and sends them to every process."""
        return RESULT * self.count * (1 + self.devices)


@dataclass(frozen=True)
class Divided:
    """A step of one network whose examples are divided by `data` and whose neurons and synapses by `model`, as far as
    they can be. Times and what is sent are lower bounds, as if all of them could."""

    plan: Plan
    batch: int
    data: int
    model: int
    device: Device

    @cached_property
    def cost(self) -> Cost:
        """Of the examples of a device."""
        return cost_of(self.plan, -(-self.batch // self.data))

    @property
    def step(self) -> float:
        """Bytes of a device, whose part of the values in between is taken to be that of its state."""
        cost = self.cost
        part = part_of_state(self.plan, split(self.plan, self.model), cost.batch, 1)
        return cost.genome + part * (2 * cost.state + cost.working) + cost.examples + cost.readout

    @property
    def seconds(self) -> float:
        """Of its arithmetic and memory."""
        return self.device.seconds(self.cost) / self.model

    @cached_property
    def sent(self) -> float:
        """Bytes that a device sends: neurons between the parts of the model, and the changes of its synapses to those
        that have other examples (twice, as rings do)."""
        neurons = FLOAT * split(self.plan, self.model).sent * self.cost.batch / self.model
        synapses = cost_of(self.plan, 1).state / self.model
        return neurons + 2 * synapses * (self.data - 1) / self.data

    @property
    def sending(self) -> float | None:
        """Seconds of that; None where no speed is known."""
        return None if self.device.link is None else self.sent / self.device.link
