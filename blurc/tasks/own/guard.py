"""What users' functions raise, as diagnostics that name the line of their file."""

from __future__ import annotations

import linecache
import os
import sysconfig
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import jax

from blurc.diagnostics import BlurError, Diagnostic, Span

LONGEST = 200  # characters of a message: those of JAX may have pages
_PATHS = sysconfig.get_paths()
_FOREIGN = (*(_PATHS[name] for name in ("stdlib", "purelib", "platlib")), str(Path(__file__).parents[2]))


@contextmanager
def guarded(what: str) -> Generator[None]:
    """Raises `BlurError` (E815) for whatever is raised inside, by a function called `what`."""
    try:
        yield
    except BlurError:
        raise
    except (Exception, SystemExit) as error:
        lines = str(error).strip().splitlines()
        said = f": {lines[0][:LONGEST]}" if lines else ""
        message = f"{what} raises {type(error).__name__}{said}"
        raise BlurError(Diagnostic("E815", message, notes=place_of(error), help=traced_help(error))) from None


@contextmanager
def told_at(where: Span | None) -> Generator[None]:
    """Adds the place that names a function to the errors about it."""
    try:
        yield
    except BlurError as error:
        raise BlurError([replace(d, span=d.span or where) for d in error.diagnostics]) from None


def traced_help(error: BaseException) -> str | None:
    """What to write instead of what JAX cannot trace; None for other errors."""
    match error:
        case jax.errors.TracerBoolConversionError():
            return "the value is not known yet: use `jnp.where` or `jax.lax.cond` in the place of `if`"
        case jax.errors.TracerArrayConversionError():
            return "call `jax.numpy` in the place of `numpy`"
        case jax.errors.ConcretizationTypeError() | jax.errors.TracerIntegerConversionError():
            return "the value is not known yet: keep it a JAX array, and let no shape or Python number depend on it"
        case _:
            return None


def place_of(error: BaseException) -> tuple[str, ...]:
    """The last line of a user's file that an error went through, as a note; none if it is in none."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return (line_of(error.filename, error.lineno),)
    own = [frame for frame in _frames(error.__traceback__) if _is_users(frame[0])]
    return (line_of(*own[-1]),) if own else ()


def line_of(file: str, number: int) -> str:
    text = linecache.getline(file, number).strip()
    return f"{shown(file)}, line {number}{f': `{text[:LONGEST]}`' if text else ''}"


def shown(file: str) -> str:
    """The name of a file as seen from the working folder, if it is in there."""
    path, here = Path(file), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else file


def _frames(at: TracebackType | None) -> list[tuple[str, int]]:
    return [(frame.f_code.co_filename, number) for frame, number in traceback.walk_tb(at)]


def _is_users(file: str) -> bool:
    return not file.startswith("<") and not os.path.realpath(file).startswith(tuple(map(os.path.realpath, _FOREIGN)))
