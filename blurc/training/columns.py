"""The examples of a data set, for networks with inputs by ids: whole numbers, a column for each input, or a bag for the
only one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from blurc.diagnostics import Diagnostic
from blurc.runtime import Signature
from blurc.tasks import Dataset

MOST_IDS = 2**24  # whole numbers beyond are not exact as float32, in which data sets are kept
FROM_PYTHON = "train it from Python: net.train(genome, state, {population: array, ..}, ..)"


def inputs(signature: Signature, x: Any) -> Any:
    """What a call takes for examples `[.., columns]`: they are for one input, or each column for an input by ids."""
    if not signature.ids or len(signature.inputs) == 1:
        return x
    return {name: x[..., i] for i, name in enumerate(signature.inputs)}


def ids(x: Any) -> Any:
    return np.ascontiguousarray(x, np.int32)


def problems(dataset: Dataset, signature: Signature) -> list[Diagnostic]:
    """Why a data set does not fit inputs by ids."""
    names, columns = list(signature.inputs), math.prod(dataset.input_shape)
    network, shape = signature.name, list(dataset.input_shape)
    if set(names) != set(signature.ids):
        others = ", ".join(f"`{name}`" for name in names if name not in signature.ids)
        message = f"`{network}` has inputs by ids and others ({others}), but a data set feeds one kind"
        return [Diagnostic("E807", message, help=FROM_PYTHON)]
    if len(names) > 1 and columns != len(names):
        message = f"the examples of {dataset.name} have shape {shape}, but `{network}` has {len(names)} inputs by ids"
        help = f"save x as integers [examples, {len(names)}]: a column for each of {', '.join(names)}"
        return [Diagnostic("E807", message, help=help)]
    if large := next((name for name in names if math.prod(signature.inputs[name]) > MOST_IDS), None):
        message = f"`{large}` has more than {MOST_IDS:,} ids, and a data set keeps its numbers as float32"
        return [Diagnostic("E807", message, help=FROM_PYTHON)]
    return [*_out_of_range(dataset, signature)][:1]


def _out_of_range(dataset: Dataset, signature: Signature) -> Iterator[Diagnostic]:
    for array, x in (("x", dataset.x_train), ("x_test", dataset.x_test)):
        flat = x.reshape(-1, math.prod(dataset.input_shape))
        sizes = [math.prod(shape) for shape in signature.inputs.values()]
        most = np.asarray(sizes if len(sizes) > 1 else sizes * flat.shape[1])
        wrong = (flat != np.floor(flat)) | (flat < -1) | (flat >= most)
        if wrong.any():
            example, column = map(int, np.argwhere(wrong)[0])
            name = list(signature.inputs)[column if len(sizes) > 1 else 0]
            found = f"{flat[example, column]:.12g}"
            message = f"example {example // max(1, dataset.time)} of {array} in {dataset.name} has {found} for `{name}`"
            help = "number them from 0; -1 is nothing"
            yield Diagnostic("E807", f"{message}, whose ids are 0 .. {int(most[column]) - 1:,}", help=help)
