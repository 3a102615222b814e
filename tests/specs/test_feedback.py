"""Other ways back than backpropagation's: learned inverses and bursts. One claim a test."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from rules import KEY, LAYERED, accuracy_on_digits, drawn, with_synapses

import blurc

SIGMOID = """
network n {
  input  x[4]
  hidden h1[5] { phi = sigmoid }
  hidden h2[4] { phi = sigmoid }
  output y[3] { phi = sigmoid }
  x -> h1 -> h2 -> y
}
"""
CHAIN = ("x->h1", "h1->h2", "h2->y")


@pytest.fixture
def double():
    with jax.enable_x64(True):
        yield


# ---------------------------------------------------------------- difference target propagation


def test_a_population_at_its_target_brings_the_one_above_to_its_own_if_v_inverts_w(double: None):
    linear = "{ phi = linear }"
    text = f"network n {{ input x[4]  hidden h[4] {linear}  output y[4] {linear}  x -> h -> y }}"
    net, rng = blurc.compile(text, genome="difference_target_propagation"), np.random.default_rng(0)
    w = rng.normal(size=(4, 4))
    state = with_synapses(drawn(net), w={"h->y": w, "unit->y": 0.0}, v={"h->y": np.linalg.inv(w).T})
    x, y = rng.normal(size=(8, 4)), np.eye(4)[rng.integers(4, size=8)]
    trace = net.trace(net.init_genome(KEY), state, x, y, key=KEY)
    aim = trace["backward"]["h"]["aim"]
    above = trace["feedback"]["y"]
    assert np.abs(above["aim"] - above["act"]).max() > 0.1
    np.testing.assert_allclose(aim @ w, above["aim"], atol=1e-9)


def test_difference_target_propagation_learns_to_invert_the_population_above():
    """Noise goes up and comes back: what is missed becomes smaller."""
    net, data = blurc.compile(LAYERED, genome="difference_target_propagation", rate=0), np.random.default_rng(0)
    genome, x, y = net.init_genome(KEY), data.normal(size=(500, 64, 4)), np.zeros((500, 64, 3))
    before = drawn(net)
    after, _ = net.train(genome, before, x, y, key=KEY)
    states = (net.trace(genome, s, x[0], y[0], key=KEY)["backward#2"]["h1"] for s in (before, after))
    miss = [float(np.square(s["miss"]).mean()) for s in states]
    assert miss[1] < 0.5 * miss[0]


def test_difference_target_propagation_learns_digits():
    net = blurc.compile("networks/digits.blur", genome="difference_target_propagation", hidden=32)
    assert accuracy_on_digits(net) > 0.93


# ---------------------------------------------------------------- burstprop


def test_bursts_carry_the_errors_of_backpropagation_a_quarter_of_beta_for_every_population(double: None):
    beta, rng = 1e-3, np.random.default_rng(1)
    net = blurc.compile(SIGMOID, genome="burstprop", rate=1, slope=beta)
    other = blurc.compile(SIGMOID, genome="backprop3_mse", rate=1)
    plain = drawn(other, 0.5)
    w = {name: channels["w"] for name, channels in plain.synapses.items()}
    state = with_synapses(drawn(net), w=w, v={name: w[name] for name in CHAIN[1:]})
    x, y = rng.normal(size=(8, 4)), rng.uniform(0.3, 0.7, size=(8, 3))
    after, _ = net.step(net.init_genome(KEY), state, x, y)
    expected, _ = other.step(other.init_genome(KEY), plain, x, y)
    for back, name in enumerate(CHAIN[::-1]):
        found = (after.synapses[name]["w"] - w[name]) / (beta / 4) ** back
        np.testing.assert_allclose(found, expected.synapses[name]["w"] - w[name], rtol=1e-2, atol=1e-8)


def test_burstprop_learns_the_exclusive_or():
    """Payeur et al. (2021), figure 4."""
    text = "network n { input x[2]  hidden h[8]  output y[1]  x -> h -> y }"
    net = blurc.compile(text, genome="burstprop", rate=4)
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0], [1], [1], [0]])
    genome = net.init_genome(KEY)
    state = net.init(KEY, genome)
    _, outs = net.train(genome, state, np.broadcast_to(1.0 * x, (2000, 4, 2)), np.broadcast_to(1.0 * y, (2000, 4, 1)))
    np.testing.assert_allclose(outs[-1], y, atol=0.2)
