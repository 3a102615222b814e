"""Labels and classes that do not cover each other are refused, with the true reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import blurc
from blurc import tasks

ONE_HOT = np.eye(3, dtype=np.float32)


def saved(folder: Path, **arrays: Any) -> str:
    found: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
    for x, y in (("x", "y"), ("x_test", "y_test")):
        if y in found:
            found.setdefault(x, np.zeros((len(found[y]), 2), np.float32))
    np.savez(folder / "d.npz", **found)
    return str(folder / "d.npz")


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"y": [1, 2, 3] * 4}, "the labels in `y` are counted from"),
        ({"y": np.arange(1, 11).repeat(3).astype(np.uint8)}, "the labels in `y` are counted from"),
        ({"y": [0] * 8}, "all labels are 0: there are no classes to tell apart"),
        ({"y": np.ones(8, bool)}, "all labels are 1"),
        ({"y": [0, 1] * 4, "y_test": [0, 2]}, "`y_test` has the class 2, which `y` lacks"),
        ({"y": ONE_HOT[[0, 1] * 4], "y_test": ONE_HOT[[0, 2]]}, "`y_test` has the class 2, which `y` lacks"),
        ({"y": [0, 1] * 4, "y_test": [0, 3, 2]}, "`y_test` has the classes 2, 3, which `y` lacks"),
        ({"y": [0, 1] * 7, "y_test": [*range(14)]}, "the classes 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more, which `y`"),
        ({"y": ONE_HOT[[0, 1, 2]], "y_test": ONE_HOT[[0, 2]] * 0.5}, "`y` is one-hot, but `y_test` is not"),
        ({"y": ONE_HOT[[0, 1, 2]] * 0.5, "y_test": ONE_HOT[[0, 2]]}, "`y_test` is one-hot, but `y` is not"),
        ({"y": [0, 1] * 4, "y_test": [0.0, 1.0]}, "`y` contains labels (integers), but `y_test` targets"),
        ({"y": [0, 1] * 4, "y_test": ONE_HOT[[0, 1]]}, "all but the first axis must agree"),
        ({"y": [-1, 0, 1] * 4}, "`y` has the label -1"),
        ({"y": [0.0, np.nan] * 4}, "`y[1]` is nan"),
        ({"y": [0, 1] * 4, "x": np.full((8, 2), np.inf)}, "`x[0, 0]` is inf"),
        ({"y": np.zeros((0,), int)}, "no axis of size 0"),
    ],
)
def test_what_does_not_cover_the_classes_is_refused(tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    with pytest.raises(blurc.BlurError) as error:
        tasks.load(saved(tmp_path, **arrays))
    assert said in str(error.value)
    assert {d.code for d in error.value.diagnostics} == {"E804"}


@pytest.mark.parametrize(
    ("arrays", "classes"),
    [
        ({"y": [0, 1, 2] * 4}, 3),
        ({"y": [0, 1] * 4, "y_test": [0, 0]}, 2),
        ({"y": ONE_HOT[[0, 1] * 4]}, 3),  # an output that no example needs, on purpose
        ({"y": [0.0, 1.5, 2.0] * 4}, None),
        ({"y": [0] * 9 + [1] * 2}, 2),
        ({"y": [5, 7] * 4}, 8),  # which `blurc train` says
    ],
)
def test_what_covers_the_classes_is_taken(tmp_path: Path, arrays: dict[str, Any], classes: int | None) -> None:
    data = tasks.load(saved(tmp_path, **arrays))
    assert data.classes == classes
    if classes:
        assert set(data.y_test.argmax(1)) <= set(data.y_train.argmax(1))


@pytest.mark.parametrize("rare", range(1, 8))
def test_no_class_is_held_out_whole(tmp_path: Path, rare: int) -> None:
    """Whatever the number of rare classes: a class with one example is learned."""
    data = tasks.load(saved(tmp_path, y=[0] * 20 + [*range(1, rare + 1)]))
    assert set(data.y_train.argmax(1)) == set(range(rare + 1))


def test_a_class_without_examples_is_not_chosen(tmp_path: Path) -> None:
    path = saved(tmp_path, y=ONE_HOT[[0, 1] * 6])
    tasks.task(tasks.TaskChoice(path, classes=(0, 1)))
    with pytest.raises(blurc.BlurError, match="`classes` lists 2"):
        tasks.task(tasks.TaskChoice(path, classes=(0, 2)))
