"""How good the predictions of a network are on many examples, and whether a data set fits it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from blurc.diagnostics import BlurError, Diagnostic, did_you_mean
from blurc.runtime import Signature
from blurc.tasks import Dataset, Floats, Objective, Side, names
from blurc.training import columns

SLICE = 4096  # examples, or steps of sequences, predicted at once
LABELS = 'the targets are whole numbers: save classes as integers, y.ravel().astype("int64")'
MOST = 10_000  # training examples used for a score


def score(predict: Callable[[Floats, int], Any], side: Side, metric: Objective) -> float:
    """The score of all examples, predicted in slices of one size so that one compiled program serves all. `predict` is
    also told which example is the first of its slice."""
    x, y, mask = side
    count = len(x)
    size = at_once(count, x.shape[1] if x.ndim > 2 else 1)
    outputs = np.empty(y.shape)
    for start in range(0, count, size):
        part = slice(min(start, count - size), min(start, count - size) + size)
        outputs[part] = np.asarray(predict(x[part], part.start)).reshape(size, *y.shape[1:])
    return float(metric.score(outputs, y, mask))


def at_once(count: int, time: int) -> int:
    """How many of so many examples, each of so many steps, are predicted at once."""
    return math.ceil(count / math.ceil(count / max(1, SLICE // time)))


def fitted(dataset: Dataset, signature: Signature, probed: bool = False) -> Dataset:
    """The data set with its examples flattened for the network, for inputs by ids as integers. If a readout answers in
    the place of the outputs, these may be others, unless they are taught. Raises `BlurError` (E807) if something does
    not fit."""
    problems = [
        *(
            columns.problems(dataset, signature)
            if signature.ids
            else _problems(dataset, "examples", dataset.input_shape, "input", signature.inputs, signature.name)
        ),
        *(
            []
            if probed and not signature.uses_target
            else _problems(dataset, "targets", dataset.output_shape, "output", signature.outputs, signature.name)
        ),
    ]
    if problems:
        raise BlurError(problems)
    leading = 2 if dataset.time else 1
    flat = {
        name: np.ascontiguousarray(array).reshape(*array.shape[:leading], -1)
        for name in ("x_train", "y_train", "x_test", "y_test")
        for array in (getattr(dataset, name),)
    }
    if signature.ids:
        flat |= {name: columns.ids(flat[name]) for name in ("x_train", "x_test")}
    return replace(dataset, **flat)


def _problems(
    dataset: Dataset,
    what: str,
    shape: tuple[int, ...],
    role: str,
    populations: dict[str, tuple[int, ...]],
    network: str,
) -> list[Diagnostic]:
    if len(populations) != 1:
        message = f"`{network}` has {len(populations)} {role} populations, but a data set feeds exactly one"
        notes = (f"the {role} populations: {', '.join(populations) or 'none'}",)
        help = "train it from Python: net.train(genome, state, {population: array, ..}, ..)"
        return [Diagnostic("E807", message, notes=notes, help=help)]
    ((name, expected),) = populations.items()
    if math.prod(shape) == math.prod(expected):
        return []
    found = f"the {what} of {dataset.name} have shape {list(shape)}"
    message = f"{found}, but the {role} `{name}` of `{network}` has shape {list(expected)}"
    near = did_you_mean(network.split("_")[0], names())
    other = f"`--data {near}`" if near and near != dataset.name else "other data (`--data`)"
    flat = f", or [{math.prod(shape)}]" if len(shape) > 1 else ""
    declared = f"`{name}[{', '.join(map(str, shape))}]`{flat}"
    help = f"declare {declared} (with `--set` if the size is a parameter), or use {other}"
    notes = (LABELS,) if what == "targets" and may_be_labels(dataset) else ()
    return [Diagnostic("E807", message, notes=notes, help=help)]


def never_seen(dataset: Dataset) -> list[int]:
    """Classes without an example."""
    axes = (0, 1) if dataset.time else 0
    seen = np.any(dataset.y_train, axis=axes) | np.any(dataset.y_test, axis=axes)
    return np.flatnonzero(~seen).tolist() if dataset.classes else []


def may_be_labels(dataset: Dataset) -> bool:
    """Whether targets, which are learned as values, look like numbers of classes."""
    y = dataset.y_train
    return dataset.classes is None and math.prod(dataset.output_shape) == 1 and bool((y == np.floor(y)).all())
