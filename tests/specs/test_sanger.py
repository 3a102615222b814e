"""Sanger's rule finds the principal components in their order, which Oja's rule does not."""

from __future__ import annotations

import jax
import numpy as np

import blurc

SPEC = """
import "rules/sanger.blur"
network components uses sanger {
  input  x[6]
  output y[3] { bias = off }
  x -> y
}
"""


def batches(rng: np.random.Generator, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Centred data with axes of clearly different lengths, turned; and the axes, longest first."""
    axes, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    lengths = np.array([2.0, 1.4, 1.0, 0.4, 0.2, 0.1])
    return (rng.normal(size=(steps, 64, 6)) * lengths) @ axes.T, axes


def test_the_neurons_find_the_components_in_order() -> None:
    net = blurc.compile(SPEC, rate=0.02)
    xs, axes = batches(np.random.default_rng(0), 3000)
    genome = net.init_genome(jax.random.key(0))
    state, _ = net.train(genome, net.init(jax.random.key(1), genome), xs)
    w = np.asarray(state.synapses["x->y"]["w"])
    np.testing.assert_allclose(np.abs(w.T @ axes)[:, :3], np.eye(3), atol=0.1)


def test_one_step_is_the_equation_of_the_paper() -> None:
    with jax.enable_x64(True):
        net = blurc.compile(SPEC, rate=0.02)
        xs, _ = batches(np.random.default_rng(1), 1)
        genome = net.init_genome(jax.random.key(0))
        state = net.init(jax.random.key(1), genome)
        w = np.asarray(state.synapses["x->y"]["w"])
        expected = w.copy()
        for x in xs[0]:
            y = x @ w
            for j in range(3):
                expected[:, j] += 0.02 / 64 * y[j] * (x - w[:, : j + 1] @ y[: j + 1])
        after, _ = net.step(genome, state, xs[0])
        np.testing.assert_allclose(after.synapses["x->y"]["w"], expected, atol=1e-12)
