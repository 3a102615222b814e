"""One run at a time writes into a folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tiny import Stopping, experiment, lines, refused

from blurc import meta

pytest.importorskip("fcntl")
pytestmark = pytest.mark.usefixtures("compiled_fast", "shared")

HOLDING = """
import time
from pathlib import Path
from blurc.meta.run.folder import Folder
with Folder(Path("run")).locked():
    print("held", flush=True)
    time.sleep(600)
"""


class Meddling(Stopping):
    """Resumes the run that it watches."""

    found: Any = None

    def line(self, line: dict[str, Any]) -> None:
        self.found = self.found or refused(lambda: meta.run(experiment(), "run", resume=True))


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_that_is_going_is_not_resumed(resume: bool) -> None:
    if resume:
        meta.run(experiment(method__steps="1"), "run")
    watch = Meddling(-1)
    meta.run(experiment(method__steps="3"), "run", watch=watch, resume=resume)
    (found,) = watch.found
    assert (found.code, found.message) == ("E618", "another run is writing to `run`")
    assert [line["step"] for line in lines("run")] == [0, 1, 2]


def test_the_lock_ends_with_a_killed_process() -> None:
    meta.run(experiment(method__steps="1"), "run")
    with subprocess.Popen([sys.executable, "-c", HOLDING], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        (found,) = refused(lambda: meta.run(experiment(method__steps="2"), "run", resume=True))
        process.kill()
    assert found.code == "E618"
    assert meta.run(experiment(method__steps="2"), "run", resume=True).steps == 2


def test_a_folder_with_a_lock_alone_is_empty() -> None:
    Path("run").mkdir()
    Path("run/.lock").touch()
    assert meta.run(experiment(method__steps="1"), "run").steps == 1
