"""Preprocessing of a data set for a task: selects classes, crops and resizes images, scales and shifts inputs.

It runs once, in NumPy, when a task is made; the result is flat, `[examples, inputs]`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from blurc.diagnostics import BlurError, Diagnostic
from blurc.tasks.choice import TaskChoice
from blurc.tasks.dataset import Floats, Indices


def pixels(x: Floats, choice: TaskChoice, leading: int = 1) -> Floats:
    """[n, height, width, ..] -> [n, inputs]: crops each image to its middle, averages to fewer pixels, then
    scales and shifts their values.

    leading: the axes that stay: 1, or 2 for sequences, [n, time, ..] -> [n, time, inputs], which cannot be cropped or
    resized."""
    if choice.crop or choice.resize:
        _check(x.shape[1:], choice)
    if choice.crop:
        x = _crop(x, choice.crop)
    if choice.resize:
        x = _resize(x, choice.resize)
    x = np.ascontiguousarray(x.reshape(*x.shape[:leading], -1), dtype=np.float32)
    if (choice.scale, choice.shift) == (1, 0):
        return x
    return x * np.float32(choice.scale) + np.float32(choice.shift)


def _check(shape: tuple[int, ...], choice: TaskChoice) -> None:
    what = "crop" if choice.crop else "resize"
    if len(shape) not in (2, 3):
        form = "x".join(map(str, shape)) or "1"
        message = f"`{what}` is for images, but an example of {choice.data} has shape {form}"
        raise BlurError(Diagnostic("E811", message, help=f"leave out `{what}`"))
    if choice.crop > min(shape[:2]):
        size = f"{shape[0]}x{shape[1]}"
        message = f"`crop` is {choice.crop}, but the images of {choice.data} are {size}"
        raise BlurError(Diagnostic("E811", message, help=f"write at most {min(shape[:2])}"))


def _crop(x: Floats, size: int) -> Floats:
    top, left = ((side - size) // 2 for side in x.shape[1:3])
    return x[:, top : top + size, left : left + size]


def _resize(x: Floats, size: int) -> Floats:
    rows, columns = (overlaps(side, size) for side in x.shape[1:3])
    x = np.moveaxis(np.tensordot(x, rows, (1, 1)), -1, 1)
    return np.moveaxis(np.tensordot(x, columns, (2, 1)), -1, 2)


def overlaps(many: int, few: int) -> Floats:
    """[few, many]: how much of each of `few` equal parts of a line each of its `many` pixels covers."""
    edges = np.arange(few + 1) * many / few
    start, stop = edges[:-1, None], edges[1:, None]
    pixel = np.arange(many)
    covered = np.minimum(stop, pixel + 1) - np.maximum(start, pixel)
    return (np.maximum(covered, 0) * few / many).astype(np.float32)


def moments(x: Floats) -> tuple[float, float]:
    """The mean and standard deviation over all inputs; a deviation of 0 becomes 1."""
    return float(x.mean(dtype=np.float64)), float(x.std(dtype=np.float64)) or 1.0


def keep(labels: Indices, classes: tuple[int, ...]) -> tuple[Indices, Indices]:
    """The examples of these classes, ascending, and their labels: positions in `classes`."""
    place = np.full(max(int(labels.max()), *classes) + 1, -1)
    place[list(classes)] = np.arange(len(classes))
    kept = np.flatnonzero(place[labels] >= 0)
    return kept, place[labels[kept]]


def held_out(labels: npt.NDArray[np.int64], seed: int) -> tuple[Indices, Indices]:
    """All examples in two shuffled parts: five sixths of each class, to within one example, and a sixth."""
    order = np.random.default_rng(seed).permutation(len(labels))
    by_class = order[np.argsort(labels[order], kind="stable")]
    is_held = np.zeros(len(labels), bool)
    is_held[by_class[::6]] = True
    return order[~is_held[order]], order[is_held[order]]
