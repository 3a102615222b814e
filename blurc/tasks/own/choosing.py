"""A task of one's own, as a choice of tasks names it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from blurc.diagnostics import BlurError, Diagnostic
from blurc.tasks.choice import TaskChoice
from blurc.tasks.objective import Objective
from blurc.tasks.own import file
from blurc.tasks.own.guard import told_at
from blurc.tasks.own.source import OwnSource, instance, made

SUITS = ("data", "name", "weight", "parameters", "hash", "augment", "where")  # the keys that make sense


def is_own(choice: TaskChoice, tasks: Mapping[str, Any]) -> bool:
    return choice.data in tasks or file.named(choice.data) is not None


def make(choice: TaskChoice, tasks: Mapping[str, Any]) -> tuple[OwnSource, Objective]:
    """The source of a task that `tasks` has, or that is in a file, and its score. Raises `BlurError`."""
    if wrong := [*_misplaced(choice)]:
        help = "leave it out"
        raise BlurError([Diagnostic("E811", f"`{key}` is not for tasks of your own", help=help) for key in wrong])
    found, title, named = _found(choice, tasks)
    return made(found, title, choice, named)


def environment(choice: TaskChoice, tasks: Mapping[str, Any]) -> tuple[object, str] | None:
    """The environment that `tasks` has, or that is in a file, and a hash of what the file means, or its name; None if a
    task is. Raises `BlurError`."""
    found, title, named = _found(choice, tasks)
    there = [member for member in ("step", "reset") if hasattr(found, member)]
    if not there or (len(there) == 1 and hasattr(found, "sample")):
        return None
    with told_at(choice.where):
        fingerprint = file.python_meaning(named) if named else title
        return instance(found, title, choice.parameters, there[0]), fingerprint


def _found(choice: TaskChoice, tasks: Mapping[str, Any]) -> tuple[Any, str, file.Named | None]:
    """What the choice names, what messages call it, and where in a file it is, if in one."""
    named = file.named(choice.data)
    if named is None or choice.data in tasks:
        return tasks[choice.data], choice.data, None
    with told_at(choice.where):
        if choice.hash and choice.hash != file.python_meaning(named):
            message = f"`{named.title}` is not what it was: its `hash` is different"
            help = "the original file is in `python/` of the run folder; remove `hash:` to use the current one"
            raise BlurError(Diagnostic("E617", message, help=help))
        return file.attribute(named), named.title, named


def _misplaced(choice: TaskChoice) -> Iterator[str]:
    yield from (name for name in choice.given if name not in SUITS)
    yield from (f"augment.{name}" for name in ("permute_labels", "relabel_at") if getattr(choice.augment, name))
