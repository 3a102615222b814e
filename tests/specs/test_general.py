"""The general rule: the way a change goes, and what makes no difference to it."""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
import pytest
from rules import KEY

import blurc
from blurc import tasks

SHALLOW = "network n {{ input x[4]  output y[4]  x -> y {} }}"
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(3, 16, 8)), np.eye(3)[RNG.integers(3, size=(3, 16))]
DEEP = """network n(depth = 1) {
  input  pixels[8, 8]
  hidden h{1}[32]
  pixels -> h{1}
  for i in 2..depth {
    hidden h{i}[32]
    h{i-1} -> h{i}
  }
  output class[10]
  h{depth} -> class
}"""


def of_length_1(columns: np.ndarray) -> np.ndarray:
    return columns / np.linalg.norm(columns, axis=0)


@pytest.mark.parametrize(("skip", "skipped"), [("", 0.0), ("x -> y [identity]", 1.0)])
def test_without_damping_a_change_goes_along_the_gradient_between_the_inverse_covariances(skip: str, skipped: float):
    net = blurc.compile(SHALLOW.format(skip), genome="general", inner=6, outer=4)  # more steps than dimensions
    genome = net.init_genome(KEY) | {name: jnp.asarray(-30.0) for name in ("din", "dout", "beta")}
    x, y = RNG.normal(size=(64, 4)), np.eye(4)[RNG.integers(4, size=64)]
    before = net.init(KEY, genome)
    after, _ = net.step(genome, before, x, y)

    x = x - x.mean(0)
    usual = (x**2).mean()
    x = x - 0.2 * x.mean(1, keepdims=True)
    x = np.c_[x / np.sqrt(0.2 * (x**2).mean(1, keepdims=True) + 0.8 * usual), np.ones(64)]
    exp = np.exp(x[:, :4] @ np.asarray(before.synapses["x->y"]["v"]) + skipped * x[:, :4])
    err = exp / exp.sum(1, keepdims=True) - y
    explained = np.linalg.pinv(x.T @ x, rcond=1e-4) @ x.T @ err
    weights = explained[:4] @ np.linalg.pinv(err.T @ err / 64, rcond=1e-4)
    expected = np.r_[weights, explained[4:] / (err**2).mean(0)]
    found = np.concatenate([after.synapses[n]["v"] - before.synapses[n]["v"] for n in ("x->y", "unit->y")])
    np.testing.assert_allclose(of_length_1(found), -of_length_1(expected), atol=1e-3)


@pytest.fixture(scope="module")
def net() -> blurc.Net:
    return blurc.compile("network n { input x[8]  hidden h[6]  output y[3]  x -> h -> y }", genome="general")


def outputs(net: blurc.Net, change: Callable[[np.ndarray], np.ndarray], sign: float = 1.0) -> np.ndarray:
    """What three steps make of the last examples, if all inputs are changed; `sign`: of the first synapses."""
    genome = net.init_genome(KEY)
    state = net.init(KEY, genome)
    first = {channel: sign * value for channel, value in state.synapses["x->h"].items()}
    state = state._replace(synapses={**state.synapses, "x->h": first})
    after, _ = net.train(genome, state, change(X), Y)
    return np.asarray(net.predict(genome, after, change(X[-1])))


def test_brightness_and_contrast_make_no_difference(net: blurc.Net):
    np.testing.assert_allclose(outputs(net, lambda x: 3 * x + 0.5), outputs(net, lambda x: x), atol=2e-3)


def test_inverted_inputs_are_the_same_to_synapses_of_the_other_sign(net: blurc.Net):
    np.testing.assert_allclose(outputs(net, lambda x: 1 - x, -1.0), outputs(net, lambda x: x), atol=2e-3)


def test_one_example_is_answered_as_among_others(net: blurc.Net):
    genome = net.init_genome(KEY)
    state, _ = net.train(genome, net.init(KEY, genome), X, Y)
    alone = [net.predict(genome, state, x[None])[0] for x in X[0]]
    np.testing.assert_allclose(alone, net.predict(genome, state, X[0]), atol=1e-5)


