"""Curves and a bar made of letters, 80 columns wide at most."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from blurc.diagnostics import counted
from blurc.meta.watch.so_far import WINDOW, Search, running

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 80
BLOCKS, PLAIN = "▁▂▃▄▅▆▇█", "_.-~=+*#"
NAME, NUMBER = 20, 8  # columns
MOST = 12  # tasks


def panel(search: Search, out: Console) -> Group:
    """What a terminal shows of a search: the bar, the objective, each task, and the genome."""
    width = min(WIDTH, out.width)
    letters = BLOCKS if "utf" in out.encoding.lower() else PLAIN
    lines = [_line(name, values, width, letters) for name, values in rows(search) if values]
    if (others := len(search.by_task) - MOST) > 0:
        better = counted(others, "task that does better", "tasks that do better")
        lines.append(Text(f"  and {better}", style="dim"))
    return Group(_bar(search, width), *lines, Text(said(search), no_wrap=True, overflow="ellipsis"))


def progress(search: Search) -> tuple[str, str]:
    """How many meta-steps are done, and what time that takes."""
    gone = f"{clock(search.gone)} gone"
    compiling = f"{gone}, compiling" if not search.values else gone
    left = compiling if search.left is None else f"{gone}, {clock(search.left)} left"
    return f"{search.done:,} of {counted(search.steps, 'meta-step')}", gone if search.done == search.steps else left


def _bar(search: Search, width: int) -> Table:
    count, when = progress(search)
    room = width - len(count) - len(when) - 4
    found = Table.grid(padding=(0, 2, 0, 0))
    if room > 5:
        found.add_row(count, ProgressBar(search.steps or 1, search.done, width=room), when)
    else:
        found.add_row(count, when)
    return found


def rows(search: Search) -> Iterator[tuple[str, Sequence[float | None]]]:
    """The objective, then the tasks, the worst first."""

    def cost(name: str) -> float:
        value = running(search.by_task[name])
        return math.inf if value is None else -value if search.more_is_better else value

    yield search.objective, search.values
    for name in sorted(search.by_task, key=cost, reverse=True)[:MOST]:
        yield f"  {name}", search.by_task[name]


def _line(name: str, values: Sequence[float | None], width: int, letters: str) -> Text:
    """A name, the running mean at the end, and the curve of running means."""
    short = name if len(name) <= NAME else f"{name[: NAME - 2]}.."
    told = f"{short:<{NAME}}{number(running(values)):>{NUMBER}}  "
    curve = letters_of(means(values, max(0, width - len(told))), letters)
    return Text.assemble(told, (curve, "cyan"), no_wrap=True)


def means(values: Sequence[float | None], width: int) -> list[float | None]:
    """Running means at `width` meta-steps at most, the last one included."""
    count = min(len(values), width)
    ends = [len(values) * (i + 1) // count for i in range(count)]
    return [running(values[max(0, end - WINDOW) : end]) for end in ends]


def letters_of(values: Sequence[float | None], letters: str) -> str:
    """A curve from its least to its greatest value; a blank where there is none."""
    known = [value for value in values if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    most = len(letters) - 1

    def letter(value: float | None) -> str:
        if value is None:
            return " "
        return letters[round(most * (value - low) / (high - low)) if high > low else most // 2]

    return "".join(map(letter, values))


def said(search: Search) -> str:
    parts = [f"mean of the last {WINDOW} meta-steps", counted(search.unroll, "inner step")] if search.values else []
    if search.is_judged:
        parts.append(f"genome {number(search.judged)}")
    if search.diverged:
        parts.append(f"{search.diverged:,} of {search.candidates:,} diverged")
    return "; ".join(parts)


def number(value: float | None) -> str:
    return "diverged" if value is None else f"{value:.4g}"


def clock(seconds: float | None) -> str:
    """`0:07`, `12:31`, `1:02:03`; nothing if it is not known."""
    if seconds is None:
        return ""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
