"""Merging: products that are added, and have all but one neuron factor in common, become one product.

    before   a * (outer x y) + b * (outer x z)         a * (to_post w x) + b * (to_post w y)
    after    outer x (a * y + b * z)                   to_post w (a * x + b * y)

`to_post w x + to_post v x` stays two products. An array `w + v` as large as the synapses costs more than a product with
a small batch.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

from blurc.plan.passes.builder import Builder
from blurc.plan.passes.factor import mixes
from blurc.plan.passes.liveness import kept
from blurc.plan.passes.sums import SIDES, Group, Sums, Term
from blurc.plan.plan import Block, Op, Plan, Result, Type


def merge(plan: Plan) -> Plan:
    step, predict, trace, run = (_merged(plan, block) for block in (plan.step, plan.predict, plan.trace, plan.run))
    return replace(plan, step=step, predict=predict, trace=trace, run=run)


def _merged(plan: Plan, block: Block) -> Block:
    """Repeated, as merged products may be merged with others."""
    while groups := (sums := Sums(plan, block)).groups():
        block = Merging(sums).block_with(groups)
    return block


@dataclass(frozen=True)
class Merging:
    """Writes a block anew. `new`: what each operation became, which a merged one did not."""

    sums: Sums
    builder: Builder = field(default_factory=Builder)
    new: dict[int, int] = field(default_factory=dict[int, int])

    def block_with(self, groups: tuple[Group, ...]) -> Block:
        old, gone, by_root = self.sums.block, set[int](), defaultdict[int, list[Group]](list)
        for group in groups:
            gone.update(term.product for term in group.terms)
            by_root[group.root].append(group)
        for i, op in enumerate(old.ops):
            if i not in gone:
                self._write(i, op)
            for group in by_root[i]:
                self._add(i, op, group)
        results = tuple(Result(r.key, self.new[r.value]) for r in old.results)
        return kept(Block(tuple(self.builder.ops), results), results)

    def _write(self, i: int, op: Op) -> None:
        """Without what is merged: 0 in a sum."""
        args = tuple(self.new[a] for a in op.args if a in self.new)
        if len(args) == len(op.args):
            self.new[i] = self.builder.add(op.on(args))
        elif op.name == "sub" and op.args[1] in self.new:
            self.new[i] = self.builder.elementwise("neg", args, op.span)
        elif op.name in ("add", "sub") and args:
            self.new[i] = args[0]

    def _add(self, root: int, op: Op, group: Group) -> None:
        """Adds a merged product to what is left of a sum, or subtracts it where every term is subtracted."""
        sign, b = max(term.sign for term in group.terms), self.builder
        first, *rest = sorted(group.terms, key=lambda term: (-term.sign, term.product))
        total = self._factor(first, group.argument)
        for term in rest:
            name = "add" if term.sign == sign else "sub"
            total = b.elementwise(name, (total, self._factor(term, group.argument)), op.span)
        product = self._product(first, total, group.argument)
        if root in self.new:
            self.new[root] = b.elementwise("add" if sign > 0 else "sub", (self.new[root], product), op.span)
        else:
            self.new[root] = product if sign > 0 else b.elementwise("neg", (product,), op.span)

    def _product(self, term: Term, factor: int, argument: int) -> int:
        op = self.sums.block.ops[term.product]
        args = tuple(factor if k == argument else self.new[a] for k, a in enumerate(op.args))
        dims = op.type.dims if mixes(op) else self.builder.dims(*args)
        return self.builder.emit(op.name, args, op.attrs, Type(dims, op.type.space), op.span)

    def _factor(self, term: Term, argument: int) -> int:
        """The factor of a product, times the numbers of the term."""
        ops = self.sums.block.ops
        value = self.new[ops[term.product].args[argument]]
        for op, scaled in ((ops[i], self.sums.scaled(i)) for i in term.scales):
            args = tuple(value if a == scaled else self._number(a) for a in op.args)
            value = self.builder.elementwise(op.name, args, op.span)
        return value

    def _number(self, i: int) -> int:
        """As the neuron has it."""
        op = self.sums.block.ops[i]
        return self.new[op.args[0] if op.name in SIDES else i]
