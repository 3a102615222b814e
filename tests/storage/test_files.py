"""Files are read where they are regular, rightly named and bounded, and nothing else is ever replaced."""

from __future__ import annotations

import os
import re
import socket
import stat
import threading
import tracemalloc
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from blurc.storage import checkpoints, read_file, why, write_file

PACKAGE = Path(__file__).parents[2] / "blurc"
SUFFIXES, MOST = (".blur", ".txt"), 2**20


@contextmanager
def a_socket(path: Path) -> Generator[None]:
    with closing(socket.socket(socket.AF_UNIX)) as bound:
        bound.bind(str(path))
        yield


def refusal(action: Callable[[], object]) -> str:
    try:
        action()
    except OSError as error:
        return why(error)
    pytest.fail("it was not refused")


UNREADABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda p: None, "there is no such file"),
    "a folder": (lambda p: p.mkdir(), "it is a folder"),
    "a pipe": (lambda p: os.mkfifo(p), "it is not a regular file"),
    "a link to a device": (lambda p: p.symlink_to("/dev/zero"), "it is not a regular file"),
    "a link to passwords": (
        lambda p: p.symlink_to("/etc/passwd"), "it is a link to a file whose name does not end in .blur or .txt"
    ),
    "a link to itself": (lambda p: p.symlink_to(p), "too many levels of symbolic links"),
    "a large file": (lambda p: p.write_bytes(bytes(MOST + 1)), "it is larger than 1 MiB"),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_is_not_a_file_of_its_kind_is_not_read(tmp_path: Path, kind: str) -> None:
    make, reason = UNREADABLE[kind]
    make(tmp_path / "x.blur")
    assert refusal(lambda: read_file(tmp_path / "x.blur", SUFFIXES, MOST)) == reason


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/stdin", "/dev/tty", "/proc/self/mem"])
def test_devices_are_not_read(name: str) -> None:
    assert refusal(lambda: read_file(name, (), MOST))


def test_a_socket_is_not_read(tmp_path: Path) -> None:
    with a_socket(tmp_path / "x.blur"):
        assert refusal(lambda: read_file(tmp_path / "x.blur", SUFFIXES, MOST)) == "it is not a regular file"


@pytest.mark.parametrize("name", ["a\0.blur", "\udc80\0.blur"])
def test_a_name_that_is_none(name: str) -> None:
    assert refusal(lambda: read_file(name, SUFFIXES, MOST)) == "it is not a valid file name"
    assert refusal(lambda: write_file(name, b"")) == "it is not a valid file name"


def test_a_link_to_a_file_of_its_kind_is_read(tmp_path: Path) -> None:
    (tmp_path / "real.TXT").write_bytes(b"text")
    (tmp_path / "x.blur").symlink_to("real.TXT")
    assert read_file(tmp_path / "x.blur", SUFFIXES, 4) == b"text"


def test_a_file_that_hides_its_size_is_bounded() -> None:
    assert os.stat("/proc/self/status").st_size == 0
    assert refusal(lambda: read_file("/proc/self/status", (), 10)) == "it is larger than 0 MiB"


# ---------------------------------------------------------------- writing


def test_devices_are_written_to_and_not_replaced() -> None:
    before = os.stat("/dev/null")
    write_file("/dev/null", b"text")
    after = os.stat("/dev/null")
    assert stat.S_ISCHR(after.st_mode)
    assert (before.st_ino, before.st_rdev) == (after.st_ino, after.st_rdev)


def test_a_full_device_says_so() -> None:
    assert refusal(lambda: write_file("/dev/full", b"text")) == "no space left on device"


def test_a_pipe_gets_everything(tmp_path: Path) -> None:
    path, data, read = tmp_path / "pipe", bytes(2**20), list[bytes]()
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reading, True)
    held = os.open(path, os.O_WRONLY)  # so that the reader waits for the first writer

    def drain() -> None:
        with open(reading, "rb") as file:
            read.append(file.read())

    thread = threading.Thread(target=drain)
    thread.start()
    write_file(path, data)
    os.close(held)
    thread.join()
    assert read == [data]
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_a_file_is_replaced_once_the_new_one_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, sizes = tmp_path / "file", list[int]()
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", lambda number: sizes.append(os.fstat(number).st_size))
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *names: sizes.append(-1))
        write_file(path, b"newer")
    assert sizes == [5, -1]


def test_checkpoints_are_written_without_another_copy_in_memory(tmp_path: Path) -> None:
    leaves, kind = [np.ones(2**23, np.float64)], checkpoints.Kind("", "", 1, "", "", "")
    tracemalloc.start()
    kind.save(tmp_path / "c.npz", leaves, {})
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < leaves[0].nbytes / 2
    assert kind.read(tmp_path / "c.npz")[1][0].tobytes() == leaves[0].tobytes()


def test_a_pipe_that_nobody_reads_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refusal(lambda: write_file(tmp_path / "pipe", b"text")) == "it is a pipe that nobody reads"


def test_a_socket_is_not_replaced(tmp_path: Path) -> None:
    with a_socket(tmp_path / "s"):
        assert refusal(lambda: write_file(tmp_path / "s", b"text")) == "it is not a regular file"
        assert stat.S_ISSOCK((tmp_path / "s").stat().st_mode)


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    assert refusal(lambda: write_file(tmp_path / "d", b"text")) == "it is a folder"


def test_a_link_keeps_its_target_and_a_file_its_mode(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"before")
    (tmp_path / "real").chmod(0o600)
    (tmp_path / "link").symlink_to("real")
    write_file(tmp_path / "link", b"after")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"after"
    assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == 0o600


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    write_file(tmp_path / ("n" * 255), b"text")
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"text"]


def test_nothing_stays_behind_where_writing_fails(tmp_path: Path) -> None:
    assert refusal(lambda: write_file(tmp_path / "none" / "x", b"text")) == "no such file or directory"
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- one way

# Files that blurc wrote, packaged or asks the system for, and never one that somebody names.
OWN = {
    "faces.py", "language/tables.py", "spec/examples.py", "cli/commands/specs.py", "cli/commands/init.py",
    "cli/shared/subjects.py", "cli/shared/failure.py", "bench/run.py", "bench/processes.py", "guards/memory.py",
    "tasks/sets.py",
}  # fmt: skip


def test_no_other_file_reads_or_writes() -> None:
    opens = re.compile(
        r"\b(read_text|write_text|read_bytes|write_bytes)\(|(?<![.\w])open\(|\bnp\.(load|loadtxt|fromfile)\((?!io\.BytesIO)"
    )
    found = {p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*.py") if opens.search(p.read_text("utf-8"))}
    assert found - OWN == {"storage/files.py"}
