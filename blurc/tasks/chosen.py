"""An objective by its name, or by the file of the user that it is in."""

from __future__ import annotations

from collections.abc import Callable

from blurc.diagnostics import BlurError, Diagnostic, suggest
from blurc.tasks.objective import OBJECTIVES, PLURALS, Objective, TargetKind, Values
from blurc.tasks.own import file
from blurc.tasks.own.objective import named as own_objective
from blurc.tasks.own.objective import tried


def chosen(
    name: str, kind: TargetKind, of: str, default: Objective,
    few: Callable[[], tuple[Values, Values | None]] | None = None,
) -> Objective:  # fmt: skip
    """The objective called `name`, or the function of a user's own that `FILE.py:NAME` names, if it suits the targets
    `of` something, which are of a `kind`; else the default.

    Args:
        few: gives some of these targets [examples, .., n], and a mask or None. A function of the user's own is tried on
            them.

    Raises:
        BlurError: E813 if there is none or it does not suit, E814 or E815 if it cannot be used.
    """
    if not name:
        return default
    if found := file.named(name):
        if kind == "rewards":
            message = f"`{found.title}` is for outputs and targets, and {of} is an environment, which gives rewards"
            raise BlurError(Diagnostic("E813", message, help=f"write `{default.name}`, or leave it out"))
        mine = own_objective(found)
        return tried(mine, *few())[0] if few else mine
    if name not in OBJECTIVES:
        help = suggest(name, OBJECTIVES, f"they are {', '.join(OBJECTIVES)}, and FILE.py:NAME for your own")
        raise BlurError(Diagnostic("E813", f"there is no objective `{name}`", help=help))
    if kind not in OBJECTIVES[name].kinds:
        wanted = " or ".join(PLURALS[k] for k in OBJECTIVES[name].kinds)
        message = f"`{name}` is for targets that are {wanted}, and those of {of} are {PLURALS[kind]}"
        raise BlurError(Diagnostic("E813", message, help=f"write `{default.name}`, or leave it out"))
    return OBJECTIVES[name]
