"""`blurc report`: the page of a run, or of two runs side by side."""

from __future__ import annotations

from pathlib import Path

import click

from blurc import meta
from blurc.cli.shared.options import OutputFile
from blurc.cli.shared.output import check_writable
from blurc.cli.shared.terminal import say
from blurc.guards import check_package


@click.command("report")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN [OTHER]")
@click.option(
    "-o", "--output", type=OutputFile(".html"), metavar="FILE",
    help="The page to write. Default: report.html of the run, or A-and-B.html in the working folder for two.",
)  # fmt: skip
def command(runs: tuple[Path, ...], output: Path | None) -> None:
    """Write the page of the run in the folder RUN, also while it is still going on.

    With a second folder: a page that compares the two runs. Their curves are drawn over each other, the settings that
    differ are in a table, and the scores are paired over seeds where tasks and batches agree.
    """
    one, *others = runs
    if len(others) > 1:
        raise click.UsageError(f"one run or two, not {len(runs)}")
    check_writable([output])
    for run in runs:
        meta.internals.check_run(run)
    check_package("matplotlib", "the report of a run needs")
    if not others:
        say(str(meta.internals.report.write(one, output)))
        return
    (other,) = others
    target = output or Path(f"{one.resolve().name}-and-{other.resolve().name}.html")
    say(str(meta.internals.report.compare(one, other, target)))
