"""One run at a time writes into a folder."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from blurc.diagnostics import BlurError, Diagnostic
from blurc.storage import append_to

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None
try:
    import msvcrt
except ImportError:  # elsewhere
    msvcrt = None

LOCK = ".lock"


@contextmanager
def locked(folder: Path) -> Generator[Callable[[], None]]:
    """Keeps other runs out, so that two never mix their lines. The system releases the lock however the process ends.

    Yields:
        A function that raises `BlurError` (E618) if the folder is no longer the one that was locked.

    Raises:
        BlurError: E618 if another run is writing.
        OSError: If the lock cannot be written.
    """
    with append_to(folder / LOCK) as lock:
        if not _take(lock):
            help = "wait for it to finish, or choose another folder: -o DIR"
            raise BlurError(Diagnostic("E618", f"another run is writing to `{folder}`", help=help))
        yield lambda: _check(lock, folder)


def _take(lock: IO[bytes]) -> bool:
    """False if another process has it."""
    try:
        if fcntl:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif msvcrt:
            _take_on_windows(lock, msvcrt)
    except OSError as error:
        return error.errno not in TAKEN  # else a file system without locks
    return True


# What the systems say where another process has the lock.
TAKEN = (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)


def _take_on_windows(lock: IO[bytes], msvcrt: Any) -> None:
    """Locks the first byte, which need not exist, and is free again when the process ends."""
    lock.seek(0)
    msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)


def _check(lock: IO[bytes], folder: Path) -> None:
    """Another run may have begun in a new folder of the same name."""
    try:
        same = os.path.samestat(os.fstat(lock.fileno()), os.stat(folder / LOCK))
    except FileNotFoundError:
        same = False
    if not same:
        message = f"the run folder `{folder}` was removed or replaced while the run was going"
        raise BlurError(Diagnostic("E618", message, help="begin again, in a folder of its own: -o DIR"))
