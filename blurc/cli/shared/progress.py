"""Training progress with scores: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from blurc.diagnostics import counted
from blurc.tasks import Objective
from blurc.training import Point, Watch

if TYPE_CHECKING:
    from rich.console import Console


@contextmanager
def watch(out: Console, metric: Objective, asked: str = "test") -> Generator[Watch]:
    if not out.is_terminal:
        yield Lines(out, metric, asked)
        return
    name, note = TextColumn("{task.description}"), TextColumn("{task.fields[note]}")
    columns = (name, BarColumn(), MofNCompleteColumn(), TextColumn("steps"), TimeElapsedColumn(), note)
    with Progress(*columns, console=out) as progress:
        yield Bars(progress, metric, asked)


class Lines:
    """One line per point of the first learning curve, and one for the start of each baseline."""

    def __init__(self, out: Console, metric: Objective, asked: str):
        self._out, self._metric, self._asked = out, metric, asked
        self._first: str | None = None

    def begin(self, name: str, steps: int) -> None:
        self._first = self._first or name
        more = "" if name == self._first else ", learning-rate trials included"
        self._out.print(f"{name}: {counted(steps, 'step')}{more}")

    def advance(self, steps: int) -> None:
        pass

    def point(self, name: str, point: Point) -> None:
        if name == self._first:
            score = self._metric.show(point.score)
            self._out.print(f"  step {point.step:>7,}   {self._asked} {self._metric.title} {score}")


class Bars:
    """One bar per run."""

    def __init__(self, progress: Progress, metric: Objective, asked: str):
        self._progress, self._metric, self._asked, self._current = progress, metric, asked, TaskID(0)

    def begin(self, name: str, steps: int) -> None:
        self._current = self._progress.add_task(f"{name:14}", total=steps, note="compiling")

    def advance(self, steps: int) -> None:
        self._progress.update(self._current, advance=steps)
        task = next(task for task in self._progress.tasks if task.id == self._current)
        if task.total is not None and task.completed > task.total:  # more rates are tried than at least
            self._progress.update(self._current, total=task.completed)

    def point(self, name: str, point: Point) -> None:
        note = f"{self._asked} {self._metric.title} [bold]{self._metric.show(point.score)}"
        self._progress.update(self._current, note=note)
