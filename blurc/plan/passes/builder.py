"""Builds blocks, sharing equal operations."""

from __future__ import annotations

from collections.abc import Callable

from blurc.diagnostics import Span
from blurc.model import Shape
from blurc.plan.plan import EVERYWHERE, Attr, Block, Op, Result, Space, Type, infer_space


class Builder:
    """Appends operations, or returns an equal one that exists."""

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self._index: dict[tuple[object, ...], int] = {}

    def emit(self, name: str, args: tuple[int, ...], attrs: tuple[Attr, ...], type_: Type, span: Span) -> int:
        return self.add(Op(name, args, attrs, type_, span))

    def add(self, op: Op) -> int:
        ops, declared = self.ops, op.type
        space = infer_space(op.name, [ops[a].type.space for a in op.args], op.attrs, declared.space)
        if space is not declared.space:
            op = Op(op.name, op.args, op.attrs, Type(declared.dims, space), op.span)
        # Flat, as hashing the type itself would take as long as all the rest.
        key = (op.name, op.args, op.attrs, declared.dims, space.kind, space.of, space.first, space.second)
        new = len(ops)
        found = self._index.setdefault(key, new)
        if found == new:
            ops.append(op)
        return found

    def elementwise(self, name: str, args: tuple[int, ...], span: Span) -> int:
        """Of values that have the same dims or none."""
        return self.emit(name, args, (), Type(self.dims(*args), self.space(*args)), span)

    def literal(self, value: Attr, type_: Type, span: Span) -> int:
        return self.emit("literal", (), (value,), type_, span)

    def type(self, value: int) -> Type:
        return self.ops[value].type

    def dims(self, *values: int) -> Shape:
        """The dims of the first value that has any."""
        return next((d for v in values if (d := self.ops[v].type.dims)), ())

    def space(self, *values: int) -> Space:
        spaces = [self.ops[v].type.space for v in values if self.ops[v].type.space.kind != "everywhere"]
        if not spaces:
            return EVERYWHERE
        return Space(spaces[0].kind, spaces[0].of, any(s.first for s in spaces), any(s.second for s in spaces))


def rewritten(block: Block, rule: Callable[[Builder, Op], int]) -> Block:
    """The block with the value that `rule` emits for every operation, given it on the new arguments."""
    builder = Builder()
    new: list[int] = []
    for op in block.ops:
        new.append(rule(builder, op.on([new[a] for a in op.args]) if op.args else op))
    return Block(tuple(builder.ops), tuple(Result(r.key, new[r.value]) for r in block.results))
