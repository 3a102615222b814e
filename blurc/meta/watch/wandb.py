"""A run in Weights & Biases."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from blurc.guards import check_package, typed
from blurc.meta.experiment import schema
from blurc.meta.watch.numbers import numbers

if TYPE_CHECKING:
    from blurc.meta.experiment.experiment import Experiment
    from blurc.meta.watch.metrics import Metrics
    from blurc.tasks import Objective


class WandB:
    """A follower that logs every meta-step with Weights & Biases, under the names of metrics.jsonl, with the experiment
    as the configuration.

    Nothing leaves this machine, unless the environment variable WANDB_MODE is `online`: `wandb sync
    FOLDER/wandb/offline-run-*` uploads a run later.

    Args:
        experiment: what is run.
        folder: gets a folder `wandb`.
        project: what the run is a part of.

    Raises:
        BlurError: E921 without the package `wandb`.
    """

    _run: Any = None

    @typed
    def __init__(self, experiment: Experiment, folder: str | Path, project: str = "blurc"):
        check_package("wandb", "logs for Weights & Biases need")
        self._experiment, self._folder, self._project = experiment, Path(folder), project

    def begin(self, done: int, steps: int, objective: Objective) -> None:
        wandb = import_module("wandb")
        self._folder.mkdir(parents=True, exist_ok=True)  # else it takes another folder, without a word
        self._run = wandb.init(
            project=self._project,
            name=self._experiment.name,
            dir=str(self._folder),
            mode=os.environ.get("WANDB_MODE", "offline"),
            config=yaml.safe_load(schema.dump(self._experiment)),
            settings=wandb.Settings(silent=True, console="off"),
        )

    def line(self, line: Metrics) -> None:
        self._run.log(numbers(line), step=line["step"])

    def end(self) -> None:
        if self._run:
            self._run.finish()
