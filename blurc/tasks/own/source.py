"""A task of one's own as a source of episodes."""

from __future__ import annotations

import hashlib
import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from blurc.diagnostics import BlurError, Diagnostic, Span, suggest
from blurc.runtime import map_tree
from blurc.tasks.choice import TaskChoice
from blurc.tasks.objective import Objective, TargetKind
from blurc.tasks.own import checks, file, objective
from blurc.tasks.own.guard import guarded, told_at
from blurc.tasks.own.protocol import Task
from blurc.tasks.source import Drawn

STEPS, BATCH = 2, 3  # of the sample that is looked at before anything starts


@jax.tree_util.register_static
@dataclass(frozen=True, eq=False)
class OwnSource:
    """What a task samples, checked in every program that it becomes a part of.

    Attributes:
        title: what messages call the task.
        shapes: of one input and of one target, with the axis of time if they are sequences.
        time: the steps of a sequence; else 0.
        fingerprint: of its sample for a fixed key, and of its file.
        where: the place that names it.
    """

    task: Task
    title: str
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    time: int
    targets: TargetKind
    fingerprint: str
    where: Span | None

    @property
    def features(self) -> int:
        return math.prod(self.shapes[0]) // max(1, self.time)

    @property
    def outputs(self) -> int:
        return math.prod(self.shapes[1]) // max(1, self.time)

    def drawn(self, key: jax.Array, steps: int, batch: int, query: int) -> Drawn:
        """One variation: what is queried is kept back of the same sample. Raises `BlurError` (E815) where it is
        traced."""
        total = steps + -(-query // batch)
        with told_at(self.where):
            xs, ys, masks = checks.sampled(self.task, self.title, key, total, batch)
            found = xs.shape[2:], ys.shape[2:]
            if found != self.shapes:
                raise BlurError(_other_shapes(self, found, total, batch))
        within = (self.time,) if self.time else ()
        x, y = (a.reshape(total * batch, *within, -1) for a in (xs, ys))
        mask = None if masks is None else masks.reshape(total * batch, *within)
        count = steps * batch
        learned, asked = (
            map_tree(lambda a, p=p: a[p], (x, y, mask)) for p in (slice(count), slice(count, count + query))
        )
        return Drawn(*learned[:2], *asked[:2], learned[2], asked[2])


def _other_shapes(source: OwnSource, found: Any, steps: int, batch: int) -> Diagnostic:
    pairs = [(name, a, b) for name, a, b in zip(("xs", "ys"), source.shapes, found, strict=True) if a != b]
    name, before, now = pairs[0]
    message = f"`{source.title}.sample` returns {name} of {checks.listed(now)} for {steps} steps of {batch}, and of "
    return Diagnostic("E815", f"{message}{checks.listed(before)} for others", help="sizes may not depend on these")


def made(of: Any, title: str, choice: TaskChoice, named: file.Named | None = None) -> tuple[OwnSource, Objective]:
    """The source and the score of a task, found to be usable.

    Args:
        of: the task, or a class or function that makes it of the parameters that are chosen.
        title: what messages call it.
        choice: what names it.
        named: the file and the name that it comes from, if it does.

    Raises:
        BlurError: E815 if it lacks something, raises, returns something else than it should, or is not a function of
            its key.
    """
    with told_at(choice.where):
        task: Task = instance(of, title, choice.parameters)
        checks.check_signatures(task, title)
        kind = _kind(task, title)
        xs, ys, *masks = checks.pure_sample(task, title, STEPS, BATCH)
        checks.check_values(task, title, kind, ys, masks[0] if masks else None)
        time = xs.shape[2] if checks.is_timed(task) else 0
        within = ys.shape[2:3] if time else ()
        formula = objective.OwnFormula(task.score, f"{title}.score", ys.shape[2 + len(within) :])
        score = objective.objective(formula, "score", task)
        score, worth = objective.tried(score, ys.reshape(STEPS * BATCH, *within, -1))
        digest = hashlib.sha256()
        for values in (xs, ys, *masks, worth):
            digest.update(f"{values.shape} ".encode() + np.ascontiguousarray(values).tobytes())
        fingerprint = (file.python_meaning(named) if named else "") + digest.hexdigest()
    return OwnSource(task, title, (xs.shape[2:], ys.shape[2:]), time, kind, fingerprint, choice.where), score


def instance(of: Any, title: str, parameters: Mapping[str, Any], member: str = "sample") -> Any:
    """What `of` is, if it has this member, or what it makes of the parameters. Raises `BlurError` (E811, E815)."""
    if isinstance(of, type) or not hasattr(of, member):
        if not callable(of):
            raise BlurError(checks.no_task(title, of))
        _check_parameters(of, title, parameters)
        with guarded(f"`{title}(..)`"):
            made: Any = of(**parameters)
        return made
    if parameters:
        message = f"`parameters` is for what makes a task, and `{title}` is one"
        raise BlurError(Diagnostic("E811", message, help="leave it out, or name the class"))
    return of


def _check_parameters(of: Any, title: str, parameters: Mapping[str, Any]) -> None:
    """Raises `BlurError` (E815) if one is unknown or lacking."""
    try:
        known = inspect.signature(of).parameters
    except (TypeError, ValueError):  # of compiled code
        return
    if any(p.kind is p.VAR_KEYWORD for p in known.values()):
        return
    names = [n for n, p in known.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    for name in parameters:
        if name not in names:
            help = suggest(name, names, f"it has {', '.join(names)}" if names else "leave it out")
            raise BlurError(Diagnostic("E815", f"`{title}` has no parameter `{name}`", help=help))
    if lacking := [n for n in names if known[n].default is inspect.Parameter.empty and n not in parameters]:
        what = ", ".join(f"`{name}`" for name in lacking)
        help = f"give it: `{title}:{lacking[0]}=..`; in a file under `parameters`"
        help = help if isinstance(of, type) else f"if it makes a task, {help}; if not, name what is one"
        raise BlurError(Diagnostic("E815", f"`{title}` needs {what}", help=help))


OWN_KINDS: tuple[TargetKind, ...] = ("values", "classes", "binary")


def _kind(task: Task, title: str) -> TargetKind:
    kind = getattr(task, "kind", "values")
    if kind not in OWN_KINDS:
        message = f"`{title}.kind` is {kind!r}"
        raise BlurError(Diagnostic("E815", message, help=f"it is one of {', '.join(OWN_KINDS)}, or left out: values"))
    return kind
