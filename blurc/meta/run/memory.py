"""How much of a device's memory a candidate takes: the networks that it trains, counted from their plans."""

from __future__ import annotations

from collections.abc import Mapping

from blurc.api import Net
from blurc.meta.experiment.experiment import Experiment, Gradient, Pes, Symbolic
from blurc.meta.run.lessons import Lesson
from blurc.model import FLOAT
from blurc.plan import Cost, Plan, cost_of


def of_candidate(e: Experiment, plan: Plan, batch: int, steps: int) -> int:
    """Bytes of a candidate that trains one network for each task of a meta-step, by so many batches. The examples are
    not among them: all candidates share these."""
    cost = cost_of(plan, batch)
    questions = 0 if e.inner.online or e.inner.probe else -(-e.inner.query // batch)  # answered at the same time
    answering = cost.state + questions * (cost.asking + cost.readout)
    learning = _learning(e, cost, steps) + steps * cost.readout
    return e.tasks_per_step * max(answering, learning)


def of_largest(e: Experiment, net: Net, others: Mapping[str, Lesson]) -> int:
    """The same, of the task whose candidates take most. others: the lessons of tasks that have their own."""
    steps = e.curriculum.until if e.curriculum else e.inner.steps
    every = (Lesson(net, e.inner.batch), *others.values())
    return max(of_candidate(e, of.net.plan, of.batch, of.steps or steps) for of in every)


def _learning(e: Experiment, cost: Cost, steps: int) -> int:
    once = cost.train(1) - cost.examples
    through = cost.gradient(steps) - steps * cost.examples
    match e.method:
        case Gradient(mode="forward"):  # as much again for each meta-parameter
            return (1 + cost.genome // FLOAT) * once
        case Gradient():
            return through
        case Symbolic() if e.method.tune:
            return through
        case Pes():  # the networks live on from piece to piece
            return once + cost.state
        case _:
            return once
