"""Reads arrays of numbers from an untrusted `.npz` file.

Every array's header is checked before its data: its type must be plain numbers (nothing is ever unpickled) and its
size within a limit, so that a small file cannot unpack into all of the memory.
"""

from __future__ import annotations

import lzma
import math
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from blurc.storage.files import open_file

Array: TypeAlias = npt.NDArray[Any]

FILE_LIMIT = 64 * 2**30  # bytes
LIMIT = 4 * 2**30  # bytes of one array

MOST_UNPACKED = 1100  # bytes from one, by any of the methods of zip that NumPy writes

# What zipfile, its decompressors and NumPy's header parser raise on malformed bytes.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, tokenize.TokenError,
    OSError, EOFError, ValueError, RuntimeError, OverflowError, SyntaxError, TypeError,
)  # fmt: skip


class Damaged(Exception):
    """Bytes that are not what an `.npz` file has; the message says which."""


class Unfit(Exception):
    """A whole array that is not of numbers, or too large; the message says which."""


@contextmanager
def opened(path: Path) -> Generator[Archive]:
    """The arrays of a file. Raises `OSError` where it cannot be opened, `Damaged` where it is not an archive."""
    with open_file(path, (".npz",), FILE_LIMIT) as file:
        try:
            archive = zipfile.ZipFile(file)
        except _DAMAGE:
            raise Damaged("not an npz file: it is not a zip archive, or it is truncated") from None
        with archive:
            yield Archive(archive)


@dataclass(frozen=True)
class Archive:
    _file: zipfile.ZipFile

    @property
    def names(self) -> list[str]:
        return [n.removesuffix(".npy") for n in self._file.namelist() if n.endswith(".npy")]

    def array(self, name: str, limit: float = LIMIT) -> Array:
        """One of `names`. limit: bytes that it may have. Raises `Damaged` or `Unfit`."""
        member = f"{name}.npy"
        try:
            with self._file.open(member) as file:
                shape, dtype = _header(file)
            if complaint := _complaint(shape, dtype, limit):
                raise Unfit(f"`{name}` {complaint}")
            self._check_size(member, math.prod(shape) * dtype.itemsize)
            with self._file.open(member) as file:
                array: Array = np.lib.format.read_array(file, allow_pickle=False)
                excess = file.read(1)  # at the end of the member, where zipfile checks its CRC
        except (KeyError, *_DAMAGE) as error:
            raise Damaged(f"`{name}` is damaged: {error}") from None
        if excess:
            raise Damaged(f"`{name}` has bytes after the end of its data")
        return array

    def _check_size(self, member: str, declared: int) -> None:
        """Before memory is asked for: whether so many bytes can be there. Raises `ValueError`."""
        info, there = self._file.getinfo(member), os.fstat(self._file.fp.fileno()).st_size if self._file.fp else 0
        packed = min(info.compress_size, there)
        if declared > min(info.file_size, MOST_UNPACKED * packed):
            raise ValueError(f"it declares {declared:,} bytes, more than the {packed:,} of the file can hold")


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    else:
        raise ValueError(f"npy format {version[0]}.{version[1]}, expected 1.0 or 2.0")
    return shape, dtype


def _complaint(shape: tuple[int, ...], dtype: np.dtype[Any], limit: float) -> str | None:
    if dtype.hasobject:
        return "holds Python objects, which blurc never unpickles; expected numbers"
    if dtype.kind not in "biuf":
        return f"holds {dtype}, expected real numbers"
    size = math.prod(shape) * dtype.itemsize
    if size > limit:
        return f"declares {size} bytes, blurc reads at most {limit}"
    return None
