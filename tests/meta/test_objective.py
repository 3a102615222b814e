"""What is judged: the cross entropy."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from blurc.meta.search.objective import OBJECTIVES

LABELS = jax.nn.one_hot(jnp.asarray([0, 2, 1]), 3)
cross_entropy = OBJECTIVES["cross_entropy"].of


def plain(outputs: jax.Array, targets: jax.Array) -> jax.Array:
    return optax.softmax_cross_entropy(outputs, targets).mean()


def test_the_cross_entropy_and_its_gradient_are_those_of_the_softmax() -> None:
    outputs = jax.random.normal(jax.random.key(0), (3, 3))
    values, expected = (jax.value_and_grad(f)(outputs, LABELS) for f in (cross_entropy, plain))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), values, expected)


def test_a_huge_output_costs_what_it_is_above_the_others() -> None:
    outputs = jnp.asarray([[3.8e11, 1.0, 0.0]] * 3)
    assert cross_entropy(outputs, LABELS) == pytest.approx(2 / 3 * 3.8e11)
