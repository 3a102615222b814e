"""Calls of functions of one's own, written out.

    fn spike(x) = step(x - 1) slope sigmoid'(x)

    spike(z)     step(hold(z) - 1), whose derivative in z is sigmoid'(z)
    spike'(z)    sigmoid'(z)

A function is a function of numbers. Applied to vectors, it is applied to each entry: all at once where the body has
numbers only, else entry by entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from blurc.diagnostics import Span
from blurc.model.derive import derivative
from blurc.model.model import Apply, Argument, Expr, Function, Over, Pick, Shape, Sloped, Stack, children, walk
from blurc.model.substitute import rebuild


def call(f: Function, args: tuple[Expr, ...], span: Span, prime: bool = False) -> Expr:
    """`f(a, b)`, or `f'(a)`. The arguments have one shape or none; where they have one, `f` gives a number."""
    shape = next((a.shape for a in args if a.shape), ())
    if shape and not _is_of_numbers(f):
        entries = (tuple(_entry(a, i) for a in args) for i in range(shape[0]))
        items = tuple(call(f, entry, span, prime) for entry in entries)
        return Stack(items, shape=shape, over=_over(items), span=span)
    given = dict(zip(f.arguments, args, strict=True))
    if prime:
        return _written(f.slope or derivative(f.value, f.arguments[0]), given, span, shape)
    if f.slope is None:
        return _written(f.value, given, span, shape)
    return _sloped(f, given, args[0], span)


def _sloped(f: Function, given: Mapping[str, Expr], arg: Expr, span: Span) -> Expr:
    assert f.slope is not None
    held = {name: Apply("hold", (a,), shape=a.shape, over=a.over, span=span) for name, a in given.items()}
    value, slope = _written(f.value, held, span, arg.shape), _written(f.slope, given, span, arg.shape)
    return Sloped(f.name, value, arg, slope, shape=arg.shape, over=_over((value, arg, slope)), span=span)


def _is_of_numbers(f: Function) -> bool:
    return not any(part.shape for whole in (f.value, f.slope) if whole for part in walk(whole))


def _entry(e: Expr, i: int) -> Expr:
    return Pick(e, (i,), shape=e.shape[1:], over=e.over, span=e.span) if e.shape else e


def _written(body: Expr, given: Mapping[str, Expr], span: Span, shape: Shape) -> Expr:
    """The body of a function with its arguments, said to be where the call is."""
    return _repeated(_filled(body, given, span), shape)


def _filled(e: Expr, given: Mapping[str, Expr], span: Span) -> Expr:
    if isinstance(e, Argument):
        return given[e.name]
    parts = tuple(_filled(part, given, span) for part in children(e))
    if not parts:
        return replace(e, span=span)
    filled = iter(parts)
    whole = rebuild(e, lambda x: None if x is e else next(filled))
    shape = e.shape
    if not shape and isinstance(e, Apply | Sloped):  # element by element
        shape = next((part.shape for part in parts if part.shape), ())
    return replace(whole, shape=shape, over=_over(parts), span=span)


def _repeated(e: Expr, shape: Shape) -> Expr:
    """A value of the shape of the arguments, where the body does not read them."""
    if e.shape or not shape:
        return e
    return Stack((_repeated(e, shape[1:]),) * shape[0], shape=shape, over=e.over, span=e.span)


def _over(parts: tuple[Expr, ...]) -> Over:
    over = Over.NOTHING
    for part in parts:
        over |= part.over
    return over
