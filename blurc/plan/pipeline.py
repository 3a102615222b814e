"""The passes in order, from a checked model to a plan. Every intermediate value can be watched and printed."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from blurc.model import Model
from blurc.plan.passes.assemble import assemble
from blurc.plan.passes.elaborate import elaborate
from blurc.plan.passes.factor import factor
from blurc.plan.passes.liveness import liveness
from blurc.plan.passes.merge import merge
from blurc.plan.passes.roll import roll
from blurc.plan.passes.schedule import schedule
from blurc.plan.passes.seen import seen
from blurc.plan.passes.simplify import simplify
from blurc.plan.plan import Block, Plan, verify

Watcher: TypeAlias = "Callable[[str, Any, float], None]"  # stage, its value, seconds


@contextmanager
def uncollected() -> Generator[None, None, None]:
    """Disables garbage collection: passes make many small values and no cycles, and collecting takes a third of the
    time for a large network."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@dataclass(frozen=True)
class Pipeline:
    """Runs the passes from model to plan and verifies the blocks between them. `watch` is called after each pass with
    its name, value and seconds."""

    watch: Watcher | None = None
    rolls: bool = True  # whether chains of equal layers become loops
    merges: bool = True  # whether products that are added become one

    @uncollected()
    def plan(self, model: Model) -> Plan:
        visits = self._stage("schedule", lambda: schedule(model))
        written = self._stage("elaborate", lambda: elaborate(model, visits))
        self._verify("elaborate", written)
        blocks = self._stage("simplify", lambda: tuple(simplify(b) for b in written))
        self._verify("simplify", blocks)
        blocks = self._stage("factor", lambda: tuple(factor(b) for b in blocks))
        self._verify("factor", blocks)
        plan = self._stage("liveness", lambda: liveness(assemble(model, *blocks), written[0]))
        self._verify("liveness", (plan.step, plan.predict, plan.trace, plan.run))
        if self.merges:
            plan = self._stage("merge", lambda: merge(plan))
            self._verify("merge", (plan.step, plan.predict, plan.trace, plan.run))
        plan = self._stage("seen", lambda: seen(plan))
        if not self.rolls:
            return plan
        plan = self._stage("roll", lambda: roll(plan))
        self._verify("roll", (plan.step, plan.predict))
        return plan

    def _stage(self, name: str, run: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        value = run()
        if self.watch:
            self.watch(name, value, time.perf_counter() - start)
        return value

    def _verify(self, name: str, blocks: tuple[Block, ...]) -> None:
        for block in blocks:
            verify(block, name)


def plan_of(model: Model, watch: Watcher | None = None) -> Plan:
    return Pipeline(watch).plan(model)
