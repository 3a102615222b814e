"""The sections of the page, built from the contents of the run folder."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from blurc.api import Net
from blurc.diagnostics import BlurError
from blurc.genome import GenomeFile
from blurc.meta.experiment.experiment import Experiment, Gradient, MethodChoice
from blurc.meta.report import by_task, matrices, opening, private, regions, rules, scores, style, training, wording
from blurc.meta.report.contents import Run
from blurc.tasks import TaskChoice, is_world, named, task

Rows = list[tuple[str, str]]


@dataclass(frozen=True)
class Section:
    """notes: sentences, mostly about what is left out. table: a header and rows of the same length. text: shown
    verbatim."""

    title: str
    pictures: tuple[style.Picture, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()
    text: str = ""


def summary(run: Run) -> Rows:
    """The key facts of a run, as names and values."""
    e = run.experiment
    rows: Rows = []
    if e:
        rule = e.network.rule or (run.genome.rule if run.genome else "")
        rows += [("network", " ".join(filter(None, (e.network.spec, e.network.network)))), ("rule", rule)]
        rows += [("tasks", _names(e.tasks)), ("validation tasks", _names(e.validation))]
        rows += [("over tasks", "the worst" if e.over_tasks == "worst" else "")]
        rows += [("method", type(e.method).__name__.lower()), ("pulled to 0", _pulled(e.method))]
    if run.points:
        last = run.points[-1]
        rows += [("meta-steps", f"{last.step + 1:,}"), ("final steps per episode", f"{last.unroll:,}")]
        shown = "all diverged" if math.isnan(last.value) else f"{last.value:.4g}"
        rows += [(f"{_objective(run)}, best of the last meta-step", shown)]
    found = run.genome.found.get(run.objective.name) if e and run.genome else None
    if isinstance(found, float):
        rows += [(f"{_objective(run)} of the genome", f"{found:.4g}, on episodes the search never sees")]
    if isinstance(start := run.result.get("start"), float):
        rows += [(f"{_objective(run)} of the start", f"{start:.4g}, on the same episodes")]
    return [(name, value) for name, value in rows if value]


def sections(run: Run) -> Iterator[Section]:
    net = wording.compiled(run.experiment.network, run.folder) if run.experiment else None
    yield Section("", (opening.picture(net),) if net else (), tuple(summary(run)))
    if net:
        yield Section("Rule", text=private.known_removed(wording.rule(net)))
    if net and run.genome and (sparse := wording.sparse_rule(net, run.genome)):
        yield Section("Rule without the terms that are 0", text=private.known_removed(sparse))
    if run.points:
        each = by_task.picture(run)
        yield Section("Meta-training", (training.picture(run), *([each] if each else [])))
    if run.rules:
        objective = _objective(run)
        yield Section("Rules", (rules.picture(run.rules, objective),), table=tuple(rules.table(run.rules, objective)))
    if run.curves:
        units = dict.fromkeys(f"{c.metric}{' in %' if c.unit == '%' else ''}" for c in run.curves)
        where = run.curves[0].measured_on.capitalize()
        notes = (f"{where}, {', '.join(units)}: the mean over seeds ± one standard deviation.",)
        figures, table = tuple(scores.pictures(run.curves)), tuple(scores.table(run.curves))
        yield Section("Scores", figures, notes=notes, table=table)
        if found := tuple(scores.matrices(run.curves)):
            yield Section("Transfer", found)
    if run.genome:
        of_plane = net and [p.size for p in net.model.network.with_role("input")] == [2]
        if run.experiment and net and of_plane and not is_world(run.experiment.tasks[0].data):
            yield _regions(net, run.genome, run.experiment)
        pictures = tuple(matrices.pictures(run.genome, net and net.model))
        yield Section("Genome", pictures, tuple(matrices.table(run.genome)))
    notes = (f"The experiment cannot be read here: {run.problem}.",) if run.problem else ()
    yield Section("Experiment", notes=notes, text=private.settings(run.text))
    if run.versions:
        yield Section("Versions", rows=tuple((name, _shown(value)) for name, value in run.versions.items()))


def _objective(run: Run) -> str:
    return run.objective.name.replace("_", " ") or "value"


def _pulled(method: MethodChoice) -> str:
    l1 = method.l1 if isinstance(method, Gradient) else None
    return f"{', '.join(l1.names)}, with strength {l1.strength:g}" if l1 else ""


def _names(tasks: Iterable[TaskChoice]) -> str:
    return ", ".join(map(_name, tasks))


def _name(task: TaskChoice) -> str:
    return task.name or task.data


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _regions(net: Net, genome: GenomeFile, e: Experiment) -> Section:
    """For all tasks of the experiment, after its first and last step counts."""
    choices = {_name(choice): choice for choice in (*e.tasks, *e.evaluation.tasks)}
    steps, batch = sorted({e.evaluation.steps[0], e.evaluation.steps[-1]}), e.evaluation.batch
    pictures: list[style.Picture] = []
    notes: list[str] = []
    for name, choice in choices.items():
        if named(choice.data):  # a report runs nobody's file
            notes.append(f"{name} is left out: it is a task of your own.")
            continue
        try:
            pictures.append(regions.picture(net, genome.values, task(choice), steps=steps, batch=batch, seed=0))
        except BlurError as error:
            notes.append(f"{name} is left out: {error.diagnostics[0].message}.")
    return Section("Decision regions", tuple(pictures), notes=tuple(notes))
