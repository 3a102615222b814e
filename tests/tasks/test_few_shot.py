"""Episodes of few classes and few examples of each, from any data set with labels; and the next input as a target."""

from __future__ import annotations

from pathlib import Path

import jax
import numpy as np
import pytest

from blurc import tasks
from blurc.diagnostics import BlurError
from blurc.tasks import TaskChoice, task

CLASSES, EACH = 20, 8


@pytest.fixture
def many(tmp_path: Path) -> str:
    """Example j of class c is [c, j]; of class 0 there are two, of class 1 as many as of any other two."""
    label = np.repeat(np.arange(CLASSES), [2, 2 * EACH, *[EACH] * (CLASSES - 2)])
    place = np.concatenate([np.arange((label == c).sum()) for c in range(CLASSES)])
    np.savez(tmp_path / "many.npz", x=np.stack([label, place], axis=1).astype(np.float32), y=label)
    return str(tmp_path / "many.npz")


def test_an_episode_learns_few_examples_of_few_classes_and_is_asked_about_others(many: str) -> None:
    one = task(TaskChoice(many, ways=4, shots=3))
    e = one.episode(jax.random.key(0), steps=2, batch=6, query=20)
    learned, asked = np.asarray(e.xs).reshape(12, 2), np.asarray(e.x)
    assert len({tuple(row) for row in learned.tolist()}) == 12
    assert not {tuple(row) for row in learned.tolist()} & {tuple(row) for row in asked.tolist()}
    number = {row[0]: y for row, y in zip(learned, np.asarray(e.ys).reshape(12, 4).argmax(axis=1), strict=True)}
    assert len(number) == 4
    assert [number[row[0]] for row in asked] == np.asarray(e.y).argmax(axis=1).tolist()
    np.testing.assert_array_equal(e.y.sum(axis=0), 5)
    assert 0 not in number


def test_test_episodes_have_classes_of_their_own(many: str) -> None:
    one = task(TaskChoice(many, ways=4, shots=3))

    def classes(*, test: bool) -> set[float]:
        found = [one.episode(jax.random.key(i), steps=2, batch=6, query=4, test=test) for i in range(20)]
        return {c for e in found for c in np.unique(e.xs[..., 0]).tolist()}

    learned, tested = classes(test=False), classes(test=True)
    assert (len(learned), len(tested), learned & tested) == (15, 4, set())


def test_a_longer_episode_has_the_same_few_examples_again(many: str) -> None:
    stream = tasks.Stream(task(TaskChoice(many, ways=3, shots=1)), jax.random.key(0), 3, True)
    seen = np.concatenate([np.asarray(b.xs).reshape(-1, 2) for _, b in stream.pieces(5, 20)])
    assert all(len(np.unique(batch, axis=0)) == 3 for batch in seen.reshape(20, 3, 2))
    assert len(np.unique(seen, axis=0)) == 3


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"ways": 5, "shots": 3}, "`ways` is 5, but of 19 classes with more than 3 examples, 4 are held out"),
        ({"ways": 5}, "`ways` is for omniglot, not for"),
        ({"shots": 2, "classes": (1, 2)}, "`classes` is for data sets with labels"),
    ],
)
def test_episodes_that_a_data_set_cannot_have_are_refused(many: str, choice: dict, said: str) -> None:
    with pytest.raises(BlurError, match="E811") as caught:
        task(TaskChoice(many, **choice))
    assert said in caught.value.diagnostics[0].message


def test_the_next_input_is_a_target_of_sequences(tmp_path: Path) -> None:
    x = np.arange(40, dtype=np.float32)[:, None, None] + np.arange(5, dtype=np.float32)[None, :, None]
    np.savez(tmp_path / "rising.npz", x=x, y=x, mask=np.ones((40, 5), np.float32))
    one = task(TaskChoice(str(tmp_path / "rising.npz"), target="next"))
    e = one.episode(jax.random.key(0), steps=2, batch=3, query=4)
    assert (one.kind, one.outputs) == ("values", 1)
    np.testing.assert_array_equal(e.y[:, :-1], e.x[:, 1:])
    np.testing.assert_array_equal(e.masks, np.broadcast_to([1, 1, 1, 1, 0], (2, 3, 5)))
    data = tasks.retargeted(tasks.load(str(tmp_path / "rising.npz")), "next")
    np.testing.assert_array_equal(data.y_test[:, :-1], data.x_test[:, 1:])
    np.testing.assert_array_equal(data.mask_train[:, -1], 0)
    with pytest.raises(BlurError, match="`target: next` is for sequences"):
        task(TaskChoice("digits", target="next"))
    with pytest.raises(BlurError, match="`next` is for sequences"):
        tasks.retargeted(tasks.load("digits"), "next")
