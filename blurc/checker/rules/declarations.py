"""Declarations of a genome: each becomes a symbol."""

from __future__ import annotations

from dataclasses import dataclass

from blurc.checker import mentions
from blurc.checker.constants import Constants
from blurc.checker.parameters import RESERVED, reserved
from blurc.checker.rules.foreign import slot_help
from blurc.checker.rules.names import WORDS, Symbol, Symbols
from blurc.checker.wording import show
from blurc.diagnostics import Report, did_you_mean
from blurc.language import functions, syntax
from blurc.model import Literal, Nested, Over, ParamValue, Per, Shape, dims

PER: dict[str, Per] = {"projection": "projection", "population": "population", "neuron": "neuron", "synapse": "synapse"}


def known_at_run_time(tree: syntax.Genome) -> dict[str, str]:
    """Names that are no compile-time numbers, and what they are."""
    found = {name: f"`{name}`, known only in equations" for name in ("input", "target")}
    found |= dict.fromkeys(("fan_in", "fan_out"), "a size of a projection, which only synapses know")
    for item in tree.items:
        match item:
            case syntax.State():
                found[item.name] = WORDS["state"]
            case syntax.Signal():
                found[item.name] = WORDS["signal"]
            case syntax.Synapse():
                found[item.name] = WORDS["channel"]
            case syntax.Learn():
                found[item.name] = WORDS["meta"]
            case syntax.Fn():
                found[item.name] = WORDS["slot"]
            case syntax.Const():
                found[item.name] = "a constant that is declared further down, or is no number"
            case _:
                pass
    for phase in mentions.phases(tree):
        lets = [s.name for s in phase.statements if isinstance(s, syntax.Let)]
        found |= {name: "a value named by `let`" for name in lets if name not in found}
    return found


def declare(
    tree: syntax.Genome, values: dict[str, ParamValue | None], numbers: Constants, symbols: Symbols, report: Report
) -> None:
    """Puts the declarations of a genome into `symbols`, and numbers that are constant into `values`."""
    declarations = _Declarations(tree, values, numbers, symbols, report)
    for item in tree.items:
        declarations.declare_item(item)


@dataclass(slots=True)
class _Declarations:
    tree: syntax.Genome
    values: dict[str, ParamValue | None]
    numbers: Constants
    symbols: Symbols
    report: Report

    def declare_item(self, item: syntax.GenomeItem) -> None:
        match item:
            case syntax.State():
                self._declare(Symbol("state", item.name, item.span, self.numbers.shape(item.dims)))
            case syntax.Signal():
                self._declare(Symbol("signal", item.name, item.span, self.numbers.shape(item.dims)))
            case syntax.Synapse():
                self._declare(Symbol("channel", item.name, item.span, self.numbers.shape(item.dims)))
            case syntax.Learn():
                shape = self.numbers.shape(item.dims)
                self._declare(Symbol("meta", item.name, item.span, shape, self._per(item)))
            case syntax.Const():
                self._declare(self._const(item))
            case syntax.Fn():
                self._declare(Symbol("slot", item.name, item.span, value=self._slot_function(item)))
            case _:
                pass

    def _declare(self, symbol: Symbol) -> None:
        earlier = self.symbols.named(symbol.name)
        if symbol.name in RESERVED:
            reserved(symbol.name, symbol.words, symbol.span, self.report)
        elif earlier is None:
            self.symbols.table[symbol.name] = symbol
        else:
            self.report.error(
                "E106",
                f"`{symbol.name}` is declared twice",
                symbol.span,
                notes=[f"it is {earlier.words} on line {earlier.span.line}"],
                help="rename one of them",
            )
            if earlier.kind != symbol.kind:
                earlier.kind = "ambiguous"

    def _per(self, item: syntax.Learn) -> Per | None:
        if item.per is None:
            return "network"
        known = PER.get(item.per)
        if known is None:
            near = did_you_mean(item.per, PER)
            several = ", ".join(f"`per {per}`" for per in PER)
            self.report.error(
                "E207",
                f"no scope `per {item.per}`",
                item.span,
                notes=[f"there are {several}, and without a word one value shared by all"],
                help=f"did you mean `per {near}`?" if near else "write one of them, or nothing",
            )
        return known

    def _const(self, item: syntax.Const) -> Symbol:
        found = self.numbers.nested(item.value)
        declared = self.numbers.shape(item.dims)
        if found is None or declared is None:
            self.values.setdefault(item.name, None)
            return Symbol("const", item.name, item.span, None)
        value, shape = found
        if item.dims and shape not in ((), declared):
            self.report.error(
                "E203",
                f"`{item.name}` is declared {dims(declared)}, but its value is {show(shape)}",
                item.value.span,
                help=f"drop the `{dims(declared)}` after `{item.name}`",
            )
            return Symbol("const", item.name, item.span, None)
        if not shape and not item.dims and isinstance(value, float):
            self.values.setdefault(item.name, value)
        if item.dims and not shape:
            value, shape = _fill(value, declared), declared
        constant = Literal(value, shape=shape, over=Over.NOTHING, span=item.span)
        return Symbol("const", item.name, item.span, shape, value=constant)

    def _slot_function(self, item: syntax.Fn) -> str:
        given = self.values.get(item.function, item.function)
        if isinstance(given, str) and given in functions.UNARY:
            return given
        near = did_you_mean(item.function, functions.UNARY)
        perhaps_a_parameter = self.tree.damaged and item.function not in self.values and not near
        if given is not None and not perhaps_a_parameter:
            self.report.error(
                "E202",
                f"a slot holds a function of one number, found `{item.function}`",
                item.span,
                notes=[] if given == item.function else [f"`{item.function}` is {given}"],
                help=slot_help(item.name, item.function),
            )
        return "linear"


def _fill(value: Nested, shape: Shape) -> Nested:
    return tuple(_fill(value, shape[1:]) for _ in range(shape[0])) if shape else value
