"""Errors about an assignment: its target, the shape of its value, a value that varies over the batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from blurc.checker.rules.foreign import name_help
from blurc.checker.rules.names import Place, Symbol, Symbols
from blurc.checker.wording import code, edited, listed, shape_text
from blurc.diagnostics import Report, suggest
from blurc.language import syntax
from blurc.model import Apply, Channel, Expr, Meta, Modulator, Over, Reduce, Shape, State, dims, walk

SUMS = ("add", "sub")  # looser than a product


@dataclass(frozen=True, slots=True)
class WrongTarget:
    symbols: Symbols
    report: Report

    def wrong_shape(self, s: syntax.Assign, shape: Shape, value: Expr) -> None:
        part = f"that part of `{s.name}`" if s.items else f"`{s.name}`"
        named = [x.name for x in walk(value) if x.shape and isinstance(x, State | Channel | Meta | Modulator)]
        self.report.error(
            "E203",
            f"cannot assign {shape_text(value.shape)} to {part}, which is {shape_text(shape)}",
            s.value.span,
            notes=[", ".join(self.symbols.table[name].declared(s.span) for name in dict.fromkeys([s.name, *named]))],
            help=f"pick a part of the value with `[0]`, or declare `{s.name}{dims(value.shape)}`"
            if not shape
            else f"give both one shape, or assign to a part: `{s.name}[0] <- ..`",
        )

    def varies(self, s: syntax.Assign, value: Expr) -> None:
        """A value that differs from example to example, on its way into a synapse."""
        term = _varying_term(value)
        whole = _reduced_once(term)
        self.report.error(
            "E305",
            f"`{s.name}` is shared by the whole batch, but this value differs from example to example",
            term.span,
            help=f"bring it together over the batch, all at once: `{whole}`"
            if whole
            else f"bring it together over the batch: `batch_mean({code(term.span)})`",
        )

    def unknown(self, s: syntax.Assign, place: Place) -> None:
        if self.symbols.damaged:
            return
        declare = f"state {s.name}" if place.assigns == "state" else f"synapse {s.name} ~ zeros"
        help = f"declare it, `{declare}`, or name a value: `let {s.name} = ..`"
        help = (name_help(s.name, place) if place.synapse else None) or help
        help = suggest(s.name, self.symbols.names(place.assigns), help)
        self.symbols.unknown_name(s.name, f"unknown name `{s.name}`", s.name_span, help=help)

    def not_assignable(self, s: syntax.Assign, place: Place, symbol: Symbol | None) -> None:
        known = self.symbols.names(place.assigns)
        otherwise = "a value named by `let`" if s.name in place.lets else "a name of the language"
        notes = {
            "state": ["a synapse cannot change a neuron; a phase of the neuron, before or after, can"],
            "channel": ["a neuron cannot change its synapses; `update` can"],
            "signal": ["signals come from outside, fed at every step"],
            "meta": ["meta-parameters stand still while a network learns; meta-learning changes them"],
        }
        message = (
            f"`{place.phase}` assigns to {'synapse channels' if place.synapse else 'neuron states'}, but "
            f"`{s.name}` is {symbol.words if symbol else otherwise}"
        )
        help = f"name a value with `let`, or assign to one of: {listed(known)}" if known else "name a value with `let`"
        self.report.error("E209", message, s.name_span, notes=notes.get(symbol.kind, []) if symbol else [], help=help)


def _varying_term(e: Expr) -> Expr:
    """The smallest term of a sum that holds all that varies over the batch."""
    if isinstance(e, Apply) and e.function in ("add", "sub", "neg"):
        varying = [a for a in e.args if Over.EXAMPLE in a.over]
        if len(varying) == 1:
            return _varying_term(varying[0])
    return e


def _reduced_once(e: Expr) -> str | None:
    """A product of which some factors are brought together over the batch already, with one reducer around it all."""
    factors = list(_factors(e))
    reduced = [f for f in factors if isinstance(f, Reduce)]
    if not reduced or any(isinstance(x, Reduce) for f in factors if f not in reduced for x in walk(f)):
        return None
    within = {
        f.span: f"({t})" if isinstance(f.body, Apply) and f.body.function in SUMS else t
        for f in reduced
        if (t := code(f.body.span))
    }
    return f"{reduced[0].kind}({edited(e.span, within)})"


def _factors(e: Expr) -> Iterator[Expr]:
    if isinstance(e, Apply) and e.function in ("mul", "neg"):
        for arg in e.args:
            yield from _factors(arg)
    else:
        yield e
