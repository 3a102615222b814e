"""Backpropagation, written as a local rule, is gradient descent: through every topology, to the last digits.

As `test_exact.py`, for projections that are not dense. The other side is written by hand with `jax.lax` and `jax.grad`.
Only which neurons a random sparse projection connects is taken from blurc.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import blurc
from blurc.model.sites import sites

STEPS, BATCH, RATE = 20, 5, 0.1

Arrays = Mapping[str, jax.Array]


@dataclass(frozen=True)
class Case:
    """A network with the input `x` and the output `y`, and its outputs by hand: of the synapses by name and `x`."""

    body: str
    outputs: Callable[[Arrays, jax.Array], jax.Array]

    def net(self, rule: str) -> blurc.Net:
        return blurc.compile(self.body, genome=rule, network="n", rate=RATE)


def flat(a: jax.Array) -> jax.Array:
    return a.reshape(len(a), -1)


def convolve(x: jax.Array, w: jax.Array, stride: int = 1, padding: str = "SAME") -> jax.Array:
    """Places and channels last, as everywhere here."""
    return lax.conv_general_dilated(x, w, (stride,) * (w.ndim - 2), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))


def pool(x: jax.Array, start: float, combine: Callable[..., jax.Array]) -> jax.Array:
    return lax.reduce_window(x, start, combine, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


# ---------------------------------------------------------------- convolutions and pools

CONV = """
network n {
  input  x[6, 5, 2]
  hidden a[3, 3, 4] { phi = relu, bias = shared }
  hidden b[2, 2, 3] { bias = shared }
  output y[3]       { phi = linear }
  x -> a [conv(3, 3, stride = 2)]
  a -> b [conv(2, 2, padding = valid)]
  b -> y
}
"""


def conv(w: Arrays, x: jax.Array) -> jax.Array:
    a = jax.nn.relu(convolve(x, w["x->a"], 2) + w["unit->a"][0])
    b = jnp.tanh(convolve(a, w["a->b"], padding="VALID") + w["unit->b"][0])
    return flat(b) @ w["b->y"] + w["unit->y"]


POOLS = """
network n {
  input  x[4, 4]
  hidden a[4, 4, 3] { bias = shared }
  hidden m[2, 2, 3] { phi = linear, bias = off }
  hidden b[2, 2, 3]                                      # a bias for every neuron
  hidden v[1, 1, 3] { phi = linear, bias = off }
  output y[3]       { phi = linear }
  x -> a [conv(3, 3)]
  a -> m [pool(max, 2, 2)]
  m -> b [conv(2, 2)]
  b -> v [pool(avg, 2, 2)]
  v -> y
}
"""


def pools(w: Arrays, x: jax.Array) -> jax.Array:
    a = jnp.tanh(convolve(x[..., None], w["x->a"]) + w["unit->a"][0])
    m = pool(a, -jnp.inf, lax.max)
    b = jnp.tanh(convolve(m, w["m->b"]) + w["unit->b"].reshape(2, 2, 3))
    return flat(pool(b, 0.0, lax.add) / 4) @ w["v->y"] + w["unit->y"]


# ---------------------------------------------------------------- one to one, sparse

ONE_TO_ONE = """
network n {
  input  x[5]
  hidden a[5]
  hidden b[5] { phi = sigmoid }
  output y[3] { phi = linear }
  x -> a [one_to_one]
  a -> b
  x -> b [one_to_one]
  b -> y
}
"""


def one_to_one(w: Arrays, x: jax.Array) -> jax.Array:
    a = jnp.tanh(x * w["x->a"] + w["unit->a"])
    b = jax.nn.sigmoid(a @ w["a->b"] + x * w["x->b"] + w["unit->b"])
    return b @ w["b->y"] + w["unit->y"]


def sparse_text(form: str) -> str:
    return f"""
    network n {{
      input  x[6]
      hidden a[8]
      output y[3] {{ phi = linear }}
      x -> a [sparse(p = 0.4, seed = 2{form})]
      a -> y [sparse(fan_in = 4{form})]
    }}
    """


def sparse(w: Arrays, x: jax.Array) -> jax.Array:
    def matrix(name: str, n_pre: int, n_post: int) -> jax.Array:
        p = blurc.compile(sparse_text(""), genome="backprop").plan.projection(name)
        at = sites(p.topology, p.pre, p.post)
        return jnp.zeros((n_pre, n_post)).at[at.pre, at.post].set(w[name])

    a = jnp.tanh(x @ matrix("x->a", 6, 8) + w["unit->a"])
    return a @ matrix("a->y", 8, 3) + w["unit->y"]


# ---------------------------------------------------------------- residual networks

RESIDUAL = """
block residual(size = 4) {
  input  x[size]
  hidden inside[size] { phi = relu }
  output y[size]      { phi = linear, bias = off }
  x -> inside
  inside -> y
  x -> y [identity]
}
network n {
  input  x[3]
  hidden first[4]
  output y[3] { phi = linear }
  x -> first
  r{1} = residual(x = first)
  for i in 2..3 { r{i} = residual(x = r{i-1}.y) }
  r3.y -> y
}
"""


def residual(w: Arrays, x: jax.Array) -> jax.Array:
    h = jnp.tanh(x @ w["x->first"] + w["unit->first"])
    for i, source in enumerate(("first", "r1.y", "r2.y"), 1):
        inside = jax.nn.relu(h @ w[f"{source}->r{i}.inside"] + w[f"unit->r{i}.inside"])
        h = h + inside @ w[f"r{i}.inside->r{i}.y"]
    return h @ w["r3.y->y"] + w["unit->y"]


RESIDUAL_CONV = """
network n {
  input  x[4, 4]
  hidden a[4, 4, 3] { phi = relu, bias = shared }
  hidden b[4, 4, 3] { bias = shared }
  output y[3]       { phi = linear }
  x -> a [conv(3, 3)]
  a -> b [conv(3, 3)]
  a -> b [identity]
  b -> y
}
"""


def residual_conv(w: Arrays, x: jax.Array) -> jax.Array:
    a = jax.nn.relu(convolve(x[..., None], w["x->a"]) + w["unit->a"][0])
    b = jnp.tanh(a + convolve(a, w["a->b"]) + w["unit->b"][0])
    return flat(b) @ w["b->y"] + w["unit->y"]


# ---------------------------------------------------------------- the comparison

CASES = {
    "conv": Case(CONV, conv),
    "pools": Case(POOLS, pools),
    "one_to_one": Case(ONE_TO_ONE, one_to_one),
    "sparse": Case(sparse_text(""), sparse),
    "sparse_masked": Case(sparse_text(", form = masked"), sparse),
    "sparse_gather": Case(sparse_text(", form = gather"), sparse),
    "sparse_segments": Case(sparse_text(", form = segments"), sparse),
    "residual": Case(RESIDUAL, residual),
    "residual_conv": Case(RESIDUAL_CONV, residual_conv),
}


def gradient_descent(case: Case, start: Arrays, xs: jax.Array, ys: jax.Array) -> Arrays:
    def loss(w: Arrays, x: jax.Array, y: jax.Array) -> jax.Array:
        return -(y * jax.nn.log_softmax(case.outputs(w, x))).sum(-1).mean()

    def step(w: Arrays, batch: tuple[jax.Array, jax.Array]) -> tuple[Arrays, None]:
        gradient = jax.grad(loss)(w, *batch)
        return {name: w[name] - RATE * gradient[name] for name in w}, None

    return jax.jit(lambda w: lax.scan(step, w, (xs, ys))[0])(start)


@pytest.mark.parametrize(
    ("name", "rule"), [*((name, "backprop") for name in CASES), ("pools", "backprop3"), ("residual", "backprop3")]
)
def test_backprop_is_gradient_descent(name: str, rule: str):
    case, rng = CASES[name], np.random.default_rng(0)
    with jax.enable_x64(True):
        net = case.net(rule)
        genome = net.init_genome(jax.random.key(0))
        shapes = {n: c["w"].shape for n, c in net.init(jax.random.key(0), genome).synapses.items() if c}
        start = {n: jnp.asarray(rng.normal(size=shape) * 0.5) for n, shape in shapes.items()}
        (inputs,) = net.signature.inputs.values()
        xs = jnp.asarray(rng.normal(size=(STEPS, BATCH, *inputs)))
        ys = jnp.asarray(np.eye(3)[rng.integers(3, size=(STEPS, BATCH))])
        synapses = {p.name: {"w": start[p.name]} if p.name in start else {} for p in net.plan.projections}
        found, _ = net.train(genome, blurc.State(synapses, {}), xs, ys)
        expected = gradient_descent(case, start, xs, ys)
    for n, w in expected.items():
        assert np.abs(w - start[n]).max() > 1e-3, f"{n} has learned nothing"
        error = np.abs(found.synapses[n]["w"] - w).max() / np.abs(w).max()
        assert error <= 1e-10, f"{n}: relative error {error:.1e}"
