"""What `Reader` has to know of the text that a tree comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, NamedTuple, TypeAlias

from blurc.diagnostics import Report

Path: TypeAlias = tuple[str, ...]  # keys, and positions in lists
LONGEST_SHOWN = 40  # characters of a value in a message: a whole file may be one text


def dotted(path: Path) -> str:
    return ".".join(path)


class Problem(NamedTuple):
    """at_key: whether it is the key at `path` that is wrong, not its value."""

    path: Path
    code: str
    message: str
    help: str | None = None
    at_key: bool = False


@dataclass
class Front:
    """Of Python values, JSON's among them, which stand for themselves and have no positions."""

    report: Report

    def __contains__(self, path: Path) -> bool:
        """Whether the text says a value for the path."""
        return False

    def tell(self, problem: Problem) -> None:
        self.report.error(problem.code, problem.message, None, help=problem.help)

    def read(self, kind: Any, leaf: Any) -> Any:
        """The int, float, bool or str that a leaf stands for; None if it is something else."""
        if kind is bool or kind is str:
            return leaf if isinstance(leaf, kind) else None
        if isinstance(leaf, bool) or not isinstance(leaf, Real):
            return None
        if kind is int:
            return int(leaf) if isinstance(leaf, Integral) else None
        try:
            return float(leaf) if math.isfinite(leaf) else None
        except OverflowError:  # a whole number that no float can be
            return None

    def is_nothing(self, leaf: Any) -> bool:
        return leaf is None

    def shown(self, path: Path, value: Any) -> str:
        return f"`{repr(value)[:LONGEST_SHOWN]}`"

    def help(self, path: Path, kind: Any, value: Any) -> str | None:
        """What to write where `value` is not of the kind: a plain type, or `tuple` for a list."""
        return None
