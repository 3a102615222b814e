"""The table of scores that `blurc eval`, `race` and `meta` print at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from blurc.tasks import Objective


def table(titles: Sequence[str], steps: Sequence[int]) -> Table:
    """An empty table with columns for names and one for each number of steps."""
    from rich import box
    from rich.table import Table

    made = Table(*titles, box=box.SIMPLE_HEAD)
    for step in steps:
        made.add_column(f"{step:,} step{'s' if step > 1 else ''}", justify="right")
    return made


def legend(seeds: int, metrics: Iterable[tuple[str, Objective]]) -> str:
    """Explains the numbers. metrics: each task with its own. One seed has no deviation."""
    of = "1 seed" if seeds == 1 else f"mean ± standard deviation of {seeds} seeds"
    tasks: dict[str, list[str]] = {}
    for task, metric in dict(metrics).items():
        tasks.setdefault(named(metric), []).append(task)
    if len(tasks) > 1:
        return "; ".join([f"{what} ({', '.join(names)})" for what, names in tasks.items()]) + f"; {of}"
    return f"{next(iter(tasks))}, {of}"


def named(metric: Objective) -> str:
    """`accuracy on test examples in %`"""
    return f"{metric.shown_as}{' in %' if metric.percent else ''}"
