"""Values in the network file, `{ tau = 20 }` and `[site = 0]`: whether the genome has what they are for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from blurc.checker import mentions
from blurc.checker.parameters import RESERVED
from blurc.checker.rules.declarations import KINDS
from blurc.checker.rules.names import WORDS
from blurc.checker.wiring import blocks
from blurc.checker.wiring.bodies import Around
from blurc.checker.wiring.populations import OPTIONS
from blurc.checker.wiring.projections import ATTRIBUTES
from blurc.checker.wording import code, listed, shape_text
from blurc.diagnostics import Report, suggest
from blurc.language import syntax
from blurc.model import Genome, Given, Network, Shape, dims

VALUED = (syntax.Learn, syntax.Const)


def check_names(tree: syntax.Network, genome: syntax.Genome, report: Report, around: Around) -> None:
    """The slots and values that populations and projections name must be the genome's, those in blocks too. Asked only
    of a network and the genome that it `uses`: with another genome a caller picks, an override may rightly have nothing
    to do."""
    trees = () if genome.damaged else (tree, *blocks.used(tree, around.blocks).values())
    names = _Names(genome, report)
    for node in (node for t in trees for node in mentions.walk(t)):
        if isinstance(node, syntax.Population):
            for option in node.options:
                names.of_population(option, node)
        elif isinstance(node, syntax.Projection):
            for attr in node.attrs:
                names.of_projection(attr)


ACTIVATIONS = ("activation", "act", "nonlinearity", "function", "phi", "f")  # what a slot is often called


@dataclass(slots=True)
class _Names:
    """What a genome takes values of."""

    genome: syntax.Genome
    report: Report

    @property
    def whose(self) -> str:
        return f"the genome `{self.genome.name}`"

    def of_population(self, option: syntax.Option, population: syntax.Population) -> None:
        slots = [item.name for item in self.genome.items if isinstance(item, syntax.Fn)]
        values = mentions.valued(self.genome, "population")
        known = [*slots, *values, *OPTIONS]
        if option.name in known or self._is_value_elsewhere("E407", option, "population"):
            return
        notes = [f"options: {listed([*OPTIONS])}; slots of `{self.genome.name}`: {listed(slots)}"]
        notes[0] += f"; values per population: {listed(values)}"
        what, help = "a function slot", f"declare the slot in the genome: `fn {option.name} = tanh`"
        if not isinstance(option.value, syntax.Name):
            what, help = "a value", _declared(option.name, "population", code(option.value.span))
        elif option.name in ACTIVATIONS and len(slots) == 1:
            help = f"write `{slots[0]} = {option.value.name}`: that is its slot"
        message = f"`{option.name}` is neither an option of a population nor {what} of {self.whose}"
        help = suggest(option.name, known, help)
        if option.name in ATTRIBUTES:
            help = (
                f"`{option.name}` is an attribute of projections: `a -> {population.name.base} [{code(option.span)}]`"
            )
        self._say("E407", message, option, help, notes)

    def of_projection(self, attr: syntax.Attr) -> None:
        values = mentions.valued(self.genome, "projection")
        known = [*values, *ATTRIBUTES]
        if attr.value is None or attr.name in known or self._is_value_elsewhere("E408", attr, "projection"):
            return
        message = f"`{attr.name}` is neither an attribute of a projection nor a value of {self.whose}"
        notes = [
            f"attributes: {listed([*ATTRIBUTES])}; values per projection of `{self.genome.name}`: {listed(values)}"
        ]
        help = suggest(attr.name, known, _declared(attr.name, "projection", code(attr.value.span)))
        self._say("E408", message, attr, help, notes)

    def _say(
        self, error: str, message: str, given: syntax.Option | syntax.Attr, help: str, notes: Sequence[str] = ()
    ) -> None:
        elsewhere = self.genome.span.source is not given.span.source
        where = [f"`{self.genome.name}` is declared at {self.genome.span}"] if elsewhere else []
        self.report.error(error, message, given.span, notes=[*notes, *where], help=help)

    def _is_value_elsewhere(self, error: str, given: syntax.Option | syntax.Attr, part: str) -> bool:
        """Whether the genome has something else of this name, which is then reported: a value of the other kind of
        parts, one that is the same everywhere, or no value at all."""
        found = (item for item in self.genome.items if isinstance(item, syntax.Declaration))
        item = next((item for item in found if item.name == given.name), None)
        if item is None:
            return False
        others = {"population": "projection", "projection": "population"}
        message = (
            f"`{given.name}` is {WORDS[KINDS[type(item)]]} of `{self.genome.name}`, and gets no value in a network"
        )
        help = "remove it"
        if isinstance(item, VALUED) and item.per == others[part]:
            message = f"`{given.name}` is one value per {item.per} in `{self.genome.name}`, but this is a {part}"
            example = (
                f"a -> b [{code(given.span)}]" if part == "population" else f"hidden h[8] {{ {code(given.span)} }}"
            )
            help = f"give it to a {item.per}, as in `{example}`, or declare it `per {part}` in the genome"
        elif isinstance(item, VALUED):
            once = f"per {item.per}" if item.per else "for the whole network"
            message = f"`{given.name}` is one value {once} in `{self.genome.name}`, so no {part} has its own"
            help = f"declare it `per {part}` in the genome, or remove it here"
        self._say(error, message, given, help)
        return True


def _declared(name: str, per: str, value: str) -> str:
    """How a genome has a value of this name."""
    if name in RESERVED:
        return "remove it: a genome cannot declare this name"
    return f"declare it in the genome: `const {name} = {value} per {per}`, or `learn {name} = {value} per {per}`"


def check_values(network: Network, genome: Genome, uses: bool, report: Report) -> None:
    """Whether values have the right shapes, and, of a genome that the network does not use, whether it has them."""
    for per, parts in (("population", network.populations), ("projection", network.projections)):
        shapes = _shapes(genome, per)
        for given in (given for part in parts for given in part.values):
            if per == "population" and given.name in dict(genome.slots):
                message = f"`{given.name}` takes a function, found `{code(given.span)}`"
                report.error("E407", message, given.span, help=f"write `{given.name} = tanh`")
            elif given.name in shapes:
                _check_shape(given, shapes[given.name], report)
            elif not uses:
                message = f"`{given.name}` is never used: `{genome.name}` has no value per {per} of that name"
                notes = [f"it has these: {listed([*shapes])}; it is declared at {genome.span}"]
                help = "remove it, unless another rule reads it"
                report.warn("W501", message, given.span, notes=notes, help=help)
    numbers = _shapes(genome, "population").keys() - dict(genome.slots)
    for p in network.populations:
        for slot, function in p.slots:
            if slot in numbers:
                message = f"`{slot}` takes a number, found the function `{function}`"
                report.error("E407", message, p.span, help=f"write `{slot} = 1`, for example")


def _shapes(genome: Genome, per: str) -> dict[str, Shape]:
    return {v.name: v.shape for v in (*genome.metas, *genome.constants) if v.per == per}


def _check_shape(given: Given, shape: Shape, report: Report) -> None:
    if given.shape not in ((), shape):
        message = f"`{given.name}` is {shape_text(shape)}, but this is {shape_text(given.shape)}"
        help = f"write a number, or {dims(shape)} of them" if shape else "write a number"
        report.error("E203", message, given.span, help=help)
