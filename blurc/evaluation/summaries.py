"""Scores over seeds, summed up for tables, JSON and pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from blurc.api import Net
from blurc.checker import parameters as with_defaults
from blurc.diagnostics import Report
from blurc.evaluation.course import Scores
from blurc.evaluation.online_curves import Online
from blurc.model import ParamValue
from blurc.tasks import AnyTask, Objective, Recordings, mean_and_spread, number


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
        lost = f", {self.diverged} of {self.seeds} diverged" if self.diverged else ""
        if self.seeds - self.diverged == 1:
            return f"{number(self.mean, metric.unit)}{lost}"
        return f"{mean_and_spread(self.mean, self.spread, metric.unit)}{lost}"

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
    """A table row: names and scores [seeds, steps] by a metric. `where`: on what, if not as always with that metric.
    `fresh`: each seed drew its own random genome. `online`: the answers that the scores are of, if these were given
    while the network learned."""

    genome: str
    task: str
    network: str
    scores: Scores
    metric: Objective
    fresh: bool = False
    online: Online | None = None
    where: str = ""

    def to_json(self, steps: Sequence[int]) -> dict[str, Any]:
        names = {"genome": self.genome, "task": self.task, "network": self.network}
        names |= {"metric": self.metric.title, "unit": self.metric.unit}
        found = {**names, "fresh": self.fresh, "results": to_json(steps, self.scores)}
        if self.where:
            found["where"] = self.where
        if self.online:
            found["curve"] = to_json(self.online.ends, self.online.scores(self.online.ends))
        return found


def where(task: AnyTask) -> str:
    """On what the scores of a task are measured; empty where its metric says it."""
    if not isinstance(task, Recordings):
        return ""
    return "on the only recording, which rules are fitted to" if task.is_alone else "on held-out recordings"


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
