"""Liveness: drops what no prediction depends on, now or in a later step.

    before   v of pixels->h1, read only by its own update
    after    dropped: channel v of pixels->h1

A channel or a persistent state is live if a live value reads it; its update is then live too. `trace` keeps every state
that can still be computed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from blurc.plan.plan import Block, Key, Op, Plan, Result, reachable

READS = (
    "synapse",
    "example",
    "carried",
    "statistic",
)  # operations, and the first part of the key of the result that updates the variable


def liveness(plan: Plan, written: Block) -> Plan:
    """`written` is the step before simplification: there every state is still a separate value, so that unread ones can
    be named."""
    live = _live_variables(plan)
    step = [r for r in plan.step.results if r.key[0] == "readout" or r.key in live]
    lost = _needing_others(plan.trace, live)
    trace = [r for r in plan.trace.results if r.key[0] == "trace" and r.value not in lost]
    predict = kept(plan.predict, plan.predict.results)
    run = kept(plan.run, [r for r in plan.run.results if r.key[0] == "readout" or r.key in live])
    return replace(
        plan,
        channels=tuple(v for v in plan.channels if ("synapse", v.of, v.name) in live),
        examples=tuple(v for v in plan.examples if ("example", v.of, v.name) in live),
        carried=tuple(v for v in plan.carried if ("carried", v.of, v.name) in live),
        statistics=tuple(v for v in plan.statistics if ("statistic", v.of, v.name) in live),
        step=kept(plan.step, step),
        predict=predict,
        trace=kept(plan.trace, trace),
        run=run if run.results else predict,
        dropped=(*_dropped_variables(plan, live), *_dropped_states(written, live)),
    )


def _live_variables(plan: Plan) -> set[Key]:
    """The channels and persistent states that predictions depend on, as result keys."""
    roots = [r.value for r in plan.step.results if r.key[0] == "readout"]
    live = _variables(plan.step, roots) | _variables(plan.predict, [r.value for r in plan.predict.results])
    while True:
        more = live
        for block in (plan.step, plan.run):
            more = more | _variables(block, [r.value for r in block.results if r.key in live])
        if more == live:
            return live
        live = more


def _variables(block: Block, roots: Iterable[int]) -> set[Key]:
    ops = (block.ops[i] for i in reachable(block, roots))
    return {_variable(op) for op in ops if op.name in READS}


def _needing_others(block: Block, live: set[Key]) -> set[int]:
    """The operations that depend on a variable that is not live."""
    lost: set[int] = set()
    for i, op in enumerate(block.ops):
        if any(a in lost for a in op.args) or (op.name in READS and _variable(op) not in live):
            lost.add(i)
    return lost


def _variable(op: Op) -> Key:
    return op.name, str(op.attrs[0]), str(op.attrs[1])


def _dropped_variables(plan: Plan, live: set[Key]) -> Iterable[str]:
    for kind, channels in (("synapse", plan.channels), ("example", plan.examples)):
        yield from (f"channel {v.name} of {v.of}" for v in channels if (kind, v.of, v.name) not in live)
    for v in plan.carried:
        if ("carried", v.of, v.name) not in live and "@" not in v.name:
            yield f"persistent state {v.name} of {v.of}"


def _dropped_states(written: Block, live: set[Key]) -> Iterable[str]:
    """States that some phase assigns and no live value reads."""
    roots = (r.value for r in written.results if r.key[0] == "readout" or r.key in live)
    computed = reachable(written, roots)
    read: dict[tuple[str, str], bool] = {}
    for r in written.results:
        if r.key[0] == "state":
            where = (r.key[2], r.key[3])
            read[where] = read.get(where, False) or r.value in computed
    return (f"state {state} of {population}" for (population, state), live_ in read.items() if not live_)


def kept(block: Block, results: Iterable[Result]) -> Block:
    """The block with only these results and the operations that they need."""
    results = tuple(results)
    needed = sorted(reachable(block, (r.value for r in results)))
    new = {old: i for i, old in enumerate(needed)}
    ops = tuple(block.ops[i].on(new[a] for a in block.ops[i].args) for i in needed)
    return Block(ops, tuple(Result(r.key, new[r.value]) for r in results))
