"""A network's picture as a value, which a notebook shows, and as a file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PurePath

from blurc.diagnostics import BlurError, Diagnostic
from blurc.model import Network
from blurc.pictures import dot, draw
from blurc.storage import why, write_file

SUFFIXES = (".svg", ".png", ".dot")


@dataclass(frozen=True)
class Drawing:
    """A picture. A notebook shows it; `svg` is its text."""

    svg: str

    def _repr_svg_(self) -> str:
        return self.svg


def drawn(network: Network, path: str | os.PathLike[str] | None = None, *, full: bool = False) -> Drawing:
    """The picture, also written to `path` if there is one. Raises `BlurError` (E907)."""
    svg = draw.render(network, "svg", full=full)
    if path is not None:
        _write(path, network, svg, full)
    return Drawing("<svg" + svg.decode().partition("<svg")[2])  # notebooks want it without the head of a file


def _write(path: str | os.PathLike[str], network: Network, svg: bytes, full: bool) -> None:
    match PurePath(path).suffix.lower():
        case ".svg":
            data = svg
        case ".png":
            data = draw.render(network, "png", full=full)
        case ".dot":
            data = dot.text(network, full=full).encode()
        case _:
            raise _cannot_write(path, f"its name must end in {', '.join(SUFFIXES)}")
    try:
        write_file(path, data)
    except OSError as error:
        raise _cannot_write(path, why(error)) from None


def _cannot_write(path: str | os.PathLike[str], reason: str) -> BlurError:
    return BlurError(Diagnostic("E907", f"cannot write {os.fspath(path)}: {reason}"))
