"""Arguments and options shared by several commands, and the choice of a network that they make."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

import blurc
from blurc import plan as plans
from blurc import spec as specs
from blurc.cli.shared.terminal import show
from blurc.model import Model, ParamValue

if TYPE_CHECKING:
    from blurc.genome import GenomeFile
    from blurc.spec import Sources

    ParamType = click.ParamType[Any]
else:
    ParamType = click.ParamType  # not generic before click 8.4

T = TypeVar("T")
NAME = re.compile(r"[A-Za-z_]\w*")
WIRING = "SPEC[:NETWORK]"
WHOLE = re.compile(r"[+-]?\d+")


class Setting(ParamType):
    """`hidden=128`, `rate=0.5`, `phi=relu`."""

    name = "k=v"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):  # converted already
            return value
        name, equals, written = (part.strip() for part in value.partition("="))
        found = _value(written)
        if not equals or not NAME.fullmatch(name) or found is None:
            self.fail(f"{value!r}: write NAME=VALUE, with a number or the name of a function", param, ctx)
        return name, found


def _value(written: str) -> ParamValue | None:
    if WHOLE.fullmatch(written):
        return int(written)
    if NAME.fullmatch(written) and written.lower() not in ("inf", "infinity", "nan"):
        return written
    try:
        number = float(written)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def set_once(ctx: click.Context, param: click.Parameter, value: Sequence[tuple[str, T]]) -> dict[str, T]:
    names = [name for name, _ in value]
    if twice := next((n for n in names if names.count(n) > 1), None):
        raise click.BadParameter(f"{twice} is set twice", ctx, param)
    return dict(value)


spec_argument = click.argument("spec", metavar=WIRING)
set_option = click.option(
    "--set",
    "parameters",
    type=Setting(),
    multiple=True,
    callback=set_once,
    help="Set a parameter of the network or its genome. May be repeated.",
)
network_option = click.option(
    "--network", metavar="NAME", help="Which network, if the spec has several; same as SPEC:NETWORK."
)
rule_option = click.option(
    "--rule", metavar="NAME", help="Use this genome from the spec or the library instead of the network's own."
)
genome_option = click.option(
    "--genome",
    type=click.Path(path_type=Path),
    metavar="F.yaml",
    help="A genome file with values of the meta-parameters. Its rule and parameters apply too, unless given here.",
)
json_option = click.option(
    "--json",
    "json",
    metavar="FILE",
    help="Write the result as JSON to FILE, or to stdout (`-`), which then has nothing else.",
)


@dataclass(frozen=True)
class Choice:
    """One network of a spec with one genome, as chosen by the options."""

    spec: Path
    network: str | None = None
    rule: str | None = None
    genome: Path | None = None
    parameters: Mapping[str, ParamValue] | None = None

    @cached_property
    def genome_file(self) -> GenomeFile | None:
        return blurc.genome.read(self.genome) if self.genome else None

    def select(self, text: str | None = None) -> tuple[Model, Sources]:
        """The checked model and its sources; warnings go to stderr. `text` replaces the spec. Does not import jax."""
        file = self.genome_file
        model, sources, warnings = specs.select(
            text or self.spec,
            network=self.network,
            genome=self.rule or (file.rule if file else None),
            params={**(file.parameters if file else {}), **(self.parameters or {})},
            elsewhere=blurc.genome.specs(self.genome, file) if self.genome and file else (),
        )
        show(warnings)
        return model, sources

    def compile(self, text: str | None = None) -> blurc.Net:
        model, sources = self.select(text)
        return blurc.Net(plans.plan_of(model), model, sources, [])
