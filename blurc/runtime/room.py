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
    where: str = "there is room for", fewer: str = "write `--batch {}`", instead: str = "", multiple: int = 1,
    slack: float = 1,
) -> None:  # fmt: skip
    """Raises `BlurError` (E919), with a batch that fits.

    Args:
        plan: of the network.
        batch: examples in a step.
        need: the bytes needed, from the cost of a batch.
        what: a description of what needs them, such as `training with batches of 128`.
        memory: the bytes that there are; None: not known.
        where: the words before that number in the message.
        fewer: the help where a smaller batch fits, which stands in its braces.
        instead: the help where no batch fits; "": use a smaller network.
        multiple: the batch must be a multiple of this.
        slack: how many times too high `need` may be. What may fit if it is as far off as that is let through, but the
            message and the batch that it names are of `need` as it is.
    """
    if memory is None or (size := need(cost_of(plan, batch))) <= slack * memory:
        return
    sure, possible = (largest_batch(plan, batch, need, most) // multiple for most in (memory, slack * memory))
    most = multiple * (sure or possible)
    help = fewer.format(most) if most else instead or "not even a batch of 1 fits: use a smaller network"
    raise BlurError(Diagnostic("E919", f"{what} takes {amount(size)}, and {where} {amount(memory)}", help=help))


def largest_batch(plan: Plan, batch: int, need: Need, memory: float) -> int:
    """A batch below `batch` with which it fits, the largest if the need grows with the batch; 0 if none is found."""
    low, high = 0, batch
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if need(cost_of(plan, middle)) <= memory else (low, middle)
    return low
