"""Draws the start values of meta-parameters and synapses from their declared distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

import jax
import jax.numpy as jnp

from blurc import model as m
from blurc.plan import Variable
from blurc.runtime.kernels import elementwise
from blurc.runtime.kernels.stacks import unstack
from blurc.runtime.lower import dtype, fold, folds

# XLA compiles a kernel of 0.1 s for every draw in a program. From this many on, they are one and are taken apart.
MANY = 8


def draws(
    v: Variable, init: m.Init, key: jax.Array, keys: Sequence[str], shape: tuple[int, ...], names: Mapping[str, Any]
) -> list[jax.Array]:
    """A value for each of `keys`, the names of what is drawn: the same as `draw` of each."""
    if len(keys) < MANY:
        return [draw(v, init, fold(key, name), shape, names) for name in keys]

    def one(key: jax.Array) -> jax.Array:
        return draw(v, init, key, shape, names)

    return unstack(jax.vmap(one)(folds(key, keys)))


def draw(v: Variable, init: m.Init, key: jax.Array, shape: tuple[int, ...], names: Mapping[str, Any]) -> jax.Array:
    """A value of `shape`, whose first axes are those of the variable. `names` gives meta-parameters and fans."""
    args = [_evaluate(a, names) for a in init.args]
    match init.dist:
        case "normal":
            return cast("jax.Array", _normal(key, *args, shape=shape))
        case "uniform":
            return cast("jax.Array", _uniform(key, *args, shape=shape))
        case _:
            value = args[0]
            if value.ndim:
                value = value.reshape((*value.shape, *(1,) * (len(shape) - len(v.dims))))
            return jnp.broadcast_to(value, shape)


@partial(jax.jit, static_argnames="shape")
def _normal(key: jax.Array, std: jax.Array, *, shape: tuple[int, ...]) -> jax.Array:
    return std * jax.random.normal(key, shape, dtype())


@partial(jax.jit, static_argnames="shape")
def _uniform(key: jax.Array, low: jax.Array, high: jax.Array, *, shape: tuple[int, ...]) -> jax.Array:
    return low + (high - low) * jax.random.uniform(key, shape, dtype())


def _evaluate(e: m.Expr, names: Mapping[str, Any]) -> jax.Array:
    """Evaluates the small expressions of a start value: meta-parameters, fans and arithmetic."""
    match e:
        case m.Literal(value=value):
            return jnp.asarray(value, dtype())
        case m.Meta(name=name) | m.Fan(name=name):
            return jnp.asarray(names[name], dtype())
        case m.Pick(arg=arg, items=items):
            return _evaluate(arg, names)[tuple(slice(*i) if isinstance(i, tuple) else i for i in items)]
        case m.Stack(items=items):
            return jnp.stack([_evaluate(i, names) for i in items])
        case m.Sloped(value=value, arg=arg, slope=slope):
            return elementwise.sloped(*(_evaluate(part, names) for part in (value, arg, slope)))
        case m.Apply(function="matmul", args=(a, b)):
            return _evaluate(a, names) @ _evaluate(b, names)
        case m.Apply(function=function, args=args, prime=prime):
            values = [_evaluate(a, names) for a in args]
            if function in elementwise.NARY:
                return elementwise.NARY[function](*values)
            return (elementwise.PRIME if prime else elementwise.UNARY)[function](values[0])
        case _:
            raise AssertionError(f"{e.span}: the checker allows no {type(e).__name__} in a start value")
