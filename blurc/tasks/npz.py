"""A user's own arrays: `x` and `y` of an `.npz` file, and optionally `x_test` and `y_test`.

Integer `y` with one axis are labels and become one-hot. Anything else is a target, used as is; if every target is
one-hot, they also count as classes. `x` and targets of shape [n] are read as [n, 1]. Nothing is rescaled. Without a
test set, a fixed seeded fifth of the examples is held out (for labels: of each class).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from blurc.diagnostics import BlurError, Diagnostic, Report
from blurc.storage import Array, npz, why
from blurc.tasks.dataset import Dataset, Floats, one_hot, split

REQUIRED, OPTIONAL = ("x", "y"), ("x_test", "y_test")
HELP = "save the file with numpy.savez(FILE, x=inputs, y=labels_or_targets)"
SEED = 0
MOST_CLASSES = 10_000  # a greater label is probably a target, and one-hot rows would fill the memory
MOST_LISTED = 10  # classes
LABELS_OR_TARGETS = 'write y.ravel() for labels, or y.astype("float32") for targets'

Complaint = tuple[str, "str | None"]  # what is wrong, and what to write


def load(path: Path) -> Dataset:
    arrays = _read(path)
    if complaints := [*_shapes(arrays)] or [*_pairs(arrays), *_values(arrays)] or [*_classes(arrays)]:
        raise BlurError([Diagnostic("E804", f"{path}: {what}", help=help) for what, help in complaints])
    held_out = "x_test" not in arrays
    if held_out:
        arrays = _held_out(arrays["x"], arrays["y"])
    y_train, y_test, classes = _targets(arrays["y"], arrays["y_test"])
    x_train, x_test = _floats(arrays["x"]), _floats(arrays["x_test"])
    about = f"{len(x_train):,} to train and {len(x_test):,} to test{', held out' if held_out else ''}"
    return Dataset(path.name, x_train, y_train, x_test, y_test, classes, about, str(path))


def _read(path: Path) -> dict[str, Array]:
    """The arrays that are present; all problems are reported at once."""
    report, arrays = Report(), dict[str, Array]()
    try:
        with npz.opened(path) as archive:
            names = archive.names
            for name in (n for n in REQUIRED if n not in names):
                notes = (f"it contains {', '.join(names) or 'no arrays'}",)
                report.error("E804", f"{path}: there is no array `{name}`", None, notes=notes, help=HELP)
            for name in (n for n in (*REQUIRED, *OPTIONAL) if n in names):
                try:
                    arrays[name] = archive.array(name)
                except (npz.Damaged, npz.Unfit) as error:
                    code = "E803" if isinstance(error, npz.Damaged) else "E804"
                    report.error(code, f"{path}: {error}", None, help=HELP)
    except npz.Damaged as error:
        report.error("E803", f"{path}: {error}", None, help=HELP)
    except OSError as error:
        report.error("E802", f"cannot read {path}: {why(error)}", None)
    report.check()
    return arrays


def _shapes(arrays: dict[str, Array]) -> Iterator[Complaint]:
    for name, array in arrays.items():
        if not array.ndim or not array.size:
            yield f"`{name}` has shape {_shape(array)}, expected [examples, ...] with no axis of size 0", None


def _pairs(arrays: dict[str, Array]) -> Iterator[Complaint]:
    """Checks the arrays against each other."""
    for x, y in (("x", "y"), ("x_test", "y_test")):
        if (x in arrays) != (y in arrays):
            there, lacking = (x, y) if x in arrays else (y, x)
            yield f"there is `{there}` but no `{lacking}`", "save both, or neither: then a fifth is held out"
        elif x in arrays and len(arrays[x]) != len(arrays[y]):
            yield f"`{x}` has {len(arrays[x])} examples, but `{y}` has {len(arrays[y])}", None
    for a, b in (("x", "x_test"), ("y", "y_test")):
        if b in arrays and arrays[a].shape[1:] != arrays[b].shape[1:]:
            found = f"`{a}` has shape {_shape(arrays[a])}, but `{b}` has shape {_shape(arrays[b])}"
            yield f"{found}: all but the first axis must agree", None
    if "y_test" in arrays and arrays["y"].ndim == arrays["y_test"].ndim == 1:
        kinds = {_are_labels(arrays[name]): name for name in ("y", "y_test")}
        if len(kinds) == 2:
            yield f"`{kinds[True]}` contains labels (integers), but `{kinds[False]}` targets (floats)", None
    if _are_labels(arrays["y"]) and _count_from_one(arrays):
        help = "write y - 1; if there is a class 0 that never occurs, write numpy.eye(classes)[y]"
        yield "the labels in `y` are counted from 1, expected classes counted from 0", help
    if "x_test" not in arrays and len(arrays["x"]) == 1:
        yield "`x` has 1 example, expected at least 2: one to train and one to test", None


def _count_from_one(arrays: dict[str, Array]) -> bool:
    """Whether the labels are 1, 2 .. without a gap."""
    found = np.unique(np.concatenate([arrays[name].ravel() for name in ("y", "y_test") if name in arrays]))
    return len(found) > 1 and found[0] == 1 and found[-1] == len(found)


def _values(arrays: dict[str, Array]) -> Iterator[Complaint]:
    """Checks each array separately."""
    for name, array in arrays.items():
        if array.dtype.kind == "f":
            yield from _not_finite(name, array)
        elif name.startswith("y"):
            yield from _wrong_labels(name, array)


def _not_finite(name: str, array: Array) -> Iterator[Complaint]:
    finite = np.isfinite(_floats(array)).reshape(array.shape)
    if not finite.all():
        at = np.unravel_index(int(np.argmin(finite)), array.shape)
        where = ", ".join(map(str, at))
        yield f"`{name}[{where}]` is {array[at]}, expected finite float32 numbers", None


def _wrong_labels(name: str, array: Array) -> Iterator[Complaint]:
    if array.ndim > 1:
        if array.shape[1:] == (1,):
            yield f"`{name}` has integers of shape {_shape(array)}: labels or targets?", LABELS_OR_TARGETS
        return
    least, most = int(array.min()), int(array.max())
    if least < 0 or most >= MOST_CLASSES:
        found = least if least < 0 else most
        help = f'for real-valued targets, write {name}.astype("float32")'
        yield f"`{name}` has the label {found}, expected classes counted from 0, below {MOST_CLASSES}", help


def _classes(arrays: dict[str, Array]) -> Iterator[Complaint]:
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
    if _are_labels(arrays["y"]) and len(known | asked) == 1:
        yield f"all labels are {int(min(known))}: there are no classes to tell apart", None


def _listed(classes: list[int]) -> str:
    shown = ", ".join(map(str, classes[:MOST_LISTED]))
    more = len(classes) - MOST_LISTED
    return f"the class{'es' if len(classes) > 1 else ''} {shown}{f' and {more} more' if more > 0 else ''}"


def _them(classes: list[int]) -> str:
    return "them" if len(classes) > 1 else "it"


def _labels(y: Array) -> Array | None:
    """The class of each example; None of targets."""
    if _are_labels(y):
        return y
    return y.argmax(axis=1) if _is_one_hot(_floats(y)) else None


def _shape(array: Array) -> str:
    return f"[{', '.join(map(str, array.shape))}]"


def _are_labels(y: Array) -> bool:
    return y.ndim == 1 and y.dtype.kind in "biu"


def _held_out(x: Array, y: Array) -> dict[str, Array]:
    train, test = split(len(x), SEED, y if _are_labels(y) else None)
    return {"x": x[train], "y": y[train], "x_test": x[test], "y_test": y[test]}


def _targets(y: Array, y_test: Array) -> tuple[Floats, Floats, int | None]:
    if _are_labels(y):
        classes = 1 + int(max(y.max(), y_test.max()))
        # int64, because bools and bytes would not index.
        return one_hot(y.astype(np.int64), classes), one_hot(y_test.astype(np.int64), classes), classes
    train, test = _floats(y), _floats(y_test)
    return train, test, train.shape[1] if _is_one_hot(train) and _is_one_hot(test) else None


def _is_one_hot(y: Floats) -> bool:
    return y.ndim == 2 and y.shape[1] > 1 and bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())


def _floats(array: Array) -> Floats:
    with np.errstate(over="ignore"):  # values that overflow float32 are reported by place
        floats = array.astype(np.float32)
    return floats[:, None] if array.ndim == 1 else floats
