"""The zip around an artifact. What is read is held in memory, nothing is unpacked to disk; names and sizes
are checked before anything is inflated."""

from __future__ import annotations

import io
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from typing import NoReturn

from blurc.diagnostics import BlurError, Diagnostic
from blurc.storage import why

FILE_LIMIT = 128 * 2**20  # bytes; an artifact holds no weights and has kilobytes
UNPACKED_LIMIT = 512 * 2**20
RATIO_LIMIT = 200  # StableHLO packs up to 20 times
RATIO_FREE = 2**20  # small members may pack as they like

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment a zip can name
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


def pack(members: Mapping[str, bytes]) -> bytes:
    """A zip of `members`: sorted, without times, so that equal content gives equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in sorted(members):
            assert NAME.fullmatch(name), name
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # Unix, also where it is not
            info.external_attr = 0o644 << 16
            file.writestr(info, members[name], compresslevel=9)
    return buffer.getvalue()


def read(path: str | os.PathLike[str]) -> dict[str, bytes]:
    """The members of a zip by name. Raises `BlurError` (E701 to E704) where it is not sound."""
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
            _refuse("E702", f"`{name}` is no artifact: it is not a zip", MAKE)
        _refuse("E702", f"`{name}` is damaged or cut short: {_first_line(error)}", AGAIN)


# What zipfile raises for damaged files.
DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError)

MAKE = "make one with `blurc compile SPEC -o FILE.blurx`"
AGAIN = "copy or make it again"


def _bytes(name: str) -> bytes:
    try:
        with open(name, "rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except OSError as error:
        _refuse("E701", f"cannot read `{name}`: {why(error)}")
    except ValueError:
        _refuse("E701", f"cannot read {name!r}: no file can have this name")
    if len(data) > FILE_LIMIT:
        _refuse("E704", f"`{name}` has more than {FILE_LIMIT // 2**20} MiB")
    return data


def _check_names(file: str, infos: Iterable[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    for info in infos:
        # zipfile cuts and mends names; the one that stands there is what counts.
        name = info.orig_filename
        if not NAME.fullmatch(name) or name != info.filename:
            _refuse("E703", f"`{file}` has a member with the unsafe name {name!r}", FOREIGN)
        if name in seen:
            _refuse("E703", f"`{file}` has the member `{name}` twice", FOREIGN)
        seen.add(name)
        if info.flag_bits & 1:
            _refuse("E703", f"the member `{name}` of `{file}` is encrypted", FOREIGN)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            _refuse("E703", f"the member `{name}` of `{file}` is packed in a foreign way", FOREIGN)


FOREIGN = "blurc writes no such file: do not trust it"


def _check_sizes(file: str, infos: Iterable[zipfile.ZipInfo]) -> None:
    """zipfile inflates no more than the declared size, so checking that one is enough."""
    total = 0
    for info in infos:
        total += info.file_size
        if info.file_size > RATIO_FREE + RATIO_LIMIT * info.compress_size:
            sizes = f"{info.compress_size} bytes unpack to {info.file_size}"
            _refuse("E704", f"the member `{info.filename}` of `{file}` is a bomb: {sizes}", FOREIGN)
        if total > UNPACKED_LIMIT:
            _refuse("E704", f"`{file}` unpacks to more than {UNPACKED_LIMIT // 2**20} MiB", FOREIGN)


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _refuse(code: str, message: str, help: str | None = None) -> NoReturn:
    raise BlurError(Diagnostic(code, message, None, (), help))
