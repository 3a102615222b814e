"""What a checked candidate computes, as tables for the interpreter.

Sums and multiples cost nothing, since registers are read as weighted sums. Products, quotients and functions each take
a register, and what occurs twice takes one. A candidate that needs more registers, layers or terms than there are does
not fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from blurc import model as m
from blurc.symbolic import interpreter
from blurc.symbolic.interpreter import CONSTANTS, LAYERS, WIDTH, File, Interpreted, Table
from blurc.symbolic.sites import group_of, statement

Place: TypeAlias = tuple[str, int]  # which numbers, and which of them: ("x", 0) is the first leaf, ("r1", 0) a register
Sum: TypeAlias = tuple[tuple[Place, float], ...]  # weights, in order
ONE: Place = ("k", CONSTANTS)  # the last of the constants is 1


class Unfit(Exception):
    """The candidate does not fit into the tables."""


@dataclass(frozen=True)
class Operation:
    name: str
    a: Sum
    b: Sum = ()


@dataclass
class Writer:
    """Finds places for the expressions of one file. constants: their names."""

    file: File
    constants: Sequence[str]
    layers: list[list[Operation]] = field(default_factory=lambda: [[] for _ in range(LAYERS)])

    def __post_init__(self) -> None:
        self._leaves = {leaf.meaning: i for i, leaf in enumerate(self.file.leaves)}

    def sum(self, e: m.Expr) -> Sum:
        """Raises `Unfit`."""
        if e in self._leaves:
            return ((("x", self._leaves[e]), 1.0),)
        match e:
            case m.Meta(name=name) if name in self.constants:
                return ((("k", self.constants.index(name)), 1.0),)
            case m.Literal(value=float(number)):
                return ((ONE, number),)
            case m.Apply(function="linear", args=(a,), prime=False):
                return self.sum(a)
            case m.Apply(function="neg", args=(a,)):
                return _added((), self.sum(a), -1.0)
            case m.Apply(function="add", args=(a, b)):
                return _added(self.sum(a), self.sum(b))
            case m.Apply(function="sub", args=(a, b)):
                return _added(self.sum(a), self.sum(b), -1.0)
            case m.Apply(function="mul"):
                return self.product([self.sum(factor) for factor in factors(e)])
            case m.Apply(function=name, args=args, prime=False) if name in self.file.operations:
                return self._register(Operation(name, *map(self.sum, args)))
            case _:
                raise Unfit

    def product(self, parts: Sequence[Sum]) -> Sum:
        """As few layers as possible: the two of the lowest layers first."""
        waiting = sorted(parts, key=_order)
        while len(waiting) > 1:
            a, b, *rest = waiting
            waiting = sorted([*rest, self._register(Operation("mul", a, b))], key=_order)
        return waiting[0] if waiting else ((ONE, 1.0),)

    def _register(self, operation: Operation) -> Sum:
        layer = max(_layer(operation.a), _layer(operation.b))
        if layer == LAYERS:
            raise Unfit
        there = self.layers[layer]
        if operation not in there:
            there.append(operation)
        if len(there) > WIDTH:
            raise Unfit
        return (((f"r{layer + 1}", there.index(operation)), 1.0),)

    def tables(self, rows: Sequence[Sum]) -> dict[str, Table]:
        """Raises `Unfit`."""
        found = {name: np.zeros(shape, np.float32) for name, shape in self.file.shapes.items()}
        if len(rows) > self.file.rows:
            raise Unfit
        for row, weights in enumerate(rows):
            self._put(found, "out", row, weights)
        for layer, operations in enumerate(self.layers, 1):
            for row, operation in enumerate(operations):
                found[f"{self.file.name}_{layer}_{operation.name}"][row] = 1.0
                self._put(found, f"{layer}a", row, operation.a)
                self._put(found, f"{layer}b", row, operation.b)
        return found

    def _put(self, tables: Mapping[str, Table], what: str, row: int, weights: Sum) -> None:
        for (of, i), weight in weights:
            tables[f"{self.file.name}_{what}_{of}"][row, i] = weight


def tables(one: Interpreted, rule: m.Genome, constants: Sequence[str], values: Sequence[float]) -> dict[str, Table]:
    """The tables of a site, from its statement in a checked candidate.

    Args:
        constants: the names of its constants in the candidate; `values` are what they are.

    Raises:
        Unfit: if it does not fit.
    """
    if len(values) > CONSTANTS:
        raise Unfit
    writers = {side: Writer(file, constants) for side, file in one.files.items()}
    value = statement(rule, one.site).value
    if "own" in writers:
        rows = {"own": [writers["own"].sum(value)]}
    else:
        products = _products(value)
        rows = {side: [_row(writers, side, p) for p in products] for side in writers}
    found = {one.constants: interpreter.constants(values)}
    for side, writer in writers.items():
        found |= writer.tables(rows[side])
    return found


def _products(value: m.Expr) -> tuple[m.Product, ...]:
    reduce = next(e for e in m.walk(value) if isinstance(e, m.Reduce))
    separated = m.separate(reduce)
    if not isinstance(separated, m.Terms):
        raise Unfit
    return separated.products


def _row(writers: Mapping[str, Writer], side: str, p: m.Product) -> Sum:
    """A factor of a product. What belongs to neither neuron is `still`, wherever separation left it."""
    parts = [f for e in p.factors().values() for f in factors(e)]
    mine = [writers[side].sum(f) for f in parts if group_of(f) == side]
    whole = writers[side].product(mine)
    return _added((), whole, float(p.sign)) if side == "still" else whole


def factors(e: m.Expr) -> Iterator[m.Expr]:
    match e:
        case m.Apply(function="mul", args=(a, b)):
            yield from factors(a)
            yield from factors(b)
        case _:
            yield e


def _layer(weights: Sum) -> int:
    return max((int(of[1:]) for (of, _), _ in weights if of.startswith("r")), default=0)


def _order(weights: Sum) -> tuple[int, Sum]:
    return _layer(weights), weights


def _added(one: Sum, other: Sum, times: float = 1.0) -> Sum:
    total = dict(one)
    for place, weight in other:
        total[place] = total.get(place, 0.0) + times * weight
    return tuple(sorted((place, weight) for place, weight in total.items() if weight))
