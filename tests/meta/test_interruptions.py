"""Whatever stops a run, and wherever: nothing is lost but the meta-steps since the last checkpoint, nothing stays
half-written, one sentence says why and how to go on, and going on makes the same bits."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from faults import BROKEN, DEATH, DENIED, FULL, QUOTA, READ_ONLY, Faults, injected
from tiny import METHODS, Killed, experiment, lines, made, refused

from blurc import meta
from blurc.meta.experiment.experiment import Experiment
from blurc.meta.run.folder import Folder

pytestmark = pytest.mark.usefixtures("compiled_fast", "shared")


class Silence:
    """Watches, and says nothing."""

    def begin(self, *arguments: Any) -> None: ...

    def line(self, line: Any) -> None: ...


CURRICULUM = "curriculum: {add: 1, every: 2, until: 7}"


def short(method: str = METHODS["gradient"], more: str = "") -> Experiment:
    return experiment(method, more, method__steps="5", checkpoint_every="2")


@pytest.fixture
def whole() -> list[bytes]:
    meta.run(short(), "whole")
    return made("whole")


def moments(e: Experiment) -> int:
    """At how many moments a run changes the disk."""
    counting = Faults()
    with injected(counting):
        meta.run(e, "counted")
    shutil.rmtree("counted")
    return counting.count


def stopped(e: Experiment, at: int, kind: int, **options: Any) -> Any:
    """What a run says that fails at a moment; None if it was killed."""
    with injected(Faults(at, kind)):
        if kind != DEATH:
            (found,) = refused(lambda: meta.run(e, "run", **options))
            return found
        with pytest.raises(Killed):
            meta.run(e, "run", **options)
    return None


def going_on(e: Experiment) -> None:
    meta.run(e, "run", resume=Path("run/experiment.yaml").exists())


def leftovers() -> list[str]:
    return [p.name for p in Path("run").rglob(".*") if p.name != ".lock"]


EVERY = [pytest.param(1, marks=pytest.mark.slow), 9]  # 15 s


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("kind", [FULL, DEATH], ids=["a full disk", "a kill"])
def test_a_run_that_is_stopped_at_any_moment_goes_on_to_the_same_bits(
    kind: int, every: int, whole: list[bytes]
) -> None:
    e = short()
    for at in range(0, moments(e), every):
        found = stopped(e, at, kind)
        if found:
            assert found.code == "E618"
            assert "no space left on device" in found.message
            assert ("--resume" in found.help) == Path("run/experiment.yaml").exists()
            assert not leftovers()
        going_on(e)
        assert made("run") == whole, at
        assert not leftovers(), at
        shutil.rmtree("run")


@pytest.mark.parametrize("kind", [FULL, DEATH], ids=["a full disk", "a kill"])
def test_a_run_that_is_stopped_again_while_it_is_resumed_goes_on(kind: int, whole: list[bytes]) -> None:
    e = short()
    count = moments(e)
    for again in range(6):
        stopped(e, count - 8, DEATH)
        stopped(e, again, kind, resume=True)
        going_on(e)
        assert made("run") == whole, again
        shutil.rmtree("run")


@pytest.mark.slow  # 20 s; those before are fast
@pytest.mark.parametrize("name", ["cma", "pes", "curriculum"])
def test_every_method_goes_on_from_any_moment(name: str) -> None:
    e = short(METHODS.get(name, METHODS["gradient"]), "" if name in METHODS else CURRICULUM)
    meta.run(e, "whole")
    for at in range(0, moments(e), 3):
        stopped(e, at, DEATH)
        going_on(e)
        assert made("run") == made("whole"), at
        shutil.rmtree("run")


@pytest.mark.slow  # 10 s; that of a folder that cannot be written is fast
def test_an_evaluation_that_fails_can_be_repeated() -> None:
    meta.run(short(), "run")
    counting = Faults()
    with injected(counting):
        meta.finish("run")
    whole = {p.name: p.read_bytes() for p in Path("run").iterdir() if p.is_file()}
    for at in (0, 2, counting.count - 1):  # the lock, the accuracies, the report, which takes seconds
        with injected(Faults(at, FULL)):
            (found,) = refused(lambda: meta.finish("run"))
        assert found.code in ("E618", "E907")
    meta.finish("run")
    assert {p.name: p.read_bytes() for p in Path("run").iterdir() if p.is_file()} == whole


WAYS = {
    FULL: "make room, then continue with --resume",
    QUOTA: "make room, then continue with --resume",
    READ_ONLY: "make it writable, then continue with --resume",
    DENIED: "make it writable, then continue with --resume",
    BROKEN: "fix that, then continue with --resume",
}


@pytest.mark.parametrize("kind", WAYS, ids=lambda kind: errno.errorcode[kind])
def test_the_reason_and_the_way_on_are_told_in_a_sentence(kind: int) -> None:
    late = stopped(short(), moments(short()) - 1, kind)
    reason = os.strerror(kind).lower()
    assert (late.message, late.help) == (f"cannot write the run folder `run`: {reason}", WAYS[kind])
    shutil.rmtree("run")
    early = stopped(short(), 1, kind)
    assert "choose another folder: -o DIR" in early.help


def test_an_interrupt_on_a_full_disk_leaves_the_last_checkpoint(whole: list[bytes]) -> None:
    disk = Faults()

    class Interrupting(Silence):
        def line(self, line: Any) -> None:
            if line["step"] == 2:
                disk.at = 0
                raise KeyboardInterrupt

    with injected(disk):
        (found,) = refused(lambda: meta.run(short(), "run", watch=Interrupting()))
    assert found.code == "E618"
    meta.run(short(), "run", resume=True)
    assert made("run") == whole


# --------------------------------------------------------------- real disks


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a small file system."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        if subprocess.run(command, capture_output=True).returncode:
            pytest.skip("this needs a machine on which file systems may be mounted")
        return place

    try:
        yield mount
    finally:
        subprocess.run(["umount", str(place)], capture_output=True)


def test_a_disk_that_is_full_is_told_and_a_run_goes_on_when_it_has_room(
    disk: Callable[[str], Path], whole: list[bytes]
) -> None:
    place = disk("size=64k")
    ballast = place / "ballast"

    class Filling(Silence):
        def line(self, line: Any) -> None:
            if line["step"] == 2:
                with ballast.open("wb") as file:
                    for _ in range(100):
                        os.write(file.fileno(), bytes(1024))

    with pytest.raises(OSError, match="space"):
        meta.run(short(), place / "run", watch=Filling())
    (found,) = refused(lambda: meta.run(short(), place / "run", resume=True))
    assert "no space left on device" in found.message
    ballast.unlink()
    meta.run(short(), place / "run", resume=True)
    assert made(place / "run") == whole


def test_a_folder_that_cannot_be_written_is_told(disk: Callable[[str], Path]) -> None:
    place = disk("size=1m")
    meta.run(short(), place / "run")
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    for folder, resume in (("run", True), ("other", False)):
        (found,) = refused(lambda folder=folder, resume=resume: meta.run(short(), place / folder, resume=resume))
        assert (found.code, "read-only file system" in found.message) == ("E618", True)
    (found,) = refused(lambda: meta.finish(place / "run"))
    assert found.code == "E618"


# ---------------------------------------------------- two runs in one folder


def test_a_run_does_not_begin_where_another_began_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between a look at the folder, which is empty, and the lock."""
    make, first = Folder.make, [True]

    def meanwhile(self: Folder, files: Any) -> None:
        make(self, files)
        if first and first.pop():
            meta.run(short(), "run")

    monkeypatch.setattr(Folder, "make", meanwhile)
    (found,) = refused(lambda: meta.run(experiment(METHODS["cma"]), "run"))
    assert found.code == "E615"
    assert [line["step"] for line in lines("run")] == [*range(5)]


