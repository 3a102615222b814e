"""Inlines `let` values.

    before   let g = pre.a * post.e;  w <- w + batch_mean(g)
    after    w <- w + batch_mean(pre.a * post.e)

Only `update` needs it: there a `let` may vary over batch, presynaptic and postsynaptic neuron at once, and must be
separated together with the sum around it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from blurc.model.model import (
    Across,
    Apply,
    Expr,
    Let,
    Noise,
    Pick,
    Reduce,
    Running,
    Sloped,
    Slot,
    Stack,
    Total,
    Uniform,
    Until,
)


def inline(e: Expr, lets: Mapping[str, Expr]) -> Expr:
    return rebuild(e, lambda x: lets.get(x.name) if isinstance(x, Let) else None)


def rebuild(e: Expr, substitute: Callable[[Expr], Expr | None]) -> Expr:
    """Replaces every node for which `substitute` returns one, outermost first."""
    found = substitute(e)
    if found is not None:
        return found
    match e:
        case Apply(args=args):
            return replace(e, args=tuple(rebuild(a, substitute) for a in args))
        case Slot(arg=arg) | Pick(arg=arg) | Running(arg=arg):
            return replace(e, arg=rebuild(arg, substitute))
        case Stack(items=items):
            return replace(e, items=tuple(rebuild(i, substitute) for i in items))
        case Noise(std=std):
            return replace(e, std=rebuild(std, substitute))
        case Uniform(low=low, high=high):
            return replace(e, low=rebuild(low, substitute), high=rebuild(high, substitute))
        case Sloped(value=value, arg=arg, slope=slope):
            value, arg, slope = (rebuild(part, substitute) for part in (value, arg, slope))
            return replace(e, value=value, arg=arg, slope=slope)
        case Total(body=body) | Until(body=body) | Reduce(body=body) | Across(body=body):
            return replace(e, body=rebuild(body, substitute))
        case _:
            return e
