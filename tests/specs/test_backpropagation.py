"""Backpropagation with what often goes with it: dropout and layer norm. One claim a test."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rules import KEY, LAYERED, drawn, exact_slope

import blurc
from blurc import tasks


@pytest.fixture
def double():
    with jax.enable_x64(True):
        yield


# ---------------------------------------------------------------- layer norm


def test_layer_norm_descends_its_exact_gradient(double: None):
    net, rng = blurc.compile(LAYERED, genome="layer_norm", rate=1), np.random.default_rng(0)
    genome, state = net.init_genome(KEY), drawn(net)
    x, y = rng.normal(size=(8, 4)), np.eye(3)[rng.integers(3, size=8)]

    slope = exact_slope(net, genome, state, x, y)
    after, _ = net.step(genome, state, x, y)
    for name, channels in after.synapses.items():
        np.testing.assert_allclose(state.synapses[name]["w"] - channels["w"], slope[name]["w"], atol=1e-10)


def test_the_size_of_an_example_makes_no_difference_to_normalized_layers():
    net = blurc.compile(LAYERED.replace("h1[5]", "h1[5] { bias = off }"), genome="layer_norm")
    x, genome, state = np.random.default_rng(0).normal(size=(8, 4)), net.init_genome(KEY), drawn(net)
    found, scaled = (net.predict(genome, state, size * x) for size in (1, np.geomspace(1, 100, 8)[:, None]))
    np.testing.assert_allclose(found, scaled, atol=1e-3)


# ---------------------------------------------------------------- dropout


def accuracy_from_wrong_labels(rule: str, signals: tuple[str, ...] = ()) -> float:
    """On the test set of digits, after training on 100 examples, 40 of which have a label by chance; twice."""
    data = tasks.load("digits")
    text = "network n { input x[8, 8]  hidden h[128]  hidden g[128]  output y[10] { phi = linear }  x -> h -> g -> y }"
    net = blurc.compile(text, genome=rule, rate=0.2)
    genome = net.init_genome(KEY)

    def right(seed: jax.Array) -> jax.Array:
        order = jax.random.permutation(jax.random.fold_in(KEY, seed), len(data.x_train))[:100]
        x, y = jnp.asarray(data.x_train)[order], jnp.asarray(data.y_train)[order]
        y = y.at[:40].set(jnp.eye(10)[jax.random.randint(KEY, 40, 0, 10)])
        xs, ys = (jnp.broadcast_to(a, (200, *a.shape)) for a in (x, y))
        state = net.init(jax.random.fold_in(KEY, seed), genome)
        state, _ = net.train(genome, state, xs, ys, signals={s: jnp.ones(200) for s in signals} or None, key=KEY)
        out = net.predict(genome, state, data.x_test, signals=dict.fromkeys(signals, 0.0) or None, key=KEY)
        return (out.argmax(-1) == data.y_test.argmax(-1)).mean()

    return float(jax.vmap(right)(jnp.arange(2)).mean())


def test_dropout_learns_less_of_what_is_wrong_in_its_examples():
    assert accuracy_from_wrong_labels("dropout", ("learning",)) > accuracy_from_wrong_labels("backprop") + 0.03
