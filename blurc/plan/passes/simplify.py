"""Simplification: folds what is known at compile time.

    before   %4 = mul %f %zero;  %5 = add %4 %x
    after    %x

States start at 0, so the first equations of a step often begin with terms known to be 0. A product with a known 0 is 0
here, even if the other factor is not finite.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from blurc.plan.passes.builder import Builder, rewritten
from blurc.plan.plan import Block, Factors, Op, Space, Type, infer_space

MOST_WHOLE_POWER = 64

# A rule returns a value that exists or that it emits, or None to keep the operation.
Rule = Callable[[Builder, Op], "int | None"]


def simplify(block: Block) -> Block:
    return rewritten(block, simplified)


def simplified(b: Builder, op: Op) -> int:
    # On simplified arguments an operation may vary over fewer axes.
    space = infer_space(op.name, [b.type(a).space for a in op.args], op.attrs, op.type.space)
    if space is not op.type.space:
        op = Op(op.name, op.args, op.attrs, Type(op.type.dims, space), op.span)
    rule = RULES.get(op.name)
    found = rule(b, op) if rule else None
    return b.add(op) if found is None else found


def constant(b: Builder, value: int) -> float | None:
    """The number that all entries of a value are known to equal."""
    op = b.ops[value]
    return op.attrs[0] if op.name == "literal" and isinstance(op.attrs[0], float) else None


def _uniform(b: Builder, number: float, op: Op) -> int:
    """A value of the type of `op` with all entries equal."""
    return b.literal(number, Type(op.type.dims, Space(op.type.space.kind, op.type.space.of)), op.span)


def _same(b: Builder, value: int, op: Op) -> int | None:
    """`value` in place of `op`, if it has the same type."""
    return value if b.type(value) == op.type else None


def _mul(b: Builder, op: Op) -> int | None:
    zero = _zero_if_any_zero(b, op)
    return _without(b, 1.0, op) if zero is None else zero


def _add(b: Builder, op: Op) -> int | None:
    if all(constant(b, a) == 0.0 for a in op.args):
        return _uniform(b, 0.0, op)
    return _without(b, 0.0, op)


def _without(b: Builder, unit: float, op: Op) -> int | None:
    """The other operand of a commutative operation, if one is the unit."""
    left, right = op.args
    if constant(b, left) == unit:
        return _same(b, right, op)
    return _same(b, left, op) if constant(b, right) == unit else None


def _neg(b: Builder, op: Op) -> int | None:
    inner, number = b.ops[op.args[0]], constant(b, op.args[0])
    if number is not None:
        return _uniform(b, -number, op)
    return _same(b, inner.args[0], op) if inner.name == "neg" else None


def _pow(b: Builder, op: Op) -> int | None:
    """Integer powers become products: exact for negative bases, with a gradient at 0."""
    n = constant(b, op.args[1])
    if n is None or n != int(n) or abs(n) > MOST_WHOLE_POWER:
        return None
    return b.emit("power", (op.args[0],), (int(n),), op.type, op.span)


def _spread(b: Builder, op: Op) -> int | None:
    number = constant(b, op.args[0])
    return _same(b, op.args[0], op) if number is None else _uniform(b, number, op)


def _at(b: Builder, op: Op) -> int | None:
    return None if op.attrs[1] == "idle" and constant(b, op.args[0]) != 0.0 else _spread(b, op)


def _where(b: Builder, op: Op) -> int | None:
    condition = constant(b, op.args[0])
    return None if condition is None else _same(b, op.args[1 if condition else 2], op)


def _matmul(b: Builder, op: Op) -> int | None:
    """A matrix times a vector with one nonzero part, such as the states of an input population, is a column."""
    matrix, vector = op.args
    part = b.ops[vector]
    if part.name != "put" or constant(b, part.args[0]) != 0.0 or len(op.type.dims) != 1:
        return _zero_if_any_zero(b, op)
    (items,) = part.attrs
    if not (isinstance(items, tuple) and len(items) == 1 and isinstance(items[0], int)):
        return None
    column_type = replace(b.ops[matrix].type, dims=op.type.dims)
    column = b.emit("pick", (matrix,), (((0, op.type.dims[0]), items[0]),), column_type, op.span)
    return b.emit("mul", (column, part.args[1]), (), op.type, op.span)


def _zero_if_any_zero(b: Builder, op: Op) -> int | None:
    return _uniform(b, 0.0, op) if any(constant(b, a) == 0.0 for a in op.args) else None


def _weighted_sum(b: Builder, op: Op) -> int | None:
    """0 where a factor is 0; the gate of a max pool, the last argument, is not a factor."""
    has = op.attrs[1]
    assert isinstance(has, Factors)
    factors = op.args[:-1] if has.gate else op.args
    return _uniform(b, 0.0, op) if any(constant(b, a) == 0.0 for a in factors) else None


def _sum_over_sites(b: Builder, op: Op) -> int | None:
    """The second argument is the gate of a max pool."""
    return _uniform(b, 0.0, op) if constant(b, op.args[0]) == 0.0 else None


def _pick(b: Builder, op: Op) -> int | None:
    number, base = constant(b, op.args[0]), b.ops[op.args[0]]
    if number is not None:
        return _uniform(b, number, op)
    return _same(b, base.args[1], op) if base.name == "put" and base.attrs == op.attrs else None


def _put(b: Builder, op: Op) -> int | None:
    """Writing an empty slice does nothing."""
    (items,) = op.attrs
    assert isinstance(items, tuple)
    empty = any(isinstance(i, tuple) and i[0] == i[1] for i in items)
    return _same(b, op.args[0], op) if empty else None


RULES: dict[str, Rule] = {
    "mul": _mul,
    "add": _add,
    "sub": lambda b, op: _same(b, op.args[0], op) if constant(b, op.args[1]) == 0.0 else None,
    "div": lambda b, op: _same(b, op.args[0], op) if constant(b, op.args[1]) == 1.0 else None,
    "neg": _neg,
    "pow": _pow,
    "square": lambda b, op: None if op.attrs else b.emit("power", op.args, (2,), op.type, op.span),
    "linear": lambda b, op: _uniform(b, 1.0, op) if op.attrs else _same(b, op.args[0], op),
    "where": _where,
    "spread": _spread,
    "matmul": _matmul,
    "to_post": _weighted_sum,
    "to_pre": _weighted_sum,
    "outer": _zero_if_any_zero,
    "sites_to_post": _sum_over_sites,
    "sites_to_pre": _sum_over_sites,
    "sites_to_synapse": _zero_if_any_zero,
    "over_places": _zero_if_any_zero,
    "at_sites": _spread,
    "at_pre": _at,
    "at_post": _at,
    "pick": _pick,
    "put": _put,
    "fill": lambda b, op: _same(b, op.args[0], op),
}
