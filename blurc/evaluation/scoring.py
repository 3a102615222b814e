"""How well a genome trains networks: the score on test examples after given numbers of steps, from fresh synapses,
for each seed.

Each seed has its own initial synapses and its own variation of the task. A seed diverges when a number stops being
finite; its scores are NaN from then on. Means leave diverged seeds out, and say how many there were.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from blurc.api import Net
from blurc.checker import parameters as with_defaults
from blurc.diagnostics import BlurError, Diagnostic, Report
from blurc.evaluation.course import Course, Lost, Scores, probed, ruled
from blurc.evaluation.lifetimes import LAST, LifeCourse
from blurc.evaluation.online_curves import Online
from blurc.evaluation.online_curves import run as run_online
from blurc.evaluation.replay_course import ReplayCourse, check_batch
from blurc.guards import check_room
from blurc.model import ParamValue
from blurc.runtime import GenomeValues, Program
from blurc.tasks import AnyTask, Examples, LoadedTask, Objective, Recordings, World, number, objective_of
from blurc.training import (
    SIGNALS,
    Probe,
    check_answers,
    check_in_time,
    check_probe,
    check_recordings,
    check_signals,
    doubts,
    task_problems,
)

STEPS = (10, 20, 50, 100)
MOST_QUERIES = 10_000
GENERATED_QUERIES = 1_000  # for tasks that generate their examples without end


def scores(
    net: Net,
    genome: GenomeValues | None,
    task: AnyTask,
    *,
    metric: str = "",
    steps: Sequence[int] = STEPS,
    batch: int = 128,
    seeds: int = 5,
    query: int | None = None,
    seed: int = 0,
    lost: Lost | None = None,
    probe: Probe | None = None,
) -> Scores:
    """Measures how good the answers to test examples are.

    Args:
        net: the network.
        genome: its meta-parameters; None draws fresh ones for each seed.
        task: what to train on.
        metric: the name of the objective to measure (`tasks.OBJECTIVES`); "": the score of the task.
        steps: numbers of steps to score after. A score does not depend on the other entries.
        batch: examples per step.
        seeds: how many seeds to run.
        query: how many test examples to score on. By default all, up to 10,000; 1,000 if the task generates them. Of an
            environment, the last steps before each of `steps` whose rewards are scored, by default 100. Recordings
            have none.
        seed: the first seed.
        lost: is told each seed that diverges, and at which step, counted from 1.
        probe: a readout of a population that answers in the place of the outputs, fitted to the last 10,000 examples
            that were learned; None: the outputs answer.

    Returns:
        Scores [seeds, len(steps)], accuracies from 0 to 1; NaN after divergence.

    Raises:
        BlurError: If a number is below 1 (E806), the task does not fit the network (E807), or the metric does not fit
            the targets (E813).
    """
    if isinstance(task, World):
        check_numbers(steps=tuple(steps), batch=batch, seeds=seeds, query=1 if query is None else query)
        check_fits(net, task, probe)
        measured = objective_of(task, metric, task.score)
        lives = LifeCourse(net, task, measured, tuple(steps), batch, query or LAST)
        return lives.run(genome, range(seed, seed + seeds), lost)
    if isinstance(task, Recordings):
        check_numbers(steps=tuple(steps), batch=batch, seeds=seeds)
        check_batch(batch, task.name)
        check_fits(net, task, probe)
        replays = ReplayCourse(net, task, objective_of(task, metric, task.score), tuple(steps))
        return replays.run(genome, range(seed, seed + seeds), lost)
    course = planned(net, task, metric=metric, steps=steps, batch=batch, seeds=seeds, query=query, probe=probe)
    contender = probed(net, genome, probe) if probe else ruled(net, genome)
    return np.stack([course.run(contender, seed + i, lost) for i in range(seeds)])


def online(
    net: Net,
    genome: GenomeValues | None,
    task: AnyTask,
    *,
    steps: int,
    metric: str = "",
    batch: int = 1,
    seeds: int = 5,
    seed: int = 0,
    lost: Lost | None = None,
) -> Online:
    """Measures how good answers are while the network learns: every batch is asked just before it is learned.

    Args:
        net: the network.
        genome: its meta-parameters; None draws fresh ones for each seed.
        task: what to train on; its examples and variations are those of `scores`.
        steps: how many batches.
        metric: the name of the objective to measure; "": the score of the task.
        batch: examples per step.
        seeds: how many seeds to run.
        seed: the first seed.
        lost: is told each seed that diverges, and at which step, counted from 1.

    Raises:
        BlurError: As `scores`, and E807 for an environment or recordings, which have no answers to ask for.
    """
    check_online(task)
    assert isinstance(task, LoadedTask)
    measured = planned(net, task, metric=metric, steps=(steps,), batch=batch, seeds=seeds).metric
    check_answers(steps, batch, max(1, task.time) * task.outputs)
    of = range(seed, seed + seeds)
    return run_online(net, genome, task, measured, steps=steps, batch=batch, seeds=of, lost=lost)


def check_online(task: AnyTask) -> None:
    """Raises `BlurError` (E807)."""
    if not isinstance(task, LoadedTask):
        has = "rewards, which are counted while it learns anyway" if isinstance(task, World) else "recorded activity"
        message = f"online, batches are asked before they are learned, and {task.name} has {has}"
        raise BlurError(Diagnostic("E807", message, help="leave `--online` out"))


def planned(
    net: Net,
    task: LoadedTask,
    *,
    steps: Sequence[int],
    batch: int,
    seeds: int,
    query: int | None = None,
    metric: str = "",
    probe: Probe | None = None,
) -> Course:
    """Checks the settings and returns the course. Raises `BlurError` (E806, E807, E813)."""
    measured = objective_of(task, metric, task.score)
    check_numbers(steps=tuple(steps), batch=batch, seeds=seeds, query=1 if query is None else query)
    check_fits(net, task, probe)
    numbers = (batch + (query or 0)) * max(1, task.time) * (task.inputs + task.outputs)
    check_room(
        numbers, f"a batch of {batch:,} with {query or 0:,} test examples", "use a smaller batch, or fewer tests"
    )
    return Course(task, measured, tuple(steps), batch, query or queries(task), math.gcd(*steps))


def queries(task: LoadedTask) -> int:
    """The default number of examples to score on."""
    if isinstance(task.source, Examples):
        return min(len(task.source.x_test), MOST_QUERIES)
    return GENERATED_QUERIES


FEW = 64  # examples; means and deviations over fewer are rough


def doubt(net: Net, task: AnyTask, batch: int, query: int | None = None) -> str:
    """Warnings, a line each, if the network remembers other examples, or normalises over few; else empty. query: how
    many are predicted at a time, if not the default number."""
    if isinstance(task, World):
        return doubt_of_rewards(net, net.plan.genome, task)
    if isinstance(task, Recordings):
        return _doubt_of_recordings(net, task)
    lines = [f"warning: {line}" for line in doubts(net, task.name, task.time, task.is_masked)]
    few = [
        f"{what} {count} at a time"
        for what, count, block in (
            ("learns from", batch, net.plan.step),
            ("predicts", query or queries(task), net.plan.predict),
        )
        if count < FEW and block.uses("standardize")
    ]
    if few:
        what = f"`{net.plan.genome}` normalises over the batch, and does worse because it {' and '.join(few)}"
        lines.append(f"warning: {what}")
    return "\n".join(lines)


def doubt_of_rewards(net: Program, rule: str, world: World) -> str:
    """A warning if the rule does not hear of rewards; else empty."""
    if "reward" in (*net.signature.reads["step"].signals, *world.observe):
        return ""
    return f"warning: `{rule}` does not read the signal `reward`: it cannot learn from what {world.name} pays"


def _doubt_of_recordings(net: Net, recordings: Recordings) -> str:
    lines = [f"warning: {line}" for line in doubts(net, recordings.name, recordings.time)]
    if recordings.is_alone:
        lines.append(f"warning: {recordings.name} has one recording, so it is tested with what a rule may be fitted to")
    return "\n".join(lines)


@dataclass(frozen=True)
class Summary:
    """One score over seeds: mean and standard deviation of the seeds that stayed finite (NaN if none did), and how
    many seeds diverged."""

    mean: float
    spread: float
    diverged: int
    seeds: int

    @property
    def error(self) -> float:
        """The standard error of the mean."""
        return self.spread / math.sqrt(self.seeds - self.diverged) if self.spread == self.spread else math.nan

    def show(self, metric: Objective) -> str:
        """Without the unit: `88.1 ± 0.4`, `80.2 ± 1.1, 2 of 5 diverged`, `diverged`."""
        if self.diverged == self.seeds:
            return "diverged"
        spread = f" ± {number(self.spread, metric.unit)}" if self.seeds - self.diverged > 1 else ""
        lost = f", {self.diverged} of {self.seeds} diverged" if self.diverged else ""
        return f"{number(self.mean, metric.unit)}{spread}{lost}"

    def to_json(self) -> dict[str, Any]:
        return {"mean": written(self.mean), "spread": written(self.spread), "diverged": self.diverged}


def summary(values: Scores) -> Summary:
    """Summarises scores [seeds]."""
    sound = values[np.isfinite(values)]
    mean = float(sound.mean()) if len(sound) else math.nan
    spread = float(sound.std(ddof=1)) if len(sound) > 1 else math.nan
    return Summary(mean, spread, len(values) - len(sound), len(values))


def summaries(values: Scores) -> list[Summary]:
    """One summary for each step of scores [seeds, steps]."""
    return [summary(column) for column in values.T]


def to_json(steps: Sequence[int], values: Scores) -> list[dict[str, Any]]:
    """Scores [seeds, steps] as JSON: the summary of each step and the value of each seed."""
    counted = zip(steps, summaries(values), values.T.tolist(), strict=True)
    return [{"steps": n, **found.to_json(), "values": [*map(written, each)]} for n, found, each in counted]


def written(value: float) -> float | None:
    """The value for JSON, which has no NaN."""
    return value if math.isfinite(value) else None


@dataclass(frozen=True, eq=False)
class Row:
    """A table row: names and scores [seeds, steps] by a metric. `fresh`: each seed drew its own random genome.
    `online`: the answers that the scores are of, if these were given while the network learned."""

    genome: str
    task: str
    network: str
    scores: Scores
    metric: Objective
    fresh: bool = False
    online: Online | None = None

    def to_json(self, steps: Sequence[int]) -> dict[str, Any]:
        names = {"genome": self.genome, "task": self.task, "network": self.network}
        names |= {"metric": self.metric.title, "unit": self.metric.unit}
        found = {**names, "fresh": self.fresh, "results": to_json(steps, self.scores)}
        if self.online:
            found["curve"] = to_json(self.online.ends, self.online.scores(self.online.ends))
        return found


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


def check_fits(net: Program, task: AnyTask, probe: Probe | None = None) -> None:
    """Raises `BlurError` (E807) if the task does not fit the network. A readout answers where there is a probe, so the
    outputs may then be others, unless they are taught."""
    if isinstance(task, Recordings):
        return _check_recorded(net, task, probe)
    if isinstance(task, World):
        _check_no_ids(net)
        _check_signals(net, task)
    else:
        check_signals(net.signature)
    if not (isinstance(task, World) or task.time):
        check_in_time(net)
    found = [
        problem
        for role, populations, size in (
            ("input", net.signature.inputs, task.inputs),
            ("output", net.signature.outputs, task.outputs),
        )
        if (not net.signature.ids if role == "input" else not probe or net.signature.uses_target)
        and (problem := _misfit(net.signature.name, role, populations, task, size))
    ]
    if net.signature.ids and isinstance(task, LoadedTask):
        found += task_problems(task, net.signature)
    if found:
        raise BlurError(found)
    if probe:
        check_probe(net, probe, task.name, isinstance(task, World) or task.time > 0)


def _check_recorded(net: Program, recordings: Recordings, probe: Probe | None) -> None:
    assert isinstance(net, Net)  # `blurc train`, which takes artifacts, has no recordings
    if probe:
        message = f"a probe answers in the place of outputs, and {recordings.name} says what populations did"
        raise BlurError(Diagnostic("E807", message, help="leave the probe out"))
    check_recordings(net, recordings)


def _check_no_ids(net: Program) -> None:
    if net.signature.ids:
        what = f"`{net.signature.ids[0]}` of `{net.signature.name}` is an input by ids"
        message = f"{what}, and what is observed of environments are numbers"
        raise BlurError(Diagnostic("E807", message, help="declare its shape: `input seen[4]`"))


def _check_signals(net: Program, world: World) -> None:
    reads, wanted = net.signature.reads["step"].signals, " and ".join(f"`{name}`" for name in SIGNALS)
    for name in reads:
        shape = net.signature.signals[name]
        if name not in SIGNALS:
            message = f"`{net.signature.name}` reads the signal `{name}`, and environments have {wanted}"
            help = f"call it {wanted.replace(' and ', ' or ')}, or leave it out"
            raise BlurError(Diagnostic("E807", message, help=help))
        if shape:
            what = f"the signal `{name}` of `{net.signature.name}` is {list(shape)}"
            help = f"declare `signal {name}`, or `signal {name} per example`"
            raise BlurError(Diagnostic("E807", f"{what}, and {world.name} gives one number", help=help))


def _misfit(
    network: str, role: str, populations: dict[str, tuple[int, ...]], task: LoadedTask | World, size: int
) -> Diagnostic | None:
    if len(populations) != 1:
        message = f"`{network}` has {len(populations)} {role} populations, but a task feeds exactly one"
        return Diagnostic("E807", message, notes=(f"they are {', '.join(populations) or 'none'}",))
    ((name, shape),) = populations.items()
    if math.prod(shape) == size:
        return None
    message = f"the task {task.name} has {size} {role}{'' if size == 1 else 's'}"
    message += f", but the {role} `{name}` of `{network}` is {list(shape)}"
    help = f"declare `{name}[{size}]` (or `--set` the parameter for its size)"
    *ways, last = help, "choose another task", *_other_ways(role, math.prod(shape), shape, task)
    return Diagnostic("E807", message, help=f"{', '.join(ways)}, or {last}")


def _other_ways(role: str, count: int, shape: tuple[int, ...], task: LoadedTask | World) -> Iterator[str]:
    """What else may make a task fit a population of this shape and count."""
    if isinstance(task, World):
        return
    if role == "input" and not task.time and task.inputs % count == 0:
        where = "`time = True` in its class" if task.own else "`time: true`"
        yield f"if an example is a sequence of inputs {list(shape)}, say so: {where}"
    elif role == "input":
        yield "preprocess it, `TASK:crop=20,resize=10`"
    elif task.classes and count < task.outputs:
        yield "choose other `classes`"
    elif task.classes:
        widened = f"{task.name}{',' if ':' in task.name else ':'}outputs={count}"
        yield f"leave the outputs beyond its {task.outputs} classes unused, `{widened}` (`outputs: {count}`)"
