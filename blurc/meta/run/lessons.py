"""What learns a task, and in which batches: those that the whole experiment has, or what `by_task` says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from blurc.api import Net
from blurc.diagnostics import BlurError, Diagnostic
from blurc.meta.experiment.experiment import Experiment, Network
from blurc.meta.run.compiling import compiled
from blurc.runtime import Signature
from blurc.tasks import AnyTask, LoadedTask


class Lesson(NamedTuple):
    """steps: of an episode; 0: as many as the meta-step says."""

    net: Net
    batch: int
    steps: int = 0


def lessons(e: Experiment, net: Net) -> dict[str, Lesson]:
    """Those that differ, by the names of their tasks. Raises `BlurError` if a network does not compile, or E613 if it
    is under another rule."""
    found: dict[str, Lesson] = {}
    nets: list[tuple[Network, Net]] = []
    for name, one in e.by_task.items():
        own = net
        if wanted := one.network:
            same = next((known for network, known in nets if network == wanted), None)
            own = same or compiled(under_rule(wanted, net), [Path(e.network.spec)])
            nets.append((wanted, own))
            _check_rule(name, own, net)
        found[name] = Lesson(own, one.batch or e.inner.batch, one.steps)
    return found


def under_rule(network: Network, trained: Net) -> Network:
    """The network, under the rule and with its parameters, unless it has a rule of its own."""
    if network.rule:
        return network
    parameters = {**dict(trained.model.genome.params), **network.parameters}
    return replace(network, rule=trained.plan.genome, parameters=parameters)


def check(e: Experiment, tasks: Sequence[AnyTask]) -> None:
    """Raises `BlurError` (E613)."""
    if e.by_task and (others := [one.name for one in tasks if not isinstance(one, LoadedTask)]):
        message = f"`by_task` is for tasks with examples, and {others[0]} has none"
        raise BlurError(Diagnostic("E613", message, help="leave it out"))


def _check_rule(name: str, own: Net, net: Net) -> None:
    """Raises `BlurError` (E613) unless both networks have the same meta-parameters."""
    if _shapes(own.signature) != _shapes(net.signature):
        message = f"`{own.plan.name}`, which learns `{name}`, has other meta-parameters than `{net.plan.name}`"
        help = f"one genome is for both: leave out `rule`, so that both are under `{net.plan.genome}`"
        raise BlurError(Diagnostic("E613", message, help=help))


def _shapes(signature: Signature) -> tuple[Mapping[str, tuple[int, ...]], Mapping[str, Mapping[str, tuple[int, ...]]]]:
    return signature.genome, signature.scoped
