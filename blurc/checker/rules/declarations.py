"""Declarations of a genome: each becomes a symbol."""

from __future__ import annotations

from dataclasses import dataclass

from blurc.checker import mentions
from blurc.checker.constants import Constants
from blurc.checker.parameters import RESERVED, reserved
from blurc.checker.rules.foreign import slot_help
from blurc.checker.rules.names import WORDS, Kind, Symbol, Symbols
from blurc.checker.wording import shape_text
from blurc.diagnostics import Report, did_you_mean
from blurc.language import functions, syntax
from blurc.model import Literal, Over, ParamValue, Per, dims, filled

PER: dict[str, Per] = {"projection": "projection", "population": "population", "neuron": "neuron", "synapse": "synapse"}

PER_OF_CONSTANTS: dict[str, Per] = {"projection": "projection", "population": "population"}


KINDS: dict[type[syntax.Node], Kind] = {
    syntax.State: "state", syntax.Signal: "signal", syntax.Synapse: "channel", syntax.Learn: "meta",
    syntax.Const: "const", syntax.Fn: "slot", syntax.Function: "function",
}  # fmt: skip


def known_at_run_time(tree: syntax.Genome) -> dict[str, str]:
    """Names that are not compile-time numbers, and what they are."""
    found = {name: f"`{name}`, known only in equations" for name in ("input", "target")}
    found |= dict.fromkeys(functions.PROJECTION_NUMBERS, "a property of a projection, which only synapses know")
    for item in tree.items:
        if isinstance(item, syntax.Const) and item.per:
            found[item.name] = f"a constant with one value per {item.per}"
        elif isinstance(item, syntax.Const):
            found[item.name] = "a constant that is declared further down, or is not a number"
        elif isinstance(item, syntax.Declaration):
            found[item.name] = WORDS[KINDS[type(item)]]
    for phase in mentions.phases(tree):
        lets = [s.name for s in phase.statements if isinstance(s, syntax.Let)]
        found |= {name: "a value named by `let`" for name in lets if name not in found}
    return found


@dataclass(frozen=True, slots=True)
class Declarations:
    """Puts the declarations of a genome into `symbols`, and numbers that are constant into `values`."""

    tree: syntax.Genome
    values: dict[str, ParamValue | None]
    numbers: Constants
    symbols: Symbols
    report: Report

    def declare(self) -> None:
        for item in self.tree.items:
            if isinstance(item, syntax.Declaration):
                self._declare(self._symbol(item))

    def _symbol(self, item: syntax.Declaration) -> Symbol:
        match item:
            case syntax.Const():
                return self._const(item)
            case syntax.Fn():
                return Symbol("slot", item.name, item.span, value=self._slot_function(item))
            case syntax.Function():
                return Symbol("function", item.name, item.name_span)
            case _:
                shape = self.numbers.shape(item.dims)
                per = self._per(item) if isinstance(item, syntax.Learn) else "network"
                each = isinstance(item, syntax.Signal | syntax.Synapse) and self._per_example(item)
                return Symbol(KINDS[type(item)], item.name, item.span, shape, per, per_example=each)

    def _declare(self, symbol: Symbol) -> None:
        earlier = self.symbols.named(symbol.name)
        if symbol.name in RESERVED:
            reserved(symbol.name, symbol.words, symbol.span, self.report)
        elif earlier is None:
            self.symbols.table[symbol.name] = symbol
        else:
            message = f"`{symbol.name}` is declared twice"
            help = "rename one of them"
            self.report.error(
                "E106",
                message,
                symbol.span,
                notes=[f"it is {earlier.words} on {earlier.span.line_from(symbol.span)}"],
                help=help,
            )
            if earlier.kind != symbol.kind:
                earlier.kind = "ambiguous"

    def _per(self, item: syntax.Learn) -> Per | None:
        if item.per is None:
            return "network"
        known = PER.get(item.per)
        if known is None:
            near = did_you_mean(item.per, PER)
            near_help = f"did you mean `per {near}`?" if near else "write one of them, or nothing"
            several = ", ".join(f"`per {per}`" for per in PER)
            self.report.error(
                "E207",
                f"no scope `per {item.per}`",
                item.span,
                notes=[f"there are {several}, and without a word one value shared by all"],
                help=_fed(item) if item.per == "example" else near_help,
            )
        return known

    def _per_of_const(self, item: syntax.Const) -> Per | None:
        if item.per in (None, *PER_OF_CONSTANTS):
            return PER_OF_CONSTANTS.get(item.per or "", "network")
        notes = ["the network gives them: `a -> b [x = 0]`, `hidden h[8] { x = 20 }`"]
        help = f"write `per population` or `per projection`, or `learn {item.name} = .. per {item.per}`"
        if item.per not in PER:
            help = "write `per population`, `per projection` or nothing"
        message = f"a constant has one value, or one per population or projection, not `per {item.per}`"
        self.report.error("E207", message, item.span, notes=notes, help=help)
        return None

    def _per_example(self, item: syntax.Signal | syntax.Synapse) -> bool:
        if item.per not in (None, "example"):
            shared, declared = "a signal is the same for all", f"signal {item.name}"
            if isinstance(item, syntax.Synapse):
                shared, declared = "a channel is shared by the batch", f"synapse {item.name} ~ zeros"
            message = f"{shared}, or `per example`; found `per {item.per}`"
            help = f"write `{declared} per example`, or nothing; what neurons or synapses have is a `learn`"
            self.report.error("E207", message, item.span, help=help)
        return item.per is not None

    def _const(self, item: syntax.Const) -> Symbol:
        found = self.numbers.nested(item.value)
        declared = self.numbers.shape(item.dims)
        per = self._per_of_const(item)
        if found is None or declared is None or per is None:
            self.values.setdefault(item.name, None)
            return Symbol("const", item.name, item.span, None, per)
        value, shape = found
        if item.dims and shape not in ((), declared):
            message = f"`{item.name}` is declared {dims(declared)}, but its value is {shape_text(shape)}"
            help = f"drop the `{dims(declared)}` after `{item.name}`"
            self.report.error("E203", message, item.value.span, help=help)
            return Symbol("const", item.name, item.span, None)
        if not shape and not item.dims and isinstance(value, float) and per == "network":
            self.values.setdefault(item.name, value)
        if item.dims and not shape:
            value, shape = filled(value, declared), declared
        constant = Literal(value, shape=shape, over=Over.NOTHING, span=item.span)
        return Symbol("const", item.name, item.span, shape, per, constant)

    def _slot_function(self, item: syntax.Fn) -> str:
        given = self.values.get(item.function, item.function)
        own = self.tree.functions
        if isinstance(given, str) and given in (*functions.UNARY, *own):
            return given
        near = did_you_mean(item.function, (*functions.UNARY, *own))
        lost = self.tree.damaged or self.tree.lacks_imports  # the parameter or function may be in what was left out
        perhaps_lost = lost and item.function not in self.values and not near
        if given is not None and not perhaps_lost:
            self.report.error(
                "E202",
                f"a slot holds a function of one number, found `{item.function}`",
                item.span,
                notes=[] if given == item.function else [f"`{item.function}` is {given}"],
                help=slot_help(item.name, item.function, own),
            )
        return "linear"


def _fed(item: syntax.Learn) -> str:
    return f"what differs over the batch is fed with it: `signal {item.name} per example`; or write one of them"
