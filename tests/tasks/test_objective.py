"""Objectives: what they measure, in which direction, and of what."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from blurc.diagnostics import BlurError
from blurc.tasks import LOGITS, LOSS, OBJECTIVES, SCORE, chosen, number
from blurc.tasks.objective import WITH_TARGETS

LABELS = jax.nn.one_hot(jnp.asarray([0, 2, 1]), 3)
cross_entropy = OBJECTIVES["cross_entropy"].score


def plain(outputs: jax.Array, targets: jax.Array) -> jax.Array:
    return optax.softmax_cross_entropy(outputs, targets).mean()


def test_the_cross_entropy_and_its_gradient_are_those_of_the_softmax() -> None:
    outputs = jax.random.normal(jax.random.key(0), (3, 3))
    values, expected = (jax.value_and_grad(f)(outputs, LABELS) for f in (cross_entropy, plain))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), values, expected)


def test_a_huge_output_costs_what_it_is_above_the_others() -> None:
    outputs = jnp.asarray([[3.8e11, 1.0, 0.0]] * 3)
    assert cross_entropy(outputs, LABELS) == pytest.approx(2 / 3 * 3.8e11)


# ---------------------------------------------------------------- numbers and labels


OUTPUTS = np.asarray([[0.5, 2.0], [1.0, 0.0], [3.0, 1.0]])
TARGETS = np.asarray([[0.0, 2.0], [1.0, 1.0], [1.0, 0.0]])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mse", np.mean([0.25, 0, 0, 1, 4, 1])),
        ("mae", np.mean([0.5, 0, 0, 1, 2, 1])),
        ("r2", 1 - 6.25 / (2 / 3 + 2)),
        ("binary_accuracy", 4 / 6),
    ],
)
def test_a_measure_is_what_its_formula_says_in_numpy_and_jax(name: str, expected: float) -> None:
    for arrays in (np.asarray, jnp.asarray):
        assert float(OBJECTIVES[name].score(arrays(OUTPUTS), arrays(TARGETS))) == pytest.approx(expected)


def test_a_component_has_either_sign() -> None:
    signless = OBJECTIVES["signless_mse"].score
    one_flipped = TARGETS * np.asarray([1.0, -1.0])
    assert signless(TARGETS, TARGETS) == signless(one_flipped, TARGETS) == 0
    assert signless(OUTPUTS, TARGETS) <= OBJECTIVES["mse"].score(OUTPUTS, TARGETS)


def test_the_loss_of_logits_is_that_of_their_probabilities_and_has_a_slope_far_from_0() -> None:
    logits, targets = jnp.asarray([[-2.0, 0.5], [3.0, -1.0]]), jnp.asarray([[1.0, 0.0], [1.0, 1.0]])
    assert LOGITS.score(logits, targets) == pytest.approx(LOSS["binary"].score(jax.nn.sigmoid(logits), targets))
    far = jax.grad(lambda z: LOGITS.score(z, targets))(jnp.full((2, 2), -40.0))
    np.testing.assert_allclose(far, -targets / 4, atol=1e-6)


def test_the_mean_of_the_targets_explains_nothing() -> None:
    mean = np.broadcast_to(TARGETS.mean(axis=0), TARGETS.shape)
    assert OBJECTIVES["r2"].score(mean, TARGETS) == pytest.approx(0)
    assert OBJECTIVES["r2"].score(TARGETS, TARGETS) == 1


def test_the_binary_cross_entropy_is_of_probabilities() -> None:
    outputs, targets = np.asarray([[0.9, 0.2]]), np.asarray([[1.0, 0.0]])
    expected = -(np.log(0.9) + np.log(0.8)) / 2
    assert OBJECTIVES["binary_cross_entropy"].score(outputs, targets) == pytest.approx(expected)
    assert np.isfinite(OBJECTIVES["binary_cross_entropy"].score(1 - targets, targets))


@pytest.mark.parametrize("name", OBJECTIVES)
def test_what_the_mask_leaves_out_may_be_anything(name: str) -> None:
    outputs, targets = jnp.asarray([[0.3, 0.9], [0.8, 0.4], [0.1, 0.6]]), jnp.asarray([[0.0, 1], [1, 0], [1, 0]])
    of_two = OBJECTIVES[name].score(outputs[:2], targets[:2])
    for other in (7.0, jnp.nan):
        masked = OBJECTIVES[name].score(outputs.at[2].set(other), targets, jnp.asarray([1, 1, 0]))
        assert float(masked) == pytest.approx(float(of_two), rel=1e-5)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_outputs_that_are_not_finite_have_no_finite_value(name: str) -> None:
    outputs = jnp.asarray([[0.3, jnp.nan], [0.8, 0.4]])
    assert not jnp.isfinite(OBJECTIVES[name].score(outputs, jnp.asarray([[0.0, 1], [1, 0]])))


@pytest.mark.parametrize("name", [n for n, o in OBJECTIVES.items() if o.differentiable])
def test_gradients_stay_finite_under_a_mask(name: str) -> None:
    outputs, targets = jnp.asarray([[0.3, 0.9], [jnp.nan, 0.4], [0.1, 0.6]]), jnp.asarray([[0.0, 1], [1, 0], [1, 0]])
    found = jax.grad(OBJECTIVES[name].score)(outputs, targets, jnp.asarray([1, 0, 1]))
    assert jnp.isfinite(found[jnp.asarray([0, 2])]).all()
    assert (found[1] == 0).all()


# ---------------------------------------------------------------- directions


def test_the_lead_is_positive_for_what_is_better() -> None:
    assert OBJECTIVES["mse"].lead(0.1, 0.3) == pytest.approx(0.2)
    assert OBJECTIVES["accuracy"].lead(0.9, 0.7) == pytest.approx(0.2)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_what_is_better_has_the_greater_merit(name: str) -> None:
    one = OBJECTIVES[name]
    assert one.better(0.2, 0.8) == (one.merit(0.2) > one.merit(0.8))
    assert one.from_merit(one.merit(0.25)) == 0.25
    assert one.better(0.5, float("nan"))


def test_every_kind_of_targets_is_descended_by_something_with_a_gradient() -> None:
    for kind in WITH_TARGETS:
        assert LOSS[kind].differentiable
        assert kind in LOSS[kind].kinds
        assert kind in SCORE[kind].kinds


# ---------------------------------------------------------------- by name


def test_an_objective_is_refused_for_targets_that_it_does_not_suit() -> None:
    assert chosen("", "values", "it", OBJECTIVES["mse"]).name == "mse"
    assert chosen("mae", "classes", "it", OBJECTIVES["accuracy"]).name == "mae"
    with pytest.raises(BlurError, match="`accuracy` is for targets that are classes, and those of it are numbers"):
        chosen("accuracy", "values", "it", OBJECTIVES["mse"])
    with pytest.raises(BlurError, match="there is no objective `acuracy`") as caught:
        chosen("acuracy", "values", "it", OBJECTIVES["mse"])
    assert caught.value.diagnostics[0].help == "did you mean `accuracy`?"


def test_numbers_are_shown_in_their_unit() -> None:
    assert (number(0.8812, "%"), number(0.012345, "")) == ("88.1", "0.01235")
    assert OBJECTIVES["accuracy"].show(0.5) == "50.0 %"
    assert OBJECTIVES["mse"].show(float("nan")) == "diverged"
