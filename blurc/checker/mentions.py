"""The names that a piece of the syntax tree mentions, before they are resolved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from blurc.diagnostics import Span
from blurc.language import functions, syntax


def walk(node: syntax.Node) -> Iterator[syntax.Node]:
    """The node and everything in it, outermost first."""
    yield node
    for child in syntax.children(node):
        yield from walk(child)


def names(nodes: Iterable[syntax.Node]) -> set[str]:
    """All names that are read somewhere in the nodes: `x`, `pre.x`, `x(..)`, `fn phi = x`."""
    found: set[str] = set()
    for node in (part for whole in nodes for part in walk(whole)):
        match node:
            case syntax.Name(name=name) | syntax.Attribute(name=name):
                found.add(name)
            case syntax.Call(function=function) | syntax.Fn(function=function):
                found.add(function)
            case _:
                pass
    return found


def phases(tree: syntax.Genome) -> list[syntax.Phase]:
    """All phases, those of a `repeat` once."""
    found: list[syntax.Phase] = []
    for item in tree.items:
        parts = item.phases if isinstance(item, syntax.Repeat) else (item,)
        found += [part for part in parts if isinstance(part, syntax.Phase)]
    return found


def header(phase: syntax.Phase) -> Span:
    """Of a phase, what stands before the brace."""
    length = phase.span.text.find("{")
    return Span(phase.span.source, phase.span.start, phase.span.start + length) if length > 0 else phase.span


def valued(tree: syntax.Genome, per: str) -> list[str]:
    """What networks may give values to: its variables `per population`, or `per projection`."""
    return [item.name for item in tree.items if isinstance(item, syntax.Learn | syntax.Const) and item.per == per]


def outside_sums(e: syntax.Expr) -> Iterator[syntax.Expr]:
    """The expression and its parts, except inside `incoming(..)` or `outgoing(..)`."""
    yield e
    if isinstance(e, syntax.Call) and e.function in (*functions.TOTALS, *functions.RUNNING):
        return
    for part in syntax.children(e):
        if isinstance(part, syntax.Expr):
            yield from outside_sums(part)
