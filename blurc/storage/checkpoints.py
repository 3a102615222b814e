"""Checkpoints: arrays, and what has to be known about them, in one file that is written atomically.

An `.npz` without pickle: the arrays in order, and JSON metadata `about` with a SHA-256 of both. The reader knows what
the arrays are.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np

from blurc.diagnostics import BlurError, Diagnostic
from blurc.storage import npz
from blurc.storage.files import why, write_file

About: TypeAlias = Mapping[str, Any]

UNREADABLE = (npz.Damaged, npz.Unfit, ValueError, RecursionError)  # what files of others raise


@dataclass(frozen=True)
class Kind:
    """What kind of checkpoints a command writes.

    Attributes:
        name: what writes them, in messages.
        mark: what the file says of that; "": nothing.
        format: the version of what is in it.
        missing: what to do if there is none.
        damaged: what to do if it cannot be used.
        foreign: what to do if it was written by another version.
    """

    name: str
    mark: str
    format: int
    missing: str
    damaged: str
    foreign: str

    def save(self, path: Path, leaves: Sequence[npz.Array], about: About) -> None:
        """Raises `OSError`."""
        write_file(path, lambda file: self._pack(file, leaves, about))

    def packed(self, leaves: Sequence[npz.Array], about: About) -> bytes:
        """The bytes of a checkpoint."""
        file = io.BytesIO()
        self._pack(file, leaves, about)
        return file.getvalue()

    def wrote(self, path: Path) -> bool:
        """Whether a file is a checkpoint of this kind, of any format; the arrays are not looked at."""
        try:
            with npz.opened(path) as file:
                about = _about(file)
        except (OSError, *UNREADABLE):
            return False
        return isinstance(about, dict) and "format" in about and about.get("kind", "") == self.mark

    def read(self, path: Path) -> tuple[dict[str, Any], list[npz.Array]]:
        """`about`, and the arrays. Raises `BlurError`: E615 if there is no such file, E616 if it is damaged, E617 if
        another version wrote it."""
        about, leaves = self._opened(path)
        if not isinstance(about, dict) or not isinstance(about.get("format"), int):
            raise self._unusable(path, "it is not a blurc checkpoint")
        if about.get("kind", "") != self.mark:
            raise self._unusable(path, f"it is not a checkpoint of {self.name}")
        if about["format"] != self.format:
            message = f"`{path}` was made with another version of blurc: its format is {about['format']}, not "
            raise BlurError(Diagnostic("E617", f"{message}{self.format}", help=self.foreign))
        if about.pop("sha256", None) != _digest(about, leaves):
            raise self._unusable(path, "its contents have changed since it was saved")
        return about, leaves

    def _pack(self, file: IO[bytes], leaves: Sequence[npz.Array], about: About) -> None:
        about = {**about, **({"kind": self.mark} if self.mark else {}), "format": self.format}
        text = json.dumps({**about, "sha256": _digest(about, leaves)}, sort_keys=True)
        arrays: dict[str, Any] = {f"leaf{i}": leaf for i, leaf in enumerate(leaves)}
        np.savez(file, allow_pickle=False, about=np.frombuffer(text.encode(), np.uint8), **arrays)

    def _opened(self, path: Path) -> tuple[Any, list[npz.Array]]:
        try:
            with npz.opened(path) as file:
                about = _about(file)
                most = path.stat().st_size  # bytes, for nothing in it is compressed
                return about, [file.array(f"leaf{i}", most) for i in range(len(file.names) - 1)]
        except FileNotFoundError:
            message = f"there is no checkpoint `{path}`"
            raise BlurError(Diagnostic("E615", message, help=self.missing)) from None
        except OSError as error:
            raise BlurError(Diagnostic("E616", f"cannot read `{path}`: {why(error)}")) from None
        except UNREADABLE:
            raise self._unusable(path, "it is not a complete blurc checkpoint") from None

    def _unusable(self, path: Path, reason: str) -> BlurError:
        return BlurError(Diagnostic("E616", f"cannot resume from `{path}`: {reason}", help=self.damaged))


def unpacked(data: bytes) -> tuple[list[npz.Array], dict[str, Any]]:
    """What `Kind.packed` was given, from another process."""
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        leaves = [file[f"leaf{i}"] for i in range(len(file.files) - 1)]
        return leaves, json.loads(bytes(file["about"]).decode())


def _about(file: npz.Archive) -> Any:
    return json.loads(bytes(file.array("about")).decode())


def _digest(about: About, leaves: Sequence[npz.Array]) -> str:
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for leaf in leaves:
        digest.update(f"{leaf.dtype} {leaf.shape} ".encode())
        digest.update(np.ascontiguousarray(leaf).reshape(-1).view(np.uint8).data)  # not a copy, which may be large
    return digest.hexdigest()
