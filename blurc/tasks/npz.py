"""A user's own arrays: `x` and `y` of an `.npz` file, and optionally `x_test` and `y_test`; of sequences also masks.

Integer `y` with one axis are labels and become one-hot. Anything else is a target, used as is; if every target is
one-hot, they also count as classes. `x` and targets of shape [n] are read as [n, 1]. Nothing is rescaled. Without a
test set, a fixed seeded fifth of the examples is held out (for labels: of each class). Sequences: `timed.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from blurc.diagnostics import BlurError, Diagnostic, Report, counted
from blurc.storage import Array, npz, why
from blurc.tasks import answers, timed
from blurc.tasks.answers import Complaint
from blurc.tasks.dataset import Dataset, Floats, split

REQUIRED, OPTIONAL = ("x", "y"), ("x_test", "y_test", "mask", "mask_test")
HELP = "save the file with numpy.savez(FILE, x=inputs, y=labels_or_targets)"
SEED = 0


def load(path: Path, time: bool = False, inputs: int | None = None) -> Dataset:
    """time: the second axis is that of time. inputs: of a network that remembers, by which sequences are known."""
    arrays = _read(path)
    _refuse(path, _shapes(arrays))
    is_timed, pairs = timed.is_timed(arrays, time, inputs), [*_pairs(arrays)]
    labels = arrays["y"] if answers.are_labels(arrays["y"]) else None
    if is_timed:
        _refuse(path, [*pairs, *timed.problems(arrays)])
        arrays = timed.laid_out(arrays)
    asked = timed.asked(arrays) if is_timed else arrays
    _refuse(path, [*pairs, *_not_finite(arrays), *answers.kinds(asked)])
    _refuse(path, answers.problems(asked))
    classes, has_labels = answers.classes(asked), answers.are_labels(asked["y"])
    held_out = "x_test" not in arrays
    if held_out:
        arrays = _held_out(arrays, labels)
    made = {
        name: answers.targets(array, classes, has_labels) if name in answers.NAMES else answers.floats(array)
        for name, array in arrays.items()
    }
    x, y, x_test, y_test = (_columns(made[name]) for name in ("x", "y", "x_test", "y_test"))
    steps = x.shape[1] if is_timed else 0
    about = f"{len(x):,} to train and {len(x_test):,} to test{', held out' if held_out else ''}"
    about += f", sequences of {counted(steps, 'step')}" if steps else ""
    masks = made.get("mask"), made.get("mask_test")
    return Dataset(path.name, x, y, x_test, y_test, classes, about, str(path), steps, *masks)


def _refuse(path: Path, complaints: Iterable[Complaint]) -> None:
    if found := [*complaints]:
        raise BlurError([Diagnostic("E804", f"{path}: {what}", help=help) for what, help in found])


def _misspelt(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names of arrays that mean one of the optional ones, which would be missed in silence, and what they mean."""
    there = set(names)
    for name in there - {*REQUIRED, *OPTIONAL}:
        meant = name.lower().removesuffix("s").replace("masks", "mask").replace("-", "_")
        if meant in OPTIONAL and meant not in there:
            yield name, meant


def _read(path: Path) -> dict[str, Array]:
    """The arrays that are present; all problems are reported at once."""
    report, arrays = Report(), dict[str, Array]()
    try:
        with npz.opened(path) as archive:
            names = archive.names
            for name in (n for n in REQUIRED if n not in names):
                notes = (f"it contains {', '.join(names) or 'no arrays'}",)
                report.error("E804", f"{path}: there is no array `{name}`", None, notes=notes, help=HELP)
            for name, meant in _misspelt(names):
                help = f"call it `{meant}`, or something else if it is not that"
                report.error("E804", f"{path}: the array `{name}` would not be read", None, help=help)
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
            yield f"`{x}` has {counted(len(arrays[x]), 'example')}, but `{y}` has {len(arrays[y])}", None
    for a, b in (("x", "x_test"), ("y", "y_test")):
        if b in arrays and arrays[a].shape[1:] != arrays[b].shape[1:]:
            found = f"`{a}` has shape {_shape(arrays[a])}, but `{b}` has shape {_shape(arrays[b])}"
            yield f"{found}: all but the first axis must agree", None
    if "x_test" not in arrays and len(arrays["x"]) == 1:
        yield "`x` has 1 example, expected at least 2: one to train and one to test", None


def _not_finite(arrays: dict[str, Array]) -> Iterator[Complaint]:
    for name, array in arrays.items():
        finite = np.isfinite(answers.floats(array))
        if not finite.all():
            at = np.unravel_index(int(np.argmin(finite)), array.shape)
            where = ", ".join(map(str, at))
            yield f"`{name}[{where}]` is {array[at]}, expected finite float32 numbers", None


def _held_out(arrays: dict[str, Array], labels: Array | None) -> dict[str, Array]:
    train, test = split(len(arrays["x"]), SEED, labels)
    held = {f"{name}_test": array[test] for name, array in arrays.items()}
    return {name: array[train] for name, array in arrays.items()} | held


def _columns(array: Floats) -> Floats:
    return array[:, None] if array.ndim == 1 else array


def _shape(array: Array) -> str:
    return f"[{', '.join(map(str, array.shape))}]"
