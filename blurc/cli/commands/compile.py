"""`blurc compile`: compiles a spec to an artifact, or prints any stage or a summary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blurc import artifact
from blurc.cli.shared import stages
from blurc.cli.shared.options import OutputFile, json_option
from blurc.cli.shared.output import check_writable, write_json
from blurc.cli.shared.subjects import Choice, network_choice
from blurc.cli.shared.summary import build, print_summary
from blurc.cli.shared.terminal import STDOUT, console, say
from blurc.storage import limits

if TYPE_CHECKING:
    from blurc.api import Net

PLATFORMS = ("cpu", "cuda", "rocm", "tpu")
DEFAULT_PLATFORMS = ("cpu", "cuda", "tpu")


def _platforms(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = tuple(dict.fromkeys(part.strip() for part in value.split(",")))
    for name in names:
        if name not in PLATFORMS:
            hint = ": did you mean 'cuda' (NVIDIA) or 'rocm' (AMD)?" if name == "gpu" else ""
            raise click.BadParameter(f"{name!r} is not one of {', '.join(PLATFORMS)}{hint}", ctx, param)
    return names


@dataclass(frozen=True)
class Request:
    """What to do with the chosen network."""

    output: Path | None
    platforms: tuple[str, ...] | None
    emit: str | None
    entry: str | None
    batch: int | None
    json: str | None

    def check(self) -> None:
        """Rejects options that would have no effect."""
        programs = f"--emit {'|'.join(stages.PROGRAMS)}"
        if self.emit and self.json:
            raise click.UsageError("--json writes the summary, which --emit replaces; use one or the other")
        if self.entry and self.emit not in stages.PROGRAMS:
            raise click.UsageError(f"--entry needs {programs}")
        if self.batch and self.emit in stages.TREES:
            raise click.UsageError(f"--batch needs {programs}, or the summary")
        if self.platforms and not self.output and self.emit != "stablehlo":
            raise click.UsageError("--platform needs -o or --emit stablehlo")


@click.command("compile")
@click.option("-o", "--output", type=OutputFile(".blurx"), metavar="F.blurx", help="Write an artifact.")
@click.option(
    "--platform", "platforms", callback=_platforms, metavar="cpu,cuda,tpu",
    help="Platforms of the artifact (default: cpu,cuda,tpu) or of --emit stablehlo.",
)  # fmt: skip
@network_choice("blurc compile")
@click.option("--emit", type=click.Choice(stages.ALL), help="Print a stage of the compiler.")
@click.option(
    "--entry", type=click.Choice(stages.ENTRIES), help="The program that jaxpr, stablehlo and hlo print [step]."
)
@click.option(
    "--batch",
    type=click.IntRange(1, limits.MOST),
    help=f"Examples per step, for these and the summary [{stages.BATCH}].",
)
@json_option
def command(choice: Choice, **options: Any) -> None:
    """Compile one network of SPEC.

    With -o, writes an artifact for `blurc train` and blurc.load(). With --emit, prints a stage. Otherwise prints a
    summary of the network and how long each stage took.
    """
    request = Request(**options)
    request.check()
    check_writable([request.output, request.json])
    batch = request.batch or stages.BATCH
    if request.emit:
        click.echo(stages.text(choice, request.emit, request.entry or "step", batch, request.platforms))
    if request.output or not request.emit:
        net, summary = build(choice, batch)
        if request.json != STDOUT:
            print_summary(summary, console())
        if request.output:
            _save(net, choice, request.output, request.platforms or DEFAULT_PLATFORMS, request.json)
        if request.json:
            write_json(request.json, {**summary, "artifact": request.output and str(request.output)})


def _save(net: Net, choice: Choice, path: Path, platforms: tuple[str, ...], json: str | None) -> None:
    artifact.save(net, path, genome=choice.genome_file, platforms=platforms)
    say(f"{path}: {path.stat().st_size:,} bytes for {', '.join(platforms)}", json)
