"""What `FILE.py:NAME` names. Finding it runs the file, so nothing that only reads an experiment does."""

from __future__ import annotations

import ast
import hashlib
import linecache
import os
import re
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from blurc.diagnostics import BlurError, Diagnostic, suggest
from blurc.storage import read_file, why
from blurc.tasks.own.guard import LONGEST, place_of, shown
from blurc.tasks.own.tokens import meant

NAMED = re.compile(r"(.+\.py):([^\W\d]\w*)", re.DOTALL)
MOST = 2**24  # bytes
HASH, DIGITS = "python:", 32


class Named(NamedTuple):
    """`FILE.py:NAME`."""

    path: str
    name: str

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"{Path(self.path).name}:{self.name}"

    def __str__(self) -> str:
        return f"{self.path}:{self.name}"


def named(text: str) -> Named | None:
    """None if it is something else than `FILE.py:NAME`."""
    found = NAMED.fullmatch(text)
    return Named(found[1], found[2]) if found else None


def unnamed(text: str) -> Diagnostic | None:
    """For a file that is named without what to take of it: what it has, which is read and not run; else None."""
    path = text.removesuffix(":")
    if not path.endswith(".py"):
        return None
    found = _members(Named(path, ""))
    example = f"`{path}:{found[0] if found else 'NAME'}`"
    help = f"it has {', '.join(found)}: write {example}" if found else f"write {example}, a class of the file"
    return Diagnostic("E814", f"`{text}` does not say what to take of the file", help=help)


def _members(of: Named) -> list[str]:
    """Classes that look like tasks or environments; all classes and functions if none does. Raises `BlurError` (E814)
    if the file cannot be read."""
    text = python_text(of)
    with _refused(of.path):
        body = ast.parse(text, of.path).body
    classes = [node for node in body if isinstance(node, ast.ClassDef)]
    fitting = [node.name for node in classes if {"sample", "reset"} & {f.name for f in _functions(node.body)}]
    return fitting or [n.name for n in (*classes, *_functions(body)) if not n.name.startswith("_")]


def _functions(body: list[ast.stmt]) -> list[ast.FunctionDef]:
    return [node for node in body if isinstance(node, ast.FunctionDef)]


def attribute(of: Named) -> Any:
    """What the name stands for in its file, which is run once. Raises `BlurError` (E814)."""
    names = vars(_module(of.path, python_text(of)))
    if of.name not in names:
        known = [n for n, value in names.items() if not n.startswith("_") and callable(value)]
        help = suggest(of.name, known, f"it has {', '.join(known)}" if known else "define it there")
        raise BlurError(Diagnostic("E814", f"`{shown(of.path)}` has no `{of.name}`", help=help))
    return names[of.name]


def python_meaning(of: Named) -> str:
    """A hash of what stands in the file: comments and layout do not count. Raises `BlurError` (E814)."""
    text = python_text(of)
    with _refused(of.path):
        ast.parse(text, of.path)
        found = "\0".join(meant(text))
    return HASH + hashlib.sha256(found.encode()).hexdigest()[:DIGITS]


def python_part(fingerprint: str) -> str:
    """The hash of a file that a fingerprint begins with; empty if it does not."""
    return fingerprint[: len(HASH) + DIGITS] if fingerprint.startswith(HASH) else ""


def python_text(of: Named) -> str:
    """The text of the file. Raises `BlurError` (E814)."""
    try:
        return read_file(of.path, (".py",), MOST).decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = why(error) if isinstance(error, OSError) else "it is not UTF-8 text"
        raise BlurError(Diagnostic("E814", f"cannot read `{shown(of.path)}`: {reason}")) from None


@lru_cache
def _module(path: str, text: str) -> ModuleType:
    """The file as a module, in which dataclasses and pickles find their names."""
    real = os.path.realpath(path)
    module = ModuleType(f"_own_{Path(path).stem}_{hashlib.sha256((real + text).encode()).hexdigest()[:8]}")
    module.__file__ = real
    linecache.checkcache(real)  # so that an error shows the lines that ran
    sys.modules[module.__name__] = module
    with _refused(path), _beside(Path(real).parent):
        exec(compile(text, real, "exec"), vars(module))
    return module


@contextmanager
def _beside(folder: Path) -> Generator[None]:
    """The file may import its neighbours, as when Python runs it."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


@contextmanager
def _refused(path: str) -> Generator[None]:
    try:
        yield
    except (Exception, SystemExit) as error:
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        message = f"`{shown(path)}` cannot be run: {type(error).__name__}: {said[:LONGEST]}"
        raise BlurError(Diagnostic("E814", message, notes=place_of(error))) from None
