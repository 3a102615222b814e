"""The table of accuracies that `blurc eval`, `race` and `meta` print at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


def table(titles: Sequence[str], steps: Sequence[int]) -> Table:
    """An empty table with columns for names and one for each number of steps."""
    from rich import box
    from rich.table import Table

    made = Table(*titles, box=box.SIMPLE_HEAD)
    for step in steps:
        made.add_column(f"{step:,} step{'s' if step > 1 else ''}", justify="right")
    return made


def legend(seeds: int) -> str:
    """Explains the numbers. One seed has no deviation."""
    of = "1 seed" if seeds == 1 else f"mean ± standard deviation of {seeds} seeds"
    return f"accuracy on test examples in %, {of}"
