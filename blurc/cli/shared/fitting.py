"""Tables that fit: where one is wider than the terminal, what all rows share goes in front of it, and columns of
numbers that still do not fit follow in a table of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console


def fitting(table: Table, out: Console) -> Iterator[Table | Text]:
    """The table, or what to print instead of it."""
    numbers = [column for column in table.columns if column.justify != "left"]
    if not numbers or _fits(table, out):  # words wrap
        yield table
        return
    names = [column for column in table.columns if column.justify == "left"]
    shared = [column for column in names if len(set(column.cells)) == 1]
    if len(shared) == len(names):
        shared = shared[1:]
    if shared:
        yield Text(" " + ", ".join(f"{column.header} {next(iter(column.cells))}".strip() for column in shared))
    names = [column for column in names if column not in shared]
    while numbers:
        count = next((n for n in range(len(numbers), 1, -1) if _fits(_of(table, [*names, *numbers[:n]]), out)), 1)
        yield _of(table, [*names, *numbers[:count]])
        numbers = numbers[count:]


def _of(table: Table, columns: Sequence[Column]) -> Table:
    """Some columns of a table."""
    found = Table(box=table.box)
    for column in columns:
        found.add_column(column.header, justify=column.justify)
    for row, *cells in zip(table.rows, *(column.cells for column in columns), strict=True):
        found.add_row(*cells, style=row.style)
    return found


def _fits(table: Table, out: Console) -> bool:
    return Measurement.get(out, out.options.update(max_width=10_000), table).maximum <= out.width
