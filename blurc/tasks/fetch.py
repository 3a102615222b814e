"""Fetches a file from the first mirror that has it: limits its size, checks it, then puts it in place atomically.

A file appears under its name only when it is complete and correct; an interrupted fetch leaves nothing behind. It is
held in memory until it is checked (the largest has 30 MB). There is no progress bar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from blurc.storage import write_file

TIMEOUT = 20.0  # seconds of silence
LIMIT = 64 * 2**20

# None if the bytes are as expected, otherwise what is wrong with them.
Check = Callable[[bytes], "str | None"]


def fetch(file: str, mirrors: Iterable[str], folder: Path, check: Check) -> tuple[str, ...]:
    """Puts `file` into `folder`. Returns () on success, otherwise what went wrong with each mirror."""
    reasons: list[str] = []
    for mirror in mirrors:
        try:
            data = _get(mirror + file)
        except (OSError, HTTPException, ValueError) as error:
            reasons.append(f"{mirror}{file}: {_why(error)}")
            continue
        if complaint := check(data):
            reasons.append(f"{mirror}{file}: {complaint}")
            continue
        try:
            _store(data, folder / file)
        except OSError as error:
            return (*reasons, f"cannot write to {folder}: {error.strerror or error}")
        return ()
    return tuple(reasons)


def _why(error: Exception) -> str:
    # A plain URLError wraps the reason in angle brackets; its subclass HTTPError reads well as is.
    return str(error.reason if type(error) is URLError else error) or type(error).__name__


def _get(url: str) -> bytes:
    with urlopen(Request(url, headers={"User-Agent": "blurc"}), timeout=TIMEOUT) as reply:
        data = reply.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise ValueError(f"larger than {LIMIT} bytes")
    return data


def _store(data: bytes, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, data)
