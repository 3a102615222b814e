"""What follows a run: its genome on test examples, and the report. All of it is made anew from the run folder."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from blurc import genome as genomes
from blurc.diagnostics import BlurError
from blurc.genome import GenomeFile
from blurc.meta import report, schema
from blurc.meta.evaluate import Row, accuracies, check_fits, to_json
from blurc.meta.experiment import Experiment, Network
from blurc.meta.folder import Folder
from blurc.meta.racing import Race, race
from blurc.meta.setup import compiled
from blurc.program import Net
from blurc.tasks.choice import TaskChoice
from blurc.tasks.task import Task, task


def check(experiment: Experiment, data_dir: str | Path | None = None) -> None:
    """That what follows a run can follow: its networks compile, its tasks are there and one of them fits. Raises
    `BlurError`, better before a long run than after it."""
    problems: list[BlurError] = []
    pairs = [*_pairs(experiment)]
    for net, _, choice in pairs:
        one = task(choice, data_dir)
        try:
            check_fits(net, one)
        except BlurError as error:
            problems.append(error)
    if len(problems) == len(pairs):
        raise problems[0]


def finish(
    folder: str | Path,
    *,
    data_dir: str | Path | None = None,
    watch: Callable[[str], None] = lambda what: None,
) -> list[Row]:
    """Evaluates the genome of a run as its experiment says (evaluation.json), and writes report.html.

    watch: is told what begins. Raises `BlurError`.
    """
    place = Folder(Path(folder))
    experiment = schema.read(place.path / "experiment.yaml")
    genome = genomes.read(place.path / "genome.yaml")
    e, rows, races = experiment.evaluation, list[Row](), list[Race]()
    for net, label, choice in _pairs(experiment):
        one = task(choice, data_dir)
        watch(f"{one.name} in {label}")
        try:
            found = accuracies(net, genome.values, one, steps=e.steps, batch=e.batch, seeds=e.seeds)
        except BlurError as error:
            watch(f"  left out: {error.diagnostics[0].message}")
            continue
        rows.append(Row(genome.name, one.name, label, found))
        if e.race:
            races += _raced(experiment, genome, net, label, one, partial(_indented, watch))
    evaluation = {
        "rows": [_row(row, experiment) for row in rows],
        "races": [_plain({**r.to_json(), "learners": r.to_json()["learners"][1:]}) for r in races],
    }
    place.write("evaluation.json", json.dumps(evaluation, indent=1) + "\n")
    report.write(place.path)
    return rows


def _raced(
    experiment: Experiment, genome: GenomeFile, net: Net, label: str, one: Task, watch: Callable[[str], None]
) -> list[Race]:
    """One race, or none with the reason."""
    e = experiment.evaluation
    counts = {"steps": e.steps, "batch": e.batch, "seeds": e.seeds}
    try:
        found = race(net, genome.values, one, name=genome.name, watch=watch, **counts)
    except BlurError as error:
        watch(error.diagnostics[0].message)
        return []
    return [replace(found, network=label)]


def _indented(watch: Callable[[str], None], what: str) -> None:
    watch(f"  {what}")


def _pairs(experiment: Experiment) -> Iterator[tuple[Net, str, TaskChoice]]:
    """Networks, their labels, and tasks. Without a rule a network has that of the experiment, with its parameters."""
    own = compiled(experiment.network)
    networks = [(experiment.network, own)]
    if experiment.evaluation.networks:
        networks = [(n, compiled(_with_rule(n, own))) for n in experiment.evaluation.networks]
    for network, net in networks:
        for choice in experiment.evaluation.tasks or experiment.tasks:
            yield net, _label(network, net), choice


def _label(network: Network, net: Net) -> str:
    """`mnist`, or `mnist(side = 14)`."""
    own = dict(net.model.network.params)
    given = ", ".join(f"{name} = {value}" for name, value in network.parameters.items() if name in own)
    return f"{net.plan.name}({given})" if given else net.plan.name


def _with_rule(network: Network, trained: Net) -> Network:
    if network.rule:
        return network
    parameters = {**dict(trained.model.genome.params), **network.parameters}
    return replace(network, rule=trained.plan.genome, parameters=parameters)


def _row(row: Row, experiment: Experiment) -> dict[str, Any]:
    results = _plain(to_json(experiment.evaluation.steps, row.accuracies))
    return {"genome": row.genome, "task": row.task, "network": row.network, "results": results}


def _plain(value: Any) -> Any:
    """JSON has no NaN."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
