"""What tests of meta-learning share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny import RANDOM_BLAST, SPEC, Killed, Stopping, experiment

import blurc
from blurc import meta
from blurc.meta.experiment import schema
from blurc.meta.experiment.experiment import Experiment
from blurc.meta.processes.processes import ALONE, Processes
from blurc.meta.run import checkpoint, finishing, loop
from blurc.meta.run import setup as setups
from blurc.meta.run.folder import Folder
from blurc.meta.run.setup import Setup
from blurc.tasks import NO_TASKS


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.blur").write_text(SPEC)


@pytest.fixture(scope="module")
def ready() -> Callable[..., Setup]:
    """Of an experiment, as `setup` makes it; equal experiments on the same spec share what they compile."""
    made: dict[Any, Setup] = {}

    def found(experiment: Experiment, data_dir: Any = None, own: Any = NO_TASKS, processes: Processes = ALONE) -> Setup:
        path = Path(experiment.network.spec)
        text = schema.dump(replace(experiment, network=replace(experiment.network, spec=""), write=""))
        key = (text, path.read_text() if path.exists() else str(path))
        if key not in made:
            made[key] = setups.setup(experiment, data_dir, own)
        return made[key] if processes is ALONE else replace(made[key], processes=processes)

    return found


@pytest.fixture
def shared(ready: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs share their compiled programs."""
    monkeypatch.setattr(loop, "setup", ready)


@pytest.fixture
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches end without their report, which takes a second to draw."""
    monkeypatch.setattr(finishing, "has_package", lambda package: False)


@pytest.fixture(scope="module")
def net() -> blurc.Net:
    return blurc.compile(SPEC)


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs what an experiment says into the folder `run`, and is stopped at some moment."""

    def half_a_line(self: Folder, name: str, line: Any) -> None:
        with open(self.path / name, "a") as file:
            file.write('{"step": ')
        raise Killed

    def before_the_checkpoint(*arguments: Any) -> None:
        raise Killed

    def go(e: Experiment, moment: int | str, **options: Any) -> None:
        with monkeypatch.context() as patch:
            if moment == "in a line":
                patch.setattr(Folder, "append", half_a_line)
            if moment == "before a checkpoint":
                patch.setattr(checkpoint, "save", before_the_checkpoint)
            watch = Stopping(moment if isinstance(moment, int) else -1)
            with pytest.raises(Killed):
                meta.run(e, "run", watch=watch, **options)

    return go


@pytest.fixture
def exploding(shared: None) -> Experiment:
    """Of 4 replicas, some leave the finite numbers in every episode."""
    Path("tiny.blur").write_text(RANDOM_BLAST)
    return experiment("{name: gradient, steps: 12, rate: 0.01}\nreplicas: 4", seed="3")
