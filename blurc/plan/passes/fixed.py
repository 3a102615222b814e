"""What expressions of constants such as `1 - site` are in one population or projection, so that their zeros prune."""

from __future__ import annotations

from collections.abc import Callable

from blurc import model as m


def fixed(e: m.Expr, value: Callable[[m.Constant], m.Nested]) -> float | None:
    """The number that `e` is; None if it is not one, or does not read a constant of a population or projection."""
    reads = any(isinstance(part, m.Constant) for part in m.walk(e))
    return _number(e, value) if reads and not e.shape else None


def _number(e: m.Expr, value: Callable[[m.Constant], m.Nested]) -> float | None:
    match e:
        case m.Literal(value=float(number)):
            return number
        case m.Constant(shape=()):
            return _scalar(value(e))
        case m.Pick(arg=m.Constant() as constant, items=items):
            return _scalar(m.picked(value(constant), items))
        case m.Apply(function=function, args=args, prime=False):
            numbers = [_number(arg, value) for arg in args]
            known = [number for number in numbers if number is not None]
            return applied(function, known) if len(known) == len(numbers) else None
        case _:
            return None


def _scalar(value: m.Nested) -> float | None:
    return None if isinstance(value, tuple) else float(value)


def applied(function: str, numbers: list[float]) -> float | None:
    match function, numbers:
        case "neg", [a]:
            return -a
        case "add", [a, b]:
            return a + b
        case "sub", [a, b]:
            return a - b
        case "mul", [a, b]:
            return a * b
        case "div", [a, b] if b:
            return a / b
        case "less", [a, b]:
            return float(a < b)
        case "at_most", [a, b]:
            return float(a <= b)
        case "greater", [a, b]:
            return float(a > b)
        case "at_least", [a, b]:
            return float(a >= b)
        case "where", [condition, a, b]:
            return a if condition else b
        case _:
            return None
