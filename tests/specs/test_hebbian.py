"""Rules that need no targets, and what each finds in its inputs. One claim a test."""

from __future__ import annotations

import numpy as np
from rules import KEY

import blurc

# ---------------------------------------------------------------- homeostatic scaling


def test_whatever_the_inputs_scaling_brings_activity_to_its_goal_and_keeps_the_ratios_of_synapses():
    net = blurc.compile("network n { input x[10]  output y[5] { bias = off }  x -> y }", genome="homeostatic_scaling")
    genome, rng = net.init_genome(KEY), np.random.default_rng(0)
    genome["goal"]["y"] = 2.0
    state = start = net.init(KEY, genome, batch=16)
    for size in (0.3, 3.0):
        state, out = net.train(genome, state, size * rng.random((500, 16, 10)))
        assert np.abs(out[:5].mean((0, 1)) - 2).min() > 1
        np.testing.assert_allclose(out[-100:].mean((0, 1)), 2, rtol=0.03)
        factors = np.asarray(state.synapses["x->y"]["w"] / start.synapses["x->y"]["w"])
        np.testing.assert_allclose(factors, np.broadcast_to(factors[0], factors.shape), rtol=1e-4)


# ---------------------------------------------------------------- latent predictive learning


def part_of_the_slow_direction(rule: str) -> np.ndarray:
    """Of the length of the synapses of 6 neurons. The first input keeps its sign for ten steps; the second has four
    times its variance, and is new in every step."""
    rng = np.random.default_rng(0)
    sign = np.repeat(np.where(rng.random((150, 8)) < 0.5, -1, 1), 10, axis=0)
    xs = np.stack([sign + 0.1 * rng.normal(size=sign.shape), 2 * rng.normal(size=sign.shape)], -1)
    net = blurc.compile("network n { input x[2]  output y[6] { bias = off }  x -> y }", genome=rule, rate=0.02)
    genome = net.init_genome(KEY)
    state, _ = net.train(genome, net.init(KEY, genome, batch=8), xs)
    w = np.asarray(state.synapses["x->y"]["w"])
    return np.abs(w[0]) / np.linalg.norm(w, axis=0)


def test_lpl_finds_what_changes_slowly_where_ojas_rule_finds_what_varies_most():
    """Halvagal and Zenke (2023), figure 2."""
    assert part_of_the_slow_direction("lpl").min() > 0.99
    assert part_of_the_slow_direction("oja").max() < 0.2


def test_lpl_without_its_hebbian_term_falls_silent():
    """Prediction alone is perfect where nothing varies: the collapse that the paper speaks of."""
    net = blurc.compile("network n { input x[2]  output y[6] { bias = off }  x -> y }", genome="lpl", hebb=0, rate=0.05)
    genome, rng = net.init_genome(KEY), np.random.default_rng(0)
    _, out = net.train(genome, net.init(KEY, genome, batch=8), rng.normal(size=(500, 8, 2)))
    assert np.std(out[:10]) > 0.3
    assert np.std(out[-10:]) < 0.01


# ---------------------------------------------------------------- SoftHebb


def test_softhebb_neurons_come_to_length_1_and_find_the_clusters():
    rng = np.random.default_rng(0)
    centres = np.linalg.qr(rng.normal(size=(8, 8)))[0][:4] + 0.3
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    labels = rng.integers(4, size=(1000, 32))
    xs = centres[labels] + 0.15 * rng.normal(size=(1000, 32, 8))
    net = blurc.compile("network n { input x[8]  output y[6] { bias = off }  x -> y }", genome="softhebb", sharpness=5)
    genome = net.init_genome(KEY)
    state, outs = net.train(genome, net.init(KEY, genome), xs)
    w, winners = np.asarray(state.synapses["x->y"]["w"]), np.asarray(outs[-50:]).argmax(-1)
    for label, centre in enumerate(centres):
        (mine,) = set(winners[labels[-50:] == label])
        np.testing.assert_allclose(np.linalg.norm(w[:, mine]), 1, atol=0.01)
        assert centre @ w[:, mine] > 0.95
