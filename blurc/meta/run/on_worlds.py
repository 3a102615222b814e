"""Experiments in environments: what they cannot have."""

from __future__ import annotations

from collections.abc import Sequence

from blurc.diagnostics import BlurError, Diagnostic
from blurc.meta.experiment.experiment import Experiment, Gradient, Symbolic
from blurc.tasks import AnyTask, World


def check(e: Experiment, tasks: Sequence[AnyTask]) -> None:
    """Raises `BlurError` (E613)."""
    worlds = [one for one in tasks if isinstance(one, World)]
    if not worlds:
        return
    first = worlds[0].name
    where = next((choice.where for choice in (*e.tasks, *e.validation) if (choice.name or choice.data) == first), None)
    if others := [one.name for one in tasks if not isinstance(one, World)]:
        message = f"`{first}` is an environment, and {others[0]} has examples"
        raise BlurError(Diagnostic("E613", message, where, help="make an experiment of each kind"))
    if e.inner.online:
        message = f"`inner.online` judges batches of examples, and `{first}` is an environment"
        help = "leave it out; `query` says how many of the last steps count, at most all of `steps`"
        raise BlurError(Diagnostic("E613", message, where, help=help))
    match e.method:
        case Gradient():
            how = "are numbers that the environment answers" if worlds[0].environment.bounds else "are chosen"
            message = f"the gradient does not pass through the actions in `{first}`, which {how}"
            help = "take `method: {name: cma}` or `{name: pes}`, which need only values"
            raise BlurError(Diagnostic("E613", message, where, help=help))
        case Symbolic():
            message = f"a symbolic search compares rules on examples, and `{first}` is an environment"
            help = "take `method: {name: cma}` or `{name: pes}`, for the meta-parameters of a rule"
            raise BlurError(Diagnostic("E613", message, where, help=help))
        case _:
            pass
