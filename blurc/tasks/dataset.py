"""The data set type that every loader returns, one-hot targets, and the train/test split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from blurc.diagnostics import BlurError, Diagnostic
from blurc.tasks.hashed import hashed
from blurc.tasks.objective import SCORE, Objective, TargetKind

Floats: TypeAlias = npt.NDArray[np.float32]
Indices: TypeAlias = npt.NDArray[np.int64]


class Side(NamedTuple):
    """Examples, their targets, and where the answers of sequences are asked (None: everywhere)."""

    x: Floats
    y: Floats
    mask: Floats | None = None

    def at(self, rows: slice | Indices) -> Side:
        return Side(self.x[rows], self.y[rows], None if self.mask is None else self.mask[rows])


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test examples, first axis the examples, all float32 and read-only.

    With `time`, the steps of an example, which is a sequence, the second axis of all is that of time. Masks [examples,
    time] are 1 where an answer is asked and 0 elsewhere; None if all are.

    If `classes` is a number, targets are one-hot over that many classes; if it is None, they are values to regress on,
    or yes and no where all are 1 or 0 (`kind`). `source` says where the arrays came from.

    Of the data of a task, `targets` says of which kind they are, and `score` what is shown. in_order: its examples are
    learned in this order. changes: its right answers change on the way, so those to its first examples may be wrong at
    the end. trial: makes data to choose rates on; None: part of the training examples serves.
    """

    name: str
    x_train: Floats
    y_train: Floats
    x_test: Floats
    y_test: Floats
    classes: int | None
    description: str
    source: str
    time: int = 0
    mask_train: Floats | None = None
    mask_test: Floats | None = None
    targets: TargetKind | None = None
    score: Objective | None = None
    in_order: bool = False
    changes: bool = False
    trial: Callable[[], Dataset] | None = None

    def __post_init__(self) -> None:
        for array in (*self.train, *self.test):
            if array is not None:
                array.flags.writeable = False

    @property
    def train(self) -> Side:
        return Side(self.x_train, self.y_train, self.mask_train)

    @property
    def test(self) -> Side:
        return Side(self.x_test, self.y_test, self.mask_test)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one example, or of one step of a sequence."""
        return self.x_train.shape[2 if self.time else 1 :]

    @property
    def output_shape(self) -> tuple[int, ...]:
        return self.y_train.shape[2 if self.time else 1 :]

    @property
    def shown(self) -> Objective:
        """What is measured, unless somebody chooses otherwise."""
        return self.score or SCORE[self.kind]

    @cached_property
    def digest(self) -> str:
        """A hash of the examples."""
        return hashed((self.train, self.test))

    @cached_property
    def kind(self) -> TargetKind:
        if self.targets:
            return self.targets
        if self.classes:
            return "classes"
        return "binary" if all(((y == 0) | (y == 1)).all() for y in (self.y_train, self.y_test)) else "values"


def retargeted(dataset: Dataset, target: str) -> Dataset:
    """The same examples, to learn another `target` of `choice.TARGETS`."""
    if target == "data":
        return dataset
    if target == "inputs":
        train, test = (_unless_at_the_end(mask) for mask in (dataset.mask_train, dataset.mask_test))
        return replace(
            dataset, y_train=dataset.x_train, y_test=dataset.x_test, classes=None, mask_train=train, mask_test=test
        )
    if not dataset.time:
        message = f"`next` is for sequences, and the examples of {dataset.name} are not sequences"
        raise BlurError(Diagnostic("E811", message, help="learn the `inputs`, or the targets of the data"))
    (y, mask), (y_test, mask_test) = map(_next, (dataset.x_train, dataset.x_test))
    return replace(dataset, y_train=y, y_test=y_test, mask_train=mask, mask_test=mask_test, classes=None)


def _next(x: Floats) -> tuple[Floats, Floats]:
    """The inputs [examples, time, ..] of the next step, and where there is one."""
    mask = np.ones(x.shape[:2], np.float32)
    mask[:, -1] = 0
    return np.roll(x, -1, axis=1), mask


def _unless_at_the_end(mask: Floats | None) -> Floats | None:
    """A mask that asks more than the answer at the end of each sequence, which is what data without a mask ask."""
    return None if mask is None or np.array_equal(mask, at_the_end(*mask.shape)) else mask


def at_the_end(count: int, time: int) -> Floats:
    """The mask [count, time] of sequences whose last step alone is asked."""
    mask = np.zeros((count, time), np.float32)
    mask[:, -1] = 1
    return mask


def one_hot(labels: npt.NDArray[np.integer[Any]], classes: int) -> Floats:
    """[n] labels in 0..classes-1 -> [n, classes]."""
    targets = np.zeros((len(labels), classes), np.float32)
    targets[np.arange(len(labels)), labels] = 1
    return targets


def split(count: int, seed: int, labels: npt.NDArray[np.integer[Any]] | None = None) -> tuple[Indices, Indices]:
    """The training and test indices of `count` examples, both ascending: a seeded fifth is for testing.

    With labels the split is stratified: shuffled, sorted by class, every fifth taken; so each class gives a fifth of
    its examples, to within one, and no class all of them.
    """
    order = np.random.default_rng(seed).permutation(count)
    if labels is not None:
        order = order[np.argsort(labels[order], kind="stable")]
    test = np.sort(order[::5])
    if labels is not None:
        learned = np.isin(labels[test], np.delete(labels, test))
        test = test[learned] if learned.any() else test
    return np.setdiff1d(np.arange(count), test), test
