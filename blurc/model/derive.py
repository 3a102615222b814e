"""Derivatives of functions of one's own, in the language itself.

    before   x * tanh(x)
    after    tanh(x) + x * tanh'(x)

At a jump or a kink it is the derivative on one side: of `max` and `min` the one of the first of equal arguments, of
`where` the one of the branch that is taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from blurc.model.model import Apply, Argument, Expr, Literal, Nested, Over, Pick, Shape, Sloped, Stack, Typed

Derived = Expr | None  # None: 0


def derivative(e: Expr, argument: str) -> Expr:
    """The derivative of an expression in a number, at numbers."""
    return _filled(_Derivation(argument).of(e), e)


class _Derivation:
    def __init__(self, argument: str) -> None:
        self.argument = argument

    def of(self, e: Expr) -> Derived:
        match e:
            case Argument(name=name):
                return _number(1.0, e) if name == self.argument else None
            case Apply(function=function, args=(a,)) if function in SECOND:
                inner = self.of(a)
                outer = SECOND[function](a) if e.prime else _apply(function, a, prime=True)
                return _mul(outer, inner)
            case Apply():
                return self._apply(e)
            case Sloped(arg=arg, slope=slope):
                return _mul(slope, self.of(arg))
            case Stack(items=items):
                parts = [self.of(item) for item in items]
                if all(part is None for part in parts):
                    return None
                filled = tuple(_filled(part, item) for part, item in zip(parts, items, strict=True))
                return Stack(filled, shape=e.shape, over=e.over, span=e.span)
            case Pick(arg=arg, items=items):
                inner = self.of(arg)
                return inner and Pick(_filled(inner, arg), items, shape=e.shape, over=e.over, span=e.span)
            case _:
                return None

    def _apply(self, e: Apply) -> Derived:
        match e.function, e.args:
            case "neg", (a,):
                return _neg(self.of(a))
            case "add", (a, b):
                return _add(self.of(a), self.of(b))
            case "sub", (a, b):
                return _add(self.of(a), _neg(self.of(b)))
            case "mul", (a, b):
                return _add(_mul(self.of(a), b), _mul(a, self.of(b)))
            case "matmul", (a, b):
                return self._matmul(a, b, e)
            case "div", (a, b):
                return _add(_div(self.of(a), b), _neg(_div(_mul(a, self.of(b)), _apply("square", b))))
            case "pow", (a, b):
                by_base = _mul(_mul(b, _lower_power(a, b)), self.of(a))
                return _add(by_base, _mul(_apply("mul", e, _apply("log", a)), self.of(b)))
            case "where", (condition, a, b):
                return self._choice(condition, a, b)
            case "max" | "min", args:
                return self._extreme("less" if e.function == "max" else "greater", e.function, args)
            case "clip", (x, low, high):
                return self._extreme("greater", "min", (_apply("max", x, low), high))
            case _:
                return None  # comparisons, `hold`

    def _matmul(self, a: Expr, b: Expr, e: Apply) -> Derived:
        left, right = self.of(a), self.of(b)
        return _add(left and replace(e, args=(_filled(left, a), b)), right and replace(e, args=(a, _filled(right, b))))

    def _choice(self, condition: Expr, a: Expr, b: Expr) -> Derived:
        left, right = self.of(a), self.of(b)
        if left is None and right is None:
            return None
        return _apply("where", condition, _filled(left, a), _filled(right, b))

    def _extreme(self, beaten: str, function: str, args: tuple[Expr, ...]) -> Derived:
        best, slope = args[0], self.of(args[0])
        for x in args[1:]:
            better = self.of(x)
            if slope is not None or better is not None:
                slope = _apply("where", _apply(beaten, best, x), _filled(better, x), _filled(slope, best))
            best = _apply(function, best, x)
        return slope


# ------------------------------------------------------------ small algebra


def _apply(function: str, *args: Expr, prime: bool = False) -> Expr:
    shape: Shape = next((a.shape for a in args if a.shape), ())
    over = Over.NOTHING
    for a in args:
        over |= a.over
    return Apply(function, args, prime, shape=shape, over=over, span=args[0].span)


def _number(value: float, at: Typed) -> Expr:
    return Literal(value, shape=(), over=Over.NOTHING, span=at.span)


def _filled(slope: Derived, e: Expr) -> Expr:
    """The derivative of `e`, in its shape."""
    if slope is not None and slope.shape == e.shape:
        return slope
    if slope is not None:
        return _apply("add", slope, Literal(_zeros(e.shape), shape=e.shape, over=Over.NOTHING, span=e.span))
    return Literal(_zeros(e.shape), shape=e.shape, over=Over.NOTHING, span=e.span)


def _zeros(shape: Shape) -> Nested:
    return tuple(_zeros(shape[1:]) for _ in range(shape[0])) if shape else 0.0


def _neg(a: Derived) -> Derived:
    return a and _apply("neg", a)


def _add(a: Derived, b: Derived) -> Derived:
    if a is None or b is None:
        return a or b
    return _apply("add", a, b)


def _mul(a: Derived, b: Derived) -> Derived:
    if a is None or b is None:
        return None
    if _is_one(a):
        return b
    return a if _is_one(b) else _apply("mul", a, b)


def _lower_power(a: Expr, n: Expr) -> Expr:
    """`a ^ (n - 1)`, in a form that is exact for whole numbers and for negative bases."""
    match n:
        case Literal(value=2.0):
            return a
        case Literal(value=float(n_)):
            return _apply("pow", a, _number(n_ - 1.0, n))
        case _:
            return _apply("pow", a, _apply("sub", n, _number(1.0, n)))


def _div(a: Derived, b: Expr) -> Derived:
    return a and _apply("div", a, b)


def _is_one(e: Expr) -> bool:
    return isinstance(e, Literal) and e.value == 1.0


def _times(a: Expr, *factors: Expr) -> Expr:
    for factor in factors:
        a = _apply("mul", a, factor)
    return a


def _gelu(x: Expr) -> Expr:
    """`exp(-x ^ 2 / 2) / sqrt(2 pi) * (2 - x ^ 2)`."""
    square = _apply("square", x)
    density = _apply("exp", _apply("mul", _number(-0.5, x), square))
    scale = _number(1 / math.sqrt(2 * math.pi), x)
    return _times(scale, density, _apply("sub", _number(2.0, x), square))


def _zero(x: Expr) -> Derived:
    return None


# The second derivatives of the functions of the language, at x. Every function with a derivative is here.
SECOND: dict[str, Callable[[Expr], Derived]] = {
    "linear": _zero,
    "tanh": lambda x: _times(_number(-2.0, x), _apply("tanh", x), _apply("tanh", x, prime=True)),
    "relu": _zero,
    "sigmoid": lambda x: _times(
        _apply("sigmoid", x, prime=True),
        _apply("sub", _number(1.0, x), _apply("mul", _number(2.0, x), _apply("sigmoid", x))),
    ),
    "softplus": lambda x: _apply("sigmoid", x, prime=True),
    "gelu": _gelu,
    "exp": lambda x: _apply("exp", x),
    "log": lambda x: _apply("div", _number(-1.0, x), _apply("square", x)),
    "sqrt": lambda x: _apply("div", _number(-0.25, x), _apply("mul", x, _apply("sqrt", x))),
    "abs": _zero,
    "sign": _zero,
    "step": _zero,
    "square": lambda x: _number(2.0, x),
    "sin": lambda x: _apply("neg", _apply("sin", x)),
    "cos": lambda x: _apply("neg", _apply("cos", x)),
    "erf": lambda x: _times(_number(-2.0, x), x, _apply("erf", x, prime=True)),
    "floor": _zero,
}
