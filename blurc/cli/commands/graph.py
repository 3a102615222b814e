"""`blurc graph`: draws a network, or exports its graph for other tools."""

from __future__ import annotations

from pathlib import Path

import click

from blurc import graph as graphs
from blurc import pictures
from blurc.cli.shared.options import OutputFile, form
from blurc.cli.shared.output import check_writable, write
from blurc.cli.shared.subjects import Choice, network_choice
from blurc.cli.shared.terminal import say
from blurc.diagnostics import counted
from blurc.model import Model


@click.command("graph")
@click.option(
    "-o", "--output", type=OutputFile(".svg", ".png", ".dot", ".graphml"),
    metavar="F.svg|png|dot|graphml",
    help="The output file; its suffix chooses the format. Default: an SVG beside SPEC, or here for one of the library.",
)  # fmt: skip
@click.option("--full", is_flag=True, help="Draw every population and projection, even if many are alike.")
@network_choice("blurc graph", genome=False)
def command(choice: Choice, output: Path | None, full: bool) -> None:
    """Draw the populations and projections of SPEC.

    In a large network, repeated parts are drawn once. GraphML always has everything.
    """
    output = output or _beside(choice)
    check_writable([output])
    model, _ = choice.select()
    write(output, _drawn(model, form(output), full))
    shown = [p for p in model.network.populations if p.role != "unit"]
    hint = "" if full or form(output) == "graphml" or not _is_shortened(model) else "; --full draws every one"
    say(f"{output}: {model.network.name}, {counted(len(shown), 'population')}{hint}")


def _beside(choice: Choice) -> Path:
    of = f".{choice.network}" if choice.network else ""
    folder = choice.spec.parent if choice.spec.is_file() else Path()
    return folder / f"{choice.spec.stem}{of}.svg"


def _is_shortened(model: Model) -> bool:
    return any(box.copies > 1 for box in pictures.view(model.network).all_boxes())


def _drawn(model: Model, form: str, full: bool) -> bytes:
    if form == "graphml":
        return graphs.graphml(graphs.build(model.network)).encode()
    if form == "dot":
        return pictures.dot.text(model.network, full=full).encode()
    return pictures.draw.render(model.network, form, full=full)
