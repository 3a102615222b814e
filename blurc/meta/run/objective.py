"""What a run optimises: the objective that the experiment names, or the one that all its tasks suggest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import jax
import jax.numpy as jnp

from blurc.diagnostics import BlurError, Diagnostic
from blurc.meta.experiment.experiment import Cma, Experiment, Gradient, Symbolic
from blurc.tasks import (
    OBJECTIVES,
    AnyTask,
    Environment,
    LoadedTask,
    Objective,
    Recordings,
    Task,
    chosen,
    named,
    told_at,
    tried,
)

EXAMPLES = 6  # that a function of the user's is tried on


def check_named(e: Experiment, own: Mapping[str, Task | Environment]) -> None:
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
    objective = chosen(e.method.objective, tasks[0].kind, tasks[0].name, tasks[0].loss)
    if not named(e.method.objective):
        return objective
    key = jax.random.key(0, impl="threefry2x32")
    with told_at(e.objective_at):
        for one in tasks:
            objective, _ = tried(objective, *_answers(one, key))
    return objective


def _answers(one: AnyTask, key: jax.Array) -> tuple[jax.Array, jax.Array | None]:
    """Some answers [examples, n] that an objective is tried on, and which of their numbers count."""
    if isinstance(one, Recordings):
        recorded = jnp.concatenate([*one.whole.shown.recorded.values()], axis=-1)
        rows = recorded.reshape(-1, recorded.shape[-1])[:EXAMPLES]
        return rows, jnp.ones_like(rows)
    assert isinstance(one, LoadedTask)  # `chosen` has refused environments
    return one.episode(key, steps=1, batch=1, query=EXAMPLES).y, None


def _suggested(e: Experiment, tasks: Sequence[AnyTask]) -> Objective:
    wanted = {t.name: t.score if isinstance(e.method, Cma | Symbolic) else t.loss for t in tasks}
    if len(set(wanted.values())) > 1:
        several = ", ".join(f"{objective.name} for {name}" for name, objective in wanted.items())
        message = f"the tasks have different objectives: {several}"
        raise BlurError(Diagnostic("E613", message, help="name one for all: `method: {objective: mse}`"))
    return next(iter(wanted.values()))
