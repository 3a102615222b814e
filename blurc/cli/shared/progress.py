"""Training progress with scores: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from blurc.training import Metric, Point, Watch

if TYPE_CHECKING:
    from rich.console import Console


def watch(out: Console, metric: Metric) -> AbstractContextManager[Watch]:
    return Bars(out, metric) if out.is_terminal else Lines(out, metric)


class Lines:
    """One line per point of the first learning curve, and one for the start of each baseline."""

    def __init__(self, out: Console, metric: Metric):
        self._out, self._metric = out, metric
        self._first: str | None = None

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def begin(self, name: str, steps: int) -> None:
        self._first = self._first or name
        more = "" if name == self._first else ", learning-rate trials included"
        self._out.print(f"{name}: {steps:,} step{'' if steps == 1 else 's'}{more}")

    def advance(self, steps: int) -> None:
        pass

    def point(self, name: str, point: Point) -> None:
        if name == self._first:
            score = self._metric.show(point.score)
            self._out.print(f"  step {point.step:>7,}   test {self._metric.name} {score}")


class Bars:
    """One bar per run."""

    def __init__(self, out: Console, metric: Metric):
        self._metric = metric
        self._current = TaskID(0)
        self._progress = Progress(
            TextColumn("{task.description:14}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("steps"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[score]}"),
            console=out,
        )

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def begin(self, name: str, steps: int) -> None:
        self._current = self._progress.add_task(name, total=steps, score="compiling")

    def advance(self, steps: int) -> None:
        self._progress.update(self._current, advance=steps)

    def point(self, name: str, point: Point) -> None:
        score = f"test {self._metric.name} [bold]{self._metric.show(point.score)}"
        self._progress.update(self._current, score=score)
