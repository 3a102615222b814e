"""Factoring: moves numbers that are the same for all neurons out of the products of a projection.

    before   to_post w (nu * x)        outer (hp * x) y
    after    nu * (to_post w x)        hp * (outer x y)

The large factor of a product is then the bare state, shared by all products that read it, and the numbers join the
arithmetic on the result. With one synapse channel and several states that differ by a number, several products become
one.
"""

from __future__ import annotations

from blurc.plan.passes.builder import Builder, rewritten
from blurc.plan.plan import Block, Factors, Op, Type

PRODUCTS = {"to_post", "to_pre", "outer"}


def factor(block: Block) -> Block:
    return rewritten(block, lambda builder, op: _product(builder, op) if op.name in PRODUCTS else builder.add(op))


def _product(builder: Builder, op: Op) -> int:
    """The product of the bare factors, times the extracted numbers."""
    numbers: list[int] = []
    args = list(op.args)
    for i in neuron_arguments(op):
        while found := _number_times(builder, args[i], op):
            number, args[i] = found
            numbers.append(number)
    dims = op.type.dims if mixes(op) else builder.dims(*args)
    result = builder.emit(op.name, tuple(args), op.attrs, Type(dims, op.type.space), op.span)
    for number in numbers:
        result = builder.elementwise("mul", (number, result), op.span)
    return result


def neuron_arguments(op: Op) -> tuple[int, ...]:
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
        if everywhere and not (mixes(op) and builder.type(c).dims):
            return c, x
    return None


def mixes(op: Op) -> bool:
    return isinstance(op.attrs[1], Factors) and op.attrs[1].mixes
