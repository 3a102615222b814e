"""Tables fit into the width that there is."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table

from blurc.cli.shared.fitting import fitting


def table(*rows: tuple[str, ...]) -> Table:
    found = Table("genome", "task", "network")
    for step in (10, 20, 50, 100):
        found.add_column(f"{step} steps", justify="right")
    for row in rows:
        found.add_row(*row, *["80.3 ± 1.6"] * 4)
    return found


def printed(of: Table, width: int) -> list[str]:
    out = Console(width=width, file=io.StringIO())
    with out.capture() as captured:
        for part in fitting(of, out):
            out.print(part)
    return captured.get().split("\n")


ROWS = (("mine", "moons", "a_long_network"), ("mine", "center_circle", "a_long_network"))


def test_a_table_that_fits_stays_as_it_is() -> None:
    (found,) = fitting(wide := table(*ROWS), Console(width=120))
    assert found is wide


def test_what_all_rows_share_goes_in_front_of_a_table_that_does_not_fit() -> None:
    lines = printed(table(*ROWS), 80)
    assert lines[0] == " genome mine, network a_long_network"
    assert all(len(text) <= 80 for text in lines)
    assert sum("steps" in text for text in lines) == 1


def test_steps_that_do_not_fit_follow_below() -> None:
    lines = printed(table(*ROWS), 50)
    assert all(len(text) <= 50 for text in lines)
    assert sum("center_circle" in text for text in lines) == sum("steps" in text for text in lines) == 2
    assert "".join(lines).count("80.3 ± 1.6") == 8
