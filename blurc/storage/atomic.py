"""Writing a file completely or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Puts `data` at `path`: a reader sees the old file or the new one, never part of it. Raises `OSError` and cleans
    up on failure. A symbolic link keeps its target."""
    target = Path(os.path.realpath(path))
    # Not `tempfile`, whose files only their owner can read.
    unfinished = target.with_name(f".{target.name}.{os.urandom(4).hex()}")
    try:
        with open(unfinished, "xb") as file:
            file.write(data)
        os.replace(unfinished, target)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise


def why(error: OSError) -> str:
    """The reason alone: the message of an `OSError` includes the name of the temporary file."""
    return "it is a folder" if isinstance(error, IsADirectoryError) else (error.strerror or str(error)).lower()
