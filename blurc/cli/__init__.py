"""The command line: `blurc check | explain | compile | cost | train | meta | eval | race | ..`.

commands/ has one file per command, shared/ what several of them need. Commands, jax, matplotlib and rich are imported
only when needed, so that `blurc --help` and `blurc check` start fast. `shared/failure.py` handles all failures.

Exit status: 0 success; 1 the spec, data or genome is wrong (diagnostics on stderr); 2 wrong usage; 130 interrupted;
143 terminated; 141 the output pipe was closed (`blurc specs | head`).
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

import click

from blurc.cli.shared import compile_cache, cores
from blurc.cli.shared.failure import INTERRUPTED, TERMINATED, failures, on_interrupts, output_failed, status
from blurc.diagnostics import did_you_mean

COMMANDS = {
    "check": "Report all errors and warnings of specs.",
    "explain": "Explain the code of a diagnostic, or a rule as equations.",
    "init": "Write a rule, an experiment and a script to begin with.",
    "fmt": "Lay out the text of specs.",
    "lsp": "Serve editors: mistakes, hovers, completion, renaming.",
    "compile": "Compile one network of a spec.",
    "cost": "Say what a network will take: arithmetic, memory and time.",
    "train": "Train one network of a spec, or an artifact.",
    "meta": "Learn a genome, as described by an experiment.",
    "report": "Write the page of a run, or compare two runs.",
    "eval": "Measure how well genomes train networks.",
    "race": "Race a genome against tuned optimizers.",
    "analyze": "Tell whether a rule is a gradient.",
    "graph": "Draw the populations and projections of a spec.",
    "specs": "List the packaged networks, rules and genomes.",
    "bench": "Compare the speed of compiled rules and handwritten programs.",
}


class Commands(click.Group):
    """Imports commands on demand, and turns their failures into diagnostics."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return import_module(f"blurc.cli.commands.{cmd_name}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands without importing them, which would take a second."""
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
    """A compiler for learning rules: from .blur files to trained networks.

    SPEC is a path, or a file in the packaged library such as networks/digits.blur (`blurc specs` lists them).
    """


def main() -> None:
    """The entry point of the `blurc` script."""
    on_interrupts()
    if sys.argv[1:2] == ["bench"]:  # which measures how long compiling takes
        compile_cache.leave_out()
    else:
        compile_cache.keep()
    alone = sys.argv[1:2] == ["meta"] and not any(map(cores.shared, sys.argv))
    cores_are_devices = alone and cores.each_a_device()  # for `commands/meta.py`
    try:
        cli.main(prog_name="blurc", obj=cores_are_devices)
    except KeyboardInterrupt as interrupt:  # before or after the command itself
        _stop(status(interrupt))
    except OSError as error:  # files have their own diagnostics, so this is stdout
        output_failed(error)
    except SystemExit as end:
        if end.code in (INTERRUPTED, TERMINATED):
            _stop(end.code)
        raise
    finally:
        compile_cache.trim()


def _stop(status: int) -> NoReturn:
    """Exits at once: a device that is still computing crashes if the interpreter frees its memory."""
    compile_cache.trim()
    with suppress(OSError):
        sys.stdout.flush()
    os._exit(status)
