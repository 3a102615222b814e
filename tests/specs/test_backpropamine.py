"""Backpropamine: the network says itself when its synapses learn, and with which sign."""

from __future__ import annotations

import jax
import numpy as np
from rules import KEY

import blurc

TEXT = """
network n {
  input  x[3]
  hidden h[4] { bias = off }
  output m[1] { bias = off }
  x -> h -> m
  h -> h [delay = 1]
  m -> h [kind = modulation, delay = 1]
}
"""


def life(steps: int = 6, modulation: float = 1.0) -> tuple[dict, np.ndarray, blurc.State]:
    net, rng = blurc.compile(TEXT, genome="backpropamine"), np.random.default_rng(0)
    genome = jax.tree.map(lambda a: rng.normal(size=a.shape), net.init_genome(KEY))
    genome["w"]["m->h"] *= modulation
    xs = rng.normal(size=(steps, 1, 3))
    state, _ = net.train(genome, net.init(KEY, genome, batch=1), xs)
    return genome, xs, state


def test_a_life_is_the_equations_of_the_paper():
    genome, xs, state = life()
    w, alpha = genome["w"], genome["alpha"]
    hebb = {name: np.zeros_like(a) for name, a in w.items()}
    h, m = np.zeros(4), np.zeros(1)
    for x in xs[:, 0]:
        carries = {name: w[name] + alpha[name] * hebb[name] for name in w}
        gain = m @ carries["m->h"]
        new = np.tanh(x @ carries["x->h"] + h @ carries["h->h"])
        said = np.tanh(new @ carries["h->m"])
        for name, pre in (("x->h", x), ("h->h", h), ("m->h", m)):
            hebb[name] = np.clip(hebb[name] + np.outer(pre, gain * new), -1, 1)
        h, m = new, said
    assert np.abs(hebb["x->h"]).max() > 0.1
    for name in ("x->h", "h->h", "m->h"):
        np.testing.assert_allclose(state.neurons[name]["hebb"][0], hebb[name], atol=1e-5)


def test_a_silent_modulator_stores_nothing_and_an_opposite_one_the_opposite():
    """In the second step, the first that the modulator has a say in."""
    stored, nothing, opposite = (life(2, m)[2].neurons["x->h"]["hebb"] for m in (1.0, 0.0, -1.0))
    assert np.abs(stored).max() > 0.1
    np.testing.assert_array_equal(nothing, 0)
    np.testing.assert_allclose(opposite, -stored, atol=1e-6)
