"""A genome without the terms whose coefficient is 0.

Meta-parameters that are 0 are put in as 0, products with them vanish from sums, and what nothing reads any more is left
out. Sums and means of 0 are 0. The result means the same at these values, as long as all else is finite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from blurc.language import functions
from blurc.language import syntax as s

IsZero: TypeAlias = Callable[[str, tuple[int, ...]], bool]  # a name, and the indices of one element; () for all of it

OF_ZERO = (
    *functions.TOTALS, *functions.RUNNING, *functions.REDUCERS, *functions.WHOLE, *functions.PLACES,
    *functions.PROJECTION,
)  # fmt: skip


def prune(tree: s.Genome, is_zero: IsZero) -> s.Genome:
    """The genome without what is 0. `is_zero` is asked about meta-parameters alone."""
    learned = {item.name for item in tree.items if isinstance(item, s.Learn)}
    terms = _Terms(lambda name, at: name in learned and is_zero(name, at))
    items = tuple(terms.item(item) for item in tree.items)
    read = {name for item in items for name in _names(item)}
    return replace(tree, items=tuple(i for i in items if not isinstance(i, s.Learn) or i.name in read))


def _names(node: s.Node) -> Iterator[str]:
    """The names that are read below a node, without the arguments of functions."""
    if isinstance(node, s.Name | s.Attribute):
        yield node.name
    own = {argument.name for argument in node.arguments} if isinstance(node, s.Function) else ()
    for child in s.children(node):
        yield from (name for name in _names(child) if name not in own)


def is_0(e: s.Expr) -> bool:
    return isinstance(e, s.Number) and e.value == 0


@dataclass(frozen=True)
class _Terms:
    is_zero: IsZero

    def item(self, item: s.GenomeItem) -> s.GenomeItem:
        match item:
            case s.Phase():
                return self._phase(item)
            case s.Repeat():
                return replace(item, phases=tuple(self._phase(p) if isinstance(p, s.Phase) else p for p in item.phases))
            case s.Readout():
                return replace(item, value=self.without(item.value))
            case s.Function():
                own = {argument.name for argument in item.arguments}
                return replace(
                    item, value=_Terms(lambda n, at: n not in own and self.is_zero(n, at)).without(item.value)
                )
            case _:
                return item

    def _phase(self, phase: s.Phase) -> s.Phase:
        return replace(phase, statements=tuple(self._statements(phase.statements)) or phase.statements)

    def _statements(self, statements: Iterable[s.Statement]) -> Iterator[s.Statement]:
        """A `let` that is 0 goes into what reads it. What stays as it is need not be said."""
        terms = self
        for statement in statements:
            value = terms.without(statement.value)
            if isinstance(statement, s.Let) and is_0(value):
                terms = _Terms(lambda n, at, name=statement.name, now=terms: n == name or now.is_zero(n, at))
            elif not (isinstance(value, s.Name) and value.name == statement.name and not _places(statement)):
                yield replace(statement, value=value)

    def without(self, e: s.Expr) -> s.Expr:
        zero = s.Number(0, span=e.span)
        match e:
            case s.Name(name) | s.Attribute(_, name) if self.is_zero(name, ()):
                return zero
            case s.Index(base, items):
                at = tuple(int(i.value) for i in items if isinstance(i, s.Number))
                one = isinstance(base, s.Name) and len(at) == len(items) and self.is_zero(base.name, at)
                base = self.without(base)
                return zero if one or is_0(base) else replace(e, base=base)
            case s.Negate(operand):
                operand = self.without(operand)
                return zero if is_0(operand) else replace(e, operand=operand)
            case s.Binary(left=left, right=right):
                return _binary(e, self.without(left), self.without(right))
            case s.Call(function, args):
                args = tuple(map(self.without, args))
                return zero if function in OF_ZERO and all(map(is_0, args)) else replace(e, args=args)
            case s.Vector(items):
                return replace(e, items=tuple(map(self.without, items)))
            case _:
                return e


def _places(statement: s.Statement) -> bool:
    return isinstance(statement, s.Assign) and bool(statement.items)


def _binary(e: s.Binary, left: s.Expr, right: s.Expr) -> s.Expr:
    match e.operator:
        case "+" if is_0(left):
            return right
        case "+" | "-" if is_0(right):
            return left
        case "-" if is_0(left):
            return s.Negate(right, span=e.span)
        case "*" | "@" if is_0(left) or is_0(right):
            return s.Number(0, span=e.span)
        case "/" if is_0(left):
            return s.Number(0, span=e.span)
        case "^" if is_0(left) and isinstance(right, s.Number) and right.value > 0:
            return s.Number(0, span=e.span)
        case _:
            return replace(e, left=left, right=right, terms=0, half=False)  # fewer terms than were counted
