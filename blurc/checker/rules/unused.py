"""Warnings about a genome without errors: declarations never used, states never assigned, input never read."""

from __future__ import annotations

from blurc.checker import mentions
from blurc.checker.rules.names import Symbol, Symbols
from blurc.diagnostics import Report, Span, did_you_mean
from blurc.language import syntax


def warn(tree: syntax.Genome, symbols: Symbols, report: Report) -> None:
    """Silent on syntax errors: what looks unused may be used in the parts left out. Silent on what is inherited and
    unused, too: there is no way to remove it."""
    if tree.damaged:
        return
    read = mentions.names([*tree.params, *tree.items])
    phases = mentions.phases(tree)
    assigned = {s.name for p in phases for s in p.statements if isinstance(s, syntax.Assign)}
    for symbol in symbols.table.values():
        if symbol.name not in read and tree.span.contains(symbol.span):
            how = "assigned but never read" if symbol.name in assigned else "never used"
            near = did_you_mean(symbol.name, _inherited(tree)) if how == "never used" else None
            _unused(symbol.name, how, symbol.span, report, near)
        elif symbol.kind == "state" and symbol.name in read and symbol.name not in assigned:
            _never_assigned(symbol, report)
    for phase in phases:
        _unused_lets(phase, report)
    for item in tree.items:
        if isinstance(item, syntax.Function):
            _unused_arguments(item, report)
    if "input" not in read:
        _senses_nothing(tree, symbols, report)


def _inherited(tree: syntax.Genome) -> list[str]:
    """What a genome that extends another has of it, by name."""
    declared = [item for item in tree.items if isinstance(item, syntax.Declaration)]
    return [part.name for part in (*tree.params, *declared) if not tree.span.contains(part.span)]


def _unused(name: str, how: str, span: Span, report: Report, near: str | None = None) -> None:
    """`near`: the inherited name that is probably meant."""
    help = f"did you mean `{near}`?" if near else "remove it"
    report.warn("W501", f"`{name}` is {how}", span, help=help)


def _unused_lets(phase: syntax.Phase, report: Report) -> None:
    read = mentions.names(phase.statements)
    for s in phase.statements:
        if isinstance(s, syntax.Let) and s.name not in read:
            _unused(s.name, "never used", s.span, report)


def _unused_arguments(item: syntax.Function, report: Report) -> None:
    read = mentions.names(part for part in (item.value, item.slope) if part)
    for argument in item.arguments:
        if argument.name not in read:
            _unused(argument.name, "never used", argument.span, report)


def _never_assigned(symbol: Symbol, report: Report) -> None:
    message = f"`{symbol.name}` is read but never assigned: it is always 0, and 1 in the unit neuron"
    help = f"assign it in a phase, `{symbol.name} <- ..`, or remove it"
    report.warn("W502", message, symbol.span, help=help)


def _senses_nothing(tree: syntax.Genome, symbols: Symbols, report: Report) -> None:
    message = f"the genome `{tree.name}` never reads `input`: its predictions do not depend on the data"
    numbers = [s.name for s in symbols.of_kind("state") if not s.shape]
    help = f"add `sense {{ {numbers[0] if numbers else 'x'} <- input }}`"
    report.warn("W504", message, tree.name_span, help=help)
