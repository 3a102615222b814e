"""What a command says, and where: diagnostics on stderr, results on stdout, colours on a terminal only.

`--json -` gives stdout to the JSON, and what is meant for people goes to stderr then.
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
PLAIN_WIDTH = 120  # of tables that no terminal shows
COLOURS = {"error": "red", "warning": "yellow"}


def colour() -> bool | None:
    """False where https://no-color.org says so; None lets click look at the terminal."""
    return False if os.environ.get("NO_COLOR") else None


def show(diagnostics: Iterable[Diagnostic]) -> None:
    for diagnostic in diagnostics:
        click.echo(coloured(diagnostic), err=True)


def coloured(diagnostic: Diagnostic) -> str:
    """`Diagnostic.render` with the severity, the caret and the words `note` and `help` coloured."""
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
    """A line of result for people."""
    click.echo(text, err=json == STDOUT)


def console(json: str | None = None) -> Console:
    """A rich console where results for people go."""
    from rich.console import Console

    stream = sys.stderr if json == STDOUT else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PLAIN_WIDTH
    return Console(file=stream, width=width, highlight=False)


def print_table(out: Console, table: Table) -> None:
    """In a file without what only a terminal needs: the empty line above, and spaces at the ends of lines."""
    if out.is_terminal:
        out.print(table)
        return
    with out.capture() as captured:
        out.print(table)
    lines = [line.rstrip() for line in captured.get().rstrip("\n").split("\n")]
    click.echo("\n".join(lines[not lines[0] :]), file=out.file)
