"""One run at a time writes into a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from blurc.diagnostics import BlurError, Diagnostic
from blurc.storage import append_to

try:
    import fcntl
except ImportError:  # Windows: nothing stops two runs from sharing a folder
    fcntl = None

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
        if fcntl:
            _take(lock, folder)
        yield lambda: _check(lock, folder)


def _take(lock: IO[bytes], folder: Path) -> None:
    assert fcntl
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        help = "wait for it to finish, or choose another folder: -o DIR"
        raise BlurError(Diagnostic("E618", f"another run is writing to `{folder}`", help=help)) from None
    except OSError:  # a file system without locks
        pass


def _check(lock: IO[bytes], folder: Path) -> None:
    """Another run may have begun in a new folder of the same name."""
    try:
        same = os.path.samestat(os.fstat(lock.fileno()), os.stat(folder / LOCK))
    except FileNotFoundError:
        same = False
    if not same:
        message = f"the run folder `{folder}` was removed or replaced while the run was going"
        raise BlurError(Diagnostic("E618", message, help="begin again, in a folder of its own: -o DIR"))
