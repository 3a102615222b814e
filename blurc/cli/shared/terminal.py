"""Prints diagnostics on stderr and results on stdout, with colours on a terminal only.

With `--json -`, stdout is for the JSON alone, and text for people goes to stderr.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from blurc.diagnostics import Diagnostic

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

STDOUT = "-"
PLAIN_WIDTH = 120  # characters; for tables outside a terminal
COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


def colour() -> bool | None:
    """False if NO_COLOR is set (https://no-color.org); None lets click decide by the terminal."""
    return False if os.environ.get("NO_COLOR") else None


def show(diagnostics: Iterable[Diagnostic]) -> None:
    for diagnostic in diagnostics:
        click.echo(coloured(diagnostic), err=True)


def coloured(diagnostic: Diagnostic) -> str:
    """`Diagnostic.render` with colours for the severity, the caret, `note` and `help`."""
    first, *rest = diagnostic.render().split("\n")
    tag = f"{diagnostic.severity}[{diagnostic.code}]"
    where, _, message = first.partition(tag)
    hue = COLOURS[diagnostic.severity]
    return "\n".join([where + click.style(tag, fg=hue, bold=True) + message, *_coloured(rest, hue)])


def _coloured(lines: list[str], hue: str) -> Iterator[str]:
    for line in lines:
        word = line.strip().split(" ")[0]
        if word in ("note:", "help:"):
            yield line.replace(word, click.style(word, fg="cyan", bold=True), 1)
        elif line.startswith("      | ") and line.endswith("^"):
            yield line[:8] + click.style(line[8:], fg=hue, bold=True)
        else:
            yield line


def say(text: str, json: str | None = None) -> None:
    """Prints a line of results for people."""
    click.echo(text, err=json == STDOUT)


def tell(out: Console, text: str) -> None:
    """Prints a line of results: a terminal breaks it between words, a log keeps it whole."""
    out.print(text, markup=False, emoji=False, soft_wrap=not out.is_terminal)


def console(json: str | None = None) -> Console:
    """The rich console for results for people."""
    from rich.console import Console

    stream = sys.stderr if json == STDOUT else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PLAIN_WIDTH
    return Console(file=stream, width=width, highlight=False)


def print_table(out: Console, table: Table) -> None:
    """Prints a table, no wider than the terminal. Outside one, drops the empty line above it and trailing spaces."""
    from blurc.cli.shared.fitting import fitting

    for part in fitting(table, out):
        if out.is_terminal:
            out.print(part)
            continue
        with out.capture() as captured:
            out.print(part)
        lines = [line.rstrip() for line in captured.get().rstrip("\n").split("\n")]
        click.echo("\n".join(lines[not lines[0] :]), file=out.file)
