"""What a network costs, from its plan alone: in milliseconds, before anything is compiled."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from blurc.model import FLOAT
from blurc.plan.counting import Counted, Share
from blurc.plan.plan import Plan, Variable


@dataclass(frozen=True)
class Cost:
    """What a network costs with a batch of so many examples. Memory is in bytes, of 4 for each number.

    Arithmetic and the memory of a step are within a fifth of what XLA reports on CPUs, the memory of convolutions
    within a third (tests/plan/test_cost.py).

    Attributes:
        batch: examples in a step.
        parts: a step by projections and populations.
        genome: the meta-parameters.
        state: synapses, neurons and statistics, of this batch.
        examples: the inputs and targets of a step.
        readout: the predictions of a step.
        working: the most that exists at once besides all these.
        residuals: what a gradient keeps of each step that it goes back through.
        asking: the most that exists at once while a batch is predicted, besides its state, inputs and predictions.
    """

    batch: int
    parts: tuple[Share, ...]
    genome: int
    state: int
    examples: int
    readout: int
    working: int
    residuals: int
    asking: int

    @property
    def flops(self) -> int:
        """Of a step."""
        return sum(p.flops for p in self.parts)

    @property
    def moved(self) -> int:
        """Bytes that a step reads and writes."""
        return sum(p.moved for p in self.parts)

    @property
    def step(self) -> int:
        """Memory of `net.step`: the state before and after it."""
        return self.genome + 2 * self.state + self.examples + self.readout + self.working

    def train(self, steps: int) -> int:
        """Memory of `net.train` on so many steps at once: their examples, and three states."""
        return self.genome + 3 * self.state + steps * (self.examples + self.readout) + self.working

    def gradient(self, steps: int, recompute: bool = True) -> int:
        """Memory of a gradient through so many steps of `net.train`, with `recompute` or without. Coarser than the
        others: within a factor of 1.5 of what XLA reports."""
        length = math.isqrt(steps) if recompute and steps >= 4 else steps
        kept = (steps // length) * self.state if length < steps else 0
        return self.train(steps) + kept + length * self.residuals


def cost_of(plan: Plan, batch: int) -> Cost:
    step = Counted(plan, plan.step, batch)
    of = {**{p.name: p.size for p in plan.populations}, **{p.name: math.prod(p.shape) for p in plan.projections}}

    def numbers(variables: Iterable[Variable], each: int = 1) -> int:
        return sum(math.prod(v.dims) * of[v.of] * each for v in variables)

    shapes = [plan.meta_shapes(v) for v in plan.metas]
    metas = sum(math.prod(s) for each in shapes for s in (each.values() if isinstance(each, dict) else (each,)))
    kept = numbers(plan.channels) + numbers(plan.statistics) + numbers((*plan.carried, *plan.examples), batch)
    inputs, outputs = (sum(p.given for p in plan.with_role(role)) for role in ("input", "output"))
    return Cost(
        batch=batch,
        parts=step.parts,
        genome=FLOAT * metas,
        state=FLOAT * kept,
        examples=FLOAT * batch * (inputs + outputs * plan.step.uses_target),
        readout=FLOAT * batch * outputs,
        working=step.working,
        residuals=step.residuals,
        asking=Counted(plan, plan.predict, batch).working,
    )
