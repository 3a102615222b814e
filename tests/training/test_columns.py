"""Data sets for networks with inputs by ids: whole numbers, a column for each input."""

from __future__ import annotations

import numpy as np
import pytest

import blurc
from blurc import tasks, training
from blurc.diagnostics import BlurError
from blurc.evaluation.scoring import check_fits
from blurc.tasks import Dataset
from blurc.tasks.choice import TaskChoice
from blurc.training.columns import inputs

SEVERAL = "networks/ratings.blur"
BAG = "input a ids 9"
MIXED = "input a ids 9  input b[2]"
HUGE = "input a ids 20000000"


def net(populations: str) -> blurc.Net:
    if populations == SEVERAL:
        return blurc.compile(SEVERAL, users=9, items=5)
    sources = "  ".join(f"{name} -> y" for name in "ab" if f"input {name}" in populations)
    return blurc.compile(
        f'import "rules/backprop.blur" network n uses backprop {{ {populations}  output y[1]  {sources} }}'
    )


def data(x: list[list[float]]) -> Dataset:
    examples, targets = np.asarray(x, np.float32), np.zeros((len(x), 1), np.float32)
    return Dataset("file.npz", examples, targets, examples.copy(), targets.copy(), None, "", "")


def test_every_column_is_for_an_input() -> None:
    ratings = net(SEVERAL)
    fitted = training.fitted(data([[8, 4], [-1, 0]]), ratings.signature)
    assert fitted.x_train.dtype == np.int32
    found = inputs(ratings.signature, fitted.x_train)
    assert {name: list(column) for name, column in found.items()} == {"user": [8, -1], "item": [4, 0]}


def test_all_columns_are_a_bag_for_the_only_input() -> None:
    bag = net(BAG)
    fitted = training.fitted(data([[8, 4, -1], [1, 0, 0]]), bag.signature)
    assert inputs(bag.signature, fitted.x_train).shape == (2, 3)


WRONG = [
    (SEVERAL, [[8, 4], [8, 5]], "example 1 of x in file.npz has 5 for `item`, whose ids are 0 .. 4"),
    (SEVERAL, [[0.5, 4]], "example 0 of x in file.npz has 0.5 for `user`"),
    (SEVERAL, [[-2, 4]], "has -2 for `user`"),
    (SEVERAL, [[0, 1, 2]], r"have shape \[3\], but `ratings` has 2 inputs by ids"),
    (BAG, [[0, 9]], "has 9 for `a`, whose ids are 0 .. 8"),
    (MIXED, [[0, 1, 2]], r"has inputs by ids and others \(`b`\)"),
    (HUGE, [[0]], "`a` has more than 16,777,216 ids"),
]


@pytest.mark.parametrize(("populations", "x", "message"), WRONG)
def test_what_does_not_fit_is_refused(populations: str, x: list[list[float]], message: str) -> None:
    with pytest.raises(BlurError, match=message) as caught:
        training.fitted(data(x), net(populations).signature)
    assert caught.value.diagnostics[0].code == "E807"


def test_tasks_have_numbers_and_no_ids() -> None:
    with pytest.raises(BlurError, match="`a` of `n` is an input by ids, and tasks have numbers"):
        check_fits(net("input a ids 64"), tasks.task(TaskChoice("digits")))


def test_optimizers_to_compare_with_are_left_out() -> None:
    with pytest.raises(training.LeftOut, match="is an input by ids"):
        training.relu_network(net(SEVERAL))
