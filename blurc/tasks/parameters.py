"""What the `parameters` of a choice make."""

from __future__ import annotations

from typing import TypeVar

from blurc.diagnostics import Report
from blurc.storage import records
from blurc.tasks.choice import TaskChoice

T = TypeVar("T")


def made(kind: type[T], choice: TaskChoice) -> T:
    """Raises `BlurError` (E605, E607, E612) if a parameter is unknown or out of range."""
    report = Report()
    reader = records.Reader(f"`parameters` of {choice.data}", records.Front(report))
    found = reader.read(kind, dict(choice.parameters))
    report.check()
    return found
