"""The learned optimizer starts as Adam, and meta-learning makes it better than that."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
from rules import KEY, LAYERED

import blurc

STEPS, BATCH = 20, 16
ADAM = 0.03  # the best of 0.003, 0.01, 0.03 and 0.1 on these tasks


def test_it_starts_as_adam_without_bias_correction():
    net, other = blurc.compile(LAYERED, genome="learned_optimizer", rate=0.1), blurc.compile(LAYERED, genome="backprop")
    rng, genome = np.random.default_rng(0), net.init_genome(KEY)
    x, y, state = rng.normal(size=(3, 8, 4)), np.eye(3)[rng.integers(3, size=(3, 8))], net.init(KEY, genome)
    w = {name: np.asarray(channels["w"]) for name, channels in state.synapses.items()}
    m, s = dict.fromkeys(w, 0.0), dict.fromkeys(w, 0.0)
    for t in range(3):
        after, _ = other.step({"eta": 1.0}, blurc.State({n: {"w": w[n]} for n in w}, {}), x[t], y[t])
        gradient = {n: w[n] - after.synapses[n]["w"] for n in w}
        m = {n: 0.9 * m[n] + 0.1 * g for n, g in gradient.items()}
        s = {n: 0.999 * s[n] + 0.001 * g**2 for n, g in gradient.items()}
        w = {n: w[n] - 0.1 * m[n] / (np.sqrt(s[n]) + 1e-8) for n in w}
    found, _ = net.train(genome, state, x, y)
    for name in w:
        np.testing.assert_allclose(found.synapses[name]["w"], w[name], atol=1e-3)


def task(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Which side of a random wavy surface over the plane: [steps, batch, 2] and the two classes."""
    rng = np.random.default_rng(seed)
    x, a = rng.normal(size=(STEPS, BATCH, 2)), rng.normal(size=(2, 3))
    above = np.sin(1.5 * x @ a).sum(-1) > 0
    return x, np.stack([above, ~above], -1).astype(float)


def test_meta_learned_it_beats_adam_on_tasks_it_has_not_seen():
    text = "network n { input x[2]  hidden h[16]  output y[2] { phi = linear }  x -> h -> y }"
    net = blurc.compile(text, genome="learned_optimizer", rate=ADAM)

    def loss(genome, key, x, y):
        _, outs = net.train(genome, net.init(key, genome), x, y)
        return optax.losses.softmax_cross_entropy(outs[-10:], y[-10:]).mean()

    @jax.jit
    @jax.value_and_grad
    def mean_loss(genome, key, xs, ys):
        return jax.vmap(loss, (None, 0, 0, 0))(genome, jax.random.split(key, len(xs)), xs, ys).mean()

    def tasks(seeds: range):
        return (jnp.asarray(np.stack(a)) for a in zip(*map(task, seeds), strict=True))

    adam = genome = net.init_genome(KEY)
    search = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.01))
    memory = search.init(genome)
    for i in range(25):
        _, slope = mean_loss(genome, jax.random.key(i), *tasks(range(16 * i, 16 * i + 16)))
        step, memory = search.update(slope, memory)
        genome = optax.apply_updates(genome, step)
    unseen = [list(tasks(range(10_000 + 16 * i, 10_016 + 16 * i))) for i in range(4)]
    learned, before = (np.mean([mean_loss(g, KEY, *t)[0] for t in unseen]) for g in (genome, adam))
    assert learned < 0.9 * before
