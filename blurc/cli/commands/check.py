"""`blurc check`: all errors and warnings of specs, without importing jax."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

import blurc
from blurc.cli.shared.options import json_option
from blurc.cli.shared.output import check_writable, write_json
from blurc.cli.shared.terminal import say, show
from blurc.diagnostics import counted
from blurc.model import Size
from blurc.spec import localities, sizes


@click.command("check")
@click.argument("specs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SPEC...")
@click.option("-v", "--verbose", is_flag=True, help="Also print how far genomes see and how large networks are.")
@json_option
@click.pass_context
def command(ctx: click.Context, specs: tuple[Path, ...], verbose: bool, json: str | None) -> None:
    """Report all errors and warnings of SPECs.

    Checks every genome with its defaults, and every network with the genome it uses. Warnings do not fail.
    """
    check_writable([json])
    # Two specs may import the same file: report its errors once.
    found = list({d.render(): d for spec in specs for d in blurc.check(spec)}.values())
    show(found)
    errors = [d for d in found if d.severity == "error"]
    say(_summary(len(specs), len(errors), len(found) - len(errors)), json)
    grades = {name: at for spec in specs for name, at in localities(spec).items()} if verbose else {}
    for name, locality in grades.items():
        say(f"  {name}: {locality}", json)
    large = {name: found for spec in specs for name, found in sizes(spec).items()} if verbose else {}
    for name, found_size in large.items():
        say(f"  {name}: {_large(found_size)}", json)
    if json:
        graded = {"locality": {name: at.grade for name, at in grades.items()}} if verbose else {}
        graded |= {"size": {name: asdict(found_size) for name, found_size in large.items()}} if verbose else {}
        write_json(json, {"specs": [str(s) for s in specs], "diagnostics": [d.to_json() for d in found], **graded})
    ctx.exit(1 if errors else 0)


def _large(size: Size) -> str:
    each = f", of which {size.per_example:,} again for every other example" if size.per_example else ""
    sizes = f"{counted(size.neurons, 'neuron')}, {counted(size.synapses, 'synapse')}"
    return f"{sizes}, {size.bytes:,} bytes of state for one example{each}"


def _summary(specs: int, errors: int, warnings: int) -> str:
    found = [counted(n, what) for n, what in ((errors, "error"), (warnings, "warning")) if n]
    return f"{counted(specs, 'spec')} checked: {', '.join(found) or 'no errors'}"
