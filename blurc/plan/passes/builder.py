"""Builds blocks, sharing equal operations."""

from __future__ import annotations

from blurc.diagnostics import Span
from blurc.plan.plan import EVERYWHERE, Attr, Op, Space, Type, infer_space


class Builder:
    """Appends operations, or returns an equal one that exists."""

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self._index: dict[tuple[str, tuple[int, ...], tuple[Attr, ...], Type], int] = {}

    def emit(self, name: str, args: tuple[int, ...], attrs: tuple[Attr, ...], type_: Type, span: Span) -> int:
        space = infer_space(name, [self.ops[a].type.space for a in args], attrs, type_.space)
        if space is not type_.space:
            type_ = Type(type_.dims, space)
        key = (name, args, attrs, type_)
        found = self._index.get(key)
        if found is None:
            found = self._index[key] = len(self.ops)
            self.ops.append(Op(name, args, attrs, type_, span))
        return found

    def type(self, value: int) -> Type:
        return self.ops[value].type

    def space(self, *values: int) -> Space:
        spaces = [self.ops[v].type.space for v in values if self.ops[v].type.space.kind != "everywhere"]
        if not spaces:
            return EVERYWHERE
        return Space(spaces[0].kind, spaces[0].of, any(s.first for s in spaces), any(s.second for s in spaces))
