"""Meta-learning: genomes that are learned themselves, and what they are worth.

    from blurc import meta

    experiment = meta.read("experiment.yaml", {"method.steps": "100"})
    result = meta.run(experiment, "runs/mine")      # the same as `blurc meta experiment.yaml --set method.steps=100 ..`
    result.genome                                   # a `blurc.genome.GenomeFile`

Six rooms inside, imports run down this list:

processes/   several processes that share a run
experiment/  what a run depends on, as types and as YAML
search/      episodes, objectives and the methods that look for genomes
report/      `report.html` of a run folder
watch/       who follows a run: a terminal, a notebook, TensorBoard, Weights & Biases
run/         meta-steps one after the other, what they leave on the disk, and how a run goes on
internals.py what `blurc meta` and `blurc bench` need besides
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.meta import internals
    from blurc.meta.experiment.experiment import (
        L1,
        Cma,
        Curriculum,
        Evaluation,
        Experiment,
        Gradient,
        Inner,
        Network,
        Optimizer,
        Pes,
        Setting,
        Symbolic,
    )
    from blurc.meta.experiment.schema import dump, read
    from blurc.meta.processes.join import join
    from blurc.meta.processes.processes import Processes
    from blurc.meta.run.finishing import finish
    from blurc.meta.run.loop import run
    from blurc.meta.run.replaying import replay
    from blurc.meta.run.result import Result
    from blurc.meta.watch.follow import follow
    from blurc.meta.watch.follower import Follower
    from blurc.meta.watch.metrics import Metrics
    from blurc.meta.watch.tensorboard import TensorBoard
    from blurc.meta.watch.wandb import WandB
    from blurc.tasks import Augment, Task, TaskChoice

__all__ = [
    "L1",
    "Augment",
    "Cma",
    "Curriculum",
    "Evaluation",
    "Experiment",
    "Follower",
    "Gradient",
    "Inner",
    "Metrics",
    "Network",
    "Optimizer",
    "Pes",
    "Processes",
    "Result",
    "Setting",
    "Symbolic",
    "Task",
    "TaskChoice",
    "TensorBoard",
    "WandB",
    "dump",
    "finish",
    "follow",
    "internals",
    "join",
    "read",
    "replay",
    "run",
]

face(__name__)
