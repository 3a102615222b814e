"""Networks that remember, on examples that stand alone: a data set is shuffled, and nothing follows anything."""

from __future__ import annotations

import contextlib

from blurc.api import Net
from blurc.artifact import Loaded
from blurc.diagnostics import BlurError, Diagnostic
from blurc.runtime import Program
from blurc.training.recompile import recompile


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
        help = "leave out a delay, or train it on sequences from Python: `net.train(genome, state, xs, ys)`"
        raise BlurError(Diagnostic("E807", message, None, (), help))


def _wired(net: Program) -> Net | None:
    """The network, whose wiring an artifact has as text only; None where that cannot be read."""
    if isinstance(net, Net):
        return net
    with contextlib.suppress(ImportError, BlurError):
        return recompile(net) if isinstance(net, Loaded) else None
    return None


def doubts(net: Program, data: str) -> list[str]:
    """What is odd about learning such data, a line each."""
    kept = [name.rpartition("/") for name in net.signature.persistent]
    late = sorted({of for of, _, state in kept if "@" in state})
    states = sorted({f"`{state}` of `{of}`" for of, _, state in kept if "@" not in state})
    name, shuffled = net.signature.name, f"the examples of {data} are shuffled"
    found: list[str] = []
    if late:
        what = f"delayed projections from {', '.join(f'`{of}`' for of in late)}"
        found.append(f"`{name}` has {what}, and {shuffled}: they bring other examples, and nothing when it is tested")
    if states:
        what = f"{', '.join(states)} from step to step"
        found.append(f"`{name}` keeps {what}, and {shuffled}: it is tested with these states as they are at first")
    return found
