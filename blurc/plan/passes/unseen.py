"""What a step does to the row of an id that no example has: the values of such a neuron and of its synapses.

    before   %3 = outer %input %err {item->h}     for a row without an example    0
             %5 = sub %w %4                                                       %w

Values that are made of all rows (a weighted sum, the norm of a projection) stay unknown: they depend on other rows.
"""

from __future__ import annotations

from dataclasses import replace

from blurc.plan.passes.builder import Builder
from blurc.plan.passes.fixed import applied
from blurc.plan.passes.simplify import constant, simplified
from blurc.plan.plan import OF_ALL, Attr, Block, Op, Plan, Space, Type

ZERO_AT_ZERO = {
    "linear", "tanh", "relu", "gelu", "sqrt", "abs", "sign", "step", "square", "sin", "erf", "floor", "neg", "hold",
    "standardize", "batch_mean", "batch_sum", "stack",
}  # fmt: skip


def of_rows(op: Op, ids: str, plan: Plan) -> bool:
    """Whether an operation is of the neurons of a population or of the synapses that start there."""
    space = op.type.space
    if op.name == "to_post" or space.kind == "synapses":
        return plan.projection(str(op.attrs[0]) if op.name == "to_post" else space.of).source == ids
    return space.kind == "neurons" and space.of == ids


def of_all_rows(op: Op) -> bool:
    """Whether such an operation reads all of them; a sum over the outgoing synapses of a neuron is in its row."""
    return op.name in OF_ALL and op.name != "to_pre"


def unseen(plan: Plan, block: Block, ids: str) -> tuple[Builder, list[int]]:
    """The operations as they are for an unseen row of the population `ids`, and which of them each one became."""
    builder, new = Builder(), list[int]()
    for i, op in enumerate(block.ops):
        if op.name == "input" and op.attrs == (ids,):
            new.append(builder.literal(0.0, Type((), Space("neurons", ids)), op.span))
        elif of_all_rows(op) and of_rows(op, ids, plan):
            new.append(builder.emit("same", (), (i,), op.type, op.span))
        else:
            new.append(_folded(builder, op.on(new[a] for a in op.args)))
    return builder, new


def _folded(b: Builder, op: Op) -> int:
    numbers = [constant(b, a) for a in op.args]
    if op.name == "power":
        found = _power(numbers[0], op.attrs[0])
    else:
        found = None if op.attrs and op.attrs[0] is True else _number(op.name, numbers)
    if found is None:
        return simplified(b, op)
    space = replace(op.type.space, first=False, second=False)
    return b.literal(found, Type(op.type.dims, space), op.span)


def _power(base: float | None, exponent: Attr) -> float | None:
    return 0.0 if base == 0.0 and isinstance(exponent, int) and exponent > 0 else None


def _number(name: str, numbers: list[float | None]) -> float | None:
    known = [n for n in numbers if n is not None]
    if name == "div" and numbers[0] == 0.0:  # also where the denominator is 0, as in products
        return 0.0
    if not numbers or len(known) != len(numbers):
        return None
    if name in ZERO_AT_ZERO or name == "put":
        return None if any(known) else 0.0
    match name, known:
        case "sloped", [value, *_]:
            return value
        case "min", _:
            return min(known)
        case "max", _:
            return max(known)
        case "clip", [x, low, high]:
            return min(max(x, low), high)
        case _:
            return applied(name, known)