PLACES = """network n(places = 1, channels = 8) {
  input  x[places, channels]
  hidden h[places, 6] { bias = shared }
  hidden all[1, 6]    { phi = linear, bias = off }
  output y[3]
  x -> h [conv(1)]
  h -> all [pool(avg, places)]
  all -> y
}"""


def test_an_image_of_equal_places_counts_as_one_example():
    def outputs(places: int) -> np.ndarray:
        net = blurc.compile(PLACES, genome="general", places=places)
        genome, x = net.init_genome(KEY), np.tile(X, places)
        state, _ = net.train(genome, net.init(KEY, genome), x, Y)
        return np.asarray(net.predict(genome, state, x[-1]))

    np.testing.assert_allclose(outputs(4), outputs(1), atol=1e-4)


CERTAIN = """import "rules/general.blur"
genome certain extends general { feedback doubted { doubt <- 1  pace <- haste } }
network n { input x[8]  hidden h[6]  output y[5]  x -> h -> y }"""


def test_with_five_classes_covariances_are_damped_by_four_times_as_much_as_with_ten():
    def learned(rule: str, more: float) -> np.ndarray:
        net = blurc.compile(CERTAIN, genome=rule)
        genome = net.init_genome(KEY)
        genome |= {name: genome[name] + more for name in ("din", "dout")}
        state, _ = net.step(genome, net.init(KEY, genome), X[0], np.eye(5)[np.arange(16) % 5])
        return np.concatenate([np.ravel(channels["v"]) for channels in state.synapses.values()])

    np.testing.assert_allclose(learned("general", 0.0), learned("certain", np.log(4)), atol=1e-5)
    assert np.abs(learned("general", 0.0) - learned("certain", 0.0)).max() > 1e-3


def test_synapses_that_never_act_stay_as_they_are():
    net = blurc.compile(
        """network n {
      input  x[2]
      hidden h[2, 3] { bias = shared }
      output y[3]
      x -> h [conv(5)]
      h -> y
    }""",
        genome="general",
    )
    genome = net.init_genome(KEY)
    state = net.init(KEY, genome)
    after, _ = net.train(genome, state, X[:, :, :2], Y)
    before, now = (s.synapses["x->h"]["v"] for s in (state, after))
    assert np.isfinite(now).all()
    np.testing.assert_array_equal(now[0], before[0])


def test_all_places_of_a_channel_have_their_statistics_in_common():
    net = blurc.compile(PLACES, genome="general", places=2, channels=4)
    genome = net.init_genome(KEY)
    x = np.concatenate([X, -X], 1) * np.repeat([1.0, 3.0], 4)  # means of 0, as those of inputs are of one place
    state, _ = net.train(genome, net.init(KEY, genome), x, np.concatenate([Y, Y], 1))
    swapped = np.roll(x[-1], 4, axis=1)
    np.testing.assert_allclose(net.predict(genome, state, swapped), net.predict(genome, state, x[-1]), atol=1e-4)


def test_numbers_are_learned_as_well():
    net = blurc.compile("network n { input x[2]  hidden h[16]  output y[1]  x -> h -> y }", genome="general_values")
    x = RNG.uniform(-1, 1, (30, 64, 2))
    y = np.sin(3 * x[..., :1]) * x[..., 1:]
    genome = net.init_genome(KEY)
    state, _ = net.train(genome, net.init(KEY, genome), x, y)
    error = net.predict(genome, state, x[0]) - y[0]
    assert np.mean(np.asarray(error) ** 2) < 0.3 * y[0].var()


@pytest.mark.parametrize(("depth", "batch"), [(1, 64), (1, 1), (6, 64)])
def test_digits_are_learned_from_1280_examples_in_batches_and_networks_of_any_size(depth: int, batch: int):
    digits = tasks.load("digits")
    net = blurc.compile(DEEP, genome="general", depth=depth)
    genome = net.init_genome(KEY)
    state = net.init(KEY, genome)
    state, _ = net.train(genome, state, *tasks.batches(digits, batch=batch, steps=1280 // batch, seed=0))
    right = net.predict(genome, state, digits.x_test).argmax(-1) == digits.y_test.argmax(-1)
    assert right.mean() > 0.9
