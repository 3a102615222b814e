"""Experiment files: what a run of meta-learning depends on, as YAML that a person writes.

    name: digits-fast                  # required, as are spec and tasks; all else has a default
    spec: networks/mnist.blur          # found beside this file, else in the library
    network: mnist                     # where the spec has several
    rule: blur_saturated               # another genome than the network uses
    parameters: {k: 4, side: 10}
    start: genomes/x.yaml              # a genome file, found as the spec is; without: fresh random genomes
    tasks:                             # plain names of data, or mappings
    - {data: mnist, crop: 20, resize: 10, classes: [0, 1, 2, 3, 4], augment: {permute_labels: true}}
    inner: {steps: 10, batch: 128, query: 128, judge_every: 5}
    method: {name: gradient, steps: 5000, rate: 5.0e-4}    # or cma, pes, symbolic
    curriculum: {add: 5, every: 1000, until: 50}
    replicas: 4
    seed: 0
    evaluation: {steps: [10, 20], seeds: 5, networks: [{spec: networks/mnist.blur}], tasks: [digits]}
    write: runs/digits-fast            # as seen from the working folder

The keys are the fields of the dataclasses in `experiment.py` and `tasks/choice.py`, which say what each means.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import yaml

from blurc.diagnostics import BlurError, Diagnostic, Report, Source, Span
from blurc.guards import typed
from blurc.meta.experiment.checks import check
from blurc.meta.experiment.experiment import L1, Experiment, Gradient
from blurc.meta.experiment.files import Files
from blurc.meta.experiment.override import Override
from blurc.storage import YamlTree, compose, read_source, records, yaml_write
from blurc.tasks import TaskChoice

WHAT = "an experiment"
PINNED = ("write", "hash", "start")  # of a run folder: where it is, and what it keeps copies of
SUGGESTED = ("method.objective", "method.mode")  # if the experiment leaves them out; a run folder has them
NO_OVERRIDES: Mapping[str, str] = {}


@typed
def read(path: str | os.PathLike[str], overrides: Mapping[str, str] = NO_OVERRIDES) -> Experiment:
    """Reads an experiment file; `overrides` are values by dotted path. Raises `BlurError` with all that is wrong."""
    return parse(read_source(path), overrides)


def parse(source: Source, overrides: Mapping[str, str] = NO_OVERRIDES) -> Experiment:
    """The experiment in a text. Other files are looked up beside it: in the folder of the source's name."""
    report = Report()
    tree = YamlTree(report, compose(source, report), WHAT)
    _check_no_genome(tree.root, source.name)
    Override(tree, Experiment, report).set_all(overrides)

    def folder(path: records.Path) -> Path:
        return Path() if tree.is_from_elsewhere(path) else Path(source.name).parent

    experiment = _read(tree.root, tree, folder, tree.is_from_elsewhere)

    def spans(name: str, tasks: tuple[TaskChoice, ...]) -> list[Span | None]:
        return [tree.span((name, str(i))) for i in range(len(tasks))]

    e = experiment
    e = _placed(e, spans("tasks", e.tasks), spans("validation", e.validation))
    e = replace(e, objective_at=tree.span(("method", "objective")))
    match e.method:
        case Gradient(l1=L1() as l1):
            return replace(e, method=replace(e.method, l1=replace(l1, where=tree.span(("method", "l1", "names")))))
        case _:
            return e


def checked(experiment: Experiment) -> Experiment:
    """Checks an experiment that was made in Python, as if it had been read from a file in the working folder. Names of
    files then mean the same from anywhere. Raises `BlurError` with all that is wrong."""
    read = _read(records.plain(experiment), records.Front(Report()), lambda path: Path(), lambda path: True)
    own = (experiment.tasks, experiment.validation)
    placed = _placed(read, *([getattr(task, "where", None) for task in tasks] for tasks in own))
    return replace(placed, objective_at=experiment.objective_at)


def _read(
    tree: Any, front: records.Front, folder: Callable[[records.Path], Path], typed: Callable[[records.Path], bool]
) -> Experiment:
    reader = records.Reader(WHAT, front)
    experiment = reader.read(Experiment, tree)
    check(experiment, reader)
    experiment = Files(reader, folder, typed).resolved(experiment)
    front.report.check()
    return experiment


def _placed(e: Experiment, tasks: list[Span | None], validation: list[Span | None]) -> Experiment:
    """Adds the position of every task, for later errors."""

    def placed(choices: tuple[TaskChoice, ...], spans: list[Span | None]) -> tuple[TaskChoice, ...]:
        return tuple(replace(task, where=span) for task, span in zip(choices, spans, strict=True))

    return replace(e, tasks=placed(e.tasks, tasks), validation=placed(e.validation, validation))


def _check_no_genome(tree: Any, file: str) -> None:
    """Raises `BlurError` (E605)."""
    if isinstance(tree, dict) and "values" in tree and "tasks" not in tree:
        message = f"`{file}` is a genome file: `blurc eval {file} --network SPEC --task DATA` measures it"
        raise BlurError(Diagnostic("E605", message, help=f"an experiment may begin there: `start: {file}`"))


# ----------------------------------------------------------------- writing


@typed
def dump(experiment: Experiment) -> str:
    """The text of an experiment file with all values that are not empty. It reads back equal."""
    return yaml_write.dump(records.plain(experiment), width=110, flow=None)


def changes(there: str, now: Experiment) -> list[str]:
    """How an experiment differs from the text that `dump` made of another: `method.steps: 10 there, 300 now`. Leaves
    out what only run folders record."""
    before, after = dict(flat(yaml.safe_load(there))), dict(flat(records.plain(now)))
    return [
        f"{path}: {_said(before, path)} there, {_said(after, path)} now"
        for path in {**after, **before}
        if path.rpartition(".")[2] not in PINNED
        and before.get(path) != after.get(path)
        and (path in after or path not in SUGGESTED)
    ]


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a YAML tree by their dotted paths; a list of plain values is one of them."""
    if isinstance(value, dict):
        parts = cast("dict[Any, Any]", value).items()
    elif isinstance(value, list) and any(isinstance(v, dict) for v in cast("list[Any]", value)):
        parts = enumerate(cast("list[Any]", value))
    else:
        yield path, value
        return
    for name, part in parts:
        yield from flat(part, f"{path}.{name}" if path else str(name))


def _said(values: Mapping[str, Any], path: str) -> str:
    return str(values[path]) if path in values else "nothing"
