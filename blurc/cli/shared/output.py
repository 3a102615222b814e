"""Writes output files, with a diagnostic if that fails."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import click

from blurc.cli.shared.terminal import STDOUT
from blurc.diagnostics import BlurError, Diagnostic
from blurc.guards import check_package
from blurc.storage import why, write_file

DRAWN = (".svg", ".png")


def write(path: str | Path, data: bytes) -> None:
    try:
        write_file(path, data)
    except OSError as error:
        raise BlurError(_cannot_write(path, why(error))) from None


def check_writable(paths: Sequence[str | Path | None], read: str | Path | None = None) -> None:
    """Rejects unwritable paths before the slow work starts, and pictures where nothing can draw them.

    Args:
        paths: of outputs.
        read: an input, which none of them may overwrite.

    Raises:
        click.UsageError: If two of them are the same file, in which only the last would stay, or one is the input.
        BlurError: E907 for those that cannot be written, E921 without what draws pictures.
    """
    if any(str(path).lower().endswith(DRAWN) for path in paths):
        check_package("matplotlib", "pictures need")
    files = [str(path) for path in paths if path not in (None, STDOUT)]
    if found := [d for path in files if (d := _complaint(path))]:
        raise BlurError(found)
    taken = {os.path.realpath(read): "it is read"} if read else {}
    for path in files:
        if (real := os.path.realpath(path)) in taken and not _is_special(path):
            raise click.UsageError(f"cannot write {path}, as {taken[real]}: give each output a file of its own")
        taken[real] = "another output goes there"


def _is_special(path: str) -> bool:
    """Whether what is written there replaces nothing, as in /dev/null."""
    return os.path.exists(path) and not os.path.isfile(path)


def _complaint(path: str) -> Diagnostic | None:
    target = os.path.realpath(path)
    folder = os.path.dirname(target)
    if os.path.isdir(target):
        return _cannot_write(path, "it is a folder")
    if not os.path.isdir(folder):
        return _cannot_write(path, f"there is no folder {os.path.dirname(path) or folder}")
    if not os.access(target if os.path.exists(target) else folder, os.W_OK):
        return _cannot_write(path, "permission denied")
    return None


def _cannot_write(path: str | Path, reason: str) -> Diagnostic:
    return Diagnostic("E907", f"cannot write {path}: {reason}")


def write_json(path: str, value: Any) -> None:
    """Writes JSON to a file, or to stdout for `-`. Infinities and NaN become null."""
    text = json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if path == STDOUT:
        click.echo(text, nl=False)
    else:
        write(path, text.encode())


def _plain(value: object) -> object:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(k): _plain(v) for k, v in cast("Mapping[object, object]", value).items()}
        case list() | tuple():
            return [_plain(v) for v in cast("Sequence[object]", value)]
        case _:
            return value
