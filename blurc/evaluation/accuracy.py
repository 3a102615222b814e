"""How well a genome teaches networks: accuracy on test data after so many steps, from fresh synapses, seed by seed.

Every seed is another start and another variation of the task. Once a number is not finite, the rest of that seed counts
as diverged: its accuracies are NaN, and a mean over the others says how many there were.
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
from blurc.evaluation.course import Accuracies, Course, ruled
from blurc.model import ParamValue
from blurc.runtime import GenomeValues
from blurc.tasks import Examples, Task

STEPS = (10, 20, 50, 100)
MOST_QUERIES = 10_000
GENERATED_QUERIES = 1_000  # of tasks that make their examples, and have no end of them


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
) -> Accuracies:
    """Accuracies on test examples, [seeds, len(steps)]; NaN where training left the finite numbers.

    genome: None: a fresh one for each seed. query: test examples; without, all of them up to 10,000, or 1,000 of a task
    that makes them. seed: the first. The accuracies after one of the steps do not depend on the others. Raises
    `BlurError` (E806, E807) where the numbers make no sense or the task does not fit the network.
    """
    course = planned(net, task, steps=steps, batch=batch, seeds=seeds, query=query)
    contender = ruled(net, genome)
    return np.stack([course.run(contender, seed + i) for i in range(seeds)])


def planned(
    net: Net, task: Task, *, steps: Sequence[int], batch: int, seeds: int, query: int | None = None
) -> Course:
    """The course, once it is known to make sense. Raises `BlurError` (E806, E807)."""
    check_numbers(steps=tuple(steps), batch=batch, seeds=seeds)
    check_fits(net, task)
    return Course(task, tuple(steps), batch, query or queries(task), math.gcd(*steps))


def queries(task: Task) -> int:
    """How many examples are asked about, where nobody says."""
    if isinstance(task.source, Examples):
        return min(len(task.source.x_test), MOST_QUERIES)
    return GENERATED_QUERIES


FEW = 64  # examples, over which a mean and a deviation are rough


def doubt(net: Net, task: Task, batch: int) -> str:
    """A warning where the rule normalises over few examples, when it learns or when it is asked; else empty."""
    few = [
        f"{what} {count} at a time"
        for what, count, block in (
            ("learns", batch, net.plan.step),
            ("is asked about", queries(task), net.plan.predict),
        )
        if count < FEW and block.uses("standardize")
    ]
    if not few:
        return ""
    return f"warning: `{net.plan.genome}` normalises over the batch, and its accuracy falls as it {' and '.join(few)}"


# ---------------------------------------------------------------- summaries over seeds


@dataclass(frozen=True)
class Summary:
    """Of one accuracy over seeds: the mean and the standard deviation of those that stayed finite (NaN where none did),
    and how many of how many diverged."""

    mean: float
    spread: float
    diverged: int
    seeds: int

    @property
    def error(self) -> float:
        """The standard error of the mean."""
        return self.spread / math.sqrt(self.seeds - self.diverged) if self.spread == self.spread else math.nan

    def __str__(self) -> str:
        """In per cent: `88.1 ± 0.4`, `80.2 ± 1.1, 2 of 5 diverged`, `diverged`."""
        if self.diverged == self.seeds:
            return "diverged"
        spread = f" ± {100 * self.spread:.1f}" if self.seeds - self.diverged > 1 else ""
        lost = f", {self.diverged} of {self.seeds} diverged" if self.diverged else ""
        return f"{100 * self.mean:.1f}{spread}{lost}"

    def to_json(self) -> dict[str, Any]:
        return {"mean": written(self.mean), "spread": written(self.spread), "diverged": self.diverged}


def summary(values: Accuracies) -> Summary:
    """Of [seeds]."""
    sound = values[np.isfinite(values)]
    mean = float(sound.mean()) if len(sound) else math.nan
    spread = float(sound.std(ddof=1)) if len(sound) > 1 else math.nan
    return Summary(mean, spread, len(values) - len(sound), len(values))


def summaries(values: Accuracies) -> list[Summary]:
    """Of [seeds, steps], one for each of the steps."""
    return [summary(column) for column in values.T]


def to_json(steps: Sequence[int], values: Accuracies) -> list[dict[str, Any]]:
    """Of [seeds, steps], with the value of each seed."""
    counted = zip(steps, summaries(values), values.T.tolist(), strict=True)
    return [{"steps": n, **found.to_json(), "values": [*map(written, each)]} for n, found, each in counted]


def written(value: float) -> float | None:
    """As JSON has it, which knows no NaN."""
    return value if math.isfinite(value) else None


@dataclass(frozen=True, eq=False)
class Row:
    """Of a table: a genome, a task, a network, and the accuracies [seeds, steps]. fresh: every seed had another random
    genome."""

    genome: str
    task: str
    network: str
    accuracies: Accuracies
    fresh: bool = False

    def to_json(self, steps: Sequence[int]) -> dict[str, Any]:
        names = {"genome": self.genome, "task": self.task, "network": self.network}
        return {**names, "fresh": self.fresh, "results": to_json(steps, self.accuracies)}


def label(net: Net, parameters: Mapping[str, ParamValue]) -> str:
    """Of a network and what is set in it: `mnist`, or `mnist(side = 14)`. Parameters of the rule are left out, as are
    defaults, which run folders write down."""
    own = dict(net.model.network.params)
    named = [(name, value) for name, value in parameters.items() if name in own]
    given = ", ".join(f"{name} = {value}" for name, value in named if value != _default(net, name))
    return f"{net.plan.name}({given})" if given else net.plan.name


def _default(net: Net, name: str) -> ParamValue | None:
    """Of a parameter of the network, beside the others as they are."""
    declared = net.sources.networks[net.plan.name].params
    others = {other: value for other, value in net.model.network.params if other != name}
    return with_defaults(declared, others, Report())[name]


# ---------------------------------------------------------------- what cannot be


def check_numbers(*, steps: Sequence[int] = (1,), **counts: int) -> None:
    named = [*(("steps", step) for step in steps), *counts.items()]
    wrong = [f"{name} is {value}" for name, value in named if value < 1]
    if wrong or not steps:
        raise BlurError(Diagnostic("E806", f"{' and '.join(wrong) or 'steps is empty'}, expected at least 1"))


def check_fits(net: Net, task: Task) -> None:
    """Raises `BlurError` (E807) where the task cannot feed the network."""
    check_no_signals(net)
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
        message = f"`{net.signature.name}` reads the signal `{reads[0]}`, which a task does not hold"
        raise BlurError(Diagnostic("E807", message, help="take a rule that learns from targets"))


def _misfit(
    network: str, role: str, populations: dict[str, tuple[int, ...]], task: str, size: int
) -> Diagnostic | None:
    if len(populations) != 1:
        message = f"`{network}` has {len(populations)} {role} populations, and a task feeds one"
        return Diagnostic("E807", message, notes=(f"they are {', '.join(populations) or 'none'}",))
    ((name, shape),) = populations.items()
    if math.prod(shape) == size:
        return None
    other = "preprocess it, `TASK:crop=20,resize=10`" if role == "input" else "keep other `classes`"
    if role == "output" and math.prod(shape) > size:
        widened = f"{task}{',' if ':' in task else ':'}outputs={math.prod(shape)}"
        other = (
            f"leave the outputs beyond its {size} classes unused, `{widened}` (`outputs: {math.prod(shape)}`)"
        )
    return Diagnostic(
        "E807",
        f"the task {task} has {size} {role}s, but the {role} `{name}` of `{network}` is {list(shape)}",
        help=f"declare `{name}[{size}]` (`--set`, if a parameter says the size), take another task, or {other}",
    )
