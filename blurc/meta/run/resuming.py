"""Resumes an interrupted run from its checkpoint, which must have the same experiment, spec and versions."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from blurc import genome as genomes
from blurc import model
from blurc.diagnostics import BlurError, Diagnostic, Source
from blurc.meta.experiment import schema
from blurc.meta.experiment.experiment import Evaluation, Experiment, Gradient
from blurc.meta.run import checkpoint
from blurc.meta.run.folder import CHECKPOINT, EXPERIMENT, PYTHON, Folder
from blurc.meta.run.pinned import resolved
from blurc.meta.run.setup import OF_OBJECTIVE, Setup
from blurc.meta.run.step import Carry
from blurc.runtime import versions
from blurc.tasks import python_part

Data: TypeAlias = Mapping[str, Any]  # digests of what a run learned from


@dataclass(frozen=True)
class Progress:
    """steps: done. diverged: candidates so far. lengths: of the logs then. width: see `Setup`."""

    steps: int
    diverged: int
    carry: Carry
    lengths: Mapping[str, int]
    width: int


def resumed(folder: Folder, ready: Setup, fresh: Progress, files: Mapping[str, str]) -> Progress:
    """Truncates the logs to the checkpoint. A run interrupted before its first checkpoint starts over."""
    path = folder.path / CHECKPOINT
    if folder.is_unfinished(files):
        folder.begin_again(files)
        return fresh
    if not os.path.exists(path):
        there = schema.parse(Source(str(folder.path / EXPERIMENT), folder.read(EXPERIMENT)))
        if _essence(there) != _essence(resolved(ready.experiment, ready.net)):
            raise _other(folder, f"`{folder.path / EXPERIMENT}` is another experiment")
        folder.begin_again(files)
        return fresh
    about = checkpoint.about(path)
    check_same(folder, about, ready)
    carry = checkpoint.load(path, fresh.carry)
    folder.cut(about["lengths"])
    return Progress(about["step"], about["diverged"], carry, about["lengths"], about["width"])


def _essence(e: Experiment) -> str:
    """What the exact result of a meta-step depends on. That excludes where and when a run is saved, how it is judged,
    and the number of steps unless a rate decays with it. Files count by content. e: resolved, so it does not matter
    whether an experiment spells out a default."""
    method = e.method if isinstance(e.method, Gradient) and e.method.decay else replace(e.method, steps=1)
    network = replace(e.network, spec="", hash="")
    start = e.start and hashlib.sha256(genomes.dump(genomes.read(e.start)).encode()).hexdigest()
    tasks, validation = (tuple(replace(one, hash="") for one in tasks) for tasks in (e.tasks, e.validation))
    by_task = {
        name: replace(one, network=one.network and replace(one.network, spec="", hash=""))
        for name, one in e.by_task.items()
    }
    e = replace(e, tasks=tasks, validation=validation, by_task=by_task)
    plain = replace(e, method=method, network=network, start=start, write="", checkpoint_every=1)
    return schema.dump(replace(plain, evaluation=Evaluation()))


def identity(ready: Setup) -> dict[str, Any]:
    """What a run's exact results depend on."""
    essence = _essence(resolved(ready.experiment, ready.net))
    return {
        "experiment": hashlib.sha256(essence.encode()).hexdigest(),
        "spec": " ".join(
            model.model_hash(net.model) for net in (ready.net, *(one.net for one in ready.lessons.values()))
        ),
        "data": ready.data,
        "versions": versions(),
    }


def check_same(folder: Folder, there: Any, ready: Setup) -> None:
    """Raises `BlurError` (E617). Versions first: the rest is written as a version writes it."""
    here, path = identity(ready), folder.path / CHECKPOINT
    pairs = [(n, there["versions"].get(n), v) for n, v in here["versions"].items()]
    if changed := [f"{n} {was} there, {now} here" for n, was, now in pairs if was != now]:
        message = f"`{path}` was made with other versions: {'; '.join(changed)}"
        help = "resume with the same versions, or begin again from its genome.yaml (`start:`)"
        raise BlurError(Diagnostic("E617", message, help=help))
    if there["experiment"] != here["experiment"]:
        raise _other(folder, f"`{path}` is of another experiment")
    if there["spec"] != here["spec"]:
        message = f"the spec is not the one that `{path}` was made with"
        help = "undo the change, or begin again from its genome.yaml (`start:`)"
        raise BlurError(Diagnostic("E617", message, help=help))
    if changed := [name for name, digest in here["data"].items() if there["data"].get(name) != digest]:
        of, _, name = changed[0].partition(": ")
        what, restore = _what_changed(of, name, there["data"], here["data"], ready)
        message = f"{what} that `{path}` was made with"
        help = f"{restore}, or begin again from its genome.yaml (`start:`)"
        raise BlurError(Diagnostic("E617", message, help=help))


def _what_changed(of: str, name: str, there: Data, here: Data, ready: Setup) -> tuple[str, str]:
    """What is not that of a checkpoint, and what to do. of: which task, or that the objective is meant."""
    was, now = (str(data.get(f"{of}: {name}", "")) for data in (there, here))
    file = python_part(now)
    if file and file != python_part(was):
        what = "objective" if of == OF_OBJECTIVE else "environment" if ready.worlds else "task"
        return f"the Python file of the {what} `{name}` is not the one", f"restore it: a copy is in `{PYTHON}/` there"
    if file:
        return f"the examples or scores of `{name}` are not those", "restore what its Python file imports or reads"
    if ready.worlds:
        return f"`{name}` is not the environment", "give that one"
    return f"the examples of `{name}` are not those", "restore the data"


def _other(folder: Folder, message: str) -> BlurError:
    help = f"resume what began it: blurc meta {folder.path / EXPERIMENT} --resume"
    return BlurError(Diagnostic("E617", message, help=help))
