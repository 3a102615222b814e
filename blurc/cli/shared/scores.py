"""The table of scores that `blurc eval`, `race` and `meta` print at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from blurc.diagnostics import counted

if TYPE_CHECKING:
    from rich.table import Table

    from blurc.tasks import Objective


def table(titles: Sequence[str], steps: Sequence[int], since: bool = False) -> Table:
    """An empty table with columns for names and one for each number of steps. since: or for those after the number
    before, up to this one."""
    from rich import box
    from rich.table import Table

    made = Table(*titles, box=box.SIMPLE_HEAD)
    for before, step in zip((0, *steps), steps, strict=False):
        between = f"step {step:,}" if before + 1 == step else f"steps {before + 1:,}-{step:,}"
        made.add_column(between if since else counted(step, "step"), justify="right")
    return made


def legend(seeds: int, metrics: Iterable[tuple[str, Objective, str]]) -> str:
    """Explains the numbers. metrics: each task with its own, and on what it is measured, if not as always. One seed has
    no deviation."""
    of = "1 seed" if seeds == 1 else f"mean ± standard deviation of {seeds} seeds"
    tasks: dict[str, list[str]] = {}
    for task, metric, where in dict.fromkeys(metrics):
        tasks.setdefault(named(metric, where), []).append(task)
    if len(tasks) > 1:
        return "; ".join([f"{what} ({', '.join(names)})" for what, names in tasks.items()]) + f"; {of}"
    return f"{next(iter(tasks))}, {of}"


def named(metric: Objective, where: str = "") -> str:
    """`accuracy on test examples in %`"""
    unit = " in %" if metric.percent else ""
    return f"{metric.title}{unit} {where}" if where else f"{metric.shown_as}{unit}"
