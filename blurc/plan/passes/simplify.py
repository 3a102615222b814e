"""Simplification: folds what is known at compile time.

    before   %4 = mul %f %zero;  %5 = add %4 %x
    after    %x

States start at 0, so the first equations of a step often begin with terms known to be 0. A product with a known 0 is 0
here, even if the other factor is not finite.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from blurc.plan.passes.builder import Builder
from blurc.plan.plan import Block, Op, Type, infer_space

MOST_WHOLE_POWER = 64


@dataclass(frozen=True)
class Context:
    """The block built so far; rules return one of its operations, or None to keep the operation."""

    builder: Builder

    def op(self, value: int) -> Op:
        return self.builder.ops[value]

    def constant(self, value: int) -> float | None:
        """The number that all entries of a value are known to equal."""
        op = self.op(value)
        return op.attrs[0] if op.name == "literal" and isinstance(op.attrs[0], float) else None

    def uniform(self, number: float, op: Op) -> int:
        """A value of the type of `op` with all entries equal."""
        space = replace(op.type.space, first=False, second=False)
        return self.builder.emit("literal", (), (number,), Type(op.type.dims, space), op.span)

    def same(self, value: int, op: Op) -> int | None:
        """`value` in place of `op`, if it has the same type."""
        return value if self.op(value).type == op.type else None


Rule = Callable[[Context, Op], "int | None"]


def simplify(block: Block) -> Block:
    builder = Builder()
    context = Context(builder)
    new: list[int] = []
    for op in block.ops:
        mapped = _mapped(op, tuple(new[a] for a in op.args), builder)
        rule = RULES.get(op.name)
        found = rule(context, mapped) if rule else None
        new.append(
            builder.emit(mapped.name, mapped.args, mapped.attrs, mapped.type, mapped.span) if found is None else found
        )
    return Block(tuple(builder.ops), tuple(replace(r, value=new[r.value]) for r in block.results))


def _mapped(op: Op, args: tuple[int, ...], builder: Builder) -> Op:
    """The operation on simplified arguments, which may vary over fewer axes."""
    space = infer_space(op.name, [builder.type(a).space for a in args], op.attrs, op.type.space)
    type_ = op.type if space is op.type.space else Type(op.type.dims, space)
    return Op(op.name, args, op.attrs, type_, op.span)


def _mul(c: Context, op: Op) -> int | None:
    a, b = op.args
    if 0.0 in (c.constant(a), c.constant(b)):
        return c.uniform(0.0, op)
    if c.constant(a) == 1.0:
        return c.same(b, op)
    return c.same(a, op) if c.constant(b) == 1.0 else None


def _add(c: Context, op: Op) -> int | None:
    a, b = op.args
    if c.constant(a) == 0.0 and c.constant(b) == 0.0:
        return c.uniform(0.0, op)
    if c.constant(a) == 0.0:
        return c.same(b, op)
    return c.same(a, op) if c.constant(b) == 0.0 else None


def _sub(c: Context, op: Op) -> int | None:
    return c.same(op.args[0], op) if c.constant(op.args[1]) == 0.0 else None


def _div(c: Context, op: Op) -> int | None:
    return c.same(op.args[0], op) if c.constant(op.args[1]) == 1.0 else None


def _neg(c: Context, op: Op) -> int | None:
    inner = c.op(op.args[0])
    number = c.constant(op.args[0])
    if number is not None:
        return c.uniform(-number, op)
    return c.same(inner.args[0], op) if inner.name == "neg" else None


def _pow(c: Context, op: Op) -> int | None:
    """Integer powers become products: exact for negative bases, with a gradient at 0."""
    n = c.constant(op.args[1])
    if n is None or n != int(n) or abs(n) > MOST_WHOLE_POWER:
        return None
    return c.builder.emit("power", (op.args[0],), (int(n),), op.type, op.span)


def _square(c: Context, op: Op) -> int | None:
    return None if op.attrs else c.builder.emit("power", op.args, (2,), op.type, op.span)


def _linear(c: Context, op: Op) -> int | None:
    return c.uniform(1.0, op) if op.attrs else c.same(op.args[0], op)


def _spread(c: Context, op: Op) -> int | None:
    number = c.constant(op.args[0])
    return c.same(op.args[0], op) if number is None else c.uniform(number, op)


def _matmul(c: Context, op: Op) -> int | None:
    """A matrix times a vector with one nonzero part, such as the states of an input population, is a column."""
    matrix, vector = op.args
    part = c.op(vector)
    if part.name != "put" or c.constant(part.args[0]) != 0.0 or len(op.type.dims) != 1:
        return _zero_if_any_zero(c, op)
    (items,) = part.attrs
    if not (isinstance(items, tuple) and len(items) == 1 and isinstance(items[0], int)):
        return None
    column_type = replace(c.op(matrix).type, dims=op.type.dims)
    column = c.builder.emit("pick", (matrix,), (((0, op.type.dims[0]), items[0]),), column_type, op.span)
    return c.builder.emit("mul", (column, part.args[1]), (), op.type, op.span)


def _zero_if_any_zero(c: Context, op: Op) -> int | None:
    return c.uniform(0.0, op) if any(c.constant(a) == 0.0 for a in op.args) else None


def _seen(c: Context, op: Op) -> int | None:
    number = c.constant(op.args[0])
    return None if number is None else c.uniform(number, op)


def _pick(c: Context, op: Op) -> int | None:
    (a,), (items,) = op.args, op.attrs
    number = c.constant(a)
    if number is not None:
        return c.uniform(number, op)
    base = c.op(a)
    if base.name == "put" and base.attrs == (items,):
        return c.same(base.args[1], op)
    return None


def _put(c: Context, op: Op) -> int | None:
    """Writing an empty slice does nothing."""
    (items,) = op.attrs
    assert isinstance(items, tuple)
    empty = any(isinstance(i, tuple) and i[0] == i[1] for i in items)
    return c.same(op.args[0], op) if empty else None


def _fill(c: Context, op: Op) -> int | None:
    return c.same(op.args[0], op)


RULES: dict[str, Rule] = {
    "mul": _mul,
    "add": _add,
    "sub": _sub,
    "div": _div,
    "neg": _neg,
    "pow": _pow,
    "square": _square,
    "linear": _linear,
    "spread": _spread,
    "matmul": _matmul,
    "to_post": _zero_if_any_zero,
    "to_pre": _zero_if_any_zero,
    "outer": _zero_if_any_zero,
    "at_pre": _seen,
    "at_post": _seen,
    "pick": _pick,
    "put": _put,
    "fill": _fill,
}
