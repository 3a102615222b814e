"""Factoring: moves numbers that are the same for all neurons out of the products of a projection.

    before   to_post w (nu * x)        outer (hp * x) y
    after    nu * (to_post w x)        hp * (outer x y)

The large factor of a product is then the bare state, shared by all products that read it, and the numbers join the
arithmetic on the result. With one synapse channel and several states that differ by a number, several products become
one.
"""

from __future__ import annotations

from dataclasses import replace

from blurc.plan.passes.builder import Builder
from blurc.plan.plan import Block, Factors, Op, Type, infer_space

PRODUCTS = {"to_post", "to_pre", "outer"}


def factor(block: Block) -> Block:
    builder = Builder()
    new: list[int] = []
    for op in block.ops:
        mapped = Op(op.name, tuple(new[a] for a in op.args), op.attrs, op.type, op.span)
        new.append(_product(builder, mapped) if op.name in PRODUCTS else _emit(builder, mapped))
    return Block(tuple(builder.ops), tuple(replace(r, value=new[r.value]) for r in block.results))


def _emit(builder: Builder, op: Op) -> int:
    return builder.emit(op.name, op.args, op.attrs, op.type, op.span)


def _product(builder: Builder, op: Op) -> int:
    """The product of the bare factors, times the extracted numbers."""
    numbers: list[int] = []
    args = list(op.args)
    for i in _neuron_arguments(op):
        while found := _number_times(builder, args[i], op):
            number, args[i] = found
            numbers.append(number)
    dims = _dims(builder, op, args)
    spaces = [builder.type(a).space for a in args]
    result = builder.emit(
        op.name, tuple(args), op.attrs, Type(dims, infer_space(op.name, spaces, op.attrs, op.type.space)), op.span
    )
    for number in numbers:
        dims = builder.type(number).dims or dims
        result = builder.emit("mul", (number, result), (), Type(dims, builder.type(result).space), op.span)
    return result


def _neuron_arguments(op: Op) -> tuple[int, ...]:
    if op.name == "outer":
        return (0, 1)
    factors = op.attrs[1]
    assert isinstance(factors, Factors)
    return (int(factors.synapse),) if factors.neuron else ()


def _number_times(builder: Builder, value: int, op: Op) -> tuple[int, int] | None:
    """`(c, x)` if a value is `c * x`, with `c` the same for all neurons and `x` a state."""
    found = builder.ops[value]
    if found.name != "mul":
        return None
    for c, x in (found.args, found.args[::-1]):
        everywhere = builder.type(c).space.kind == "everywhere" and builder.type(x).space.kind == "neurons"
        if everywhere and not (_mixes(op) and builder.type(c).dims):
            return c, x
    return None


def _mixes(op: Op) -> bool:
    return isinstance(op.attrs[1], Factors) and op.attrs[1].mixes


def _dims(builder: Builder, op: Op, args: list[int]) -> tuple[int, ...]:
    if _mixes(op):
        return op.type.dims
    return next((d for d in (builder.type(a).dims for a in args) if d), ())
