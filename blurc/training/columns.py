"""The examples of a data set, for networks with inputs by ids: whole numbers, a column for each input, or a bag for the
only one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from blurc.diagnostics import Diagnostic
from blurc.runtime import Signature
from blurc.tasks import Dataset, LoadedTask

MOST_IDS = 2**24  # whole numbers beyond are not exact as float32, in which data sets are kept
CHANGES = ("permute_inputs", "project", "brightness", "drift")  # variations of tasks that are for numbers
FROM_PYTHON = "train it from Python: net.train(genome, state, {population: array, ..}, ..)"


def inputs(signature: Signature, x: Any) -> Any:
    """What a call takes for examples `[.., columns]`: they are for one input, or each column for an input by ids, whose
    numbers are whole whatever their type."""
    if not signature.ids:
        return x
    x = x.astype(np.int32)
    if len(signature.inputs) == 1:
        return x
    return {name: x[..., i] for i, name in enumerate(signature.inputs)}


def ids(x: Any) -> Any:
    return np.ascontiguousarray(x, np.int32)


def joined(sizes: Sequence[int], x: jax.Array) -> jax.Array:
    """Ids among those of all inputs together, [.., columns] like x; -1 is nothing. sizes: ids of each input."""
    x = x.astype(np.int32)
    if len(sizes) == 1:
        return x
    return jnp.where(x < 0, -1, x + np.cumsum([0, *sizes[:-1]], dtype=np.int32))


def gathered(w: jax.Array, x: jax.Array) -> jax.Array:
    """The sums of the rows of w [ids, n] at x [.., m]: [.., n], as the product of a one-hot input would be."""
    return jnp.where(x[..., None] < 0, 0, w[x]).sum(axis=-2)


class Shape(NamedTuple):
    """What is known of examples without their values. time: the steps of a sequence, or 0."""

    name: str
    example: tuple[int, ...]
    time: int


def problems(dataset: Dataset, signature: Signature) -> list[Diagnostic]:
    """Why a data set does not fit inputs by ids."""
    of = Shape(dataset.name, dataset.input_shape, dataset.time)
    return misfits(of, {"x": dataset.x_train, "x_test": dataset.x_test}, signature)


def task_problems(task: LoadedTask, signature: Signature) -> list[Diagnostic]:
    """Why a task does not fit inputs by ids."""
    change, source = task.augment, task.source
    moved = [*task.rescaled, *(f"augment.{name}" for name in CHANGES if getattr(change, name))]
    if moved:
        what = f"`{signature.ids[0]}` of `{signature.name}` is given by ids"
        message = f"`{moved[0]}` changes numbers, and {what}"
        return [Diagnostic("E807", message, help="leave it out")]
    if task.target != "data":
        message = f"the target of {task.name} would be its inputs, which are ids for `{signature.name}`"
        return [Diagnostic("E807", message, help="save what is to be learned as y, and leave `target` out")]
    arrays = {name: np.asarray(x) for name in ("x", "x_test") if (x := getattr(source, name, None)) is not None}
    if not arrays:
        message = f"`{signature.ids[0]}` of `{signature.name}` is an input by ids, and {task.name} makes numbers"
        return [Diagnostic("E807", message, help="save examples with whole numbers x as FILE.npz")]
    return misfits(Shape(task.name, (task.inputs,), task.time), arrays, signature)


def misfits(of: Shape, arrays: Mapping[str, Any], signature: Signature) -> list[Diagnostic]:
    """Why examples [examples, ..] do not fit inputs by ids."""
    names, columns = list(signature.inputs), math.prod(of.example)
    network, shape = signature.name, list(of.example)
    if set(names) != set(signature.ids):
        others = ", ".join(f"`{name}`" for name in names if name not in signature.ids)
        message = f"`{network}` has inputs by ids and others ({others}), but a data set feeds one kind"
        return [Diagnostic("E807", message, help=FROM_PYTHON)]
    if len(names) > 1 and columns != len(names):
        message = f"the examples of {of.name} have shape {shape}, but `{network}` has {len(names)} inputs by ids"
        help = f"save x as integers [examples, {len(names)}]: a column for each of {', '.join(names)}"
        return [Diagnostic("E807", message, help=help)]
    if large := next((name for name in names if math.prod(signature.inputs[name]) > MOST_IDS), None):
        message = f"`{large}` has more than {MOST_IDS:,} ids, and a data set keeps its numbers as float32"
        return [Diagnostic("E807", message, help=FROM_PYTHON)]
    return [*_out_of_range(of, arrays, signature)][:1]


def _out_of_range(of: Shape, arrays: Mapping[str, Any], signature: Signature) -> Iterator[Diagnostic]:
    for array, x in arrays.items():
        flat = x.reshape(-1, math.prod(of.example))
        sizes = [math.prod(shape) for shape in signature.inputs.values()]
        most = np.asarray(sizes if len(sizes) > 1 else sizes * flat.shape[1])
        wrong = (flat != np.floor(flat)) | (flat < -1) | (flat >= most)
        if wrong.any():
            example, column = map(int, np.argwhere(wrong)[0])
            name = list(signature.inputs)[column if len(sizes) > 1 else 0]
            found = f"{flat[example, column]:.12g}"
            message = f"example {example // max(1, of.time)} of {array} in {of.name} has {found} for `{name}`"
            whole = flat[example, column] == np.floor(flat[example, column])
            help = "number them from 0; -1 is nothing" if whole else "ids are whole numbers"
            yield Diagnostic("E807", f"{message}, whose ids are 0 .. {int(most[column]) - 1:,}", help=help)
