"""Whether a course fits into memory, by the plan of the network, before anything is compiled."""

from __future__ import annotations

from blurc.api import Net
from blurc.evaluation.course import Course
from blurc.guards import room_on_device
from blurc.plan import Cost, cost_of
from blurc.runtime import check_plan
from blurc.training import at_once, of_optimizer

FEWER = "use batches of at most {}"


def check_learning(net: Net, course: Course) -> None:
    """Raises `BlurError` (E919), with a batch that fits."""
    steps = course.piece * max(1, course.task.time)
    what = f"learning with batches of {course.batch:,}"
    check_plan(net.plan, course.batch, lambda cost: cost.train(steps), what, room_on_device(1), fewer=FEWER)


def check_asking(net: Net, course: Course) -> None:
    """The network that has learned stays, and is not asked everything at once. Raises `BlurError` (E919)."""
    time = max(1, course.task.time)
    asked, learned = at_once(course.query, time), cost_of(net.plan, course.batch)

    def need(cost: Cost) -> float:
        return learned.genome + learned.state + cost.state + time * (cost.examples + cost.readout) + cost.asking

    what, fewer = f"asking {asked:,} test examples at once", "ask at most {} in all"
    check_plan(net.plan, asked, need, what, room_on_device(1), fewer=fewer)


def check_optimizers(net: Net, course: Course) -> None:
    """Raises `BlurError` (E919), with a batch that fits."""

    def need(cost: Cost) -> float:
        return of_optimizer(net.plan, cost.batch) + course.piece * (cost.examples + cost.readout)

    what = f"optimizers with batches of {course.batch:,}"
    check_plan(net.plan, course.batch, need, f"the race against {what}", room_on_device(1), fewer=FEWER)
