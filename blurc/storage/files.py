"""The one way to read a file that somebody names, and the one way to write one.

A name may lead anywhere: to a device without end, a pipe that nobody fills, a file of passwords, through a link too. So
nothing is opened before it is known to be a regular file with a right name and of a bounded size, and nothing but a
regular file is ever replaced.

Whatever goes wrong is an `OSError`, and `why` says it in words that follow "cannot read `x`: ".
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, TypeAlias

Name: TypeAlias = "str | os.PathLike[str]"
Write: TypeAlias = Callable[[IO[bytes]], object]

MOST = 2**30  # bytes
UNFINISHED = re.compile(r"\..{1,40}\.[0-9a-f]{8}", re.DOTALL)

# Should a pipe take the place of a file after it was looked at, opening it does not wait. 0: not on Windows.
NONBLOCK = getattr(os, "O_NONBLOCK", 0)


def read_file(path: Name, suffixes: Sequence[str] = (), most: int = MOST) -> bytes:
    """The bytes of a file; see `open_file`."""
    with open_file(path, suffixes, most) as file:
        data = file.read(most + 1)  # one more: it may have grown, and files of /proc say 0
    if len(data) > most:
        raise _too_large(most)
    return data


def open_file(path: Name, suffixes: Sequence[str], most: int) -> IO[bytes]:
    """A regular file, opened for reading.

    Args:
        path: the file, or a link to it.
        suffixes: what its name ends in, in small letters, and also the name that links lead to; empty: anything.
        most: bytes that it may have.

    Raises:
        OSError: If it is something else.
    """
    try:
        real = os.path.realpath(path)
        _check(os.stat(real), most)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(errno.ENOENT, "there is no such file") from None
    except ValueError:  # such as a null character
        raise OSError(errno.EINVAL, "it is not a valid file name") from None
    if suffixes and not os.fspath(path).lower().endswith(tuple(suffixes)):
        raise OSError(errno.EINVAL, f"its name does not end in {' or '.join(suffixes)}")
    if suffixes and not real.lower().endswith(tuple(suffixes)):
        raise OSError(errno.EINVAL, f"it is a link to a file whose name does not end in {' or '.join(suffixes)}")
    file = open(real, "rb", opener=lambda name, flags: os.open(name, flags | NONBLOCK))  # noqa: SIM115 - the caller's
    try:
        _check(os.fstat(file.fileno()), most)
    except OSError:
        file.close()
        raise
    return file


def _check(found: os.stat_result, most: int) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    if found.st_size > most:
        raise _too_large(most)


def _too_large(most: int) -> OSError:
    return OSError(errno.EFBIG, f"it is larger than {most // 2**20:,} MiB")


def is_inside(path: Name, *folders: Name) -> bool:
    """Whether a file lies in one of the folders, wherever links lead."""
    try:
        real = Path(os.path.realpath(path))
    except ValueError:  # not a file name
        return False
    return any(real.is_relative_to(os.path.realpath(folder)) for folder in folders)


def write_file(path: Name, data: bytes | Write) -> None:
    """Puts `data`, or what it writes, at `path`. Raises `OSError`.

    A reader sees the old file or the new one, never part of it, even after the power fails. A link keeps its target,
    and a file its mode. Devices and pipes are written to as they are.
    """
    write: Write = data if callable(data) else lambda file: file.write(data)
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return _replace(Path(os.path.realpath(path)), write, None)
    except ValueError:
        raise OSError(errno.EINVAL, "it is not a valid file name") from None
    if stat.S_ISREG(mode):
        _replace(Path(os.path.realpath(path)), write, stat.S_IMODE(mode))
    elif stat.S_ISCHR(mode) or stat.S_ISFIFO(mode):
        _pour(path, write)
    else:  # a disk too: everything on it would be lost
        raise OSError(errno.EINVAL, "it is a folder" if stat.S_ISDIR(mode) else "it is not a regular file")


def remove_unfinished(folder: Path) -> None:
    """Removes what `write_file` left there when its process was killed. No other process may be writing there."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if UNFINISHED.fullmatch(path.name):
            with contextlib.suppress(OSError):
                path.unlink()


def append_to(path: Name) -> IO[bytes]:
    """A regular file, opened for writing at its end. Raises `OSError` if it is something else."""
    with contextlib.suppress(FileNotFoundError):
        _check(os.stat(path), MOST)
    return open(path, "ab")


def _replace(target: Path, write: Write, mode: int | None) -> None:
    if mode is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    # Not `tempfile`, whose files only their owner can read.
    unfinished = target.with_name(f".{target.name[:40]}.{os.urandom(4).hex()}")  # as in UNFINISHED
    try:
        with open(unfinished, "xb") as file:
            write(file)
            if mode is not None:  # else the new name may reach the disk before the data, and the old file is lost
                file.flush()
                os.fsync(file.fileno())
        if mode is not None:
            os.chmod(unfinished, mode)
        os.replace(unfinished, target)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise


def _pour(path: Name, write: Write) -> None:
    try:
        device = os.open(path, os.O_WRONLY | NONBLOCK)
    except OSError as error:
        raise OSError(error.errno, "it is a pipe that nobody reads") if error.errno == errno.ENXIO else error from None
    with open(device, "wb") as file:
        os.set_blocking(device, True)
        write(file)


def why(error: OSError) -> str:
    """The reason alone: the message of an `OSError` includes the name of a file, which may be a temporary one."""
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    words = error.strerror or str(error) or "unknown reason"
    return words[0].lower() + words[1:]
