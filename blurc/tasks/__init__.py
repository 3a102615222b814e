"""Data to train on: built-in sets by name, a user's own arrays from `FILE.npz`, and batches of either.

`load` and `names` give the data sets, `batches` and `stream` sample them. All arrays are NumPy. A set is held in memory
as float32: 188 MB for MNIST's images. Tasks for meta-learning, whose episodes are sampled on the device, are in
`task.py`, and where their examples come from (`source.py`) in `examples.py` and `omniglot.py`, or, if they are made on
the device (`generated.py`), in `plane.py` and, if every episode has other ones, in `families/`. A user's own tasks are
in `own/`, worlds that pay rewards in `environments/`, recorded activity in `recorded/`. How good outputs are, and which
direction is better: `objective.py`, with `formulas.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.tasks.as_data import as_data
    from blurc.tasks.changing import changing, too_late
    from blurc.tasks.choice import TARGETS, Augment, TaskChoice
    from blurc.tasks.chosen import chosen
    from blurc.tasks.dataset import Dataset, Floats, Side, retargeted
    from blurc.tasks.draws import generator
    from blurc.tasks.endless import Stream
    from blurc.tasks.environments.environment import Environment
    from blurc.tasks.environments.make import is_world, world, world_names
    from blurc.tasks.environments.of_gymnax import GYMNAX
    from blurc.tasks.environments.wandering import wandered
    from blurc.tasks.environments.world import Felt, Lifetime, Variation, World
    from blurc.tasks.examples import Examples
    from blurc.tasks.hashed import hashed
    from blurc.tasks.misfits import WITH_PARAMETERS, no_examples, task_names
    from blurc.tasks.objective import (
        ACCURACY,
        LOGITS,
        LOSS,
        OBJECTIVES,
        SCORE,
        Costs,
        Objective,
        TargetKind,
        mean_and_spread,
        measured_on,
        number,
    )
    from blurc.tasks.own.file import Named, named, python_meaning, python_part, python_text
    from blurc.tasks.own.guard import told_at
    from blurc.tasks.own.protocol import Task
    from blurc.tasks.recorded.recordings import Recordings, Replay, Shown
    from blurc.tasks.sampling import batches, check_batch, stream
    from blurc.tasks.sets import load, names
    from blurc.tasks.source import Batches
    from blurc.tasks.task import NO_TASKS, AnyTask, Episode, LoadedTask, OwnTasks, any_task, objective_of, task
    from blurc.tasks.whole import Whole, streamed

__all__ = [
    "ACCURACY",
    "GYMNAX",
    "LOGITS",
    "LOSS",
    "NO_TASKS",
    "OBJECTIVES",
    "SCORE",
    "TARGETS",
    "WITH_PARAMETERS",
    "AnyTask",
    "Augment",
    "Batches",
    "Costs",
    "Dataset",
    "Environment",
    "Episode",
    "Examples",
    "Felt",
    "Floats",
    "Lifetime",
    "LoadedTask",
    "Named",
    "Objective",
    "OwnTasks",
    "Recordings",
    "Replay",
    "Shown",
    "Side",
    "Stream",
    "TargetKind",
    "Task",
    "TaskChoice",
    "Variation",
    "Whole",
    "World",
    "any_task",
    "as_data",
    "batches",
    "changing",
    "check_batch",
    "chosen",
    "generator",
    "hashed",
    "is_world",
    "load",
    "mean_and_spread",
    "measured_on",
    "named",
    "names",
    "no_examples",
    "number",
    "objective_of",
    "python_meaning",
    "python_part",
    "python_text",
    "retargeted",
    "stream",
    "streamed",
    "task",
    "task_names",
    "told_at",
    "too_late",
    "wandered",
    "world",
    "world_names",
]

face(__name__)
