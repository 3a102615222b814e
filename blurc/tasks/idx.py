"""The IDX format of MNIST's files, plain or gzipped: two zero bytes, type, number of axes, sizes, data.

The files are not trusted: everything is checked before use, and no more is unpacked than the header declares and
`LIMIT` allows. Only unsigned bytes are read; no published set uses other types.
"""

from __future__ import annotations

import gzip
import io
import math
import struct
import zlib
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blurc.diagnostics import BlurError, Diagnostic
from blurc.storage import read_file, why

Bytes: TypeAlias = npt.NDArray[np.uint8]

LIMIT = 256 * 2**20  # the largest known set, EMNIST balanced, has 88 MB; as float32 the limit is 1 GiB
UNSIGNED_BYTE = 0x08
CONTENTS = {1: "labels", 3: "images"}  # by the number of axes
AGAIN = "replace the file with an undamaged copy; files missing from blurc's cache folder are fetched again"


def header(shape: tuple[int, ...]) -> bytes:
    return bytes((0, 0, UNSIGNED_BYTE, len(shape))) + struct.pack(f">{len(shape)}I", *shape)


def read(path: Path) -> bytes:
    try:
        return read_file(path, (), LIMIT)
    except OSError as error:
        raise BlurError(Diagnostic("E802", f"cannot read {path}: {why(error)}")) from None


def decode(data: bytes, path: Path, axes: int) -> Bytes:
    """The array in a file's bytes. The name tells whether it is gzipped; `axes` is 3 for images, 1 for labels."""
    if not data:
        raise _damaged(path, "the file is empty")
    if path.suffix != ".gz":
        return _decode(io.BytesIO(data), path, axes)
    if data[:2] != b"\x1f\x8b":
        raise _not_gzip(data, path, axes)
    try:
        return _decode(gzip.GzipFile(fileobj=io.BytesIO(data)), path, axes)
    except EOFError:
        raise _damaged(path, f"truncated: the gzip data ends after {len(data)} bytes") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise _damaged(path, f"damaged gzip data: {error}") from None


def _decode(stream: io.BytesIO | gzip.GzipFile, path: Path, axes: int) -> Bytes:
    _check_magic(stream.read(4), path, axes)
    sizes = stream.read(4 * axes)
    if len(sizes) < 4 * axes:
        raise _damaged(path, f"truncated: {4 + len(sizes)} bytes, but the header alone takes {4 + 4 * axes}")
    shape = struct.unpack(f">{axes}I", sizes)
    declared, dims = math.prod(shape), " x ".join(map(str, shape))
    if not declared:
        raise _damaged(path, f"the header declares {dims} {CONTENTS[axes]}, so there is no data")
    if declared > LIMIT:
        raise _damaged(path, f"the header declares {dims} = {declared} bytes, blurc reads at most {LIMIT}")
    # Reading one more byte detects excess data, and makes gzip check its CRC.
    data = stream.read(declared + 1)
    if len(data) != declared:
        cut = len(data) < declared
        found = f"{'truncated: ' if cut else ''}{len(data) if cut else 'more'} bytes follow the header"
        raise _damaged(path, f"{found}, which declares {dims} = {declared}")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _check_magic(found: bytes, path: Path, axes: int) -> None:
    expected = header((0,) * axes)[:4]
    if found == expected:
        return
    what = next((f" (a file of {k})" for a, k in CONTENTS.items() if found == header((0,) * a)[:4]), "")
    raise _damaged(
        path,
        f"not an IDX file of {CONTENTS[axes]}: it starts with 0x{found.hex()}{what}, "
        f"expected 0x{expected.hex()} (unsigned bytes, {axes} {'axes' if axes > 1 else 'axis'})",
    )


def _not_gzip(data: bytes, path: Path, axes: int) -> BlurError:
    plain = data.startswith(header((0,) * axes)[:4])
    help = f"it is uncompressed IDX data: rename it to {path.stem}" if plain else AGAIN
    return _damaged(path, f"not a gzip file: it starts with 0x{data[:4].hex()}, expected 0x1f8b", help)


def _damaged(path: Path, message: str, help: str = AGAIN) -> BlurError:
    return BlurError(Diagnostic("E803", f"{path}: {message}", help=help))
