"""`blurc analyze`: whether a genome's rule is a gradient, and its meta-parameters by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import blurc
from blurc import evaluation
from blurc.cli.shared.options import at_least_one, form, json_option, picture_option, seed_option, set_option
from blurc.cli.shared.output import check_writable, write, write_json
from blurc.cli.shared.subjects import WIRING, WIRING_HELP, Choice, compiled, wiring, with_genome
from blurc.cli.shared.terminal import say
from blurc.diagnostics import counted
from blurc.model import ParamValue

if TYPE_CHECKING:
    from blurc.api import Net
    from blurc.evaluation import Analysis
    from blurc.runtime import GenomeValues

ROUNDING = 1e-9  # in float64, with a margin


@click.command("analyze")
@click.argument("genome")
@click.option("--network", metavar=WIRING, help=f"Use this network instead of a 3-4-2 one: {WIRING_HELP}")
@set_option
@at_least_one("--batch", 16, "Random examples per step.")
@seed_option("The seed of the examples, and of fresh meta-parameters.")
@json_option
@picture_option("Draw the Jacobian and its antisymmetric part.")
def command(
    genome: str, network: str | None, parameters: Mapping[str, ParamValue], batch: int, seed: int,
    json: str | None, output: Path | None,
) -> None:  # fmt: skip
    """Tell whether the rule of GENOME is a gradient, and print its meta-parameters.

    GENOME is a genome file, or the name of a rule with fresh meta-parameters. The change of the synapses in one step is
    the gradient of something if its Jacobian is symmetric. Only synapses that the forward pass reads count; their other
    traces are held fixed.
    """
    check_writable([json, output])
    import jax

    wired = wiring(network, parameters) if network else Choice(Path(), parameters=parameters)
    net, given = compiled(with_genome(wired, genome), None if network else evaluation.analysis.SMALL)
    values = given or net.init_genome(jax.random.key(seed))
    found = evaluation.analysis.analyze(net, values, batch=batch, seed=seed)
    drawn = f", drawn from seed {seed}" if evaluation.fresh_each_seed(net, given) else ""
    for line in _lines(found, values, drawn):
        say(line, json)
    if json:
        write_json(json, _data(found, net, values))
    if output:
        write(output, _drawn(found, form(output)))


def _lines(found: Analysis, genome: GenomeValues, drawn: str) -> Iterator[str]:
    yield from _verdict(found)
    yield f"meta-parameters{drawn}" if genome else "no meta-parameters"
    for name, array in blurc.genome.named(genome):
        yield from _shown(name, array)


def _verdict(found: Analysis) -> Iterator[str]:
    if not found.synapses:
        yield f"{found.rule} in {found.network}: the update changes no synapses, so there is nothing to analyze"
        return
    verdict = "a gradient, up to rounding" if found.asymmetry < ROUNDING else "not a gradient"
    count, others = len(found.block), len(found.synapses) - len(found.block)
    which = " that the forward pass reads" if others else ""
    yield f"{found.rule} in {found.network}: the change of {counted(count, 'synapse')}{which} is {verdict}"
    yield f"  asymmetry of its Jacobian {found.asymmetry:.3g} (0: a gradient; 1: pure rotation)"
    if others:
        yield f"    over all {len(found.synapses)} values that the update changes {found.whole:.3g}"
    if len(found.channels) > 1:
        yield from (f"    of channel {name} alone {value:.3g}" for name, value in found.channels.items())


def _shown(name: str, array: Any) -> Iterator[str]:
    """A scalar next to its name; rows of an array below it."""
    if array.ndim == 0:
        yield f"  {name} = {array:.4g}"
        return
    yield f"  {name}[{', '.join(map(str, array.shape))}]"
    for row in array.reshape(-1, array.shape[-1]):
        yield "    " + " ".join(f"{value:>10.4g}" for value in row)


def _data(found: Analysis, net: Net, genome: GenomeValues) -> dict[str, Any]:
    return {
        "network": found.network,
        "rule": found.rule,
        "parameters": dict(net.model.genome.params),
        "synapses": len(found.block),
        "asymmetry": found.asymmetry,
        "whole": {"synapses": len(found.synapses), "asymmetry": found.whole},
        "channels": found.channels,
        "values": {name: array.tolist() for name, array in blurc.genome.named(genome)},
    }


def _drawn(found: Analysis, form: str) -> bytes:
    most = float(abs(found.jacobian).max(initial=0.0))  # the same colours for both
    matrices = {"Jacobian of the change of synapses": found.jacobian, "its antisymmetric part": found.antisymmetric}
    panels = [evaluation.heat.Panel(t, matrix, _rows(found), signed=True, most=most) for t, matrix in matrices.items()]
    title = f"{found.rule} in {found.network}: asymmetry {found.asymmetry:.3g}"
    if len(found.block) < len(found.synapses):
        title += f" for what the forward pass reads, {found.whole:.3g} for everything"
    return evaluation.heat.render(panels, form, title)


def _rows(found: Analysis) -> list[str]:
    """Labels each channel once, in the middle of its rows."""
    rows = [""] * len(found.synapses)
    for name in dict.fromkeys(found.synapses):
        rows[found.synapses.index(name) + found.synapses.count(name) // 2] = name
    return rows
