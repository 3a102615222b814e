"""How a search goes: on a terminal, a bar with the time left and a curve for each task; in a notebook, the same as a
page that changes; elsewhere, a table that grows.

All that is shown in letters fits into 80 columns. Values are running means: of the best replica, or of the mean (of a
symbolic search, the median) of a population.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live

from blurc.diagnostics import counted
from blurc.guards import typed
from blurc.meta.watch.curves import WIDTH, clock, number, panel
from blurc.meta.watch.page import Page
from blurc.meta.watch.so_far import WINDOW, Search, running

if TYPE_CHECKING:
    from blurc.meta.experiment.experiment import Experiment
    from blurc.meta.watch.follower import Ending
    from blurc.meta.watch.metrics import Metrics
    from blurc.tasks import Objective

LINES = 40  # outside a terminal
HEAD = "  meta-step  inner steps{:>17}      genome  diverged    gone     left"


@typed
def follow(experiment: Experiment, out: Console | None = None) -> Ending:
    """Shows how a search goes: `meta.run(experiment, watch=meta.follow(experiment))`.

    Args:
        experiment: what is run.
        out: where to show it; by default on stdout, or in the notebook.

    Returns:
        A follower of one run.
    """
    out = out or Console(highlight=False)
    search = Search(experiment)
    if out.is_jupyter:
        return Page(search)
    return OnTerminal(search, out) if out.is_terminal else GrowingTable(search, out)


@dataclass
class OnTerminal:
    search: Search
    out: Console
    live: Live = field(init=False)

    def __post_init__(self) -> None:
        shown = partial(panel, self.search, self.out)
        self.live = Live(console=self.out, get_renderable=shown, refresh_per_second=4)

    def begin(self, done: int, steps: int, objective: Objective) -> None:
        self.search.begin(done, steps, objective)
        self.live.start(refresh=True)

    def line(self, line: Metrics) -> None:
        self.search.add(line)

    def end(self) -> None:
        self.live.stop()


@dataclass
class GrowingTable:
    """A table of at most `LINES` rows, and the tasks at the end."""

    search: Search
    out: Console

    def begin(self, done: int, steps: int, objective: Objective) -> None:
        self.search.begin(done, steps, objective)
        resuming = f", resuming after {done:,}" if done else ""
        self._print(f"{counted(steps, 'meta-step')}{resuming}; {self.search.objective}: the mean of the last {WINDOW}")
        self._print(_compiling(self.search.experiment))
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
            means = [f"{name} {number(running(values))}" for name, values in sorted(self.search.by_task.items())]
            self._print(textwrap.fill(f"by task: {', '.join(means)}", WIDTH, break_on_hyphens=False))

    def _print(self, text: str) -> None:
        self.out.print(text, markup=False, soft_wrap=True)


def _compiling(e: Experiment) -> str:
    """Each network and size of batch of `by_task` is compiled on its own."""
    alike: dict[str, list[str]] = {}
    for task in e.tasks:
        name = task.name or task.data
        alike.setdefault(repr(e.by_task.get(name)), []).append(name)
    programs = f" {len(alike)} programs, for {'; '.join(map(', '.join, alike.values()))}" if len(alike) > 1 else ""
    return textwrap.fill(f"compiling{programs}; the first row takes the longest", WIDTH, break_on_hyphens=False)
