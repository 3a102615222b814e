"""Lazy faces: a room's `__init__` names what other rooms may use, and each name is imported on first use. So `blurc
check` does not wait for JAX, and no import has to hide inside a function.

    if TYPE_CHECKING:
        from blurc.language.parse import parse

    __all__ = ["parse"]

    face(__name__)

Where each name lives is read from the `if TYPE_CHECKING:` block. PEP 810 will make this file
unnecessary.
"""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any


def face(room: str) -> None:
    """Makes the package `room` import the names in its `if TYPE_CHECKING:` block on first use."""
    module = sys.modules[room]
    module.__class__ = Face
    module.__dict__["_places"] = promised(module)


class Face(ModuleType):
    """A package whose names are imported on first use."""

    _places: dict[str, str]  # name -> the module that defines it

    def __getattr__(self, name: str) -> Any:
        if name not in self._places:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        place = self._places[name]
        if place == self.__name__:
            value = import_module(f"{place}.{name}")
        else:
            value = getattr(__import__(place, fromlist=[name]), name)
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: object) -> None:
        # The import system sets every submodule on its package: `parse.py` would shadow the function `parse`.
        if not (isinstance(value, ModuleType) and self._places.get(name, self.__name__) != self.__name__):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted(self._places)


def promised(module: ModuleType) -> dict[str, str]:
    """The names that the `if TYPE_CHECKING:` block of a module imports, and the modules that they come from."""
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    blocks = (n for n in ast.parse(source).body if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING")
    imports = (n for block in blocks for n in block.body if isinstance(n, ast.ImportFrom))
    return {alias.name: str(n.module) for n in imports for alias in n.names}
