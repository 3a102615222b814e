"""Genomes and networks as arguments: `F.yaml` or the name of a rule, and `SPEC[:NETWORK]`.

`SPEC:NETWORK` names a network in every command. Commands with a SPEC argument, such as `blurc compile`, also take
`--network NAME`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import blurc
from blurc import plan as plans
from blurc import spec as specs
from blurc.cli.shared.options import NAME, Option, set_option
from blurc.cli.shared.terminal import show
from blurc.diagnostics import BlurError, Diagnostic, Report
from blurc.language import resolve_import, specs_path
from blurc.model import Model, ParamValue

if TYPE_CHECKING:
    from blurc.api import Net
    from blurc.genome import GenomeFile
    from blurc.meta import Network
    from blurc.runtime import GenomeValues

WIRING = "SPEC[:NETWORK]"
WIRING_HELP = "a spec, and which network if it has several: networks/mnist.blur:mnist."


@dataclass(frozen=True)
class Choice:
    """One network of a spec with one genome, as chosen by the options. `wording` is how to choose another."""

    spec: Path
    network: str | None = None
    rule: str | None = None
    genome: Path | None = None
    parameters: Mapping[str, ParamValue] = field(default_factory=dict[str, ParamValue])
    wording: specs.Wording = specs.ANYWHERE

    @cached_property
    def genome_file(self) -> GenomeFile | None:
        """Raises `BlurError`."""
        if not self.genome:
            return None
        if NAME.fullmatch(str(self.genome)) and not self.genome.exists():
            file = f"genomes/{self.genome}.yaml"
            is_there = resolve_import(file, None)
            help = f"write `--rule {self.genome}` to take a rule by its name, with fresh meta-parameters"
            help = f"write `--genome {file}`" if is_there else help
            raise BlurError(Diagnostic("E601", f"cannot read `{self.genome}`: there is no such file", help=help))
        return blurc.genome.read(self.genome)

    def select(self, text: str | None = None) -> tuple[Model, specs.Sources]:
        """The checked model and its sources; warnings go to stderr. `text` replaces the spec. Does not import jax."""
        file = self.genome_file
        also = " and --set give" if self.parameters else " gives"
        model, sources, warnings = specs.select(
            text or self.spec,
            network=self.network,
            genome=self.rule or (file.rule if file else None),
            params={**(file.parameters if file else {}), **self.parameters},
            giver=f"`{self.genome}`{also}" if file and file.parameters else "",
            elsewhere=blurc.genome.specs(self.genome, file) if self.genome and file else (),
            wording=self.wording,
        )
        show(warnings)
        if file:
            blurc.genome.check_rule(file, model, sources)
        return model, sources

    def compile(self, text: str | None = None) -> blurc.Net:
        model, sources = self.select(text)
        return blurc.Net(plans.plan_of(model), model, sources, [])


def network_choice(command: str, *, genome: bool = True) -> Option:
    """Adds SPEC[:NETWORK], --network, --rule, --genome and --set to a command, which gets a `choice` instead."""
    options = (spec_argument, network_option, rule_option, *[genome_option][:genome], set_option)

    def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def run(*, spec: str, network: str | None, rule: str | None, parameters: Any, **rest: Any) -> Any:
            path, name = one_network(spec, network, command)
            return function(choice=Choice(path, name, rule, rest.pop("genome", None), parameters), **rest)

        return reduce(lambda command, option: option(command), reversed(options), run)

    return decorated


spec_argument = click.argument("spec", metavar=WIRING)
network_option = click.option(
    "--network", metavar="NAME", help="Which network, if the spec has several; same as SPEC:NETWORK."
)
rule_option = click.option(
    "--rule", metavar="NAME", help="Use this genome from the spec or the library instead of the network's own."
)
genome_option = click.option(
    "--genome", type=click.Path(path_type=Path), metavar="F.yaml",
    help="A genome file with values of the meta-parameters. Its rule and parameters apply too, unless given here.",
)  # fmt: skip


def wiring(text: str, parameters: Mapping[str, ParamValue]) -> Choice:
    """The choice without a rule that `--network SPEC[:NETWORK]` makes. Raises `click.UsageError` for a network without
    its spec."""
    spec, name = divided(text)
    if name is None and NAME.fullmatch(text) and not os.path.exists(text):
        write = f"--network {_declaring(text) or 'SPEC'}:{text}"
        raise click.UsageError(f"--network {text} does not name a spec: write {write}, with the file that declares it")
    return _wiring(spec, name, parameters)


def _wiring(spec: str, network: str | None, parameters: Mapping[str, ParamValue]) -> Choice:
    path = Path(spec)
    wording = specs.Wording(network=lambda name: f"`--network {path.as_posix()}:{name}`")
    return Choice(path, network, parameters=parameters, wording=wording)


def divided(text: str) -> tuple[str, str | None]:
    """Splits `SPEC[:NETWORK]`."""
    spec, colon, name = text.rpartition(":")
    if colon and spec and NAME.fullmatch(name) and not os.path.isfile(text):
        return spec, name
    return text, None


def one_network(spec: str, network: str | None, command: str) -> tuple[Path, str | None]:
    """Combines argument `SPEC[:NETWORK]` and option `--network NAME`. Raises `click.UsageError` if they disagree
    or the option is a spec."""
    path, name = divided(spec)
    if network is None:
        return Path(path), name
    if not NAME.fullmatch(network):
        is_spec = divided(network)[1] or network.endswith(".blur")
        write = f"; write `{command} {network} ..`" if is_spec else ""
        raise click.UsageError(f"--network {network}: expected the NAME of a network of {path}{write}")
    if name not in (None, network):
        write = f"`{command} {path}:{name} ..` or `{command} {path}:{network} ..`"
        raise click.UsageError(f"{spec} and --network {network} name two networks: write {write}")
    return Path(path), network


def _declaring(network: str) -> str | None:
    """The library spec that declares a network of this name."""
    folder, header = specs_path(), re.compile(rf"^network\s+{network}\b", re.MULTILINE)
    found = (p for p in sorted(folder.rglob("*.blur")) if header.search(p.read_text(encoding="utf-8")))
    return next((p.relative_to(folder).as_posix() for p in found), None)


def wiring_of(network: Network, parameters: Mapping[str, ParamValue]) -> Choice:
    """The network of an experiment without its rule: genomes bring their own rule and its parameters."""
    sources = specs.Sources.load(network.spec, Report())
    trees = [n for n in sources.files[0].networks if network.network is None] if sources.files else []
    tree = sources.networks.get(network.network or "") or (trees[0] if len(trees) == 1 else None)
    own = {p.name for p in tree.params} if tree else set[str]()
    kept = {name: value for name, value in network.parameters.items() if name in own}
    return _wiring(network.spec, network.network, {**kept, **parameters})


def with_genome(wiring: Choice, genome: str) -> Choice:
    """`genome` is a genome file, or the name of a rule with fresh meta-parameters. Raises `BlurError` (E605) for a
    spec."""
    if genome.endswith(".blur"):
        raise BlurError(_no_genome(genome))
    return replace(wiring, rule=genome) if NAME.fullmatch(genome) else replace(wiring, genome=Path(genome))


def _no_genome(spec: str) -> Diagnostic:
    rules = list(specs.Sources.load(spec, Report()).genomes)
    help = f"write the name of its rule, `{rules[0] if rules else 'RULE'}`; `--network` takes a spec"
    return Diagnostic("E605", f"`{spec}` is a spec, expected a genome file or the name of a rule", help=help)


def compiled(choice: Choice, text: str | None = None) -> tuple[Net, GenomeValues | None]:
    """The network and its meta-parameters, or None for fresh ones. `text` replaces the spec. Raises `BlurError`."""
    net = choice.compile(text)
    if (file := choice.genome_file) is None:
        return net, None
    genome = dict(file.values)
    net.signature.check_genome(genome)
    return net, genome
