"""What a run optimises: the objective that the experiment names, or the one that all its tasks suggest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from blurc.diagnostics import BlurError, Diagnostic
from blurc.meta.experiment.experiment import Cma, Experiment, Gradient, Symbolic
from blurc.tasks import OBJECTIVES, AnyTask, Objective, OwnTasks, World, named, objective_of, told_at


def check_named(e: Experiment, own: OwnTasks) -> None:
    """Raises `BlurError` (E613) if a task from Python is not in the experiment, which is the record of the run."""
    names = {one.data for tasks in (e.tasks, e.validation, e.evaluation.tasks) for one in tasks}
    if unused := [name for name in own if name not in names]:
        message = f"the experiment names no task `{unused[0]}`, which is given from Python"
        raise BlurError(Diagnostic("E613", message, help=f"write `tasks: [{unused[0]}]`, or do not give it"))


def with_objective(e: Experiment, tasks: Sequence[AnyTask]) -> tuple[Experiment, Objective]:
    """The experiment with the name of its objective, and that itself. The score of a task of the user's own has no name
    that a file could give. Raises `BlurError` (E613) if the tasks suggest several, or if it has no gradient."""
    if e.method.objective:
        objective = _given(e, tasks)
    else:
        objective = _suggested(e, tasks)
        if objective.name in OBJECTIVES:
            e = replace(e, method=replace(e.method, objective=objective.name))
    if isinstance(e.method, Gradient) and not objective.differentiable:
        message = f"`{objective.name}` has no gradient with respect to the outputs"
        raise BlurError(Diagnostic("E613", message, e.objective_at, help="take `name: cma` or `name: pes`"))
    return e, objective


def _given(e: Experiment, tasks: Sequence[AnyTask]) -> Objective:
    """A function of the user's own, which every task tries, has its faults where the experiment names it; a name that
    does not suit a task has them at the task."""
    found: list[Objective] = []
    for choice, one in zip((*e.tasks, *e.validation), tasks, strict=True):
        own = named(e.method.objective) and not isinstance(one, World)
        with told_at(e.objective_at if own else choice.where):
            found.append(objective_of(one, e.method.objective, one.loss))
    return replace(found[0], differentiable=all(one.differentiable for one in found))


def _suggested(e: Experiment, tasks: Sequence[AnyTask]) -> Objective:
    wanted = {t.name: t.score if isinstance(e.method, Cma | Symbolic) else t.loss for t in tasks}
    if len(set(wanted.values())) > 1:
        several = ", ".join(f"{objective.name} for {name}" for name, objective in wanted.items())
        message = f"the tasks have different objectives: {several}"
        raise BlurError(Diagnostic("E613", message, help="name one for all: `method: {objective: mse}`"))
    return next(iter(wanted.values()))
