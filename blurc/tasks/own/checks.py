"""Whether a task of one's own has what it needs and returns what it should."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from blurc.diagnostics import BlurError, Diagnostic, counted
from blurc.tasks.own.guard import guarded, line_of
from blurc.tasks.own.protocol import Task

SAMPLE, SCORE, MASKED = ("key", "steps", "batch"), ("outs", "targets"), ("outs", "targets", "mask")
SHAPES = "xs [steps, batch, *input] and ys [steps, batch, *output]"
TIMED = "xs [steps, batch, time, *input], ys [steps, batch, time, *output] and perhaps a mask [steps, batch, time]"


def check_signatures(task: Any, title: str) -> None:
    """Raises `BlurError` (E815)."""
    for name in ("sample", "score"):
        if not callable(getattr(task, name, None)):
            raise BlurError(no_task(title, task, name))
    check_arity(task.sample, f"{title}.sample", SAMPLE)
    check_score(task.score, f"{title}.score")


def check_score(function: Callable[..., Any], title: str) -> None:
    """Raises `BlurError` (E815)."""
    if not takes(function, MASKED):
        check_arity(function, title, SCORE)


def is_timed(task: Any) -> bool:
    """Whether its examples are sequences."""
    return bool(getattr(task, "time", False))


def no_task(title: str, found: object, lacking: str = "sample") -> Diagnostic:
    message = f"`{title}`, a `{type(found).__name__}`, has no `{lacking}`"
    return Diagnostic("E815", message, help="a task has `sample(key, steps, batch)` and `score(outs, targets)`")


def check_arity(function: Callable[..., Any], title: str, arguments: Sequence[str]) -> None:
    """Raises `BlurError` (E815) if it cannot be called with so many arguments."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of compiled code
        return
    if not takes(function, arguments):
        message = f"`{title}{signature}` cannot be called with ({', '.join(arguments)})"
        raise BlurError(Diagnostic("E815", message, notes=defined(function), help="take these arguments"))


def takes(function: Callable[..., Any], arguments: Sequence[str]) -> bool:
    """Whether it can be called with so many arguments."""
    try:
        inspect.signature(function).bind(*arguments)
    except (TypeError, ValueError):
        return False
    return True


def takes_mask(function: Callable[..., Any]) -> bool:
    """Whether its third argument is the mask: it is called so, or has no default."""
    if not takes(function, MASKED):
        return False
    third = [*inspect.signature(function).parameters.values()][:3][-1]
    return third.name == MASKED[2] or third.default is third.empty


def defined(function: Any) -> tuple[str, ...]:
    """Where a function is defined, as a note; none if that is unknown."""
    code = getattr(inspect.unwrap(getattr(function, "__func__", function)), "__code__", None)
    return (line_of(code.co_filename, code.co_firstlineno),) if code else ()


def sampled(
    task: Task, title: str, key: jax.Array, steps: int, batch: int
) -> tuple[jax.Array, jax.Array, jax.Array | None]:
    """What the task samples, as float32 arrays of the right shape. Raises `BlurError` (E815)."""
    with guarded(f"`{title}.sample`"):
        found: Any = task.sample(key, steps, batch)
    timed = is_timed(task)
    if wrong := _misfit(found, steps, batch, timed):
        message = f"`{title}.sample` returns {wrong}, expected {TIMED if timed else SHAPES}"
        notes = (f"it was asked for {steps} steps of {batch}", *defined(task.sample))
        raise BlurError(Diagnostic("E815", message, notes=notes))
    xs, ys, *masks = (jnp.asarray(part, jnp.float32) for part in found)
    return xs, ys, masks[0] if masks else None


def _misfit(found: Any, steps: int, batch: int, timed: bool) -> str:
    """What is wrong with a sample, in words that follow "returns"; empty if nothing is."""
    if not isinstance(found, tuple | list):
        return "one array" if hasattr(found, "shape") else f"a `{type(found).__name__}`"
    parts = cast("Sequence[Any]", found)
    if len(parts) not in (2, 3):
        return counted(len(parts), "value")
    if len(parts) == 3 and not timed:
        return "three values, without `time = True`"
    for name, part in zip(("xs", "ys", "a mask"), parts, strict=False):
        if not hasattr(part, "shape") or not (np.issubdtype(part.dtype, np.number) or part.dtype == bool):
            return f"{name} of the type `{type(part).__name__}`"
    shapes = [tuple(part.shape) for part in parts]
    for name, shape in zip(("xs", "ys"), shapes, strict=False):
        if len(shape) < 3 + timed or shape[:2] != (steps, batch):
            return f"{name} {listed(shape)}"
    if timed and (shapes[1][2] != shapes[0][2] or (len(parts) == 3 and shapes[2] != shapes[0][:3])):
        return f"the shapes {' and '.join(map(listed, shapes))}"
    return ""


def listed(shape: Sequence[int]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def check_values(
    task: Task, title: str, kind: str, ys: np.ndarray[Any, Any], mask: np.ndarray[Any, Any] | None
) -> None:
    """Whether targets are of the kind that the task says, where they are asked, and what is asked is said by ones and
    zeros. Raises `BlurError` (E815)."""
    plain = ys.reshape(-1, ys.shape[-1]) if ys.ndim > 2 else ys.reshape(-1, 1)
    if mask is not None:
        if not np.isin(mask, (0, 1)).all():
            message = f"`{title}.sample` returns masks of other numbers than 0 and 1"
            raise BlurError(Diagnostic("E815", message, notes=defined(task.sample)))
        plain = plain[mask.reshape(-1) > 0]
    zeros_and_ones = np.isin(plain, (0, 1)).all()
    wrong = {
        "classes": not (zeros_and_ones and (plain.sum(axis=-1) == 1).all()) and "one-hot",
        "binary": not zeros_and_ones and "zeros and ones",
    }
    if expected := wrong.get(kind):
        message = f"`{title}.kind` is {kind!r}, but the ys of `sample` are not {expected}"
        help = "return such targets, or leave `kind` out: they are values then"
        raise BlurError(Diagnostic("E815", message, notes=defined(task.sample), help=help))


def pure_sample(task: Task, title: str, steps: int, batch: int) -> list[np.ndarray[Any, Any]]:
    """xs, ys and perhaps the mask for a fixed key, which a second trace gives again. Raises `BlurError` (E815)."""
    key = jax.random.key(0, impl="threefry2x32")

    def drawn() -> list[np.ndarray[Any, Any]]:
        def run(key: jax.Array) -> Any:
            return [part for part in sampled(task, title, key, steps, batch) if part is not None]

        return [*map(np.asarray, jax.jit(run)(key))]

    first, again = drawn(), drawn()
    for name, one, other in zip(("xs", "ys", "masks"), first, again, strict=False):
        if not np.isfinite(one).all():
            message = f"`{title}.sample` returns {name} that are not finite"
            raise BlurError(Diagnostic("E815", message, notes=defined(task.sample)))
        if not np.array_equal(one, other):
            message = f"`{title}.sample` returns other {name} when it is called with the same key again"
            help = "draw everything with `jax.random` from the key, and keep nothing between calls"
            raise BlurError(Diagnostic("E815", message, notes=defined(task.sample), help=help))
    return first
