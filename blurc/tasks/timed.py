"""Sequences in a user's arrays: whether the second axis of `x` is time, and where answers are asked.

It is time if there is a `mask` [examples, time], if whoever loads the file says so, or if the inputs of a network that
remembers fit without that axis and not with it. Then a `y` whose second axis has the same length has an answer for each
step. Any other `y` has one for each sequence, asked at its end, or where the mask says.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from blurc.diagnostics import BlurError, Diagnostic
from blurc.storage import Array
from blurc.tasks.answers import Complaint
from blurc.tasks.dataset import Dataset, Floats, at_the_end

SIDES = (("x", "y", "mask"), ("x_test", "y_test", "mask_test"))
MASK = "save 1 where an answer is asked and 0 elsewhere"


def fits(shape: tuple[int, ...], inputs: int | None) -> bool:
    """Whether examples of a shape are sequences for a network with so many inputs."""
    return inputs is not None and math.prod(shape) != inputs == math.prod(shape[1:])


def is_timed(arrays: Mapping[str, Array], time: bool, inputs: int | None) -> bool:
    has_mask = "mask" in arrays or "mask_test" in arrays
    return time or has_mask or (arrays["x"].ndim > 1 and fits(arrays["x"].shape[1:], inputs))


def problems(arrays: Mapping[str, Array]) -> Iterator[Complaint]:
    """What is wrong with the axes of time, and with masks."""
    for x, y, mask in SIDES:
        if x not in arrays or y not in arrays:
            if mask in arrays:
                yield f"there is `{mask}` but no `{x}` with `{y}`", None
            continue
        if arrays[x].ndim < 2:
            yield f"`{x}` has shape {_shape(arrays[x])}, expected [examples, time, ..] for sequences", None
        elif mask in arrays:
            yield from _masked(mask, arrays[mask], x, arrays[x].shape[:2])
        yield from _unclear(y, arrays[y], arrays[x].shape[:2])
    if "x_test" in arrays and ("mask" in arrays) != ("mask_test" in arrays):
        there, lacking = ("mask", "mask_test") if "mask" in arrays else ("mask_test", "mask")
        yield f"there is `{there}` but no `{lacking}`", "save both; all ones asks for every step"


def _masked(name: str, mask: Array, x: str, expected: tuple[int, ...]) -> Iterator[Complaint]:
    if mask.shape != expected:
        sizes = f"[{expected[0]}, {expected[1]}]"
        yield f"`{name}` has shape {_shape(mask)}, expected {sizes}, the first two axes of `{x}`", MASK
        return
    if not ((mask == 0) | (mask == 1)).all():
        at = np.argwhere((mask != 0) & (mask != 1))[0]
        yield f"`{name}[{at[0]}, {at[1]}]` is {mask[tuple(at)]}, expected 0 or 1", MASK
    elif not (asked := mask.any(axis=1)).all():
        example = int(np.argmin(asked))
        yield (
            f"`{name}` asks nothing of example {example}, so nothing can be learned from it",
            "leave such examples out",
        )


def _unclear(name: str, y: Array, lead: tuple[int, ...]) -> Iterator[Complaint]:
    """One-hot rows as long as the sequences could be classes at the end, or a number for each step."""
    if y.ndim == 2 and y.shape == lead and y.shape[1] > 2 and y.dtype.kind == "f" and _is_one_hot(y):
        help = f"save {name}.argmax(1) for classes that are asked at the end, {name}[..., None] for a number a step"
        yield f"`{name}` has one-hot rows as long as the sequences: is their second axis that of time?", help


def _is_one_hot(y: Array) -> bool:
    return bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())


def laid_out(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """With an answer for every step, and a mask where not all are asked. What is not asked becomes 0."""
    made = dict(arrays)
    for x, y, mask in SIDES:
        if x not in arrays:
            continue
        lead = arrays[x].shape[:2]
        if arrays[x].ndim == 2:
            made[x] = arrays[x][..., None]
        of_steps = arrays[y].ndim > 1 and arrays[y].shape[1] == lead[1]
        asked = arrays.get(mask)
        if asked is None and not of_steps:
            asked = at_the_end(*lead)
        if not of_steps:
            made[y] = np.repeat(arrays[y][:, None], lead[1], axis=1)
        if made[y].dtype.kind == "f" and made[y].ndim == 2:
            made[y] = made[y][..., None]
        if asked is not None:
            made[mask] = asked.astype(np.float32)
            counts = (asked > 0).reshape(*lead, *(1,) * (made[y].ndim - 2))
            made[y] = np.where(counts | (not of_steps), made[y], np.zeros((), made[y].dtype))
    return made


def asked(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The answers that are asked, [n, ..], of arrays that are laid out."""
    found: dict[str, Array] = {}
    for _, y, mask in SIDES:
        if y in arrays:
            rows = arrays[y].reshape(-1, *arrays[y].shape[2:])
            found[y] = rows[arrays[mask].ravel() > 0] if mask in arrays else rows
    return found


def asked_at_the_end(dataset: Dataset) -> Dataset:
    """A data set whose examples are read along their first axis, and answered at its end."""

    def answers(y: Floats, time: int) -> tuple[Floats, Floats]:
        return np.repeat(y[:, None], time, axis=1), at_the_end(len(y), time)

    if dataset.x_train.ndim < 2 or dataset.x_train.shape[1] < 2:
        message = f"the examples of {dataset.name} have no axis that could be time"
        raise BlurError(Diagnostic("E811", message, help="leave out `time`"))
    time = dataset.x_train.shape[1]
    (y, mask), (y_test, mask_test) = (answers(y, time) for y in (dataset.y_train, dataset.y_test))
    x, x_test = (a if a.ndim > 2 else a[..., None] for a in (dataset.x_train, dataset.x_test))
    return replace(
        dataset, x_train=x, y_train=y, x_test=x_test, y_test=y_test, time=time, mask_train=mask, mask_test=mask_test
    )


def _shape(array: Array) -> str:
    return f"[{', '.join(map(str, array.shape))}]"
