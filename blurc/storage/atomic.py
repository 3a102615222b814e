"""Writing a file as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Puts `data` at `path`: a reader finds the old file or the new one, never a part. Raises `OSError`, and
    leaves nothing behind then. A symbolic link keeps pointing to where it did."""
    target = Path(os.path.realpath(path))
    # Not `tempfile`, whose files nobody else may read.
    unfinished = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with open(unfinished, "xb") as file:
            file.write(data)
        os.replace(unfinished, target)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise


def why(error: OSError) -> str:
    """The reason alone: the message of an `OSError` names the unfinished file."""
    return (error.strerror or str(error)).lower()
