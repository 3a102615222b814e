"""The table of the rules that a symbolic search found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from blurc.cli.shared.terminal import print_table

if TYPE_CHECKING:
    from rich.console import Console

    from blurc.meta import internals


def print_rules(out: Console, found: Sequence[internals.Rule], objective: str) -> None:
    """Their lengths, values and equations; nothing if there are none."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    if not found:
        return
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("symbols", justify="right")
    table.add_column(objective.replace("_", " "), justify="right")
    table.add_column("rule", overflow="fold")
    for one in found:
        value = "diverged" if one.value is None else f"{one.value:.4g}"
        table.add_row(str(one.length), value, escape("\n".join(one.equations)))
    print_table(out, table)
