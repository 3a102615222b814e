"""Genomes and networks as arguments: `F.yaml` or the name of a rule, and `SPEC[:NETWORK]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blurc.cli.options import NAME, Choice
from blurc.model import ParamValue

if TYPE_CHECKING:
    from blurc.meta.experiment import Network
    from blurc.program import Genome, Net

PICTURES = ("svg", "png")


def _steps(ctx: click.Context, param: click.Parameter, value: Any) -> tuple[int, ...]:
    parts = [part.strip() for part in str(value).split(",")]
    if not all(part.isdecimal() and 0 < int(part) < 2**31 for part in parts):
        raise click.BadParameter(f"{value!r}: write whole numbers of 1 or more, 10,20,50", ctx, param)
    return tuple(sorted({int(part) for part in parts}))


steps_option = click.option(
    "--steps",
    default="10,20,50,100",
    show_default=True,
    metavar="N,..",
    callback=_steps,
    help="Numbers of steps to score after.",
)


def at_least_one(name: str, default: int, help: str) -> Callable[[Any], Any]:
    return click.option(name, type=click.IntRange(min=1), default=default, show_default=True, help=help)


seeds_option = at_least_one("--seeds", 5, "Starts and episodes to take the mean over.")
batch_option = at_least_one("--batch", 128, "Examples a step.")
seed_option = click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="The first seed."
)


def picture(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    """Of an option that names a picture."""
    if value and value.suffix.lower().removeprefix(".") not in PICTURES:
        raise click.BadParameter(f"{value}: expected .svg or .png at the end", ctx, param)
    return value


def form(path: Path) -> str:
    return path.suffix.lower().removeprefix(".")


@dataclass(frozen=True)
class Wiring:
    """A network of a spec, and compile-time parameters."""

    spec: Path
    network: str | None
    parameters: Mapping[str, ParamValue]

    def label(self, net: Net) -> str:
        """`mnist`, or `mnist(side = 10)`."""
        known = dict(net.model.network.params)
        own = [f"{n} = {v}" for n, v in self.parameters.items() if n in known]
        return f"{net.plan.name}({', '.join(own)})" if own else net.plan.name

    @classmethod
    def parse(cls, text: str, parameters: Mapping[str, ParamValue]) -> Wiring:
        """`SPEC` or `SPEC:NETWORK`."""
        spec, colon, name = text.rpartition(":")
        if colon and spec and NAME.fullmatch(name):
            return cls(Path(spec), name, parameters)
        return cls(Path(text), None, parameters)


def wiring(network: Network, parameters: Mapping[str, ParamValue]) -> Wiring:
    """The network of an experiment, without its rule: genomes know theirs, and the parameters of it."""
    from blurc.diagnostics import Report
    from blurc.sources import Sources

    sources = Sources.load(network.spec, Report())
    trees = [n for n in sources.files[0].networks if network.network is None] if sources.files else []
    tree = sources.networks.get(network.network or "") or (trees[0] if len(trees) == 1 else None)
    own = {p.name for p in tree.params} if tree else set[str]()
    kept = {name: value for name, value in network.parameters.items() if name in own}
    return Wiring(Path(network.spec), network.network, {**kept, **parameters})


def choice(genome: str, wiring: Wiring) -> Choice:
    """genome: a genome file, or the name of a rule, whose meta-parameters are fresh then."""
    if NAME.fullmatch(genome):
        return Choice(wiring.spec, wiring.network, genome, None, wiring.parameters)
    return Choice(wiring.spec, wiring.network, None, Path(genome), wiring.parameters)


def compiled(choice: Choice, seed: int = 0) -> tuple[Net, Genome]:
    """The network and its meta-parameters, which fit. Raises `BlurError`."""
    return with_genome(choice.compile(), choice, seed)


def with_genome(net: Net, choice: Choice, seed: int) -> tuple[Net, Genome]:
    """The meta-parameters of the genome file; without one, fresh ones."""
    import jax

    file = choice.genome_file
    genome = dict(file.values) if file else net.init_genome(jax.random.key(seed))
    net.signature.check_genome(genome)
    return net, genome
