"""`blurc bench`: measures the speed of compiled rules. What is measured, and how, is in `blurc/bench/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import click

from blurc import bench
from blurc.cli.shared.options import json_option
from blurc.cli.shared.output import check_writable, write_json
from blurc.cli.shared.terminal import STDOUT, console, print_table, tell

if TYPE_CHECKING:
    from rich.table import Table

    from blurc.bench import Row


@click.command("bench")
@click.option("--quick", is_flag=True, help="Take fewer samples and skip the largest networks.")
@click.option(
    "--device", type=click.Choice(["gpu"]),
    help="Benchmark a GPU instead of the CPU. It is meant to take less than 8 minutes.",
)  # fmt: skip
@click.option("--peers", is_flag=True, help="Compare with other tools and with handwritten programs instead.")
@json_option
def command(quick: bool, device: str | None, peers: bool, json: str | None) -> None:
    """Compare the speed of compiled rules and handwritten programs.

    Takes minutes. Missed bounds are shown but do not fail: the machine may be to blame.
    """
    from rich.console import Console

    if device and peers:
        raise click.UsageError("`--peers` and `--device` are two tables: ask for one of them")
    check_writable([json])
    errors = Console(stderr=True, highlight=False)

    def report(what: str) -> None:
        errors.print(f"measuring: {what}", markup=False)

    left = dict[str, str]()
    if device:
        bench.gpu.check()
        rows, left = bench.gpu.run(quick, report, lambda rows, left: _write(rows, left, quick, json, whole=False))
    elif peers:
        bench.peers.check()
        rows = bench.peers.run(quick, report)
    else:
        rows = bench.run.run(quick, report)
    _show(rows, left, json)
    _write(rows, left, quick, json)


def _show(rows: Sequence[Row], left: Mapping[str, str], json: str | None) -> None:
    out = console(json)
    print_table(out, _table(rows))
    for part, why in left.items():
        tell(out, f"not measured: {part}: {why}")
    out.print(", ".join(f"{name} {value}" for name, value in bench.run.hardware().items()), style="dim")


def _write(rows: Sequence[Row], left: Mapping[str, str], quick: bool, json: str | None, whole: bool = True) -> None:
    if json and (whole or json != STDOUT):
        found = [row.to_json() for row in rows]
        hardware = bench.run.hardware()
        write_json(json, {"hardware": hardware, "quick": quick, "rows": found, "left_out": dict(left)})


def _table(rows: Sequence[Row]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table("", "median", "quartiles", "bound", "", box=box.SIMPLE_HEAD)
    for group, members in groupby(rows, key=lambda row: row.group):
        table.add_section()
        table.add_row(f"[bold]{group}")
        for row in members:
            table.add_row(*_cells(row))
    return table


def _cells(row: Row) -> tuple[str, ...]:
    from rich.markup import escape

    low, high = row.spread
    bound = "" if row.bound is None else f"{row.sense} {row.bound:g}"
    verdict = {None: "", True: "[green]ok", False: "[red]missed"}[row.ok]
    return f"  {escape(row.name)}", f"{row.value:.3g} {row.unit}", f"{low:.3g} .. {high:.3g}", bound, verdict
