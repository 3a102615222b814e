"""A disk that fails, or a process that dies, at one of the moments at which something is written."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tiny import Killed

from blurc.storage import files

FULL, READ_ONLY, DENIED, QUOTA, BROKEN = errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT, errno.EIO
DEATH = 0


class Faults:
    """Counts what changes the disk. From number `at` on, everything fails with an error number, or as in a process that
    was killed."""

    def __init__(self, at: int = -1, kind: int = FULL):
        self.at, self.kind, self.count = at, kind, 0

    def happen(self) -> bool:
        self.count += 1
        return 0 <= self.at < self.count

    def fail(self) -> None:
        raise OSError(self.kind, os.strerror(self.kind)) if self.kind else Killed

    def guarded(self, action: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if self.happen():
                self.fail()
            return action(*arguments, **options)

        return call

    def open(self, path: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if mode == "rb":
            return open(path, mode, *arguments, **options)
        return File(self, self.guarded(open)(path, mode, *arguments, **options))

    def unlink(self, path: Path) -> None:
        """A disk that is full lets files go."""
        if self.kind == DEATH and 0 <= self.at < self.count:
            self.fail()
        os.unlink(path)


class File:
    """Writes only half of what it is given when it fails."""

    def __init__(self, faults: Faults, file: Any):
        self.faults, self.file = faults, file

    def __enter__(self) -> File:
        return self

    def __exit__(self, *exception: object) -> None:
        self.file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def write(self, data: bytes) -> None:
        fails = self.faults.happen()
        self.file.write(data[: len(data) // 2] if fails else data)
        self.file.flush()
        if fails:
            self.faults.fail()


@contextmanager
def injected(faults: Faults) -> Generator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "open", faults.open, raising=False)
        patch.setattr(os, "replace", faults.guarded(os.replace))
        patch.setattr(os, "truncate", faults.guarded(os.truncate))
        patch.setattr(os, "mkdir", faults.guarded(os.mkdir))
        patch.setattr(Path, "unlink", lambda path: faults.unlink(path))
        yield
