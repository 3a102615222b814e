"""`blurc fmt`: the one layout of `.blur` files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from blurc.cli.shared.output import check_writable, write
from blurc.cli.shared.terminal import STDOUT, show
from blurc.diagnostics import Diagnostic, Report, Source, TooMany, counted
from blurc.language import formatted, library

STDIN = "<stdin>"


@dataclass(frozen=True)
class _File:
    path: Path
    before: str
    after: str


@click.command("fmt")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True), metavar="PATH...")
@click.option("--check", is_flag=True, help="Write nothing; fail if a file is not in the layout.")
@click.pass_context
def command(ctx: click.Context, paths: tuple[Path, ...], check: bool) -> None:
    """Lay out .blur files, folders of them, or what stdin has (-).

    Line breaks, comments and single blank lines stay; indentation, blanks, semicolons and columns become what they are
    in every file. The meaning does not change. A file that does not parse is left as it is.
    """
    if Path(STDOUT) in paths:
        if len(paths) > 1:
            raise click.UsageError("`-` stands for stdin, and is laid out alone")
        ctx.exit(_stdin(check))
    found: list[Diagnostic] = []
    files = [file for path in _files(paths) if (file := _laid_out(str(path), found))]
    changed = [file for file in files if file.before != file.after]
    show(found)
    if not check:
        check_writable([file.path for file in changed])
        for file in changed:
            write(file.path, file.after.encode())
    for file in changed:
        click.echo(f"{file.path}: {'not in the layout' if check else 'laid out'}")
    click.echo(_summary(len(files), len(changed), check))
    ctx.exit(1 if found or (check and changed) else 0)


def _stdin(check: bool) -> int:
    """The exit status."""
    report = Report()
    data = sys.stdin.buffer.read(library.LIMIT + 1)
    if len(data) > library.LIMIT:
        report.error("E103", f"cannot read `{STDIN}`: it is larger than {library.LIMIT // 2**20} MiB", None)
    text = None if report.errors else library.decoded(STDIN, data, report)
    after = None if text is None else formatted(Source(STDIN, text), report)
    show(report.diagnostics)
    if after is not None and not check:
        click.echo(after, nl=False)
    return int(after is None or (check and after != text))


def _files(paths: Sequence[Path]) -> list[Path]:
    """Each file once, under the name by which it comes first."""
    found: dict[Path, Path] = {}
    for path in paths:
        for file in sorted(path.rglob(f"*{library.SUFFIX}")) if path.is_dir() else [path]:
            found.setdefault(file.resolve(), file)
    return [*found.values()]


def _laid_out(name: str, found: list[Diagnostic]) -> _File | None:
    """A file before and after; None if it does not parse, with what is wrong among the found."""
    report = Report()
    try:
        read = library.read(name, report)
        after = formatted(read[0], report) if read else None
    except TooMany as error:
        found += error.diagnostics
        return None
    found += report.errors
    return _File(read[1], read[0].text, after) if read and after is not None else None


def _summary(files: int, changed: int, check: bool) -> str:
    return f"{counted(files, 'file')}, {changed} {'to be laid out' if check else 'laid out'}"
