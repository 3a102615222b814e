"""The text of an edge file, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # slow to import, and most specs have no edge files
    import numpy.typing as npt

SHOWN = 40  # characters of a line


class WrongFile(Exception):
    """What is wrong with an edge file, as the parts of a diagnostic."""

    def __init__(self, code: str, message: str, help: str, note: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.help = code, message, help
        self.notes = (note,) if note else ()

    def unquoted(self, file: EdgeText) -> WrongFile:
        """The same without what is in the file, which may be anybody's."""
        if file.problem:
            return self
        help = "a file outside the spec's folder is not quoted: copy it there to see what is wrong"
        return WrongFile(self.code, f"`{file.name}` does not list edges that fit here", help)


@dataclass(frozen=True, eq=False)
class EdgeText:
    """Its name is as the user would write it. If the file could not be read, `problem` says why and `remedy` what to do
    about it. `quoted`: whether diagnostics may say what is in it."""

    name: str
    text: str
    problem: str = ""
    remedy: str = ""
    quoted: bool = True

    @property
    def suffix(self) -> str:
        return PurePath(self.name).suffix.lower()

    def place(self, at: int | str) -> str:
        return f"{self.name}:{at}" if isinstance(at, int) else f"{self.name}, {at}"


@dataclass(frozen=True)
class Listed:
    """Presynaptic and postsynaptic neurons, [edges] of int64, and where each was found: its line number, or words."""

    pre: npt.NDArray[Any]
    post: npt.NDArray[Any]
    at: Callable[[int], int | str]


def more(count: int) -> str | None:
    return f"there {'is' if count == 1 else 'are'} {count:,} more like it" if count else None


def short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
