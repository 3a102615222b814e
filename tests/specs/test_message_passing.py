"""Networks whose synapses hold small learned networks, VSML and MPLP: meta-learning teaches them to learn."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from rules import KEY

import blurc

ALONE = "network n { input x[2]  output y[1] { bias = off }  x -> y }"
Loss = Callable[[Any, jax.Array, jax.Array], jax.Array]  # of a genome, on inputs and targets, one for every example


def meta_learned(loss: Loss, genome: Any, tasks: Callable[[int], tuple], steps: int, rate: float) -> Any:
    """The genome after steps of Adam, each on new tasks."""
    optimizer = optax.adam(rate)

    def advance(carry, data):
        genome, memory = carry
        update, memory = optimizer.update(jax.grad(lambda g: loss(g, *data).mean())(genome), memory)
        return (optax.apply_updates(genome, update), memory), None

    data = tuple(map(jnp.stack, zip(*(tasks(i) for i in range(steps)), strict=True)))
    return jax.jit(lambda start: jax.lax.scan(advance, start, data)[0])((genome, optimizer.init(genome)))[0]


def drawn_genome(net: blurc.Net) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.normal(0, 0.5, np.shape(value)) for name, value in net.init_genome(KEY).items()}


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_every_synapse_of_vsml_is_an_lstm_that_hears_both_its_neurons():
    net, rng, k = blurc.compile(ALONE, genome="vsml", k=3, m=2), np.random.default_rng(1), 3
    genome, x, y = drawn_genome(net), rng.normal(size=(4, 5, 2)), rng.normal(size=(4, 5, 1))
    start, known = net.init(KEY, genome, batch=5), np.array([0.0, 1, 0, 1])
    state, outs = net.train(genome, start, x, y, signals={"known": known})
    mark = np.moveaxis(np.asarray(start.synapses["x->y"]["mark"]), 0, -1)  # [2, 1, k]
    h = c = np.zeros((5, 2, 1, k))
    for t in range(4):
        said = ((h + mark) @ genome["send"].T).sum(1) / 4  # [batch, 1, m]
        np.testing.assert_allclose(outs[t], said[..., 0], atol=1e-5)
        up = np.stack([x[t], np.zeros((5, 2))], -1)[:, :, None]
        down = np.stack([known[t] * (y[t] - said[..., 0]), np.full((5, 1), known[t])], -1)[:, None]
        z = (h + mark) @ genome["of_h"].T + up @ genome["of_up"].T + down @ genome["of_down"].T + genome["bias"]
        enter, keep, out, new = (z[..., i * k : (i + 1) * k] for i in range(4))
        c = sigmoid(keep + 1) * c + sigmoid(enter) * np.tanh(new)
        h = sigmoid(out) * np.tanh(c)
    np.testing.assert_allclose(np.moveaxis(state.neurons["x->y"]["h"], 0, -1), h, atol=1e-5)


def test_a_synapse_of_mplp_changes_as_its_network_says_for_the_mean_of_the_batch():
    net, rng = blurc.compile(ALONE, genome="mplp", k=3, m=2), np.random.default_rng(1)
    genome, x, y = drawn_genome(net), rng.normal(size=(3, 5, 2)), rng.normal(size=(3, 5, 1))
    start = net.init(KEY, genome, batch=5)
    state, _ = net.train(genome, start, x, y)
    w, memory = np.asarray(start.synapses["x->y"]["w"], float), np.zeros((5, 2, 1, 3))
    for t in range(3):
        said = np.tanh(x[t] @ w)
        told = np.concatenate([said, y[t] - said], -1) @ genome["first"].T  # [batch, m]
        heard = x[t][:, :, None, None] * genome["of_act"] + (told @ genome["of_told"].T)[:, None, None]
        memory = np.tanh(w[..., None] * genome["of_w"] + memory @ genome["of_memory"].T + heard)
        w = w + 0.1 * (memory @ genome["change"][0]).mean(0)
    np.testing.assert_allclose(state.neurons["x->y"]["memory"], np.moveaxis(memory, -1, 0), atol=1e-5)
    np.testing.assert_allclose(state.synapses["x->y"]["w"], w, atol=1e-5)


SHOWN, LIVES = 10, 32


def questions(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """In every life another linear function: [examples, lives, 2] and [examples, lives, 1]."""
    rng = np.random.default_rng(seed)
    x, a = rng.normal(size=(SHOWN, LIVES, 2)), rng.normal(size=(LIVES, 2))
    return x, (x * a).sum(-1, keepdims=True) / np.sqrt(2)


@pytest.mark.slow
def test_vsml_learns_to_learn_a_function_from_examples():
    """Every example is shown for two ticks, and answered before its answer is known."""
    net = blurc.compile("network n { input x[2]  output y[1]  x -> y }", genome="vsml", k=8)
    known = jnp.tile(jnp.array([0.0, 1.0]), SHOWN)

    def loss(genome, x, y):
        shown, answers = jnp.repeat(x, 2, axis=0), jnp.repeat(y, 2, axis=0)
        state = net.init(KEY, genome, batch=LIVES)
        _, outs = net.train(genome, state, shown, answers, signals={"known": known})
        return ((outs[1::2] - y) ** 2).mean((1, 2))

    genome = meta_learned(loss, net.init_genome(KEY), questions, 250, 0.01)
    errors = jax.jit(loss)(genome, *questions(10_000))
    assert errors[0] > 0.5
    assert errors[-3:].mean() < 0.3 * errors[0]


def lives(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Of another function each: [steps, lives, batch, 2] and [steps, lives, batch, 1]."""
    rng = np.random.default_rng(seed)
    x, a = rng.normal(size=(10, 4, 16, 2)), rng.normal(size=(4, 1, 2))
    return x, np.tanh((x * a).sum(-1, keepdims=True))


@pytest.mark.slow
def test_mplp_learns_to_learn_what_a_fresh_one_does_not():
    text = "network n { input x[2]  hidden h[8]  output y[1] { phi = linear }  x -> h -> y }"
    net, keys = blurc.compile(text, genome="mplp"), jax.random.split(KEY, 4)

    def life(genome, key, x, y):
        _, outs = net.train(genome, net.init(key, genome, batch=16), x, y)
        return ((outs - y) ** 2).mean((1, 2))

    def loss(genome, x, y):
        return jax.vmap(partial(life, genome), (0, 1, 1), 1)(keys, x, y).mean(1)

    fresh = net.init_genome(KEY)
    genome = meta_learned(loss, fresh, lives, 100, 0.01)
    taught, untaught = (jax.jit(loss)(g, *lives(10_000)) for g in (genome, fresh))
    assert taught[-3:].mean() < 0.4 * taught[0]
    assert untaught[-3:].mean() > 0.7 * untaught[0]
