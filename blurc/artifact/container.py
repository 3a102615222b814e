"""The zip around an artifact. Members are read into memory and never unpacked to disk. Names and sizes are checked
before anything is decompressed."""

from __future__ import annotations

import errno
import io
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from typing import NoReturn

from blurc.diagnostics import BlurError, Diagnostic
from blurc.storage import read_file, why

FILE_LIMIT = 128 * 2**20  # bytes; an artifact has no weights and takes kilobytes
UNPACKED_LIMIT = 512 * 2**20
RATIO_LIMIT = 200  # StableHLO compresses up to 20 times
RATIO_FREE = 2**20  # bytes; smaller members may have any ratio

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can store
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


def pack(members: Mapping[str, bytes]) -> bytes:
    """A zip of `members`, sorted and without times, so that equal content gives equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in sorted(members):
            assert NAME.fullmatch(name), name
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # Unix, on every system
            info.external_attr = 0o644 << 16
            file.writestr(info, members[name], compresslevel=9)
    return buffer.getvalue()


def read(path: str | os.PathLike[str]) -> dict[str, bytes]:
    """The members of a zip by name. Raises `BlurError` (E701 to E704) if the file is missing, damaged or unsafe."""
    name = os.fspath(path)
    data = _bytes(name)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            infos = file.infolist()
            _check_names(name, infos)
            _check_sizes(name, infos)
            return {info.filename: file.read(info) for info in infos}
    except DAMAGED as error:
        if not data.startswith(b"PK"):
            refuse("E702", f"`{name}` is not an artifact: it is not a zip file", MAKE)
        refuse("E702", f"`{name}` is damaged or truncated: {_first_line(error)}", AGAIN)


# What zipfile raises for damaged files.
DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError)

MAKE = "make one with `blurc compile SPEC -o FILE.blurx`"
AGAIN = "copy the file again, or recompile it"


def _bytes(name: str) -> bytes:
    try:
        return read_file(name, (), FILE_LIMIT)
    except OSError as error:
        refuse("E704" if error.errno == errno.EFBIG else "E701", f"cannot read `{name}`: {why(error)}")


def _check_names(file: str, infos: Iterable[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    for info in infos:
        # zipfile truncates and normalises names; check the one in the file.
        name = info.orig_filename
        if not NAME.fullmatch(name) or name != info.filename:
            refuse("E703", f"`{file}` has a member with the unsafe name {name!r}", FOREIGN)
        if name in seen:
            refuse("E703", f"`{file}` has the member `{name}` twice", FOREIGN)
        seen.add(name)
        if info.flag_bits & 1:
            refuse("E703", f"the member `{name}` of `{file}` is encrypted", FOREIGN)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            refuse("E703", f"the member `{name}` of `{file}` uses an unsupported compression method", FOREIGN)


FOREIGN = "blurc does not write such files: do not trust it"


def _check_sizes(file: str, infos: Iterable[zipfile.ZipInfo]) -> None:
    """zipfile never decompresses past the declared size, so checking that size is enough."""
    total = 0
    for info in infos:
        total += info.file_size
        if info.file_size > RATIO_FREE + RATIO_LIMIT * info.compress_size:
            sizes = f"{info.compress_size} bytes unpack to {info.file_size}"
            refuse("E704", f"the member `{info.filename}` of `{file}` is a zip bomb: {sizes}", FOREIGN)
        if total > UNPACKED_LIMIT:
            refuse("E704", f"`{file}` unpacks to more than {UNPACKED_LIMIT // 2**20} MiB", FOREIGN)


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def refuse(code: str, message: str, help: str | None = None) -> NoReturn:
    raise BlurError(Diagnostic(code, message, None, (), help))
