"""Networks that remember, on examples that stand alone, and networks that do not, on sequences."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from blurc.api import Net
from blurc.artifact import Loaded
from blurc.diagnostics import BlurError, Diagnostic
from blurc.runtime import Program
from blurc.training.recompile import recompile
from blurc.training.sequences import reads_asked


def check_in_time(net: Program) -> None:
    """Raises `BlurError` (E807) if the answer to an example comes in a later step than the example."""
    wired = _wired(net) if any("@" in kept for kept in net.signature.persistent) else None
    if wired is None:
        return
    net = wired
    reached, outputs = set(net.signature.inputs), set(net.signature.outputs)
    links = {(p.source, p.target) for p in net.model.network.projections if p.forward and not p.delay}
    while more := {target for source, target in links if source in reached} - reached:
        reached |= more
    if not reached & outputs:
        message = f"every path through `{net.plan.name}` is delayed, so no example is answered in its own step"
        help = "leave out a delay, or train it on sequences, `x` [examples, time, ..]"
        raise BlurError(Diagnostic("E807", message, None, (), help))


def _wired(net: Program) -> Net | None:
    """The network, whose wiring an artifact has as text only; None where that cannot be read."""
    if isinstance(net, Net):
        return net
    with contextlib.suppress(ImportError, BlurError):
        return recompile(net) if isinstance(net, Loaded) else None
    return None


def doubts(net: Program, data: str, time: int = 0, masked: bool = False) -> list[str]:
    """What is odd about learning such data, a line each.

    Args:
        net: the network.
        data: what they are called.
        time: the steps of a sequence; 0 where examples stand alone.
        masked: whether only some answers of a sequence are asked.
    """
    return [*(_in_time(net, masked) if time else _alone(net, data))]


def _alone(net: Program, data: str) -> Iterator[str]:
    kept = [name.rpartition("/") for name in net.signature.persistent]
    late = sorted({of for of, _, state in kept if "@" in state})
    states = sorted({f"`{state}` of `{of}`" for of, _, state in kept if "@" not in state})
    name, anew = net.signature.name, f"the examples of {data} have no time: its neurons are reset before every batch"
    if late:
        what = f"delayed projections from {', '.join(f'`{of}`' for of in late)}"
        yield f"`{name}` has {what}, and {anew}, so these have no effect"
    if states:
        yield f"`{name}` keeps {', '.join(states)} from step to step, and {anew}"


def _in_time(net: Program, masked: bool) -> Iterator[str]:
    name = net.signature.name
    if not net.signature.persistent:
        yield f"`{name}` keeps nothing from step to step, so it answers each step of a sequence by that step alone"
    if masked and net.signature.uses_target and not reads_asked(net.signature):
        yield f"`{name}` learns at all steps, also where no answer is asked: its rule has no `signal asked per example`"