@pytest.mark.parametrize("replaced", [False, True])
def test_a_run_whose_folder_is_taken_away_writes_no_more(replaced: bool) -> None:
    class Removing(Silence):
        def line(self, line: Any) -> None:
            if line["step"] == 2:
                shutil.rmtree("run")
                if replaced:
                    meta.run(short(), "run")

    (found,) = refused(lambda: meta.run(short(), "run", watch=Removing()))
    assert (found.code, "was removed or replaced" in found.message) == ("E618", True)
    assert Path("run").exists() == replaced
    if replaced:
        assert [line["step"] for line in lines("run")] == [*range(5)]


def test_a_run_is_not_evaluated_while_it_goes() -> None:
    class Finishing(Silence):
        def line(self, line: Any) -> None:
            if line["step"] == 4:
                (found,) = refused(lambda: meta.finish("run"))
                assert (found.code, found.message) == ("E618", "another run is writing to `run`")

    meta.run(short(), "run", watch=Finishing())


# ------------------------------------------------------------ clock changes


@pytest.mark.parametrize("name", METHODS)
def test_no_clock_decides_anything(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    e = short(METHODS[name])
    meta.run(e, "whole")
    clock = iter([2e9, -1e9, 0, 3e9] * 100_000)
    for function in ("time", "monotonic", "perf_counter"):
        monkeypatch.setattr(f"time.{function}", lambda: next(clock))
    stopped(e, moments(e) - 8, DEATH)
    for i, path in enumerate(Path("run").rglob("*")):
        os.utime(path, (1e9 * (i % 3), 1e9 * (-i % 3)))
    meta.run(e, "run", resume=True)
    assert made("run") == made("whole")
