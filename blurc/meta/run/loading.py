"""What an experiment names besides its network: tasks, the space of a symbolic search, meta-parameters to shrink."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from blurc.api import Net
from blurc.diagnostics import BlurError, Diagnostic, suggest
from blurc.evaluation import check_fits
from blurc.meta.experiment.experiment import Experiment, Gradient, Symbolic
from blurc.symbolic import Space, space
from blurc.tasks import AnyTask, OwnTasks, TaskChoice, any_task
from blurc.training import Probe


def space_of(net: Net, e: Experiment) -> Space | None:
    """None if the search is not symbolic. Raises `BlurError` (E613)."""
    choice = e.method
    if not isinstance(choice, Symbolic):
        return None
    found = space(net, choice.search, choice.leaves, choice.functions, choice.operators)
    if choice.length < (least := len(found.sites)):
        message = f"`method.length` is {choice.length}, and {least} expressions are searched, of a symbol at least"
        raise BlurError(Diagnostic("E613", message, help=f"write `length: {least}`, or more"))
    return found


def check_l1(e: Experiment, net: Net) -> None:
    """Raises `BlurError` (E613) if a name is not that of a meta-parameter."""
    l1 = e.method.l1 if isinstance(e.method, Gradient) else None
    names = [meta.name for meta in net.plan.metas]
    if l1 and (unknown := [name for name in l1.names if name not in names]):
        message = f"the rule `{net.plan.genome}` has no meta-parameter `{unknown[0]}`"
        help = suggest(unknown[0], names, f"they are {', '.join(names)}")
        raise BlurError(Diagnostic("E613", message, l1.where, help=help))


def loaded(
    net: Net, choice: TaskChoice, probe: Probe | None, data_dir: str | Path | None,
    own: OwnTasks,
) -> AnyTask:  # fmt: skip
    """Loads a task and checks that it fits. Raises `BlurError` at the line of the experiment."""
    try:
        one = any_task(choice, data_dir, own)
        check_fits(net, one, probe)
    except BlurError as error:
        raise BlurError([replace(d, span=d.span or choice.where) for d in error.diagnostics]) from None
    return one
