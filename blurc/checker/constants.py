"""Compile-time numbers: parameters, sizes, indices, constants, ranges."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from blurc.checker import mentions
from blurc.checker.scope import FunctionScope
from blurc.checker.wording import code, head, number_text
from blurc.diagnostics import Diagnostic, Report, Span, did_you_mean, suggest
from blurc.language import functions, syntax
from blurc.model import DRAWN, Nested, ParamValue, Shape

Value: TypeAlias = "float | int | str"
Completed = TypeVar("Completed")

DISTRIBUTIONS: dict[str, tuple[str, ...]] = {**DRAWN, "zeros": (), "ones": ()}
MOST_CALLS = 4096  # of functions of one's own by another; the check of that one says so
MOST_DEPTH = 100  # of such calls in each other
MOST_AXIS = 1024  # of a state, channel or meta-parameter: equations may be written out entry by entry

SIGNATURES = {
    "min": "min(x, y)",
    "max": "max(x, y)",
    "clip": "clip(x, low, high)",
    "where": "where(condition, x, y)",
    "standardize": "standardize(z)` or `standardize(z, running, rate)",
    "running_mean": "running_mean(z)` or `running_mean(z, rate)",
    "running_var": "running_var(z)` or `running_var(z, rate)",
    "noise": "noise(std)",
    **{name: f"{name}({', '.join(args)})" if args else name for name, args in DISTRIBUTIONS.items()},
}


def _power(base: float, exponent: float) -> object:
    """In floating point, as integer powers grow without bounds; an integer again if that is exact."""
    value: object = float(base) ** float(exponent)
    whole = isinstance(base, int) and isinstance(exponent, int) and exponent >= 0
    return int(value) if whole and isinstance(value, float) and abs(value) < 2**53 else value


def _clip(x: float, low: float, high: float) -> float:
    return min(max(x, low), high)


def _where(condition: float, x: float, y: float) -> float:
    return x if condition else y


def _sign(x: float) -> float:
    return float((x > 0) - (x < 0))


_ARITHMETIC: dict[str, Callable[[float, float], object]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda a, b: a / b,
    "^": _power,
    "<": lambda a, b: int(a < b),
    "<=": lambda a, b: int(a <= b),
    ">": lambda a, b: int(a > b),
    ">=": lambda a, b: int(a >= b),
}

_UNARY: dict[str, Callable[[float], float]] = {
    "linear": lambda x: x,
    "tanh": math.tanh,
    "relu": lambda x: max(x, 0.0),
    "sigmoid": lambda x: 0.5 + 0.5 * math.tanh(0.5 * x),
    "softplus": lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))),
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "gelu": lambda x: 0.5 * x * math.erfc(-x / math.sqrt(2)),
    "abs": abs,
    "sign": _sign,
    "step": lambda x: float(x > 0),
    "square": lambda x: x * x,
    "sin": math.sin,
    "cos": math.cos,
    "erf": math.erf,
    "floor": math.floor,
}

_FUNCTIONS: dict[str, Callable[..., float]] = {**_UNARY, "min": min, "max": max, "clip": _clip, "where": _where}


def arithmetic(sign: str, left: float, right: float) -> float | int | None:
    """None if there is no (finite, real) result."""
    try:
        return _finite(_ARITHMETIC[sign](left, right))
    except (ZeroDivisionError, OverflowError):
        return None


def function(name: str, *args: float) -> float | int | None:
    try:
        return _finite(_FUNCTIONS[name](*args))
    except (ValueError, ZeroDivisionError, OverflowError):
        return None


def _finite(value: object) -> float | int | None:
    return value if isinstance(value, int | float) and math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class WrongValue(Diagnostic):
    """The value of a valid expression is wrong. `names` are the names in it, whose values may be the mistake."""

    names: frozenset[str] = frozenset()

    @staticmethod
    def of(parts: Iterable[syntax.Expr], span: Span, message: str, help: str | None, code: str = "E206") -> WrongValue:
        return WrongValue(code, message, span, (), help, names=frozenset(mentions.names(parts)))


def complete(parts: Iterable[Completed | None]) -> tuple[Completed, ...] | None:
    """All parts, or None if one of them is None: then its mistake has been reported."""
    found = tuple(parts)
    known = tuple(part for part in found if part is not None)
    return known if len(known) == len(found) else None


def too_deep(name: str, span: Span, report: Report) -> None:
    message = f"`{name}` is called through {MOST_DEPTH} functions, each of which calls the next"
    report.error("E218", message, span, help="join some of these functions into one")


class Constants:
    """Evaluates compile-time expressions over named values. A problem is reported once; the result is then None."""

    def __init__(
        self,
        values: Mapping[str, ParamValue | None],
        report: Report,
        runtime: Mapping[str, str] | None = None,
        damaged: bool = False,
        own: FunctionScope | None = None,
    ):
        self.values = values  # None: wrong, and already reported
        self.report = report
        # Names known only at run time, and what they are.
        self.runtime: Mapping[str, str] = {} if runtime is None else runtime
        self.own = own or FunctionScope()
        self._calls: list[str] = []  # of functions of one's own, for one number
        self._open: tuple[syntax.Function, ...] = ()  # each calls the next
        self.damaged = damaged  # by syntax errors, which may hide declarations: no name is unknown then

    # --------------------------------------------------------------- numbers

    def number(self, e: syntax.Expr) -> float | int | None:
        value = self.evaluate(e)
        if isinstance(value, str):
            message = f"expected a number, found the function `{value}`"
            help = "only a function slot can hold a function: `fn phi = tanh`"
            self.report.error("E206", message, e.span, help=help)
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
            case syntax.Call() if not e.prime and e.owner is None:
                return self._call(e)
            case _:
                return self._not_compile_time(e.span, f"found `{code(e.span)}`")

    def _name(self, e: syntax.Name) -> Value | None:
        if e.name in self.values:
            return self.values[e.name]
        if e.name in functions.UNARY or e.name in self.own:
            return e.name
        if e.name in self.runtime:
            return self._not_compile_time(e.span, f"but `{e.name}` is {self.runtime[e.name]}")
        if self.damaged:
            return None
        self.report.error(
            "E201",
            f"unknown name `{e.name}`",
            e.span,
            notes=["this must be a compile-time number: it may use parameters, constants and loop variables"],
            help=suggest(e.name, self.values, f"declare it as a parameter: `({e.name} = 1)`"),
        )
        return None

    def _binary(self, e: syntax.Binary) -> Value | None:
        left, right = self.number(e.left), self.number(e.right)
        if left is None or right is None:
            return None
        if e.operator not in _ARITHMETIC:
            return self._not_compile_time(e.span, f"found `{code(e.span)}`")
        value = arithmetic(e.operator, left, right)
        if value is None:
            self.no_value(e.span, e)
        return value

    def _call(self, e: syntax.Call) -> Value | None:
        if found := self.own.find(e.function):
            return self._own_call(e, *found)
        if e.function not in _FUNCTIONS:
            return self._no_function(e)
        args = complete(self.number(a) for a in e.args)
        if not self.takes(e.function, len(e.args), functions.arity(e.function), e.span) or args is None:
            return None
        value = function(e.function, *args)
        if value is None:
            self.no_value(e.span, e)
        return value

    def _own_call(self, e: syntax.Call, f: syntax.Function, own: FunctionScope) -> Value | None:
        """A call of a function of one's own. If it calls itself or too much, only its own check speaks."""
        names = [argument.name for argument in f.arguments]
        args = complete(self.number(a) for a in e.args)
        signature = f"{f.name}({', '.join(names)})"
        if not self.takes(f.name, len(e.args), (len(names), len(names)), e.span, signature) or args is None:
            return None
        self._calls.append(f.name)
        if len(self._calls) > MOST_CALLS or any(f is g for g in self._open):
            return None
        if len(self._open) == MOST_DEPTH:
            too_deep(f.name, e.span, self.report)
            return None
        seen: Mapping[str, ParamValue | None] = self.values if own is self.own else {}
        inner = Constants({**seen, **dict(zip(names, args, strict=True))}, Report(), self.runtime, self.damaged, own)
        inner._calls, inner._open = self._calls, (*self._open, f)
        value = inner.number(f.value)
        if not self._open:
            self._calls.clear()
        for error in inner.report.errors:
            self._wrong_inside(error, e)
        return value

    def _wrong_inside(self, error: Diagnostic, e: syntax.Call) -> None:
        if isinstance(error, WrongValue):
            self.no_value(e.span, e)
        elif error.code == "E206":
            notes = [f"in `{e.function}`: {error.message}"]
            help = "use a number, or a parameter in `( )`"
            message = f"expected a compile-time number, found `{code(e.span)}`"
            self.report.error("E206", message, e.span, notes=notes, help=help)
        else:
            self.report.add(error)

    def takes(
        self, name: str, found: int, arity: tuple[int, int | None], span: Span, signature: str | None = None
    ) -> bool:
        """Whether a function can take that many arguments."""
        low, high = arity
        if low <= found <= (found if high is None else high):
            return True
        expected = f"at least {low}" if high is None else f"{low}" if low == high else f"{low} to {high}"
        plural = "" if expected == "1" else "s"
        help = f"write `{signature or SIGNATURES.get(name, f'{name}(x)')}`"
        self.report.error("E204", f"`{name}` takes {expected} argument{plural}, found {found}", span, help=help)
        return False

    def _no_function(self, e: syntax.Call) -> None:
        near = did_you_mean(e.function, _FUNCTIONS)
        if self._open and e.function not in functions.ALL:
            return  # as the check of the function around it says
        if e.function in self.own.held:
            help = f"declare `{e.function}` outside of the genome, where it reads nothing but its arguments"
            self._not_compile_time(e.span, f"found `{e.function}`, a function of a genome", help)
        elif e.function in DISTRIBUTIONS:
            help = f"to draw it, write `~ {code(e.span)}`"
            self._not_compile_time(e.span, f"found the distribution `{e.function}`", help)
        elif near and e.function not in functions.ALL:
            self.report.error(
                "E202", f"unknown function `{e.function}`", head(e.span, e.function), help=f"did you mean `{near}`?"
            )
        else:
            self._not_compile_time(e.span, f"found `{code(e.span)}`")

    def _not_compile_time(self, span: Span, found: str, help: str = "use a number, or a parameter in `( )`") -> None:
        self.report.error("E206", f"expected a compile-time number, {found}", span, help=help)

    def no_value(self, span: Span, *parts: syntax.Expr) -> None:
        help = "look for a division by 0, the root or logarithm of a negative number, or an overflow"
        self.report.add(WrongValue.of(parts, span, f"`{code(span)}` has no finite value", help))

    # ---------------------------------------------------------------- sizes

    def whole(self, e: syntax.Expr, what: str, least: int | None = None, most: int | None = None) -> int | None:
        """A whole number from `least` to `most`; `what` names it in the message ("a size")."""
        value = self.number(e)
        if value is None:
            return None
        if value == int(value) and (least is None or value >= least) and (most is None or value <= most):
            return int(value)
        limits = f" of at least {least:,}" if least is not None else ""
        limits += f" {'and' if limits else 'of'} at most {most:,}" if most is not None else ""
        found = f"found {number_text(value)}"
        if not isinstance(e, syntax.Number | syntax.Negate):
            found = f"but `{code(e.span)}` is {number_text(value)}"
        how = "write `{}`" if found.startswith("found") else "make it `{}`, for example"
        message = f"{what} must be a whole number{limits}, {found}"
        self.report.add(WrongValue.of([e], e.span, message, _nearest(value, least, most, how)))
        return None

    def shape(self, dims: tuple[syntax.Expr, ...]) -> Shape | None:
        """The shape of a state, channel or meta-parameter: at most two axes."""
        if len(dims) > 2:
            message = f"a value has at most two axes, but this has {len(dims)}"
            help = "use `[k]` or `[r, c]`"
            self.report.error("E203", message, dims[2].span, help=help)
            return None
        return complete(self.whole(d, "a size", 1, MOST_AXIS) for d in dims)

    def nested(self, e: syntax.Expr) -> tuple[Nested, Shape] | None:
        """A constant: a number, a vector or a matrix."""
        if not isinstance(e, syntax.Vector):
            value = self.number(e)
            return None if value is None else (float(value), ())
        items = complete(self.nested(item) for item in e.items)
        if items is None:
            return None
        shapes = [shape for _, shape in items]
        if len(set(shapes)) != 1 or len(shapes[0]) > 1:
            message = "the rows of a matrix must have the same length"
            help = "write a vector as `[1, 2]` and a matrix as `[[1, 0], [0, 1]]`"
            self.report.error("E203", message, e.span, help=help)
            return None
        return tuple(value for value, _ in items), (len(items), *shapes[0])


def _nearest(value: float, least: int | None, most: int | None, help: str) -> str:
    whole = round(value)
    whole = whole if least is None else max(whole, least)
    return help.format(whole if most is None else min(whole, most))
