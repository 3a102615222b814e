"""How a search goes: on a terminal, a bar with the time left and a curve for each task; elsewhere, a table that grows.

All that is shown fits into 80 columns. Values are running means: of the best replica, or of the mean (of a
symbolic search, the median) of a population.
"""

from __future__ import annotations

import textwrap
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.live import Live

from blurc.cli.shared.curves import WIDTH, clock, number, panel
from blurc.cli.shared.search import WINDOW, Search, running

if TYPE_CHECKING:
    from rich.console import Console

    from blurc.meta import Experiment, Metrics, Watch
    from blurc.tasks import Objective

LINES = 40  # outside a terminal
HEAD = "  meta-step  inner steps{:>17}      genome  diverged    gone     left"


@contextmanager
def follow(out: Console, experiment: Experiment) -> Generator[Watch]:
    search = Search(experiment)
    if not out.is_terminal:
        lines = Lines(search, out)
        yield lines
        lines.end()
        return
    with Live(console=out, get_renderable=lambda: panel(search, out), refresh_per_second=4) as live:
        yield Panel(search)
        live.refresh()


@dataclass
class Panel:
    search: Search

    def begin(self, done: int, steps: int, objective: Objective) -> None:
        self.search.begin(done, steps, objective)

    def line(self, line: Metrics) -> None:
        self.search.add(line)


@dataclass
class Lines:
    """A table of at most `LINES` rows, and the tasks at the end."""

    search: Search
    out: Console

    def begin(self, done: int, steps: int, objective: Objective) -> None:
        self.search.begin(done, steps, objective)
        resuming = f", resuming after {done:,}" if done else ""
        self._print(f"{steps:,} meta-steps{resuming}; {self.search.objective}: the mean of the last {WINDOW}")
        self._print("compiling; the first row takes the longest")
        self._print(HEAD.format(self.search.objective))

    def line(self, line: Metrics) -> None:
        search = self.search
        search.add(line)
        if search.done % max(1, search.steps // LINES) == 0:
            genome = (number(search.judged) if search.is_judged else "").rjust(12)
            search.is_judged = False
            diverged = f"{search.diverged:,}" if search.diverged else ""
            value, left = number(running(search.values)), clock(search.left)
            counts = f"{search.done:>11,}{search.unroll:>13,}"
            self._print(f"{counts}{value:>17}{genome}{diverged:>10}{clock(search.gone):>8}{left:>9}")

    def end(self) -> None:
        if self.search.by_task:
            means = [f"{name} {number(running(values))}" for name, values in self.search.by_task.items()]
            self._print(textwrap.fill(f"by task: {', '.join(means)}", WIDTH, break_on_hyphens=False))

    def _print(self, text: str) -> None:
        self.out.print(text, markup=False, soft_wrap=True)
