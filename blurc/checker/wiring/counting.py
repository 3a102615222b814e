"""How much a network writes out, counted before any of it is built: a few lines with loops or blocks can stand for more
than fits into any memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from blurc.checker.constants import Constants
from blurc.checker.parameters import parameters
from blurc.checker.scope import FunctionScope
from blurc.checker.wiring.bodies import Around, Env
from blurc.diagnostics import Report
from blurc.language import syntax
from blurc.model import ParamValue

MOST_ITEMS = 2**15  # populations, projections and blocks in use; a loop that runs away is a mistake, and a clear one
MOST_TOGETHER = 2 * MOST_ITEMS  # in all networks and blocks of a spec, which are all checked
MOST_NESTED = 100  # blocks in blocks

Arguments = tuple[str, tuple[tuple[str, "ParamValue | None"], ...]]  # a block and its parameters


class TooMuch(Exception):
    """`item` is where the limit is met."""

    def __init__(self, item: syntax.NetworkItem, message: str, help: str) -> None:
        super().__init__(message)
        self.item, self.message, self.help = item, message, help


def fits(tree: syntax.Network | syntax.Block, env: Env, around: Around, report: Report) -> bool:
    """Whether to build it. Other mistakes are left to those who build."""
    if around.built.total() > MOST_TOGETHER:  # as was said
        return False
    count = _Count(around.blocks, around.functions)
    try:
        count.items(tree.items, env)
    except TooMuch as found:
        report.error("E206", found.message, found.item.span, help=found.help)
        return False
    around.built[tree.name] += count.total
    if around.built.total() > MOST_TOGETHER:
        message = (
            f"the networks and blocks of a spec have at most {MOST_TOGETHER:,} populations and projections together"
        )
        help = "write smaller defaults of parameters, or divide the spec into several"
        report.error("E206", message, tree.name_span, help=help)
        return False
    return True


@dataclass(slots=True)
class _Count:
    blocks: Mapping[str, syntax.Block]
    functions: FunctionScope
    total: int = 0
    idle: int = 0  # rounds that write nothing
    inside: list[str] = field(default_factory=list[str])  # the blocks at hand, each in the one before
    known: dict[Arguments, int] = field(default_factory=dict[Arguments, int])

    def items(self, items: tuple[syntax.NetworkItem, ...], env: Env) -> None:
        for item in items:
            if isinstance(item, syntax.For):
                self._loop(item, env)
                continue
            self._add(len(item.ends) - 1 if isinstance(item, syntax.Projection) else 1, item)
            if isinstance(item, syntax.Instance) and item.block in self.blocks and item.block not in self.inside:
                self._block(item, env)

    def _add(self, count: int, item: syntax.NetworkItem) -> None:
        self.total += count
        if self.total > MOST_ITEMS:
            help = "look at the loops around this, and at the blocks in blocks"
            raise TooMuch(item, f"a network has at most {MOST_ITEMS:,} populations and projections", help)

    def _loop(self, item: syntax.For, env: Env) -> None:
        numbers = Constants(env, Report(), own=self.functions)
        low, high = numbers.whole(item.low, ""), numbers.whole(item.high, "")
        if low is None or high is None or item.variable in env:
            return
        if high - low >= MOST_ITEMS:
            message = f"a loop has at most {MOST_ITEMS:,} rounds, this one has {high - low + 1:,}"
            raise TooMuch(item, message, "look at its ends")
        for i in range(low, high + 1):
            before = self.total
            self.items(item.items, {**env, item.variable: i})
            self.idle += self.total == before
            if self.idle > MOST_ITEMS:
                message = f"more than {MOST_ITEMS:,} rounds of loops write nothing"
                raise TooMuch(item, message, "look at the loops around this")

    def _block(self, item: syntax.Instance, env: Env) -> None:
        block = self.blocks[item.block]
        names = {p.name for p in block.params}
        given = {
            arg.name: Constants(env, Report(), own=self.functions).evaluate(arg.value)
            for arg in reversed(item.args)
            if arg.name in names and not isinstance(arg.value, syntax.IndexedName)
        }
        key = item.block, tuple(sorted(given.items()))
        if key in self.known:
            self._add(self.known[key], item)
            return
        if len(self.inside) == MOST_NESTED:
            help = "join some of them into one"
            raise TooMuch(item, f"blocks stand in each other more than {MOST_NESTED} levels deep", help)
        before = self.total
        self.inside.append(item.block)
        self.items(block.items, parameters(block.params, given, Report(), self.functions))
        self.inside.pop()
        self.known[key] = self.total - before
