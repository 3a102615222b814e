"""Compile-time numbers: parameters, sizes, indices, constants, ranges."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import TypeAlias

from blurc import functions, syntax
from blurc.diagnostics import Report, Span, did_you_mean
from blurc.model import Nested, ParamValue, Shape

Value: TypeAlias = "float | int | str"

_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
}

_FUNCTIONS: dict[str, Callable[..., float]] = {
    "sqrt": math.sqrt, "exp": math.exp, "log": math.log, "tanh": math.tanh, "abs": abs, "min": min, "max": max,
    "linear": lambda x: x, "square": lambda x: x * x, "sign": lambda x: float((x > 0) - (x < 0)),
    "relu": lambda x: max(x, 0.0), "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "softplus": lambda x: math.log1p(math.exp(x)), "clip": lambda x, low, high: min(max(x, low), high),
}  # fmt: skip


def arithmetic(operator_: str, left: float, right: float) -> float | None:
    """None where there is no (finite, real) result."""
    try:
        value = _ARITHMETIC[operator_](left, right)
    except (ZeroDivisionError, OverflowError):
        return None
    return _real(value)


def function(name: str, *args: float) -> float | None:
    try:
        return _real(_FUNCTIONS[name](*args))
    except (ValueError, ZeroDivisionError, OverflowError):
        return None


def _real(value: object) -> float | None:
    return value if isinstance(value, int | float) and math.isfinite(value) else None


class Constants:
    """Evaluates compile-time expressions over named values. A problem is reported once and gives None."""

    def __init__(self, values: Mapping[str, ParamValue | None], report: Report, runtime: Mapping[str, str] | None = None):
        self.values = values  # None: known to be wrong, reported already
        self.report = report
        self.runtime = runtime or {}  # names that exist, but not at compile time: name -> what they are

    def number(self, e: syntax.Expr) -> float | int | None:
        value = self.evaluate(e)
        if isinstance(value, str):
            self.report.error("E206", f"expected a number, found the function `{value}`", e.span)
            return None
        return value

    def evaluate(self, e: syntax.Expr) -> Value | None:
        match e:
            case syntax.Number(value=value):
                return value
            case syntax.Name():
                return self._name(e)
            case syntax.Negate(operand=operand):
                value = self.number(operand)
                return None if value is None else -value
            case syntax.Binary():
                return self._binary(e)
            case syntax.Call() if e.function in _FUNCTIONS and not e.prime and e.owner is None:
                return self._call(e)
            case _:
                self._not_compile_time(e.span, f"`{e.span.text}`")
                return None

    def _name(self, e: syntax.Name) -> Value | None:
        if e.name in self.values:
            return self.values[e.name]
        if e.name in functions.UNARY:
            return e.name
        if e.name in self.runtime:
            self._not_compile_time(e.span, f"`{e.name}` is {self.runtime[e.name]}")
            return None
        near = did_you_mean(e.name, [*self.values])
        self.report.error(
            "E201",
            f"unknown name `{e.name}`",
            e.span,
            notes=["a compile-time number is expected here: parameters and loop variables may be used"],
            help=f"did you mean `{near}`?" if near else "declare it as a parameter: `(" + e.name + " = 1)`",
        )
        return None

    def _binary(self, e: syntax.Binary) -> Value | None:
        left, right = self.number(e.left), self.number(e.right)
        if left is None or right is None:
            return None
        value = arithmetic(e.operator, left, right) if e.operator in _ARITHMETIC else None
        if value is None:
            self.report.error("E206", f"`{e.span.text}` has no value (it is {left} {e.operator} {right})", e.span)
        return value

    def _call(self, e: syntax.Call) -> Value | None:
        args = [self.number(a) for a in e.args]
        known = [a for a in args if a is not None]
        if len(known) < len(args):
            return None
        low, high = functions.arity(e.function)
        value = function(e.function, *known) if low <= len(known) <= (high or len(known)) else None
        if value is None:
            self.report.error("E206", f"`{e.span.text}` has no value", e.span)
        return value

    def _not_compile_time(self, span: Span, what: str) -> None:
        self.report.error(
            "E206",
            f"expected a compile-time number, found {what}" if what.startswith("`") and " is " not in what else
            f"expected a compile-time number, but {what}",
            span,
            help="use a number, or a parameter in `( )`",
        )

    def whole(self, e: syntax.Expr, least: int, what: str) -> int | None:
        """A whole number of at least `least`; `what` names it in the message ("a size")."""
        value = self.number(e)
        if value is None:
            return None
        if value != int(value) or value < least:
            self.report.error("E206", f"{what} is a whole number of at least {least}, but this is {value:g}", e.span)
            return None
        return int(value)

    def shape(self, dims: tuple[syntax.Expr, ...]) -> Shape | None:
        """The shape of a state, channel or meta-parameter: at most two axes."""
        sizes = [self.whole(d, 1, "a size") for d in dims]
        if len(dims) > 2:
            self.report.error(
                "E203",
                f"a value has at most two axes, but this has {len(dims)}",
                dims[2].span,
                help="use `[k]` or `[r, c]`",
            )
            return None
        known = tuple(s for s in sizes if s is not None)
        return known if len(known) == len(sizes) else None

    def nested(self, e: syntax.Expr) -> tuple[Nested, Shape] | None:
        """A constant: a number, a vector or a matrix."""
        if not isinstance(e, syntax.Vector):
            value = self.number(e)
            return None if value is None else (float(value), ())
        items = [self.nested(item) for item in e.items]
        known = [item for item in items if item is not None]
        if len(known) < len(items):
            return None
        shapes = [shape for _, shape in known]
        if len(set(shapes)) != 1 or len(shapes[0]) > 1:
            self.report.error(
                "E203",
                "a matrix needs rows of one length" if any(shapes) else "an empty vector has no value",
                e.span,
                help="write it as `[[1, 0], [0, 1]]`",
            )
            return None
        return tuple(value for value, _ in known), (len(known), *shapes[0])
