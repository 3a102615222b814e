"""Batches of a data set: seeded epochs, each a permutation of all training examples, concatenated; the data of a task
have an order of their own.

Batch `i` takes positions `i * batch` to `(i + 1) * batch - 1` of that endless sequence, however it is chunked, so
`batches` and `stream` draw the same examples for the same seed. A permutation depends only on the seed and the epoch;
it is recomputed for every chunk in its epoch, which costs far less than training on the chunk. A batch across the
border of two epochs may contain an example twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import numpy as np

from blurc.diagnostics import Report
from blurc.guards import check_room, typed
from blurc.tasks.dataset import Dataset, Floats, Indices
from blurc.tasks.draws import generator


@typed
def batches(dataset: Dataset, batch: int, steps: int, seed: int) -> tuple[Floats, ...]:
    """The first `steps` batches at once.

    Args:
        dataset: whose training examples are drawn.
        batch: examples per batch, or sequences.
        steps: how many batches.
        seed: of the permutations, one for each epoch.

    Returns:
        xs [steps, batch, *input] and ys [steps, batch, *output]; of data with time xs [steps, batch, time, *input], ys
        [steps, batch, time, *output] and, if they have a mask, masks [steps, batch, time].

    Raises:
        BlurError: E806 for a number that makes no sense.
    """
    _check(dataset, batch, seed, ("steps", steps))
    return _chunk(dataset, batch, 0, steps, seed)


@typed
def stream(dataset: Dataset, batch: int, seed: int, chunk: int, first: int = 0) -> Iterator[tuple[Floats, ...]]:
    """The same batches without end, `chunk` steps at a time, each chunk made on demand; from chunk `first` on.

    Raises:
        BlurError: E806 for a number that makes no sense.
    """
    _check(dataset, batch, seed, ("chunk", chunk), first)
    return (_chunk(dataset, batch, i * chunk, chunk, seed) for i in count(first))


def _chunk(dataset: Dataset, batch: int, first: int, steps: int, seed: int) -> tuple[Floats, ...]:
    start, length = first * batch, steps * batch
    if dataset.in_order:
        at = np.arange(start, start + length) % len(dataset.x_train)
    else:
        at = _positions(len(dataset.x_train), start, length, seed)
    at = at.reshape(steps, batch)
    return tuple(array[at] for array in dataset.train if array is not None)


def _positions(n: int, start: int, length: int, seed: int) -> Indices:
    """The examples at `length` positions of the endless sequence over `n` examples."""
    epochs = range(start // n, (start + length - 1) // n + 1)
    order = np.concatenate([generator("epochs", seed, epoch).permutation(n) for epoch in epochs])
    offset = start - epochs[0] * n
    return order[offset : offset + length]


def check_batch(dataset: Dataset, batch: int) -> None:
    """Raises `BlurError` (E806) if there are fewer training examples."""
    report = Report()
    _check_batch(dataset, batch, report)
    report.check()


def _check_batch(dataset: Dataset, batch: int, report: Report) -> None:
    n = len(dataset.x_train)
    if not 1 <= batch <= n:
        message = f"cannot make batches of {batch}: expected 1 to {n}, as {dataset.name} has {n} training examples"
        report.error("E806", message, None)


def _check(dataset: Dataset, batch: int, seed: int, length: tuple[str, int], first: int = 0) -> None:
    report = Report()
    _check_batch(dataset, batch, report)
    if length[1] < 1:
        report.error("E806", f"{length[0]} is {length[1]}, expected at least 1", None)
    if seed < 0:
        report.error("E806", f"the seed is {seed}, expected 0 or more", None)
    if first < 0:
        report.error("E806", f"the first chunk is {first}, expected 0 or more", None)
    report.check()
    numbers = length[1] * batch * (dataset.x_train[0].size + dataset.y_train[0].size)
    check_room(numbers, f"{length[1]:,} batches of {batch:,}", "take fewer at a time: `tasks.stream`")
