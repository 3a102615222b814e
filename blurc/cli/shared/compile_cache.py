"""Compiled programs, which JAX keeps on disk from one command to the next.

The command line decides that; whoever imports blurc decides alone. A folder that cannot be written and programs that
cannot be read cost time only: they are compiled as if there were none. If the user named the folder, a warning says so.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from blurc.diagnostics import Diagnostic
from blurc.storage import cache_folder

FOLDER = "JAX_COMPILATION_CACHE_DIR"  # as JAX calls it; where it is set, to nothing too, the user has decided
THRESHOLDS = {  # small programs count too: there are many
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}
MOST = 2**29  # bytes
FAILED = re.compile(r"Error (reading|writing) persistent compilation cache entry for '([^']*)'")
CPU = Path("/proc/cpuinfo")


def keep() -> None:
    """From now on, what is compiled is kept: in the user's own folder if there is one. To be called before jax is
    imported."""
    if FOLDER not in os.environ:
        _choose_folder()
    if os.environ.get(FOLDER):
        for name, value in THRESHOLDS.items():
            os.environ.setdefault(name, value)


def leave_out() -> None:
    """From now on, everything is compiled anew. To be called before jax is imported."""
    os.environ[FOLDER] = ""


def _choose_folder() -> None:
    folder = cache_folder("programs") / _instructions()
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _is_private(folder):
            os.environ[FOLDER] = str(folder)


def trim() -> None:
    """Deletes what has not been used for longest, if the programs of `keep` take more than `MOST`.

    A folder of the user's own is left alone.
    Where the file system does not note when files are read (`noatime`), the programs compiled first go.
    """
    folder = cache_folder("programs")
    if "jax" not in sys.modules or not Path(os.environ.get(FOLDER, "")).is_relative_to(folder):
        return
    with suppress(OSError):
        found = sorted(_entries(folder), key=lambda entry: -max(entry[1].st_atime, entry[1].st_mtime))
        taken = 0
        for path, known in found:
            taken += known.st_size
            if taken > MOST:
                path.unlink(missing_ok=True)


def is_failure(warning: Warning | str) -> bool:
    """Whether JAX says that it could not read or write a program, which is then deleted: else it would stay."""
    if not (found := FAILED.match(str(warning))):
        return False
    with suppress(OSError):
        for path in Path(os.environ.get(FOLDER, "")).glob(f"{found[2]}-*"):
            path.unlink(missing_ok=True)
    return True


def unwritable() -> Diagnostic | None:
    """Why no program can be kept in the folder that the user named (W902); None if one can be, or if it is not
    theirs."""
    folder = os.environ.get(FOLDER, "")
    if not folder or Path(folder).is_relative_to(cache_folder("programs")) or "://" in folder:
        return None
    try:
        with tempfile.TemporaryFile(dir=folder):  # permissions do not say it: root has all, and disks are full
            return None
    except OSError as error:
        reason = error.strerror or "it cannot be written"
    message = f"compiled programs are not kept in `{folder}`: {reason}"
    return Diagnostic("W902", message, help=f"name another folder in `{FOLDER}`", severity="warning")


def _entries(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in folder.glob("*/*-cache"):
        with suppress(FileNotFoundError):  # another command may trim too
            yield path, path.stat()


def _is_private(folder: Path) -> bool:
    """Programs run as they are: a folder that others can write to is not trusted."""
    found = folder.stat()
    return not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o022)


def _instructions() -> str:
    """Names the instructions that this CPU has: a home may be shared by machines that differ in them, and JAX does not
    look."""
    known = platform.machine()
    with suppress(OSError), CPU.open() as lines:  # those of all cores are alike, and the system makes them one by one
        known = next((line for line in lines if line.startswith(("flags", "Features"))), known)
    return hashlib.sha256(known.encode()).hexdigest()[:16]
