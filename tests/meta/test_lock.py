"""One run at a time writes into a folder."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tiny import Stopping, experiment, lines, refused

from blurc import meta
from blurc.meta.run import lock

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


class FakeMsvcrt:
    """Windows' module: an open file holds a byte, and others are refused as Windows refuses them."""

    LK_NBLCK = 2

    def __init__(self, refuse_with: int) -> None:
        self.held: set[int] = set()
        self.refuse_with = refuse_with

    def locking(self, file: int, mode: int, count: int) -> None:
        assert (mode, count) == (self.LK_NBLCK, 1)
        if (place := os.lseek(file, 0, os.SEEK_CUR)) in self.held:
            raise OSError(self.refuse_with, "Permission denied")
        self.held.add(place)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EDEADLK])
def test_windows_locks_too(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "fcntl", None)
    monkeypatch.setattr(lock, "msvcrt", FakeMsvcrt(number))
    with lock.locked(tmp_path) as still_locked:
        (found,) = refused(lambda: lock.locked(tmp_path).__enter__())
        assert (found.code, found.message) == ("E618", f"another run is writing to `{tmp_path}`")
        still_locked()


@pytest.mark.parametrize("module", ["fcntl", "msvcrt"])
def test_a_file_system_without_locks_does_not_stop_a_run(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock, "fcntl", None)
    fake = SimpleNamespace(LOCK_EX=2, LOCK_NB=4, LK_NBLCK=2, flock=refuse, locking=refuse)
    monkeypatch.setattr(lock, module, fake)
    with lock.locked(tmp_path) as still_locked:
        still_locked()


def test_a_system_without_locks_does_not_stop_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "fcntl", None)
    monkeypatch.setattr(lock, "msvcrt", None)
    with lock.locked(tmp_path) as still_locked:
        still_locked()
