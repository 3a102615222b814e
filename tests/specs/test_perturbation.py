"""Rules that try something out and learn from what it does to the loss. One claim a test."""

from __future__ import annotations

import jax
import numpy as np
from rules import KEY, LAYERED, accuracy_on_digits, change, cosine, drawn

import blurc

DRAWS = 2000


def updates(rule: str) -> tuple[np.ndarray, np.ndarray]:
    """Of one step from many keys [draws, synapses], and that of backpropagation."""
    net, other = blurc.compile(LAYERED, genome=rule, rate=0.1), blurc.compile(LAYERED, genome="backprop3_mse", rate=0.1)
    rng, plain, genome = np.random.default_rng(1), drawn(other), net.init_genome(KEY)
    x, y = rng.normal(size=(8, 4)), rng.normal(size=(8, 3))
    start = net.init(KEY, genome)
    state = start._replace(synapses={n: {**c, **plain.synapses[n]} for n, c in start.synapses.items()})

    def updated(key):
        return {n: c["w"] for n, c in net.step(genome, state, x, y, key=key)[0].synapses.items()}

    after = jax.jit(jax.vmap(updated))(jax.random.split(KEY, DRAWS))
    found = [np.reshape(after[n] - plain.synapses[n]["w"], (DRAWS, -1)) for n in sorted(after)]
    return np.concatenate(found, axis=1), change(other, other.init_genome(KEY), plain, x, y)


def test_weight_perturbation_follows_the_gradient_of_backpropagation_on_average():
    found, expected = updates("weight_perturbation")
    assert cosine(found.mean(0), expected) > 0.97
    np.testing.assert_allclose(np.linalg.norm(found.mean(0)), np.linalg.norm(expected), rtol=0.1)


def test_weight_perturbation_varies_more_than_node_perturbation():
    """Werfel, Xie and Seung (2005)."""
    by_weights, by_nodes = (np.var(updates(f"{what}_perturbation")[0], axis=0).sum() for what in ("weight", "node"))
    assert by_weights > 2 * by_nodes


def test_weight_perturbation_learns_the_exclusive_or():
    text = "network n { input x[2]  hidden h[8]  output y[1] { phi = linear }  x -> h -> y }"
    net = blurc.compile(text, genome="weight_perturbation", rate=0.02)
    x = np.array([[-1.0, -1], [-1, 1], [1, -1], [1, 1]])
    y = np.array([[-1.0], [1], [1], [-1]])
    genome = net.init_genome(KEY)
    xs, ys = (np.broadcast_to(a, (5000, *a.shape)) for a in (x, y))
    _, outs = net.train(genome, net.init(KEY, genome), xs, ys, key=KEY)
    np.testing.assert_allclose(outs[-1], y, atol=0.3)


def test_node_perturbation_follows_the_gradient_of_backpropagation_on_average():
    net = blurc.compile(LAYERED, genome="node_perturbation", rate=0.1)
    other, rng = blurc.compile(LAYERED, genome="backprop3_mse", rate=0.1), np.random.default_rng(1)
    x, y, state = rng.normal(size=(4, 4)), rng.normal(size=(4, 3)), drawn(net)
    expected = change(other, other.init_genome(KEY), state, x, y)
    often = (np.tile(a, (5000, 1)) for a in (x, y))
    found = change(net, net.init_genome(KEY), state, *often, key=KEY)
    assert cosine(found, expected) > 0.999
    np.testing.assert_allclose(np.linalg.norm(found), np.linalg.norm(expected), rtol=0.02)


def test_node_perturbation_learns_digits():
    net = blurc.compile("networks/digits.blur", genome="node_perturbation", hidden=16, depth=1, rate=0.02)
    assert accuracy_on_digits(net, 800) > 0.85
