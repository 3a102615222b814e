"""Signals per example: every example of the batch has its own value."""

from __future__ import annotations

from pathlib import Path

import jax
import numpy as np
import pytest
from runtime.test_compiled import compare

import blurc
from blurc.diagnostics import BlurError

RULE = """
genome g {
  state   act, b
  signal  r per example, v[2] per example, all
  learn   m[2, 2] ~ normal(1)
  synapse w ~ normal(1 / sqrt(fan_in)), u[2] ~ normal(1)
  sense   { act <- input * r;  b <- all * softmax(r * v[0]) }
  forward {
    act <- tanh(r * incoming(w * pre.act * v[0]) + incoming(tanh(pre.act * r)) + population_sum(r) + standardize(v)[0])
    b <- incoming(r) + (m @ incoming(u * v * pre.act))[0] + ([v, v] @ incoming(u * pre.act))[1]
  }
  update {
    let z = batch_mean(r)
    let y = r * pre.act
    w <- tanh(w + batch_mean(r * pre.act * post.act) + z * batch_mean(y * z) + 0.1 * batch_sum(r * w))
    u <- tanh(u + batch_mean(v * post.act) - batch_sum(v) + batch_mean(m @ v * pre.act * (r - post.b)))
  }
  readout softmax(act * r)
}
"""
NETWORK = """
network n uses g {
  input x[3, 3]  hidden h[3, 3, 2]  output y[2]
  x -> h [conv(2, 2)]  h -> y  x -> y [sparse(p = 0.5)]  h -> h [delay = 1, one_to_one]
}
"""
STEPS, BATCH = 3, 4


@pytest.fixture
def fed() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {"r": rng.normal(size=(STEPS, BATCH)), "v": rng.normal(size=(STEPS, BATCH, 2)), "all": np.ones(STEPS)}


def test_compiled_means_what_the_reference_says() -> None:
    with jax.enable_x64(True):
        compare(RULE + NETWORK, batch=3, seed=1)


def test_steps_are_training_and_the_artifact_says_the_same(fed: dict[str, np.ndarray], tmp_path: Path) -> None:
    net = blurc.compile(RULE + NETWORK)
    genome = net.init_genome(jax.random.key(0))
    state = net.init(jax.random.key(1), genome, batch=BATCH)
    x = np.random.default_rng(1).normal(size=(STEPS, BATCH, 3, 3))
    _, trained = net.train(genome, state, x, signals=fed)
    net.save(tmp_path / "n.blurx")
    np.testing.assert_allclose(blurc.load(tmp_path / "n.blurx").train(genome, state, x, signals=fed)[1], trained)
    for i in range(STEPS):
        now = {name: value[i] for name, value in fed.items()}
        np.testing.assert_allclose(net.predict(genome, state, x[i], signals=now), trained[i], rtol=1e-5, atol=1e-6)
        state, out = net.step(genome, state, x[i], signals=now)
        np.testing.assert_allclose(out, trained[i], rtol=1e-5, atol=1e-6)


def test_one_of_another_batch_is_refused(fed: dict[str, np.ndarray]) -> None:
    net = blurc.compile(RULE + NETWORK)
    genome = net.init_genome(jax.random.key(0))
    state = net.init(jax.random.key(1), genome, batch=BATCH)
    now = {name: value[0] for name, value in fed.items()}
    with pytest.raises(BlurError, match=r"the signal `r` has shape \[\], expected \[4\]"):
        net.step(genome, state, np.zeros((BATCH, 9)), signals={**now, "r": 1.0})
    with pytest.raises(BlurError, match=r"'v': jax.numpy.zeros\(\(4, 2\)\)"):
        net.step(genome, state, np.zeros((BATCH, 9)))
