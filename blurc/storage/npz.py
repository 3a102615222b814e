"""Reads arrays of numbers from an untrusted `.npz` file.

Every array's header is checked before its data: its type must be plain numbers (nothing is ever unpickled) and its
size within `LIMIT`, so that a small file cannot unpack into all of the memory.
"""

from __future__ import annotations

import lzma
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from blurc.diagnostics import BlurError, Diagnostic, Report

Array: TypeAlias = npt.NDArray[Any]

LIMIT = 4 * 2**30  # bytes of one array
HELP = "save the file with numpy.savez(FILE, x=inputs, y=labels_or_targets)"

# What zipfile, its decompressors and NumPy's header parser raise on malformed bytes.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, tokenize.TokenError,
    OSError, EOFError, ValueError, RuntimeError, OverflowError, SyntaxError, TypeError,
)  # fmt: skip


def read(path: Path, required: Iterable[str], optional: Iterable[str]) -> dict[str, Array]:
    """The arrays with these names that are present; all problems are reported at once."""
    try:
        file = path.open("rb")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BlurError(Diagnostic("E802", f"cannot read {path}: {reason}")) from None
    with file:
        try:
            archive = zipfile.ZipFile(file)
        except _DAMAGE:
            message = f"{path}: not an npz file: it is not a zip archive, or it is truncated"
            raise BlurError(Diagnostic("E803", message, help=HELP)) from None
        with archive:
            return _arrays(archive, path, required, optional)


def _arrays(
    archive: zipfile.ZipFile, path: Path, required: Iterable[str], optional: Iterable[str]
) -> dict[str, Array]:
    report, arrays = Report(), dict[str, Array]()
    members = {name.removesuffix(".npy"): name for name in archive.namelist() if name.endswith(".npy")}
    for name in required:
        if name not in members:
            notes = (f"it contains {', '.join(members) or 'no arrays'}",)
            report.error("E804", f"{path}: there is no array `{name}`", None, notes=notes, help=HELP)
    for name in (*required, *optional):
        if name in members:
            try:
                arrays[name] = _array(archive, members[name], path)
            except BlurError as error:
                report.diagnostics += error.diagnostics
    report.check()
    return arrays


def _array(archive: zipfile.ZipFile, member: str, path: Path) -> Array:
    name = member.removesuffix(".npy")
    try:
        with archive.open(member) as file:
            shape, dtype = _header(file)
        if complaint := _complaint(shape, dtype):
            raise BlurError(Diagnostic("E804", f"{path}: `{name}` {complaint}", help=HELP))
        with archive.open(member) as file:
            array: Array = np.lib.format.read_array(file, allow_pickle=False)
            excess = file.read(1)  # at the end of the member, where zipfile checks its CRC
    except _DAMAGE as error:
        raise BlurError(Diagnostic("E803", f"{path}: `{name}` is damaged: {error}", help=HELP)) from None
    if excess:
        raise BlurError(
            Diagnostic("E803", f"{path}: `{name}` has bytes after the end of its data", help=HELP)
        )
    return array


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    else:
        raise ValueError(f"npy format {version[0]}.{version[1]}, expected 1.0 or 2.0")
    return shape, dtype


def _complaint(shape: tuple[int, ...], dtype: np.dtype[Any]) -> str | None:
    if dtype.hasobject:
        return "holds Python objects, which blurc never unpickles; expected numbers"
    if dtype.kind not in "biuf":
        return f"holds {dtype}, expected real numbers"
    size = math.prod(shape) * dtype.itemsize
    if size > LIMIT:
        return f"declares {size} bytes, blurc reads at most {LIMIT}"
    return None
