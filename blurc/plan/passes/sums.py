"""Sums of products: which of them have all but one neuron factor in common, so that `merge` makes them one product."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from blurc.model import Shape
from blurc.plan.passes.factor import PRODUCTS, mixes, neuron_arguments
from blurc.plan.plan import Block, Op, Plan

SIDES = ("at_pre", "at_post")  # what `outer` may be multiplied with instead of its first and its second argument


@dataclass(frozen=True, slots=True)
class Term:
    """A product that a sum adds or subtracts, and the `mul` and `div` by numbers on its way there, innermost first."""

    sign: int
    product: int
    scales: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Terms of the sum `root`, in order, whose products differ in nothing but the argument with this number."""

    root: int
    terms: tuple[Term, ...]
    argument: int


@dataclass(frozen=True)
class Sums:
    """The sums of a block, as large as can be. What is in a sum is read by nothing else."""

    plan: Plan
    block: Block

    def groups(self) -> tuple[Group, ...]:
        return tuple(group for root in self._roots() for group in self._groups(root))

    def scaled(self, i: int) -> int | None:
        """The argument that an operation multiplies by a number, or divides by one."""
        op = self.block.ops[i]
        values = [a for a in op.args if not self._is_number(a)]
        divides = op.name == "div" and values == [op.args[0]]
        return values[0] if divides or (op.name == "mul" and len(values) == 1) else None

    def _is_number(self, i: int) -> bool:
        """Whether a value is the same for all synapses, or for all those of a neuron."""
        return self.block.ops[i].type.space.kind == "everywhere" or self.block.ops[i].name in SIDES

    def _added(self, i: int) -> tuple[tuple[int, int], ...]:
        """The arguments of a sum, with their signs."""
        op = self.block.ops[i]
        match op.name:
            case "add" | "sub":
                return (op.args[0], 1), (op.args[1], 1 if op.name == "add" else -1)
            case "neg":
                return ((op.args[0], -1),)
            case _:
                return ()

    @cached_property
    def _reads(self) -> list[int]:
        """How often each value is read."""
        reads = [0] * len(self.block.ops)
        for i in (*(a for op in self.block.ops for a in op.args), *(r.value for r in self.block.results)):
            reads[i] += 1
        return reads

    def _roots(self) -> Iterator[int]:
        """Additions that are not in another sum."""
        inside = set[int]()
        for i in reversed(range(len(self.block.ops))):
            added, scaled = self._added(i), self.scaled(i)
            if len(added) == 2 and i not in inside:
                yield i
            if len(added) == 2 or i in inside:
                inside.update(a for a in (*(a for a, _ in added), scaled) if a is not None and self._reads[a] == 1)

    def _terms(self, root: int) -> Iterator[Term]:
        todo: list[tuple[int, int, tuple[int, ...]]] = [(a, sign, ()) for a, sign in self._added(root)]
        while todo:
            i, sign, scales = todo.pop()
            if self._reads[i] != 1:
                continue
            todo += [(a, sign * s, scales) for a, s in self._added(i)]
            if (a := self.scaled(i)) is not None:
                todo.append((a, sign, (i, *scales)))
            if self.block.ops[i].name in PRODUCTS:
                yield Term(sign, i, scales)

    def _groups(self, root: int) -> Iterator[Group]:
        """The largest first; of equal ones, that which adds up values of the smaller population."""
        found: dict[tuple[int, object], list[Term]] = defaultdict(list)
        for term in self._terms(root):
            op = self.block.ops[term.product]
            for k in neuron_arguments(op):
                if self._moves(term, k):
                    dims = self.block.ops[op.args[k]].type.dims if mixes(op) else ()  # a sum would repeat the smaller
                    found[k, (op.name, op.attrs, dims, op.args[:k], op.args[k + 1 :])].append(term)
        taken = set[Term]()
        for (k, _), members in sorted(found.items(), key=lambda g: (-len(g[1]), self._width(g[1][0], g[0][0]))):
            left = tuple(sorted(set(members) - taken, key=lambda term: term.product))
            if len(left) > 1 and self._is_less(left):
                taken.update(left)
                yield Group(root, left, k)

    def _moves(self, term: Term, k: int) -> bool:
        """Whether the numbers of a term may multiply argument `k` of its product instead."""
        product = self.block.ops[term.product]
        factor, p = self.block.ops[product.args[k]], self.plan.projection(str(product.attrs[0]))
        if factor.name == "input" and self.plan.population(factor.type.space.of).ids:
            return False  # its rows are looked up
        sides = {SIDES[k]} if product.name == "outer" and not p.topology.shares else set[str]()
        return all(
            (n.name in sides or n.type.space.kind == "everywhere") and not (mixes(product) and n.type.dims)
            for n in self._numbers(term)
        )

    def _numbers(self, term: Term) -> list[Op]:
        return [self.block.ops[a] for i in term.scales for a in self.block.ops[i].args if a != self.scaled(i)]

    def _width(self, term: Term, k: int) -> int:
        factor = self.block.ops[term.product].args[k]
        return self.plan.population(self.block.ops[factor].type.space.of).size

    def _is_less(self, terms: tuple[Term, ...]) -> bool:
        """Whether one product costs less than all: the numbers may have dims that the products have not."""
        products = [self.block.ops[term.product].type.dims for term in terms]
        numbers = [n.type.dims for term in terms for n in self._numbers(term)]
        return max(map(_size, (*products, *numbers))) < sum(map(_size, products))


def _size(dims: Shape) -> int:
    return math.prod(dims)
