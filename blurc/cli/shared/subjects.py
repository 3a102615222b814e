"""Genomes and networks as arguments: `F.yaml` or the name of a rule, and `SPEC[:NETWORK]`.

`SPEC:NETWORK` names a network in every command. Commands with a SPEC argument, such as `blurc compile`, also take
`--network NAME`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blurc import spec as specs
from blurc.cli.shared.options import NAME, Choice
from blurc.diagnostics import BlurError, Diagnostic, Report
from blurc.language import specs_path
from blurc.model import ParamValue

if TYPE_CHECKING:
    from blurc.api import Net
    from blurc.meta import Network
    from blurc.runtime import GenomeValues

PICTURES = ("svg", "png")
WIRING_HELP = "a spec, and which network if it has several: networks/mnist.blur:mnist."


def _steps(ctx: click.Context, param: click.Parameter, value: Any) -> tuple[int, ...]:
    parts = [part.strip() for part in str(value).split(",")]
    if not all(part.isdecimal() and 0 < int(part) < 2**31 for part in parts):
        raise click.BadParameter(f"{value!r}: write whole numbers of at least 1, such as 10,20,50", ctx, param)
    return tuple(sorted({int(part) for part in parts}))


steps_option = click.option(
    "--steps",
    default="10,20,50,100",
    show_default=True,
    metavar="N,..",
    callback=_steps,
    help="Score after these numbers of steps.",
)


def at_least_one(name: str, default: int, help: str) -> Callable[[Any], Any]:
    return click.option(name, type=click.IntRange(min=1), default=default, show_default=True, help=help)


seeds_option = at_least_one("--seeds", 5, "Number of starts and episodes to average over.")
batch_option = at_least_one("--batch", 128, "Examples per step.")
seed_option = click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="The first seed."
)


def picture(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    """The callback of options for picture files."""
    if value and value.suffix.lower().removeprefix(".") not in PICTURES:
        raise click.BadParameter(f"{value}: expected a name ending in .svg or .png", ctx, param)
    return value


def form(path: Path) -> str:
    return path.suffix.lower().removeprefix(".")


@dataclass(frozen=True)
class Wiring:
    """A network of a spec, and compile-time parameters."""

    spec: Path
    network: str | None
    parameters: Mapping[str, ParamValue]

    @classmethod
    def parse(cls, text: str, parameters: Mapping[str, ParamValue]) -> Wiring:
        """Parses `--network SPEC[:NETWORK]`. Raises `click.UsageError` for a network without its spec."""
        spec, name = divided(text)
        if name is None and NAME.fullmatch(text) and not os.path.exists(text):
            write = f"--network {_declaring(text) or 'SPEC'}:{text}"
            raise click.UsageError(
                f"--network {text} does not name a spec: write {write}, with the file that declares it"
            )
        return cls(Path(spec), name, parameters)


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


def wiring(network: Network, parameters: Mapping[str, ParamValue]) -> Wiring:
    """The network of an experiment without its rule: genomes bring their own rule and its parameters."""
    sources = specs.Sources.load(network.spec, Report())
    trees = [n for n in sources.files[0].networks if network.network is None] if sources.files else []
    tree = sources.networks.get(network.network or "") or (trees[0] if len(trees) == 1 else None)
    own = {p.name for p in tree.params} if tree else set[str]()
    kept = {name: value for name, value in network.parameters.items() if name in own}
    return Wiring(Path(network.spec), network.network, {**kept, **parameters})


def choice(genome: str, wiring: Wiring) -> Choice:
    """`genome` is a genome file, or the name of a rule with fresh meta-parameters. Raises `BlurError` (E605) for a
    spec."""
    if genome.endswith(".blur"):
        raise BlurError(_no_genome(genome))
    if NAME.fullmatch(genome):
        return Choice(wiring.spec, wiring.network, genome, None, wiring.parameters)
    return Choice(wiring.spec, wiring.network, None, Path(genome), wiring.parameters)


def _no_genome(spec: str) -> Diagnostic:
    rules = list(specs.Sources.load(spec, Report()).genomes)
    help = f"write the name of its rule, `{rules[0] if rules else 'RULE'}`; `--network` takes a spec"
    return Diagnostic("E605", f"`{spec}` is a spec, expected a genome file or the name of a rule", help=help)


def compiled(choice: Choice) -> tuple[Net, GenomeValues | None]:
    """The network and its meta-parameters, or None for fresh ones. Raises `BlurError`."""
    return with_genome(choice.compile(), choice)


def compiled_wiring(choice: Choice) -> Net:
    """The network of an option `SPEC[:NETWORK]`. Raises `BlurError`."""
    try:
        return choice.compile()
    except BlurError as error:
        raise BlurError([_with_colon(d, choice) for d in error.diagnostics]) from None


def _with_colon(found: Diagnostic, choice: Choice) -> Diagnostic:
    """Rewrites the help for choosing one of several networks in the form used here."""
    if found.code != "E215" or not (first := re.search(r"`--network (\w+)`", found.help or "")):
        return found
    return replace(found, help=f"name one: `--network {choice.spec.as_posix()}:{first[1]}`")


def with_genome(net: Net, choice: Choice) -> tuple[Net, GenomeValues | None]:
    """The meta-parameters of the genome file, if there is one."""
    if (file := choice.genome_file) is None:
        return net, None
    genome = dict(file.values)
    net.signature.check_genome(genome)
    return net, genome
