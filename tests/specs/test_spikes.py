"""Rules of spikes: the window of STDP, and what it is for. One claim a test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from rules import KEY, with_synapses

import blurc

# Each input neuron meets a neuron of its own, which `force` makes spike.
PAIRED = """
network paired(n = 1) {
  input  x[n]
  input  force[n]
  output y[n] { bias = off }
  x -> y     [one_to_one]
  force -> y [one_to_one, fixed]
}
"""
START = 0.5  # of the synapses, of which the limit is 1


def after_spikes(
    rule: str, x: np.ndarray, force: np.ndarray, meta: Mapping = {"membrane": 1e-3}, **parameters: Any
) -> np.ndarray:
    """By how much trains of spikes [steps, n] change the synapses [n]. Without memory, x makes no neuron spike."""
    net = blurc.compile(PAIRED, genome=rule, n=x.shape[1], limit=1, **parameters)
    genome = net.init_genome(KEY) | dict(meta)
    state = with_synapses(net.init(KEY, genome, batch=1), w={"x->y": START, "force->y": 50.0})
    state, spikes = net.train(genome, state, {"x": x[:, None], "force": force[:, None]})
    np.testing.assert_array_equal(spikes[:, 0], force > 0)
    return np.asarray(state.synapses["x->y"]["w"]) - START


def pairs(dt: np.ndarray, every: int = 1000, count: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Spikes [steps, n] before and after: pairs that are dt [n] steps apart, and begin anew `every` so many."""
    steps = 200 + every * count
    x, force = np.zeros((steps, len(dt))), np.zeros((steps, len(dt)))
    for k in range(count):
        x[100 + k * every], force[100 + k * every + dt, np.arange(len(dt))] = 1, 1
    return x, force


def test_the_window_of_stdp_is_exponential_on_both_sides():
    dt = np.array([d for d in range(-60, 61) if d])
    found = after_spikes("stdp", *pairs(dt), rate=0.01)
    expected = np.where(dt > 0, 0.01 * np.exp(-dt / 20), -0.0105 * np.exp(dt / 20))
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_all_pairs_of_spikes_count():
    rng = np.random.default_rng(0)
    x, force = (rng.random((2, 300, 4)) < 0.05).astype(float)
    expected = np.zeros(4)
    for n in range(4):
        dt = np.flatnonzero(force[:, n])[:, None] - np.flatnonzero(x[:, n])
        expected[n] = 0.01 * (np.exp(-dt / 20) * (dt > 0)).sum() - 0.0105 * (np.exp(dt / 20.0) * (dt < 0)).sum()
    np.testing.assert_allclose(after_spikes("stdp", x, force, rate=0.01), expected, atol=1e-5)


def test_inputs_that_fire_together_win():
    """All fire at 20 Hz: the first half all at 100 Hz in a fifth of the time, the others whenever they like."""
    text = "network n { input x[40]  output y[8] { bias = off }  x -> y }"
    net = blurc.compile(text, genome="stdp", limit=0.1, rate=0.004, balance=1.2)
    rng = np.random.default_rng(0)
    together = np.repeat(rng.random((1500, 1, 1)) < 0.2, 10, axis=0)
    rates = np.concatenate([np.repeat(together * 0.1, 20, -1), np.full((15000, 1, 20), 0.02)], -1)
    genome = net.init_genome(KEY)
    state, _ = net.train(genome, net.init(KEY, genome, batch=1), 1.0 * (rng.random(rates.shape) < rates))
    w = np.asarray(state.synapses["x->y"]["w"])
    assert (w[:20].mean(0) > 3 * w[20:].mean(0)).all()


# ---------------------------------------------------------------- triplets


def test_triplets_are_the_sums_of_the_paper():
    """Pfister and Gerstner (2006), equations (3) and (4), spike by spike."""
    rng = np.random.default_rng(0)
    x, force = (rng.random((2, 300, 4)) < 0.03).astype(float)

    def trace(spikes: np.ndarray, now: int, tau: float) -> np.ndarray:
        """What the spikes before this moment left."""
        return sum((spikes[s] * np.exp((s - now) / tau) for s in range(now)), np.zeros(4))

    expected = np.zeros(4)
    for t in range(300):
        expected += force[t] * trace(x, t, 16.8) * (5e-10 + 6.2e-3 * trace(force, t, 125))
        expected -= x[t] * trace(force, t, 33.7) * (7e-3 + 2.3e-4 * trace(x, t, 101))
    np.testing.assert_allclose(after_spikes("stdp_triplet", x, force), expected, atol=1e-5)


def by_rate(rule: str, dt: int, rates: list[int], **parameters: Any) -> np.ndarray:
    """What 60 pairs change, at each of these rates in Hz."""
    return np.array([after_spikes(rule, *pairs(np.array([dt]), 1000 // r, 60), **parameters)[0] for r in rates])


def test_triplets_strengthen_synapses_at_high_rates_whatever_the_order_of_spikes():
    causal, reverse = (by_rate("stdp_triplet", dt, [1, 20, 50]) for dt in (10, -10))
    assert abs(causal[0]) < 0.01
    assert causal[0] < causal[1] < causal[2]
    assert max(reverse[:2]) < -0.3
    assert reverse[2] > 0.3


def test_pairs_alone_strengthen_synapses_less_at_high_rates():
    low, high = by_rate("stdp", 10, [1, 50], rate=0.005)
    assert low > 0.1
    assert high < 0.5 * low


# ---------------------------------------------------------------- voltages


def held_at(voltages: np.ndarray, x: np.ndarray) -> np.ndarray:
    """How Clopath's rule changes synapses of neurons that are held at these voltages [n], by spikes [steps, n]."""
    net = blurc.compile(PAIRED, genome="clopath", n=len(voltages))
    genome = net.init_genome(KEY) | {"membrane": 1e-3, "fires": 1e9}
    state = with_synapses(net.init(KEY, genome, batch=1), w={"x->y": START, "force->y": voltages})
    state, _ = net.train(genome, state, {"x": x[:, None], "force": np.ones_like(x)[:, None]})
    return np.asarray(state.synapses["x->y"]["w"]) - START


def test_depolarised_neurons_weaken_synapses_and_far_depolarised_ones_strengthen_them():
    voltages = np.array([-10.0, -1.0, 5.0, 15.0, 24.0, 35.0, 45.0])
    x = np.zeros((100, len(voltages)))
    x[40::40] = 1
    w, trace, slow, fast, voltage = (np.zeros(len(voltages)) for _ in range(5))
    w += START
    for spike in x:
        trace = trace + (spike - trace) / 15
        slow, fast = slow + (voltage - slow) / 10, fast + (voltage - fast) / 7
        voltage = voltages + w * spike
        grows = 8e-5 * trace * np.maximum(voltage - 25.3, 0) * np.maximum(fast, 0)
        w = w + grows - 14e-5 * spike * np.maximum(slow, 0)
    found = held_at(voltages, x)
    np.testing.assert_allclose(found, w - START, atol=1e-5)
    np.testing.assert_allclose(found[:2], 0, atol=1e-4)
    assert (found[2:5] < -0.001).all()
    assert found[5] < found[6]
    assert found[5] > 0.01


def test_clopaths_rule_strengthens_synapses_at_high_rates_whatever_the_order_of_spikes():
    causal, reverse = (by_rate("clopath", dt, [1, 50], meta={}) for dt in (10, -10))
    assert abs(causal[0]) < 0.005
    assert causal[1] > 0.01
    assert reverse[0] < -0.05
    assert reverse[1] > 0.01
