"""Reasons why a network may do badly on a task although it fits."""

from __future__ import annotations

from blurc.api import Net
from blurc.evaluation.scoring import queries
from blurc.model import Modulator, walk
from blurc.runtime import Program
from blurc.tasks import AnyTask, Recordings, World
from blurc.training import doubts

FEW = 64  # examples; means and deviations over fewer are rough


def doubt(net: Net, task: AnyTask, batch: int, query: int | None = None) -> str:
    """Warnings, a line each, if the network remembers other examples, or normalises over few; else empty. query: how
    many are predicted at a time, if not the default number."""
    if isinstance(task, World):
        return doubt_of_rewards(net, net.plan.genome, task)
    if isinstance(task, Recordings):
        return _doubt_of_recordings(net, task)
    lines = [f"warning: {line}" for line in doubts(net, task.name, task.time, task.is_masked)]
    few = [
        f"{what} {count} at a time"
        for what, count, block in (
            ("learns from", batch, net.plan.step),
            ("predicts", query or queries(task), net.plan.predict),
        )
        if count < FEW and block.uses("standardize")
    ]
    if few:
        what = f"`{net.plan.genome}` normalises over the batch, and does worse because it {' and '.join(few)}"
        lines.append(f"warning: {what}")
    return "\n".join(lines)


def doubt_of_rewards(net: Program, rule: str, world: World) -> str:
    """A warning if the rule does not hear of rewards; else empty."""
    if "reward" in (*net.signature.reads["step"].signals, *world.observe):
        return ""
    if kinds := _reading(net, "reward"):
        what = f"in `{net.signature.name}` no {' and no '.join(kinds)}, so nothing reads `reward`"
    else:
        what = f"`{rule}` does not read the signal `reward`"
    return f"warning: {what}: it cannot learn from what {world.name} pays"


def _reading(net: Program, signal: str) -> list[str]:
    """What the phases of a network's rule are for that read a signal. Of an artifact, which has no rule to look at,
    nothing."""
    if not isinstance(net, Net):
        return []
    found = {
        f"{'projection' if phase.kind == 'update' else 'population'} is of the kind `{variant.of}`": None
        for phase in net.model.genome.phases
        for variant in phase.variants
        for statement in variant.statements
        if any(isinstance(part, Modulator) and part.name == signal for part in walk(statement.value))
    }
    return [*found]


def _doubt_of_recordings(net: Net, recordings: Recordings) -> str:
    lines = [f"warning: {line}" for line in doubts(net, recordings.name, recordings.time)]
    if recordings.is_alone:
        lines.append(f"warning: {recordings.name} has one recording, so it is tested with what a rule may be fitted to")
    return "\n".join(lines)
