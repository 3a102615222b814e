"""What a run folder keeps of its experiment: enough to run it again, or to say why that is impossible."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

from blurc import genome as genomes
from blurc import model
from blurc.api import Net
from blurc.meta.experiment.experiment import Experiment, Setting
from blurc.meta.run.folder import OBJECTIVE_FILE, PYTHON, SPEC, START, Folder
from blurc.meta.run.setup import Setup
from blurc.tasks import OBJECTIVES, TaskChoice, named, python_meaning, python_text


def pinned(e: Experiment, ready: Setup, folder: Folder) -> Experiment:
    """The experiment of the run folder: it repeats this run, or says why it cannot."""
    e = resolved(e, ready.net)
    network = replace(e.network, hash=model.model_hash(ready.net.model))
    evaluation = replace(e.evaluation, tasks=_pinned(e.evaluation.tasks))
    e = replace(e, tasks=_pinned(e.tasks), validation=_pinned(e.validation), evaluation=evaluation)
    by_task = {name: _pinned_network(one, ready.lessons[name].net) for name, one in e.by_task.items()}
    return replace(e, write=str(folder.path), network=network, by_task=by_task, start=e.start and START)


def _pinned_network(setting: Setting, net: Net) -> Setting:
    return replace(setting, network=setting.network and replace(setting.network, hash=model.model_hash(net.model)))


def _pinned(tasks: Sequence[TaskChoice]) -> tuple[TaskChoice, ...]:
    """With what the files of the user's own tasks mean."""
    of = [named(one.data) for one in tasks]
    return tuple(replace(one, hash=python_meaning(file)) if file else one for one, file in zip(tasks, of, strict=True))


def resolved(e: Experiment, net: Net) -> Experiment:
    """Adds what it leaves to its spec: network, rule and parameters. A parameter for which network and rule have
    different values cannot be written down, and need not be: nobody set it."""
    of_network, of_rule = dict(net.model.network.params), dict(net.model.genome.params)
    parameters = {n: v for n, v in (of_network | of_rule).items() if of_network.get(n, v) == v}
    network = replace(e.network, network=net.plan.name, rule=net.plan.genome, parameters=parameters)
    return replace(e, network=network)


def copies(ready: Setup) -> dict[str, str]:
    """Copies of the source files of the run, by their names in its folder."""
    found: dict[str, str] = {}
    nets = (ready.net, *(one.net for one in ready.lessons.values()))
    for name, text in dict.fromkeys(text for net in nets for text in net.sources.texts):
        path = PurePath(name)
        inside = path.name if path.is_absolute() or ".." in path.parts else path.as_posix()
        while f"{SPEC}/{inside}" in found:
            inside = f"other/{inside}"
        found[f"{SPEC}/{inside}"] = text
    if ready.experiment.start:
        found[START] = genomes.dump(genomes.read(ready.experiment.start))
    return found | _of_the_user(ready)


def _of_the_user(ready: Setup) -> dict[str, str]:
    """The Python files that the experiment names, and what a report has to know of an objective that is in one."""
    e, objective, found = ready.experiment, ready.objective, dict[str, str]()
    texts = [one.data for tasks in (e.tasks, e.validation, e.evaluation.tasks) for one in tasks]
    paths = {file.path: file for text in (*texts, e.method.objective) if (file := named(text))}
    for path, file in paths.items():
        inside = f"{PYTHON}/{PurePath(path).name}"
        while inside in found:
            inside = inside.replace(f"{PYTHON}/", f"{PYTHON}/other/", 1)
        found[inside] = python_text(file)
    if objective.name not in OBJECTIVES:
        shown = ("name", "title", "greater_is_better")
        found[OBJECTIVE_FILE] = json.dumps({name: getattr(objective, name) for name in shown}) + "\n"
    return found
