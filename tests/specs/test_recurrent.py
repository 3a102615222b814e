"""Cells with gates are what their papers say, and remember for long. One claim a test."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from rules import KEY

import blurc

GATES = {"lstm": ("write", "keep", "read", "new"), "gru": ("keep", "reset", "old", "new")}


def network(rule: str) -> blurc.Net:
    """The projections are called x_keep, h_keep and so on."""
    lines = [f"x -> h [kind = {kind}, label = x_{kind}]" for kind in GATES[rule] if kind != "old"]
    for kind in GATES[rule]:
        if (rule, kind) != ("gru", "new"):
            lines.append(f"h -> h [kind = {kind}, delay = 1, label = h_{kind}]")
    text = "network n { input x[2]  hidden h[8]  output y[2]  h -> y  LINES }"
    return blurc.compile(text.replace("LINES", "  ".join(lines)), genome=rule)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def by_hand(rule: str, w: dict[str, np.ndarray], xs: np.ndarray) -> np.ndarray:
    h = cell = np.zeros((xs.shape[1], 8))
    outs = []
    for x in xs:
        z = {kind: w[f"unit->h#{kind}"] for kind in GATES[rule]}
        for kind in z:
            for name, a in (("x", x), ("h", h)):
                z[kind] = z[kind] + (a @ w[f"{name}_{kind}"] if f"{name}_{kind}" in w else 0)
        if rule == "lstm":
            cell = sigmoid(z["keep"]) * cell + sigmoid(z["write"]) * np.tanh(z["new"])
            h = sigmoid(z["read"]) * np.tanh(cell)
        else:
            keep = sigmoid(z["keep"])
            h = keep * h + (1 - keep) * np.tanh(z["new"] + sigmoid(z["reset"]) * z["old"])
        outs.append(h @ w["h->y"] + w["unit->y"])
    return np.stack(outs)


@pytest.mark.parametrize("rule", GATES)
def test_a_cell_is_its_equations(rule: str):
    net, xs = network(rule), np.random.default_rng(0).normal(size=(6, 3, 2))
    genome = net.init_genome(KEY)
    _, outs = net.train(genome, net.init(KEY, genome, batch=3), xs)
    w = {name: np.asarray(a) for name, a in genome["w"].items()}
    np.testing.assert_allclose(outs, by_hand(rule, w, xs), atol=1e-5)


LAG = 20


def sequences(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The first step shows which of two classes it is, all others noise; the last one asks."""
    rng = np.random.default_rng(seed)
    xs, labels = 0.1 * rng.normal(size=(LAG, 32, 2)), rng.integers(2, size=32)
    xs[0, :, 0] = 2.0 * labels - 1
    xs[-1, :, 1] = 2
    return xs, np.eye(2)[labels]


@pytest.mark.parametrize("rule", GATES)
def test_gradients_through_time_teach_a_cell_to_remember_for_twenty_steps(rule: str):
    net = network(rule)
    start = net.init(KEY, net.init_genome(KEY), batch=32)

    @jax.jit
    @jax.value_and_grad
    def loss(genome, xs, y):
        _, outs = net.train(genome, start, xs)
        return optax.losses.softmax_cross_entropy(outs[-1], y).mean()

    genome, search = net.init_genome(KEY), optax.adam(0.03)
    genome["w"]["unit->h#keep"] += 3  # the gate that keeps starts open, as Gers et al. have it
    memory, losses = search.init(genome), []
    for i in range(100):
        value, slope = loss(genome, *map(jnp.asarray, sequences(i)))
        step, memory = search.update(slope, memory)
        genome = optax.apply_updates(genome, step)
        losses.append(float(value))
    assert losses[0] > 0.6
    assert np.mean(losses[-10:]) < 0.1
