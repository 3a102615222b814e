"""Seen rows: a step computes only the rows of ids that occur in the batch, where this leaves all others as they are.

    before   item: 100,000 ids                   after    item: only the rows of ids that occur
             %0 = synapse {item->h, w}                     %0 = synapse {item->h, w}, of these rows
             %9 = sub %0 %8                                %9 = sub %0 %8
             synapse item->h w <- %9                       synapse item->h w <- %9, written to these rows

The operations stay the same: only their sizes are other ones. Where it is not certain, all rows are computed, and the
plan says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from blurc.plan.passes.builder import Builder
from blurc.plan.passes.simplify import constant
from blurc.plan.passes.unseen import of_all_rows, of_rows, unseen
from blurc.plan.plan import DRAWS, SITES, Block, Op, Plan

SUMS = {"to_post", "population_sum", "population_mean", "projection_sum", "projection_mean"}  # where 0 adds nothing
KEPT = {"carried", "statistic"}


def seen(plan: Plan) -> Plan:
    names = [p.name for p in plan.populations if p.ids]
    if not names:
        return plan
    why = {(name, which): next(_reasons(plan, block, name), None) for which, block in _blocks(plan) for name in names}
    step, predict, run = (
        replace(block, seen=tuple(name for name in names if why[name, which] is None)) for which, block in _blocks(plan)
    )
    said = tuple(_said(plan, name, {which: why[name, which] for which, _ in _blocks(plan)}) for name in names)
    return replace(plan, step=step, predict=predict, run=run, ids=said)


def _blocks(plan: Plan) -> tuple[tuple[str, Block], ...]:
    return ("step", plan.step), ("predict", plan.predict), ("run", plan.run)


def _said(plan: Plan, name: str, why: dict[str, str | None]) -> str:
    of = f"{name}: {plan.population(name).size:,} ids"
    reasons = {reason: which for which, reason in reversed(why.items()) if reason}
    if not reasons:
        return f"{of}; only the rows of ids that occur are computed and changed"
    (reason, which), *_ = reversed(reasons.items())
    only = "" if all(why.values()) else f" in `{which}`"
    return f"{of}; every row is computed{only}: {reason}"


def _reasons(plan: Plan, block: Block, ids: str) -> Iterator[str]:
    """Why all rows have to be computed."""
    for p in plan.projections:
        sources = {p.source, plan.projection(p.keeper).source}
        if ids in sources and len(sources) > 1:
            yield f"`{p.name}` has the synapses of `{p.same}`, and other rows of them"
    for op in block.ops:
        if op.name in SITES and plan.projection(str(op.attrs[0])).source == ids:
            yield f"`{op.attrs[0]}` has values for every synapse and example ({op.span.line}:{op.span.column})"
    builder, new = unseen(plan, block, ids)
    for op in block.ops:
        if of_rows(op, ids, plan):
            yield from _reasons_of(op, plan, any(constant(builder, new[a]) == 0.0 for a in op.args))
    for r in block.results:
        if r.key[0] in KEPT and r.key[1] == ids:  # written, even if this block does not read it
            yield _kept(r.key[2])
        of_row = r.key[0] == "synapse" and plan.projection(r.key[1]).source == ids
        if of_row and not _is_unchanged(builder, new[r.value], r.key):
            at = block.ops[r.value].span
            yield f"`{r.key[2]}` of `{r.key[1]}` changes also where an id does not occur ({at.line}:{at.column})"


def _reasons_of(op: Op, plan: Plan, is_zero: bool) -> Iterator[str]:
    at = f"({op.span.line}:{op.span.column})"
    if op.name in KEPT:
        yield _kept(str(op.attrs[1]))
    elif op.name in DRAWS:
        yield f"random numbers are drawn for every row {at}"
    elif op.name in ("to_post", "to_pre", "outer") and not plan.projection(str(op.attrs[0])).dense:
        yield f"`{op.attrs[0]}` is {plan.projection(str(op.attrs[0])).topology}, which is not computed by rows"
    elif of_all_rows(op) and not (op.name in SUMS and is_zero):
        yield f"`{op.name}` reads every row {at}"


def _kept(name: str) -> str:
    return f"`{name.partition('@')[0]}` of its neurons is kept from step to step"


def _is_unchanged(b: Builder, value: int, key: tuple[str, ...]) -> bool:
    op = b.ops[value]
    return op.name == "synapse" and op.attrs == key[1:]
