"""Rows of the table: a measured value with its quartiles and, if it has one, its target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from blurc.bench.timing import Spread

Report = Callable[[str], None]  # is told what is being measured


@dataclass(frozen=True)
class Row:
    """`bound` is the target: the most the value may be (`sense` is "<="), or the least (">=")."""

    group: str
    name: str
    value: float
    unit: str
    spread: tuple[float, float]  # quartiles
    bound: float | None = None
    sense: Literal["<=", ">="] = "<="

    @property
    def ok(self) -> bool | None:
        if self.bound is None:
            return None
        return self.value <= self.bound if self.sense == "<=" else self.value >= self.bound

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "ok": self.ok}


def row(group: str, name: str, spread: Spread, unit: str, **target: Any) -> Row:
    return Row(group, name, spread.median, unit, (spread.low, spread.high), **target)


def exact(group: str, name: str, value: float, unit: str, **target: Any) -> Row:
    return Row(group, name, value, unit, (value, value), **target)
