"""Shapes: how values combine, and what to say if they do not.

Every method takes checked expressions and returns the combined one, or reports the mistake and returns None.
"""

from __future__ import annotations

from dataclasses import dataclass

from blurc.checker import constants
from blurc.checker.rules.names import Symbols
from blurc.checker.wording import code, dims, number_text, shape_text
from blurc.diagnostics import Report, Span
from blurc.language import syntax
from blurc.model import Apply, Channel, Expr, Literal, Meta, Modulator, Over, Pick, Shape, Stack, State

OPERATORS = {
    "+": "add", "-": "sub", "*": "mul", "/": "div", "^": "pow", "@": "matmul",
    "<": "less", "<=": "at_most", ">": "greater", ">=": "at_least",
}  # fmt: skip
SIGNS = {function: sign for sign, function in OPERATORS.items() if sign != "@"}

Items = tuple[int | tuple[int, int], ...]


def literal(value: float, span: Span) -> Literal:
    return Literal(float(value), shape=(), over=Over.NOTHING, span=span)


def join(parts: tuple[Expr, ...]) -> Over:
    over = Over.NOTHING
    for part in parts:
        over |= part.over
    return over


@dataclass(frozen=True, slots=True)
class Shapes:
    symbols: Symbols
    numbers: constants.Constants

    @property
    def report(self) -> Report:
        return self.numbers.report

    # ------------------------------------------------------ element by element

    def combine(self, function: str, args: tuple[Expr, ...], span: Span, prime: bool = False) -> Expr | None:
        if not self.fit(args, span):
            return None
        shapes = {a.shape for a in args} - {()}
        if function == "div" and isinstance(args[1], Literal) and args[1].value == 0.0:
            self.numbers.no_value(span)
            return None
        shape = shapes.pop() if shapes else ()
        return self._folded(Apply(function, args, prime, shape=shape, over=join(args), span=span))

    def fit(self, args: tuple[Expr, ...], span: Span) -> bool:
        """Whether values have one shape, or are numbers."""
        if len({a.shape for a in args} - {()}) > 1:
            self._mismatch(args, span)
            return False
        return True

    def _folded(self, e: Apply) -> Expr | None:
        """Folds arithmetic on compile-time numbers."""
        numbers = [a.value for a in e.args if isinstance(a, Literal) and isinstance(a.value, float)]
        if len(numbers) < len(e.args) or e.prime:
            return e
        value = _fold(e.function, numbers)
        if value is None:
            self.numbers.no_value(e.span)
        return None if value is None else literal(value, e.span)

    def _mismatch(self, args: tuple[Expr, ...], span: Span) -> None:
        first = next(a for a in args if a.shape)
        second = next(a for a in args if a.shape and a.shape != first.shape)
        mixes = len(first.shape) == 2 and len(second.shape) == 1 and first.shape[1] == second.shape[0]
        message = f"cannot combine {shape_text(first.shape)} and {shape_text(second.shape)} element by element"
        help = (
            f"to mix states by a matrix, write `{code(first.span)} @ {code(second.span)}`"
            if mixes
            else "give both the same shape, or pick a part of one with `x[0]` or `x[1:]`"
        )
        self.report.error("E203", message, span, notes=self.declared(first, second), help=help)

    # ---------------------------------------------------------------- matrices

    def matmul(self, left: Expr, right: Expr, span: Span) -> Expr | None:
        if len(left.shape) == 2 and right.shape and left.shape[1] == right.shape[0]:
            shape = (left.shape[0], *right.shape[1:])
            return Apply("matmul", (left, right), shape=shape, over=left.over | right.over, span=span)
        if not right.shape:
            message = f"`@` mixes the parts of a vector by a matrix, but `{code(right.span)}` is a number"
            help = f"to scale, write `{code(left.span)} * {code(right.span)}`"
        elif len(left.shape) < 2:
            k = right.shape[0]
            message = f"`@` needs a matrix on its left, found {shape_text(left.shape)}"
            help = f"declare one, `learn m[{k}, {k}] ~ normal(1)`, and write `m @ {code(right.span)}`"
        else:
            kind = "a state" if isinstance(right, State) else "a value"
            message = f"cannot mix a {dims(left.shape)} matrix with {kind} of shape {dims(right.shape)}"
            help = _fitting_matrix(left, right.shape[0])
        self.report.error("E203", message, span, notes=self.declared(left, right), help=help)
        return None

    def declared(self, *parts: Expr) -> list[str]:
        """One note on where the shapes come from."""
        return [", ".join(dict.fromkeys(self._origin(part) for part in parts))]

    def _origin(self, e: Expr) -> str:
        symbol = self.symbols.named(e.name) if isinstance(e, State | Channel | Meta | Modulator) else None
        return symbol.declared(e.span) if symbol else f"`{code(e.span)}` is {shape_text(e.shape)}"

    # ----------------------------------------------------------------- vectors

    def stack(self, items: tuple[Expr, ...], span: Span) -> Expr | None:
        shapes = dict.fromkeys(item.shape for item in items)
        if len(shapes) != 1 or any(len(s) > 1 for s in shapes):
            self.report.error(
                "E203",
                "the items of a vector must be all numbers, or all vectors of one length",
                span,
                notes=[", ".join(f"`{code(item.span)}` is {shape_text(item.shape)}" for item in items)],
                help="write a vector as `[1, 2]` and a matrix as `[[1, 0], [0, 1]]`",
            )
            return None
        shape = (len(items), *shapes.popitem()[0])
        values = tuple(item.value for item in items if isinstance(item, Literal))
        if len(values) == len(items):
            return Literal(values, shape=shape, over=Over.NOTHING, span=span)
        return Stack(items, shape=shape, over=join(items), span=span)

    def pick(self, base: Expr, items: tuple[syntax.Expr | syntax.Slice, ...], span: Span) -> Expr | None:
        picked = self.part(base.shape, items, code(base.span))
        return picked and Pick(base, picked[0], shape=picked[1], over=base.over, span=span)

    def part(
        self, shape: Shape, items: tuple[syntax.Expr | syntax.Slice, ...], base: str
    ) -> tuple[Items, Shape] | None:
        """Resolved indices into a value of `shape`, and the shape of the part. `base` is the value's text."""
        if len(items) > len(shape):
            message = f"too many indices: `{base}` is {shape_text(shape)}"
            help = f"write `{base}`" if not shape else f"write at most {len(shape)}, one for each axis"
            self.report.error("E205", message, items[len(shape)].span, help=help)
            return None
        resolved = constants.complete(self._item(i, size, base) for i, size in zip(items, shape, strict=False))
        if resolved is None:
            return None
        kept = [item[1] - item[0] for item in resolved if isinstance(item, tuple)]
        return resolved, (*kept, *shape[len(items) :])

    def _item(self, item: syntax.Expr | syntax.Slice, size: int, base: str) -> int | tuple[int, int] | None:
        if isinstance(item, syntax.Slice):
            low = 0 if item.low is None else self._bound(item.low, size, base)
            high = size if item.high is None else self._bound(item.high, size, base)
            return None if low is None or high is None else (low, max(low, high))
        index = self.numbers.number(item)
        if index is None:
            return None
        if index == int(index) and -size <= index < size:
            return int(index) % size
        self._out_of_range("index", item, index, size, base)
        return None

    def _bound(self, e: syntax.Expr, size: int, base: str) -> int | None:
        bound = self.numbers.number(e)
        if bound is None:
            return None
        if bound == int(bound) and -size <= bound <= size:
            return int(bound) + size if bound < 0 else int(bound)
        self._out_of_range("slice bound", e, bound, size, base)
        return None

    def _out_of_range(self, what: str, e: syntax.Expr, found: float, size: int, base: str) -> None:
        last = size - 1 if what == "index" else size
        allowed = f"0 to {last}, or -{size} to -1 from the end" if last else "0"
        parts = f"{size} part{'s' * (size != 1)}"
        message = f"no {what} {number_text(found)}: `{base}` has {parts}, counted from 0"
        help = f"use {allowed}" if size else "it is empty: there is nothing to pick"
        self.report.error("E205", message, e.span, help=help)


def _fitting_matrix(left: Expr, columns: int) -> str:
    rows = columns if left.shape[0] == left.shape[1] else left.shape[0]
    if isinstance(left, Meta):
        return f"declare `learn {left.name}[{rows}, {columns}]`"
    return f"the matrix needs {columns} column{'s' * (columns != 1)}"


def _fold(function: str, numbers: list[float]) -> float | None:
    if function == "neg":
        return -numbers[0]
    if function in SIGNS:
        return constants.arithmetic(SIGNS[function], numbers[0], numbers[1])
    return constants.function(function, *numbers)
