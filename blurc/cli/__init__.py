"""The command line: `blurc check | explain | compile | train | meta | eval | race | analyze | graph | specs | bench`.

commands/ has one command a file, shared/ what several need. A command is imported when it is named, and jax, matplotlib
and rich where they are used, so that `blurc --help` and `blurc check` start fast. `shared/failure.py` says how all
commands fail.

Exit status: 0 done; 1 the spec, the data or the genome is wrong (diagnostics on stderr); 2 wrong usage;
130 interrupted; 141 whoever read the output went away (`blurc specs | head`).
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

import click

from blurc.cli.shared.failure import INTERRUPTED, failures, output_failed
from blurc.diagnostics import did_you_mean

COMMANDS = {
    "check": "Report all errors and warnings of specs.",
    "explain": "Explain the code of a diagnostic, such as E306.",
    "compile": "Compile one network of a spec.",
    "train": "Train one network of a spec, or an artifact.",
    "meta": "Learn a genome as an experiment says.",
    "eval": "Measure how well genomes teach networks.",
    "race": "Race a genome against SGD, momentum and Adam.",
    "analyze": "Tell whether a rule is a gradient.",
    "graph": "Draw the populations and projections of a spec.",
    "specs": "List the packaged networks, rules and genomes.",
    "bench": "Measure compiled rules against programs written by hand.",
}


class Commands(click.Group):
    """Imports a command when it is asked for, and turns what goes wrong in it into diagnostics."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return import_module(f"blurc.cli.commands.{cmd_name}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Without importing the commands, which would take a second."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        near = did_you_mean(args[0], COMMANDS)
        if args[0] not in COMMANDS and near and not ctx.resilient_parsing:
            ctx.fail(f"no such command {args[0]!r}: did you mean {near!r}?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        with failures(ctx):
            return super().invoke(ctx)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="blurc", prog_name="blurc", message="%(prog)s %(version)s")
def cli() -> None:
    """A compiler for learning rules: .blur files to trained networks.

    SPEC is a path, or a file of the packaged library such as networks/digits.blur (`blurc specs` lists them).
    """


def main() -> None:
    """The entry point of the `blurc` script."""
    try:
        cli.main(prog_name="blurc")
    except KeyboardInterrupt:  # before or after the command itself
        _stop()
    except OSError as error:  # files have their own diagnostics: this is stdout, and what it leads to
        output_failed(error)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            _stop()
        raise


def _stop() -> NoReturn:
    """Ends at once: a device that still computes crashes when the interpreter takes its memory away."""
    with suppress(OSError):
        sys.stdout.flush()
    os._exit(INTERRUPTED)
