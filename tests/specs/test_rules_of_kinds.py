"""Rules of which the network says which synapses and which neurons are of which kind. One claim a test."""

from __future__ import annotations

import numpy as np
from rules import KEY, exact_slope, with_synapses

import blurc
from blurc import tasks

# ---------------------------------------------------------------- Dale's law


def test_under_dales_law_no_neuron_ever_sends_both_signs_and_digits_are_learned():
    net, data = blurc.compile("networks/dale.blur"), tasks.load("digits")
    genome = net.init_genome(KEY)
    state, _ = net.train(genome, net.init(KEY, genome), *tasks.batches(data, 64, 300, seed=0))
    assert all((channels["w"] >= 0).all() for channels in state.synapses.values())
    trace = net.trace(genome, state, data.x_test, data.y_test)["forward"]
    assert (np.asarray(trace["e"]["act"]) >= 0).all()
    assert (np.asarray(trace["i"]["act"]) <= 0).all()
    right = net.predict(genome, state, data.x_test).argmax(-1) == data.y_test.argmax(-1)
    assert right.mean() > 0.88


def test_an_inhibitory_population_descends_the_same_gradient():
    text = """network n { input x[4]  hidden e[5]  hidden i[3] { kind = inhibitory }  output y[3] { phi = linear }
                x -> e -> y  x -> i -> y }"""
    net, rng = blurc.compile(text, genome="dale", rate=0.01), np.random.default_rng(0)
    genome, x, y = net.init_genome(KEY), rng.uniform(size=(8, 4)), np.eye(3)[rng.integers(3, size=8)]
    state = net.init(KEY, genome)
    state = with_synapses(state, w={n: 0.5 + rng.random(c["w"].shape) for n, c in state.synapses.items()})

    slope = exact_slope(net, genome, state, x, y)
    after, _ = net.step(genome, state, x, y)
    for name, channels in after.synapses.items():
        expected = state.synapses[name]["w"] - 0.01 * slope[name]["w"]
        np.testing.assert_allclose(channels["w"], expected, atol=1e-5)


# ---------------------------------------------------------------- Urbanczik and Senn


def test_a_soma_goes_the_way_it_was_taught_without_its_teacher():
    """Spikes that repeat every 100 steps, and a sine: first with the teacher, at the end without."""
    text = """network n { input x[40]  input teacher[1]  output y[1] { bias = off }
                x -> y [kind = dendrite]  teacher -> y [kind = soma, fixed] }"""
    net, rng, period, times = (
        blurc.compile(text, genome="urbanczik_senn", rate=0.01),
        np.random.default_rng(0),
        100,
        200,
    )
    spikes = 20.0 * (rng.random((period, 1, 40)) < 0.05)
    sine = 0.8 * np.sin(2 * np.pi * np.arange(period) / period)[:, None, None]
    xs = {"x": np.tile(spikes, (times, 1, 1)), "teacher": np.tile(sine, (times, 1, 1))}
    genome = net.init_genome(KEY)
    state = with_synapses(net.init(KEY, genome, batch=1), w={"teacher->y": 1.0, "x->y": 0.0})
    nudge = 1.0 * (np.arange(period * times) < period * (times - 3))
    _, outs = net.train(genome, state, xs, signals={"nudge": nudge})
    taught, alone = (np.asarray(outs)[period * k : period * (k + 1), 0, 0] for k in (times - 4, times - 1))
    assert np.corrcoef(taught, alone)[0, 1] > 0.97
    assert np.abs(taught - alone).max() < 0.25
