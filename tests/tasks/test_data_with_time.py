"""Data with time: what a file of sequences says, and what it is refused for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from blurc import tasks
from blurc.diagnostics import BlurError
from blurc.tasks import TaskChoice, task

N, T = 20, 4
X = np.random.default_rng(0).standard_normal((N, T, 3)).astype(np.float32)
LABELS = np.arange(N * T).reshape(N, T) % 3
MASK = (np.arange(T) >= 2) * np.ones((N, 1))


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    def saved(**arrays: Any) -> Path:
        np.savez(tmp_path / "my.npz", **arrays)
        return tmp_path / "my.npz"

    return saved


def both(side: Any, name: str) -> Any:
    return np.concatenate([getattr(side, f"{name}_train"), getattr(side, f"{name}_test")])


def test_a_mask_says_that_there_is_time(save: Callable[..., Path]) -> None:
    d = tasks.load(save(x=X, y=LABELS, mask=MASK))
    assert (d.time, d.classes, d.input_shape, d.output_shape) == (T, 3, (3,), (3,))
    assert d.x_train.shape == (16, T, 3)
    assert np.array_equal(both(d, "y").argmax(2)[:, 2:].sum(), LABELS[:, 2:].sum())
    assert both(d, "mask").sum() == 2 * N
    assert d.description == "16 to train and 4 to test, held out, sequences of 4 steps"


def test_a_label_for_each_sequence_is_asked_at_its_end(save: Callable[..., Path]) -> None:
    """And each class has its share of what is held out."""
    d = tasks.load(save(x=X, y=np.arange(N) % 2), time=True)
    assert (d.y_train.shape, d.classes) == ((16, T, 2), 2)
    assert d.y_test.sum((0, 1)).tolist() == [2 * T, 2 * T]
    assert d.mask_train is not None
    assert d.mask_train[0].tolist() == [0, 0, 0, 1]


def test_an_answer_for_each_step_is_asked_at_all(save: Callable[..., Path]) -> None:
    d = tasks.load(save(x=X, y=X[..., :2]), time=True)
    assert (d.classes, d.y_train.shape, d.mask_train) == (None, (16, T, 2), None)


@pytest.mark.parametrize("x", [X, X[..., 0]])
def test_the_inputs_of_a_network_that_remembers_tell_sequences(x: Any, save: Callable[..., Path]) -> None:
    path, each = save(x=x, y=np.arange(N) % 2), x[0, 0].size
    assert tasks.load(path, inputs=each).x_train.shape == (16, T, each)
    assert tasks.load(path, inputs=x[0].size).time == 0
    assert tasks.load(path).time == 0


def test_rows_of_images_are_sequences_where_the_network_says_so() -> None:
    d = tasks.load("digits", inputs=8)
    assert (d.time, d.x_train.shape, d.y_train.shape) == (8, (1437, 8, 8), (1437, 8, 10))
    assert tasks.load("digits", inputs=64).time == 0


def test_what_is_not_asked_may_be_missing(save: Callable[..., Path]) -> None:
    y = np.where(MASK > 0, LABELS, np.nan).astype(np.float32)
    d = tasks.load(save(x=X, y=y, mask=MASK))
    assert np.isfinite(d.y_train).all()
    assert tasks.load(save(x=X, y=np.where(MASK > 0, LABELS, -1), mask=MASK)).classes == 3


def test_the_inputs_themselves_are_asked_at_every_step(save: Callable[..., Path]) -> None:
    d = tasks.retargeted(tasks.load(save(x=X, y=np.arange(N) % 2), time=True), "inputs")
    assert (d.output_shape, d.mask_train, d.kind) == ((3,), None, "values")


def test_batches_are_of_whole_sequences(save: Callable[..., Path]) -> None:
    d = tasks.load(save(x=X, y=LABELS, mask=MASK))
    xs, ys, masks = tasks.batches(d, 5, 2, 0)
    assert (xs.shape, ys.shape, masks.shape) == ((2, 5, T, 3), (2, 5, T, 3), (2, 5, T))
    asked = ys[masks > 0].argmax(-1)
    found = [LABELS[np.flatnonzero((x == X).all((1, 2)))[0]] for x in xs.reshape(-1, T, 3)]
    assert np.array_equal(asked, np.stack(found).reshape(2, 5, T)[masks > 0])


def test_an_episode_has_an_axis_of_time(save: Callable[..., Path]) -> None:
    one = task(TaskChoice(str(save(x=X, y=LABELS, mask=MASK)), center=True))
    e = one.episode(jax.random.key(0), steps=3, batch=2, query=2)
    assert [a.shape for a in e] == [(3, 2, T, 3), (3, 2, T, 3), (2, T, 3), (2, T, 3), (3, 2, T), (2, T)]  # type: ignore[union-attr]
    assert (one.time, one.inputs, one.outputs, one.is_masked) == (T, 3, 3, True)
    stream = tasks.Stream(one, jax.random.key(0), 2, True)
    (_, part), *_ = stream.pieces(1, 2)
    assert (part.xs.shape, part.masks.shape) == ((1, 2, T, 3), (1, 2, T))


ONE_HOT = np.eye(T, dtype=np.float32)[np.arange(N) % T]


@pytest.mark.parametrize("name", ["Mask", "masks", "MASK_TEST"])
def test_a_misspelt_mask_is_not_missed(save: Callable[..., Path], name: str) -> None:
    with pytest.raises(BlurError, match=f"the array `{name}` would not be read"):
        tasks.load(save(**{"x": X, "y": LABELS, name: MASK}))
    tasks.load(save(x=X, y=LABELS, mask=MASK, names=LABELS))


SOUND: dict[str, Any] = {"x": X, "y": LABELS, "mask": MASK}
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "mask": ({"mask": MASK[:, 1:]}, "`mask` has shape [20, 3], expected [20, 4], the first two axes of `x`"),
    "gray": ({"mask": MASK / 2}, "`mask[0, 2]` is 0.5, expected 0 or 1"),
    "nan in a mask": ({"mask": MASK * np.nan}, "`mask[0, 0]` is nan, expected 0 or 1"),
    "nothing asked": ({"mask": MASK * (np.arange(N) != 7)[:, None]}, "`mask` asks nothing of example 7, so nothing"),
    "flat": ({"x": X[:, 0, 0], "y": LABELS[:, 0]}, "`x` has shape [20], expected [examples, time, ..]"),
    "no test mask": ({"x_test": X, "y_test": LABELS}, "there is `mask` but no `mask_test`"),
    "mask alone": ({"mask_test": MASK}, "there is `mask_test` but no `x_test` with `y_test`"),
    "nan": ({"y": np.full((N, T), np.nan)}, "`y[0, 2, 0]` is nan, expected finite float32 numbers"),
    "nan in x": ({"x": X * np.nan}, "`x[0, 0, 0]` is nan, expected finite float32 numbers"),
    "from one": ({"y": LABELS + 1}, "the labels in `y` are counted from 1"),
    "one-hot": ({"y": ONE_HOT}, "`y` has one-hot rows as long as the sequences"),
    "length": ({"x_test": X[:, 1:], "y_test": LABELS, "mask_test": MASK}, "all but the first axis must agree"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_sequences_are_refused(what: str, save: Callable[..., Path]) -> None:
    arrays, said = BAD[what]
    with pytest.raises(BlurError) as caught:
        tasks.load(save(**(SOUND | arrays)))
    assert {d.code for d in caught.value.diagnostics} == {"E804"}
    assert said in caught.value.diagnostics[0].message


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (TaskChoice("moons", time=True), "`time` is for data sets, not for moons"),
        (TaskChoice("digits", time=True, crop=4), "`crop` is for examples without time"),
        (TaskChoice("digits", time=True, classes=(0, 1)), "`classes` is for examples without time"),
    ],
)
def test_what_does_not_apply_to_sequences_is_refused(choice: TaskChoice, said: str) -> None:
    with pytest.raises(BlurError) as caught:
        task(choice)
    assert (caught.value.diagnostics[0].code, said in caught.value.diagnostics[0].message) == ("E811", True)
