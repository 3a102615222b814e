"""`blurc init`: the files of a project of one's own."""

from __future__ import annotations

import os
from pathlib import Path

import click

from blurc.cli.shared.output import write
from blurc.diagnostics import BlurError, Diagnostic
from blurc.language import starter_path
from blurc.storage import why


@click.command("init")
@click.argument("folder", default=".", type=click.Path(path_type=Path, file_okay=False), metavar="[DIR]")
def command(folder: Path) -> None:
    """Write a rule with a network, an experiment, a script and a README into DIR, or here.

    They run as they are: the README has the commands. Files that exist are never replaced.
    """
    files = sorted(path for path in starter_path().iterdir() if path.is_file())
    there = [folder / file.name for file in files if os.path.lexists(folder / file.name)]
    if there:
        message = f"cannot write {', '.join(map(str, there))}: {'it exists' if len(there) == 1 else 'they exist'}"
        raise BlurError(Diagnostic("E907", message, help="name another folder: `blurc init DIR`"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BlurError(Diagnostic("E907", f"cannot make the folder {folder}: {why(error)}")) from None
    for file in files:
        write(folder / file.name, file.read_bytes())
        click.echo(folder / file.name)
    click.echo(f"next: {'' if folder == Path('.') else f'cd {folder} && '}blurc train rule.blur; README.md has more")
