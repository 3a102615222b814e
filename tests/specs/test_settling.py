"""Contrastive Hebbian learning: its update is backpropagation's where little comes back. One claim a test."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from rules import KEY, LAYERED, accuracy_on_digits, change, drawn

import blurc


@pytest.fixture
def double():
    with jax.enable_x64(True):
        yield


def distance_to_backpropagation(gamma: float) -> float:
    """Between the updates of a step, as a part of the greatest change."""
    net = blurc.compile(LAYERED, genome="contrastive_hebbian", feedback=gamma, rate=0.1)
    other = blurc.compile(LAYERED, genome="backprop3_mse", rate=0.1)
    rng, state = np.random.default_rng(1), drawn(net)
    x, y = rng.normal(size=(8, 4)), rng.normal(size=(8, 3))
    found, expected = (change(n, n.init_genome(KEY), state, x, y) for n in (net, other))
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def test_contrastive_hebbian_learning_becomes_backpropagation_as_the_feedback_becomes_small(double: None):
    """Xie and Seung (2003): the difference is of the order of the feedback."""
    distances = [distance_to_backpropagation(gamma) for gamma in (0.1, 0.01, 0.001)]
    assert distances[0] > 0.1
    assert distances[1] < 0.2 * distances[0]
    assert distances[2] < 0.2 * distances[1]


def test_contrastive_hebbian_learning_learns_digits():
    net = blurc.compile("networks/digits.blur", genome="contrastive_hebbian", hidden=32, rounds=4)
    assert accuracy_on_digits(net) > 0.9
