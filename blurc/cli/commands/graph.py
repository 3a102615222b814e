"""`blurc graph`: draws a network, or exports its graph for other tools."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from blurc import graph as graphs
from blurc import pictures
from blurc.cli.shared.options import Choice, network_option, rule_option, set_option, spec_argument
from blurc.cli.shared.output import check_writable, write
from blurc.cli.shared.subjects import one_network
from blurc.cli.shared.terminal import say
from blurc.model import Model, ParamValue

PICTURES, TEXTS = ("svg", "png"), ("dot", "graphml")


@click.command("graph")
@spec_argument
@click.option(
    "-o", "output", required=True, type=click.Path(path_type=Path), metavar="F.svg|png|dot|graphml",
    help="The output file; its suffix chooses the format.",
)  # fmt: skip
@click.option("--full", is_flag=True, help="Draw every population and projection, even if many are alike.")
@network_option
@rule_option
@set_option
def command(
    spec: str, output: Path, full: bool, network: str | None, rule: str | None, parameters: Mapping[str, ParamValue]
) -> None:
    """Draw the populations and projections of SPEC.

    In a large network, repeated parts are drawn once. GraphML always has everything.
    """
    place, which = one_network(spec, network, "blurc graph")
    form = output.suffix.removeprefix(".").lower()
    if form not in (*PICTURES, *TEXTS):
        raise click.BadParameter(f"{output}: expected a name ending in .svg, .png, .dot or .graphml", param_hint="-o")
    check_writable([output])
    model, _ = Choice(place, which, rule, None, parameters).select()
    write(output, _drawn(model, form, full))
    shown = [p for p in model.network.populations if p.role != "unit"]
    hint = "" if full or form == "graphml" or not _is_shortened(model) else "; --full draws every one"
    say(f"{output}: {model.network.name}, {len(shown)} populations{hint}")


def _is_shortened(model: Model) -> bool:
    return any(box.copies > 1 for box in pictures.view(model.network).all_boxes())


def _drawn(model: Model, form: str, full: bool) -> bytes:
    if form in PICTURES:
        return pictures.draw.render(model.network, form, full=full)
    if form == "dot":
        return pictures.dot.text(model.network, full=full).encode()

    return graphs.graphml(graphs.build(model.network)).encode()
