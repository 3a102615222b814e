"""Meta-trains the variants of a figure, each in several runs, and measures what each run finds on test examples.

A run that was begun before in the same folder goes on from its checkpoint, and one that is done is not done again.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from blurc import genome as genomes
from blurc import meta, tasks
from blurc.diagnostics import BlurError, Diagnostic

from .figure import Figure, Results, Task

HERE = Path(__file__).parent
MOST_POINTS = 60  # of a trajectory


def learned(figure: Figure, task: Task) -> Results:
    """{"variants": {name: [run, ..]}}. A run has its `seed`, the `value` of its genome on episodes that the search
    never sees, its `trajectory`, and `rows` of scores."""
    found: dict[str, list[Results]] = {}
    for name in figure.variants:
        if task.quick and figure.quick_variants and name not in figure.quick_variants:
            continue
        found[name] = []
        for seed in range(task.runs):
            experiment = _with_its_data(read(figure, name, task, seed))
            found[name].append({"seed": seed, **searched(experiment, folder_of(task, name, seed))})
            print(f"  {name}, run {seed}: {_told(found[name][-1])}", flush=True)
    return {"variants": found}


def folder_of(task: Task, variant: str, seed: int) -> Path:
    return task.folder / f"{re.sub(r'[^a-zA-Z0-9]+', '-', variant)}-{seed}"


def read(figure: Figure, variant: str, task: Task, seed: int) -> meta.Experiment:
    own = {**figure.variants[variant], "seed": str(seed)}
    experiment = own.pop("experiment", figure.experiment)
    quick = figure.quick.get(experiment, {}) if task.quick else {}
    return meta.read(HERE / f"{experiment}.yaml", {**own, **quick, **task.settings})


def _with_its_data(experiment: meta.Experiment) -> meta.Experiment:
    """Without the evaluation on data sets that are neither here nor to be had."""
    evaluation = experiment.evaluation
    there = tuple(choice for choice in evaluation.tasks if choice in experiment.tasks or _is_there(choice.data))
    return replace(experiment, evaluation=replace(evaluation, tasks=there))


@cache
def _is_there(data: str) -> bool:
    try:
        tasks.task(tasks.TaskChoice(data=data))
    except BlurError as error:
        print(f"  left out, {data}: {error.diagnostics[0].message}", flush=True)
        return False
    return True


def searched(experiment: meta.Experiment, folder: Path) -> Results:
    """Runs an experiment, or what is left of it."""
    try:
        outcome = meta.run(experiment, folder, resume=folder.exists())
    except BlurError as error:
        raise BlurError([_elsewhere(d, folder) for d in error.diagnostics]) from None
    if not _is_evaluated(folder):
        meta.finish(folder)
    rows = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))["rows"]
    return {
        "objective": outcome.objective,
        "value": _rounded(outcome.value),
        "diverged": outcome.diverged,
        "candidates": outcome.candidates,
        "genome": _numbers(folder / "genome.yaml"),
        "trajectory": _trajectory(folder / "metrics.jsonl"),
        "rows": [_row(row) for row in rows],
    }


def _is_evaluated(folder: Path) -> bool:
    """As it is now: an extension may have been interrupted before its evaluation."""
    kept = folder / "evaluation.json"
    if not kept.exists():
        return False
    of = json.loads(kept.read_text(encoding="utf-8")).get("of", {})
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in of}
    return bool(of) and of == hashes


def best(runs: list[Results]) -> Results:
    """The run whose genome the search itself judged best: test examples have no say in it."""
    sign = -1 if runs[0]["objective"] == "cross_entropy" else 1
    return max(runs, key=lambda run: -math.inf if run["value"] is None else sign * run["value"])


def _row(row: dict[str, Any]) -> Results:
    return {
        "task": row["task"],
        "network": row["network"],
        "steps": [found["steps"] for found in row["results"]],
        "scores": [[_rounded(v) for v in found["values"]] for found in row["results"]],
    }


def _numbers(genome: Path) -> dict[str, float]:
    """The meta-parameters that are single numbers, such as the growth of synapses."""
    values = genomes.read(genome).values
    single = {name: np.asarray(value) for name, value in values.items() if not isinstance(value, Mapping)}
    return {name: round(float(value), 4) for name, value in single.items() if value.ndim == 0}


def _trajectory(metrics: Path) -> list[tuple[int, float | None]]:
    """[meta-step, objective], means over stretches of the search."""
    lines = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()]
    values = np.asarray([math.nan if line["value"] is None else line["value"] for line in lines], dtype=float)
    points: list[tuple[int, float | None]] = []
    for part in np.array_split(np.arange(len(values)), min(MOST_POINTS, len(values))):
        sound = values[part][np.isfinite(values[part])]
        points.append((int(part[-1]) + 1, _rounded(float(sound.mean())) if len(sound) else None))
    return points


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 4)


def _elsewhere(problem: Diagnostic, folder: Path) -> Diagnostic:
    """What was begun can be gone on with under more steps or another evaluation, and not under all other settings."""
    if problem.code != "E617":
        return problem
    help = f"`{folder}` was begun with other settings: repeat these, or give another folder (-o DIR)"
    return replace(problem, help=help)


def _told(run: Results) -> str:
    """The means of the first row: `mnist in two 10: 0.812, 20: 0.843`."""
    if not run["rows"]:
        return "no scores"
    row = run["rows"][0]
    means = (_mean(values) for values in row["scores"])
    after = "  ".join(f"{step}: {mean:.3f}" for step, mean in zip(row["steps"], means, strict=True))
    return f"{row['task']} in {row['network']} after {after}"


def _mean(values: list[float | None]) -> float:
    sound = [v for v in values if v is not None]
    return sum(sound) / len(sound) if sound else math.nan
