"""Tasks whose targets are not classes: numbers, yes and no, the inputs themselves, and sinusoids."""

from __future__ import annotations

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from blurc import tasks
from blurc.diagnostics import BlurError
from blurc.tasks import Augment, Stream, TaskChoice, task

SIZES = {"steps": 3, "batch": 8, "query": 20}


def saved(folder: Path, y: np.ndarray) -> str:
    x = np.arange(len(y) * 2, dtype=np.float32).reshape(-1, 2)
    np.savez(folder / "own.npz", x=x, y=y)
    return str(folder / "own.npz")


@pytest.fixture
def numbers(tmp_path: Path) -> str:
    """The targets of example [2 i, 2 i + 1] are [i, -i, 1 / 2]."""
    i = np.arange(60, dtype=np.float32)
    return saved(tmp_path, np.stack([i, -i, np.full(60, 0.5, np.float32)], axis=1))


@pytest.fixture
def labels(tmp_path: Path) -> str:
    """Two labels, which exclude each other in half of the examples."""
    i = np.arange(60)
    return saved(tmp_path, np.stack([i % 2, i // 2 % 2], axis=1).astype(np.float32))


def test_numbers_are_targets_as_they_are(numbers: str) -> None:
    one = task(TaskChoice(numbers))
    e = one.episode(jax.random.key(0), **SIZES)
    assert (one.kind, one.outputs, one.classes) == ("values", 3, None)
    assert (one.loss.name, one.score.name) == ("mse", "mse")
    for x, y in ((e.xs, e.ys), (e.x, e.y)):
        i = x[..., 0] / 2
        np.testing.assert_array_equal(y, jnp.stack([i, -i, jnp.full_like(i, 0.5)], axis=-1))
    assert not set(np.asarray(e.xs)[..., 0].ravel()) & set(np.asarray(e.x)[..., 0])


def test_zeros_and_ones_are_labels(labels: str) -> None:
    one = task(TaskChoice(labels))
    e = one.episode(jax.random.key(0), **SIZES)
    assert (one.kind, one.outputs, one.score.name) == ("binary", 2, "binary_accuracy")
    i = e.x[:, 0] // 2
    np.testing.assert_array_equal(e.y, jnp.stack([i % 2, i // 2 % 2], axis=1))


def test_the_inputs_are_targets_as_they_are_in_the_episode() -> None:
    change = Augment(permute_inputs=True, brightness=0.5)
    one = task(TaskChoice("digits", target="inputs", classes=(0, 1), augment=change))
    e = one.episode(jax.random.key(0), **SIZES)
    assert (one.kind, one.inputs, one.outputs) == ("values", 64, 64)
    np.testing.assert_array_equal(e.xs, e.ys)
    np.testing.assert_array_equal(e.x, e.y)
    assert task(TaskChoice("digits", target="inputs", augment=Augment(project=7))).outputs == 7


def test_a_sinusoid_is_another_one_in_each_episode_and_the_same_within() -> None:
    one = task(TaskChoice("sinusoid"))
    amplitudes: list[float] = []
    for seed in range(20):
        e = one.episode(jax.random.key(seed), steps=4, batch=25, query=100)
        x = np.concatenate([np.asarray(e.xs).ravel(), np.asarray(e.x).ravel()])
        y = np.concatenate([np.asarray(e.ys).ravel(), np.asarray(e.y).ravel()])
        basis = np.stack([np.sin(x), np.cos(x)], axis=1)
        (sin, cos), residual, *_ = np.linalg.lstsq(basis, y, rcond=None)
        assert residual < 1e-6
        phase = np.arctan2(-cos, sin)
        assert -1e-4 <= phase <= np.pi + 1e-4
        amplitudes.append(float(np.hypot(sin, cos)))
        assert np.abs(x).max() <= 5
    assert 0.1 <= min(amplitudes) < 2 < 4 < max(amplitudes) <= 5


def test_a_stream_goes_on_with_one_sinusoid() -> None:
    one = task(TaskChoice("sinusoid"))
    stream = Stream(one, jax.random.key(3), 10, True)
    x, y, _ = stream.questions(50)
    (_, (xs, ys, _)), *_ = stream.pieces(20, 20)
    basis = jnp.stack([jnp.sin(x[:, 0]), jnp.cos(x[:, 0])], axis=1)
    mixing = jnp.linalg.lstsq(basis, y)[0]
    np.testing.assert_allclose(jnp.sin(xs) * mixing[0] + jnp.cos(xs) * mixing[1], ys, atol=1e-4)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"outputs": 5}, "`outputs` is for classes, but the targets of"),
        ({"classes": (0, 1)}, "`classes` is for data sets with classes, but the targets of"),
        ({"augment": Augment(permute_labels=True)}, "`augment.permute_labels` is for data sets with classes"),
        ({"augment": Augment(relabel_at=2)}, "`augment.relabel_at` is for data sets with classes"),
    ],
)
def test_what_is_for_classes_is_refused_for_numbers(numbers: str, choice: dict, said: str) -> None:
    with pytest.raises(BlurError, match="E811") as caught:
        task(TaskChoice(numbers, **choice))
    assert said in caught.value.diagnostics[0].message


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (TaskChoice("sinusoid", outputs=2), "`outputs` is for classes, but the targets of sinusoid are numbers"),
        (TaskChoice("sinusoid", center=True), "`center` is for data sets and 2-D functions, not for sinusoid"),
        (TaskChoice("sinusoid", crop=2), "`crop` is for images, not for sinusoid"),
        (TaskChoice("principal_component", center=True), "`center` is for data sets and 2-D functions, not for"),
        (
            TaskChoice("principal_component", augment=Augment(permute_labels=True)),
            "`augment.permute_labels` is for classes, but the targets of principal_component are numbers",
        ),
        (TaskChoice("digits", target="inputs", outputs=99), "with `target: inputs` they are numbers"),
    ],
)
def test_what_a_task_cannot_have_is_refused(choice: TaskChoice, said: str) -> None:
    with pytest.raises(BlurError, match="E811") as caught:
        task(choice)
    assert said in caught.value.diagnostics[0].message


def test_a_data_set_can_be_learned_to_reconstruct() -> None:
    digits = tasks.load("digits")
    mirrored = tasks.retargeted(digits, "inputs")
    assert (mirrored.kind, mirrored.output_shape) == ("values", (8, 8))
    assert mirrored.y_test is digits.x_test
    assert tasks.retargeted(digits, "data") is digits
