"""Synapses that tire and recover: Tsodyks and Markram's. One claim a test."""

from __future__ import annotations

import numpy as np
from rules import KEY, with_synapses

import blurc

SENDING = "network n { input x[3]  output y[1] { bias = off }  x -> y }"
CELLS = {"part": [0.5, 0.1, 0.5], "recovery": [800.0, 100.0, 1e-3], "facilitation": [1e-3, 500.0, 1e-3]}


def sent_at(rates: list[int]) -> np.ndarray:
    """What a spike sends in the end [rates, 3]: a depressing synapse, a facilitating one and one that does neither."""
    net = blurc.compile(SENDING, genome="tsodyks_markram")
    genome = net.init_genome(KEY)
    for name, values in CELLS.items():
        genome[name]["x->y"] = np.array(values)[:, None]
    spikes = np.stack([np.arange(4000) % (1000 // rate) == 0 for rate in rates], 1)
    state = net.init(KEY, genome, batch=len(rates) * 3)
    one = np.eye(3)[None, None] * spikes[:, :, None, None]  # each synapse by itself
    state = with_synapses(state, w={"x->y": 1.0})
    _, outs = net.train(genome | {"eta": 0.0}, state, one.reshape(4000, -1, 3), np.zeros((4000, len(rates) * 3, 1)))
    return (
        np.asarray(outs)
        .reshape(4000, len(rates), 3)
        .max(axis=0, where=np.arange(4000)[:, None, None] > 3000, initial=0)
    )


def test_what_tired_synapses_send_is_the_equilibrium_of_their_equations():
    rates = [5, 10, 20, 50, 100]
    found = sent_at(rates)
    for rate, sent in zip(rates, found, strict=True):
        for k, (part, recovery, facilitation) in enumerate(zip(*CELLS.values(), strict=True)):
            rest, fades = np.exp(-1000 / rate / recovery), np.exp(-1000 / rate / facilitation)
            use = part / (1 - (1 - part) * fades)
            np.testing.assert_allclose(sent[k], use * (1 - rest) / (1 - (1 - use) * rest), rtol=1e-3)
    depressing, facilitating, neither = found.T
    np.testing.assert_allclose(neither, 0.5, rtol=1e-3)
    assert depressing[-1] * 100 < 1.2 * depressing[-3] * 20  # in a second, five times the rate sends hardly more
    assert 0 < facilitating.argmax() < len(rates) - 1


def part_explained(recovery: np.ndarray) -> float:
    """Of the time since the spike before, by a neuron that hears ten others spike together and learns to say it."""
    rng, text = np.random.default_rng(0), "network n { input x[10]  output y[1]  x -> y }"
    spikes, since = rng.random((6000, 16)) < 0.02, np.zeros((6000, 16))
    for t in range(1, 6000):
        since[t] = np.where(spikes[t - 1], 0.01, since[t - 1] + 0.01)
    net = blurc.compile(text, genome="tsodyks_markram", rate=1.0)
    genome = net.init_genome(KEY)
    genome["recovery"]["x->y"] = recovery[:, None]
    xs = np.repeat(1.0 * spikes[..., None], 10, axis=-1)
    _, outs = net.train(genome, net.init(KEY, genome, batch=16), xs, (since * spikes)[..., None])
    said, true = (a[-2000:][spikes[-2000:]] for a in (np.asarray(outs)[..., 0], since))
    return float(1 - np.var(said - true) / np.var(true))


def test_neurons_whose_synapses_recover_at_different_paces_tell_how_long_ago_the_last_spike_was():
    assert part_explained(np.geomspace(5, 500, 10)) > 0.7
    assert part_explained(np.full(10, 1e-3)) < 0.1
