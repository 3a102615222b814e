"""Values in the network file, `{ tau = 20 }` and `[site = 0]`: whether the genome has what they are for."""

from __future__ import annotations

from collections.abc import Iterator

from blurc.checker import mentions
from blurc.checker.wiring import blocks
from blurc.checker.wiring.bodies import Around
from blurc.checker.wiring.populations import OPTIONS
from blurc.checker.wiring.projections import ATTRIBUTES
from blurc.checker.wording import code, listed, shape_text
from blurc.diagnostics import Report, suggest
from blurc.language import syntax
from blurc.model import Genome, Network, dims

VALUED = (syntax.Learn, syntax.Const)


def check_names(tree: syntax.Network, genome: syntax.Genome, report: Report, around: Around) -> None:
    """The slots and values that populations and projections name must be the genome's, those in blocks too. Asked only
    of a network and the genome that it `uses`: with another genome a caller picks, an override may rightly have nothing
    to do."""
    slots = [item.name for item in genome.items if isinstance(item, syntax.Fn)]
    of_populations, of_projections = (_valued(genome, per) for per in ("population", "projection"))
    trees = () if genome.damaged else (tree, *blocks.used(tree, around.blocks).values())
    for node in (node for t in trees for node in mentions.walk(t)):
        if isinstance(node, syntax.Population):
            for option in node.options:
                if option.name not in (*slots, *of_populations, *OPTIONS):
                    _unknown_option(option, slots, of_populations, genome, report)
        elif isinstance(node, syntax.Projection):
            for attr in node.attrs:
                if attr.value is not None and attr.name not in (*of_projections, *ATTRIBUTES):
                    _unknown_attribute(attr, of_projections, genome, report)


def _valued(genome: syntax.Genome, per: str) -> list[str]:
    return [item.name for item in genome.items if isinstance(item, VALUED) and item.per == per]


def _unknown_option(
    option: syntax.Option, slots: list[str], values: list[str], genome: syntax.Genome, report: Report
) -> None:
    notes = [f"options: {listed([*OPTIONS])}; slots of `{genome.name}`: {listed(slots)}"]
    notes[0] += f"; values per population: {listed(values)}"
    message = f"`{option.name}` is neither an option of a population nor a function slot of the genome `{genome.name}`"
    help = f"declare the slot in the genome: `fn {option.name} = tanh`"
    if not isinstance(option.value, syntax.Name):
        message = f"`{option.name}` is neither an option of a population nor a value of the genome `{genome.name}`"
        help = _declared(option.name, "population", code(option.value.span), genome)
    report.error(
        "E407", message, option.span, notes=notes, help=suggest(option.name, [*slots, *values, *OPTIONS], help)
    )


def _unknown_attribute(attr: syntax.Attr, values: list[str], genome: syntax.Genome, report: Report) -> None:
    message = f"`{attr.name}` is neither an attribute of a projection nor a value of the genome `{genome.name}`"
    notes = [f"attributes: {listed([*ATTRIBUTES])}; values per projection of `{genome.name}`: {listed(values)}"]
    value = code(attr.value.span) if attr.value else "1"
    help = suggest(attr.name, [*values, *ATTRIBUTES], _declared(attr.name, "projection", value, genome))
    report.error("E408", message, attr.span, notes=notes, help=help)


def _declared(name: str, per: str, value: str, genome: syntax.Genome) -> str:
    """How the genome has a value of this name."""
    known = next((item for item in genome.items if isinstance(item, VALUED) and item.name == name), None)
    if known:
        return f"write `per {per}` after its declaration in the genome"
    return f"declare it in the genome: `const {name} = {value} per {per}`, or `learn {name} = {value} per {per}`"


def check_values(network: Network, genome: Genome, uses: bool, report: Report) -> None:
    """Whether values have the right shapes, and, of a genome that the network does not use, whether it has them."""
    for per, parts in (("population", network.populations), ("projection", network.projections)):
        declared = {v.name: v for v in (*genome.metas, *genome.constants) if v.per == per}
        for part in parts:
            for given in part.values:
                variable = declared.get(given.name)
                if per == "population" and given.name in dict(genome.slots):
                    message = f"`{given.name}` takes a function, found `{code(given.span)}`"
                    report.error("E407", message, given.span, help=f"write `{given.name} = tanh`")
                elif variable is None and not uses:
                    message = f"`{given.name}` is never used: `{genome.name}` has no value per {per} of that name"
                    notes = [f"its values per {per}: {listed([*declared])}"]
                    help = "remove it, unless another rule reads it"
                    report.warn("W501", message, given.span, notes=notes, help=help)
                elif variable and given.shape not in ((), variable.shape):
                    message = f"`{given.name}` is {shape_text(variable.shape)}, but this is {shape_text(given.shape)}"
                    help = f"write a number, or {dims(variable.shape)} of them" if variable.shape else "write a number"
                    report.error("E203", message, given.span, help=help)
    for p in network.populations:
        for slot, function in p.slots:
            if slot not in dict(genome.slots) and slot in _names(genome, "population"):
                message = f"`{slot}` takes a number, found the function `{function}`"
                report.error("E407", message, p.span, help=f"write `{slot} = 1`, for example")


def _names(genome: Genome, per: str) -> Iterator[str]:
    yield from (v.name for v in (*genome.metas, *genome.constants) if v.per == per)
