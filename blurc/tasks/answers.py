"""The answers in a user's arrays: labels or targets, and what is wrong with them.

They are `y` [n, ..] and, if it is there, `y_test`. Integers with one axis are labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import numpy as np

from blurc.storage import Array
from blurc.tasks.dataset import Floats, one_hot

NAMES = ("y", "y_test")
MOST_CLASSES = 10_000  # a greater label is probably a target, and one-hot rows would fill the memory
MOST_LISTED = 10  # classes
LABELS_OR_TARGETS = 'write y.ravel() for labels, or y.astype("float32") for targets'

Complaint: TypeAlias = tuple[str, "str | None"]  # what is wrong, and what to write


def are_labels(y: Array) -> bool:
    return y.ndim == 1 and y.dtype.kind in "biu"


def floats(array: Array) -> Floats:
    with np.errstate(over="ignore"):  # values that overflow float32 are reported by place
        return array.astype(np.float32)


def _is_one_hot(y: Floats) -> bool:
    return y.ndim == 2 and y.shape[1] > 1 and bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())


def _labels(y: Array) -> Array | None:
    """The class of each example; None of targets."""
    if are_labels(y):
        return y
    return y.argmax(axis=1) if _is_one_hot(floats(y)) else None


def classes(arrays: Mapping[str, Array]) -> int | None:
    """How many there are, or None of targets."""
    given = [arrays[name] for name in NAMES if name in arrays]
    if are_labels(given[0]):
        return 1 + max(int(y.max()) for y in given)
    return given[0].shape[1] if all(_is_one_hot(floats(y)) for y in given) else None


def targets(y: Array, count: int | None, has_labels: bool) -> Floats:
    """What is learned: y itself, or of labels [n, ..] one-hot rows [n, .., classes]."""
    if not has_labels:
        return floats(y)
    assert count
    # int64, because bools and bytes would not index.
    return one_hot(y.ravel().astype(np.int64), count).reshape(*y.shape, count)


# ---------------------------------------------------------------- complaints


def kinds(arrays: Mapping[str, Array]) -> Iterator[Complaint]:
    """Checks what answers are."""
    given = {name: arrays[name] for name in NAMES if name in arrays}
    if len(given) == 2 and all(y.ndim == 1 for y in given.values()):
        named = {are_labels(y): name for name, y in given.items()}
        if len(named) == 2:
            yield f"`{named[True]}` contains labels (integers), but `{named[False]}` targets (floats)", None
    if "y" in given and are_labels(given["y"]) and _count_from_one(given):
        help = "write y - 1; if there is a class 0 that never occurs, write numpy.eye(classes)[y]"
        yield "the labels in `y` are counted from 1, expected classes counted from 0", help
    for name, y in given.items():
        if y.dtype.kind != "f":
            yield from _wrong_labels(name, y)


def _count_from_one(given: Mapping[str, Array]) -> bool:
    """Whether the labels are 1, 2 .. without a gap."""
    found = np.unique(np.concatenate([y.ravel() for y in given.values()]))
    return len(found) > 1 and found[0] == 1 and found[-1] == len(found)


def _wrong_labels(name: str, array: Array) -> Iterator[Complaint]:
    if array.ndim > 1:
        if array.shape[1:] == (1,):
            yield f"`{name}` has integers of shape [{len(array)}, 1]: labels or targets?", LABELS_OR_TARGETS
        return
    least, most = int(array.min()), int(array.max())
    if least < 0 or most >= MOST_CLASSES:
        found = least if least < 0 else most
        help = f'for real-valued targets, write {name}.astype("float32")'
        yield f"`{name}` has the label {found}, expected classes counted from 0, below {MOST_CLASSES}", help


def problems(arrays: Mapping[str, Array]) -> Iterator[Complaint]:
    """Checks that there are several classes, and that every one that is asked for can be learned."""
    named = {name: found for name in ("y", "y_test") if name in arrays and (found := _labels(arrays[name])) is not None}
    if len(named) == 1 and "y_test" in arrays:
        (one,), (other,) = named, {"y", "y_test"} - set(named)
        yield f"`{one}` is one-hot, but `{other}` is not", "save both as labels (integers), or both one-hot"
    if len(named) == 0 or (len(named) == 1 and "y_test" in arrays):
        return
    known = set(np.unique(named["y"]).tolist())
    asked = set(np.unique(named.get("y_test", named["y"])).tolist())
    if unknown := sorted(asked - known):
        yield f"`y_test` has {_listed(unknown)}, which `y` lacks, so nothing can learn {_them(unknown)}", None
    if are_labels(arrays["y"]) and len(known | asked) == 1:
        yield f"all labels are {int(min(known))}: there are no classes to tell apart", None


def _listed(classes: list[int]) -> str:
    shown = ", ".join(map(str, classes[:MOST_LISTED]))
    more = len(classes) - MOST_LISTED
    return f"the class{'es' if len(classes) > 1 else ''} {shown}{f' and {more} more' if more > 0 else ''}"


def _them(classes: list[int]) -> str:
    return "them" if len(classes) > 1 else "it"
