"""Random functions that a teacher knows: linear ones, and networks with a hidden layer."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from blurc.tasks import Episode, TaskChoice, task
from blurc.tasks.families.teacher import NAMES


def episode(name: str, seed: int) -> Episode:
    return task(TaskChoice(name)).episode(jax.random.key(seed), steps=4, batch=64, query=64)


def unexplained(name: str, seed: int, other: int) -> float:
    """The share of the targets' variance that the best linear function of one episode leaves in another."""
    learned, asked = episode(name, seed), episode(name, other)
    best = np.linalg.lstsq(learned.xs.reshape(-1, 8), learned.ys.reshape(-1, 4))[0]
    return float(((asked.x @ best - asked.y) ** 2).mean() / (asked.y**2).mean())


def test_a_linear_teacher_is_a_linear_function_and_another_one_in_each_episode() -> None:
    assert unexplained("linear_teacher", 0, 0) < 1e-6
    assert unexplained("linear_teacher", 0, 1) > 0.5


def test_a_teacher_with_a_hidden_layer_is_not_linear() -> None:
    assert 0.05 < unexplained("layered_teacher", 0, 0) < 0.6


@pytest.mark.parametrize("name", NAMES)
def test_targets_are_about_as_large_as_1(name: str) -> None:
    sizes = [float((episode(name, seed).ys ** 2).mean()) for seed in range(8)]
    assert 0.3 < np.mean(sizes) < 1.5
