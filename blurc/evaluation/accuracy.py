"""How well a genome trains networks: test accuracy after given numbers of steps, from fresh synapses, for each seed.

Each seed has its own initial synapses and its own variation of the task. A seed diverges when a number stops being
finite; its accuracies are NaN from then on. Means leave diverged seeds out, and say how many there were.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from blurc.api import Net
from blurc.checker import parameters as with_defaults
from blurc.diagnostics import BlurError, Diagnostic, Report
from blurc.evaluation.course import Accuracies, Course, Lost, ruled
from blurc.guards import check_room
from blurc.model import ParamValue
from blurc.runtime import GenomeValues
from blurc.tasks import Examples, Task
from blurc.training import check_in_time, doubts

STEPS = (10, 20, 50, 100)
MOST_QUERIES = 10_000
GENERATED_QUERIES = 1_000  # for tasks that generate their examples without end


def accuracies(
    net: Net,
    genome: GenomeValues | None,
    task: Task,
    *,
    steps: Sequence[int] = STEPS,
    batch: int = 128,
    seeds: int = 5,
    query: int | None = None,
    seed: int = 0,
    lost: Lost | None = None,
) -> Accuracies:
    """Measures accuracy on test examples.

    Args:
        net: the network.
        genome: its meta-parameters; None draws fresh ones for each seed.
        task: what to train on.
        steps: numbers of steps to score after. A score does not depend on the other entries.
        batch: examples per step.
        seeds: how many seeds to run.
        query: how many test examples to score on. By default all, up to 10,000; 1,000 if the task generates them.
        seed: the first seed.
        lost: is told each seed that diverges, and at which step, counted from 1.

    Returns:
        Accuracies from 0 to 1, [seeds, len(steps)]; NaN after divergence.

    Raises:
        BlurError: If a number is below 1 (E806) or the task does not fit the network (E807).
    """
    course = planned(net, task, steps=steps, batch=batch, seeds=seeds, query=query)
    contender = ruled(net, genome)
    return np.stack([course.run(contender, seed + i, lost) for i in range(seeds)])


def planned(net: Net, task: Task, *, steps: Sequence[int], batch: int, seeds: int, query: int | None = None) -> Course:
    """Checks the settings and returns the course. Raises `BlurError` (E806, E807)."""
    check_numbers(steps=tuple(steps), batch=batch, seeds=seeds)
    check_fits(net, task)
    numbers = (batch + (query or 0)) * (task.inputs + task.outputs)
    check_room(
        numbers, f"a batch of {batch:,} with {query or 0:,} test examples", "use a smaller batch, or fewer tests"
    )
    return Course(task, tuple(steps), batch, query or queries(task), math.gcd(*steps))


def queries(task: Task) -> int:
    """The default number of examples to score on."""
    if isinstance(task.source, Examples):
        return min(len(task.source.x_test), MOST_QUERIES)
    return GENERATED_QUERIES


FEW = 64  # examples; means and deviations over fewer are rough


def doubt(net: Net, task: Task, batch: int) -> str:
    """Warnings, a line each, if the network remembers other examples, or normalises over few; else empty."""
    lines = [f"warning: {line}" for line in doubts(net, task.name)]
    few = [
        f"{what} {count} at a time"
        for what, count, block in (("learns from", batch, net.plan.step), ("predicts", queries(task), net.plan.predict))
        if count < FEW and block.uses("standardize")
    ]
    if few:
        what = f"`{net.plan.genome}` normalises over the batch, and loses accuracy because it {' and '.join(few)}"
        lines.append(f"warning: {what}")
    return "\n".join(lines)


@dataclass(frozen=True)
class Summary:
    """One accuracy over seeds: mean and standard deviation of the seeds that stayed finite (NaN if none did), and how
    many seeds diverged."""

    mean: float
    spread: float
    diverged: int
    seeds: int

    @property
    def error(self) -> float:
        """The standard error of the mean."""
        return self.spread / math.sqrt(self.seeds - self.diverged) if self.spread == self.spread else math.nan

    def __str__(self) -> str:
        """In percent: `88.1 ± 0.4`, `80.2 ± 1.1, 2 of 5 diverged`, `diverged`."""
        if self.diverged == self.seeds:
            return "diverged"
        spread = f" ± {100 * self.spread:.1f}" if self.seeds - self.diverged > 1 else ""
        lost = f", {self.diverged} of {self.seeds} diverged" if self.diverged else ""
        return f"{100 * self.mean:.1f}{spread}{lost}"

    def to_json(self) -> dict[str, Any]:
        return {"mean": written(self.mean), "spread": written(self.spread), "diverged": self.diverged}


def summary(values: Accuracies) -> Summary:
    """Summarises accuracies [seeds]."""
    sound = values[np.isfinite(values)]
    mean = float(sound.mean()) if len(sound) else math.nan
    spread = float(sound.std(ddof=1)) if len(sound) > 1 else math.nan
    return Summary(mean, spread, len(values) - len(sound), len(values))


def summaries(values: Accuracies) -> list[Summary]:
    """One summary for each step of accuracies [seeds, steps]."""
    return [summary(column) for column in values.T]


def to_json(steps: Sequence[int], values: Accuracies) -> list[dict[str, Any]]:
    """Accuracies [seeds, steps] as JSON: the summary of each step and the value of each seed."""
    counted = zip(steps, summaries(values), values.T.tolist(), strict=True)
    return [{"steps": n, **found.to_json(), "values": [*map(written, each)]} for n, found, each in counted]


def written(value: float) -> float | None:
    """The value for JSON, which has no NaN."""
    return value if math.isfinite(value) else None


@dataclass(frozen=True, eq=False)
class Row:
    """A table row: names and accuracies [seeds, steps]. `fresh`: each seed drew its own random genome."""

    genome: str
    task: str
    network: str
    accuracies: Accuracies
    fresh: bool = False

    def to_json(self, steps: Sequence[int]) -> dict[str, Any]:
        names = {"genome": self.genome, "task": self.task, "network": self.network}
        return {**names, "fresh": self.fresh, "results": to_json(steps, self.accuracies)}


def label(net: Net, parameters: Mapping[str, ParamValue]) -> str:
    """The network and its parameters: `mnist`, or `mnist(side = 14)`. Leaves out the rule's parameters, and defaults,
    which run folders write out."""
    own = dict(net.model.network.params)
    named = [(name, value) for name, value in parameters.items() if name in own]
    given = ", ".join(f"{name} = {value}" for name, value in named if value != _default(net, name))
    return f"{net.plan.name}({given})" if given else net.plan.name


def _default(net: Net, name: str) -> ParamValue | None:
    """The default of a network parameter, given the values of the others."""
    declared = net.sources.networks[net.plan.name].params
    others = {other: value for other, value in net.model.network.params if other != name}
    return with_defaults(declared, others, Report())[name]


def check_numbers(*, steps: Sequence[int] = (1,), **counts: int) -> None:
    named = [*(("steps", step) for step in steps), *counts.items()]
    wrong = [f"{name} is {value}" for name, value in named if value < 1]
    if wrong or not steps:
        raise BlurError(Diagnostic("E806", f"{' and '.join(wrong) or 'steps is empty'}, expected at least 1"))


def check_fits(net: Net, task: Task) -> None:
    """Raises `BlurError` (E807) if the task does not fit the network."""
    check_no_signals(net)
    check_in_time(net)
    found = [
        problem
        for role, populations, size in (
            ("input", net.signature.inputs, task.inputs),
            ("output", net.signature.outputs, task.outputs),
        )
        if (problem := _misfit(net.signature.name, role, populations, task.name, size))
    ]
    if found:
        raise BlurError(found)


def check_no_signals(net: Net) -> None:
    if reads := net.signature.reads["step"].signals:
        message = f"`{net.signature.name}` reads the signal `{reads[0]}`, which tasks do not have"
        help = f"use a rule that learns from targets, or {net.signature.feeding()}"
        raise BlurError(Diagnostic("E807", message, help=help))


def _misfit(
    network: str, role: str, populations: dict[str, tuple[int, ...]], task: str, size: int
) -> Diagnostic | None:
    if len(populations) != 1:
        message = f"`{network}` has {len(populations)} {role} populations, but a task feeds exactly one"
        return Diagnostic("E807", message, notes=(f"they are {', '.join(populations) or 'none'}",))
    ((name, shape),) = populations.items()
    if math.prod(shape) == size:
        return None
    other = "preprocess it, `TASK:crop=20,resize=10`" if role == "input" else "choose other `classes`"
    if role == "output" and math.prod(shape) > size:
        widened = f"{task}{',' if ':' in task else ':'}outputs={math.prod(shape)}"
        other = f"leave the outputs beyond its {size} classes unused, `{widened}` (`outputs: {math.prod(shape)}`)"
    return Diagnostic(
        "E807",
        f"the task {task} has {size} {role}s, but the {role} `{name}` of `{network}` is {list(shape)}",
        help=f"declare `{name}[{size}]` (or `--set` the parameter for its size), choose another task, or {other}",
    )
