"""Refuses what a plan says will not fit into memory, before anything is compiled, and says what will."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from blurc.diagnostics import BlurError, Diagnostic
from blurc.guards import amount
from blurc.plan import Cost, Plan, cost_of

Need: TypeAlias = Callable[[Cost], float]  # bytes


def check_plan(
    plan: Plan, batch: int, need: Need, what: str, memory: float | None, *,
    where: str = "there are", fewer: str = "write `--batch {}`", instead: str = "", multiple: int = 1,
) -> None:  # fmt: skip
    """Raises `BlurError` (E919), with the largest batch that fits.

    Args:
        plan: of the network.
        batch: examples in a step.
        need: what it takes, from the cost of a batch.
        what: takes it, as `training with batches of 128`.
        memory: bytes; None: not known.
        where: words in front of that number.
        fewer: how to take the batch that stands in the braces.
        instead: what to do where no batch fits; "": use a smaller network.
        multiple: of what number a batch has to be.
    """
    if memory is None or (size := need(cost_of(plan, batch))) <= memory:
        return
    most = largest_batch(plan, batch, need, memory) // multiple * multiple
    help = fewer.format(most) if most else instead or "not even a batch of 1 fits: use a smaller network"
    raise BlurError(Diagnostic("E919", f"{what} takes {amount(size)}, and {where} {amount(memory)}", help=help))


def largest_batch(plan: Plan, batch: int, need: Need, memory: float) -> int:
    """The largest below `batch` with which it fits; 0 if none does."""
    low, high = 0, batch
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if need(cost_of(plan, middle)) <= memory else (low, middle)
    return low
