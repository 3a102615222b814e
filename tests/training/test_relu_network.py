"""The wiring of a network as a practitioner would train it, against the same written by hand."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import blurc
from blurc.training.relu_network import DECAY, EPS, LeftOut, ReluNetwork, Variables, relu_network

pytestmark = pytest.mark.usefixtures("compiled_fast")

CHAIN = """
import "rules/blur.blur"
network n uses blur {
  input x[6]  hidden a[5]  hidden b[4]  output y[3]
  x -> a  a -> b  b -> y  a -> y
}
"""
X = np.asarray(np.random.default_rng(0).normal(2, 3, (16, 6)), np.float32)


def started(network: ReluNetwork, x: Any = X) -> Variables:
    """With random readouts and scales: at 0 and 1 they would hide what stands before them."""
    variables = network.see(network.init(jax.random.key(0)), jnp.asarray(x))
    noise = np.random.default_rng(1)
    return variables._replace(
        learned=jax.tree.map(lambda a: a + jnp.float32(noise.normal(size=a.shape)), variables.learned)
    )


@pytest.fixture(scope="module")
def network() -> ReluNetwork:
    return relu_network(blurc.compile(CHAIN))


def norm(z: Any, axis: Any, scale: Any, shift: Any) -> Any:
    return scale * (z - z.mean(axis, keepdims=True)) / jnp.sqrt(z.var(axis, keepdims=True) + EPS) + shift


def by_hand(learned: Any, x: Any) -> Any:
    w, scale, shift = learned["weights"], learned["scale"], learned["shift"]
    x = (x - x.mean()) / jnp.sqrt(x.var() + EPS)
    a = jax.nn.relu(norm(x @ w["x->a"] + w["unit->a"], 0, scale["a"], shift["a"]))
    b = jax.nn.relu(norm(a @ w["a->b"] + w["unit->b"], 0, scale["b"], shift["b"]))
    return b @ w["b->y"] + a @ w["a->y"] + w["unit->y"]


def test_outputs_and_gradients_are_those_written_by_hand(network: ReluNetwork) -> None:
    variables = started(network)

    def own(learned: Any) -> Any:
        return network.learn(variables._replace(learned=learned), X)[0]

    outputs = (jax.jit(f)(variables.learned) for f in (own, lambda learned: by_hand(learned, X)))
    np.testing.assert_allclose(*outputs, rtol=1e-4, atol=1e-5)
    found, expected = (
        jax.jit(jax.grad(lambda learned, f=f: jnp.sum(jnp.tanh(f(learned)))))(variables.learned)
        for f in (own, lambda learned: by_hand(learned, X))
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4), found, expected)


def test_running_statistics_are_a_mean_of_those_of_batches(network: ReluNetwork) -> None:
    """Weighted by DECAY per step; so after one step alone they are those of its batch."""
    variables, batches = started(network), (X, X[::-1] + 1, 2 * X)
    for x in batches:
        variables = variables._replace(running=network.learn(variables, x)[1])
    seen = [network.learn(started(network)._replace(seen=variables.seen), x)[1]["moments"]["a"] for x in batches]
    weights = DECAY ** np.arange(3)[::-1]
    expected = np.tensordot(weights / weights.sum(), np.asarray(seen) / (1 - DECAY), 1)
    running = variables.running
    np.testing.assert_allclose(running["moments"]["a"] / running["weight"], expected, rtol=1e-5, atol=1e-6)


def test_who_asks_about_the_batch_that_was_learned_is_answered_as_in_learning(network: ReluNetwork) -> None:
    variables = started(network)
    outputs, running = network.learn(variables, X)
    np.testing.assert_allclose(network.predict(variables._replace(running=running), X), outputs, atol=1e-4)


@pytest.mark.parametrize("normalization", ["batch", "layer", "none"])
def test_an_example_is_answered_the_same_whatever_is_asked_beside_it(network: ReluNetwork, normalization: Any) -> None:
    own = ReluNetwork(network.plan, network.order, network.forward, network.linear, normalization)
    variables = started(own)
    variables = variables._replace(running=own.learn(variables, X)[1])
    alone = np.concatenate([own.predict(variables, x[None]) for x in X])
    np.testing.assert_allclose(own.predict(variables, X), alone, rtol=1e-4, atol=1e-4)


def test_inputs_are_standardised_by_what_was_seen(network: ReluNetwork) -> None:
    for inputs, axis in (("overall", None), ("each", 0)):
        own = ReluNetwork(network.plan, network.order, network.forward, network.linear, "none", inputs)
        variables = own.init(jax.random.key(0))
        for x in (X[:8], X[8:]):
            variables = own.see(variables, jnp.asarray(x))
        expected = (X - X.mean(axis)) / np.sqrt(X.var(axis) + EPS)
        np.testing.assert_allclose(own._standardised(variables, X), expected, rtol=1e-4, atol=1e-5)


def test_examples_are_standardised_one_by_one(network: ReluNetwork) -> None:
    """Neither brightness nor contrast makes a difference, as long as an input varies within its example."""
    own = ReluNetwork(network.plan, network.order, network.forward, network.linear, "none", "example")
    variables = own.init(jax.random.key(0))
    for x in (X[:8], 3 * X[8:] + 1):
        variables = own.see(variables, jnp.asarray(x))
    alone = (X - X.mean(1, keepdims=True)) / X.std(1, keepdims=True)
    np.testing.assert_allclose(own._standardised(variables, X), alone - alone.mean(0), rtol=1e-3, atol=1e-3)


def test_the_start_is_he_and_the_readout_is_at_0() -> None:
    wide = relu_network(blurc.compile("networks/mnist.blur", network="mnist"))
    learned = wide.init(jax.random.key(0)).learned
    assert np.std(learned["weights"]["pixels->h1"]) == pytest.approx(np.sqrt(2 / 784), rel=0.01)
    assert not np.any(learned["weights"]["h2->class"])
    assert {name: len(scale) for name, scale in learned["scale"].items()} == {"h1": 256, "h2": 128}


def test_fixed_projections_are_not_learned() -> None:
    text = CHAIN.replace("x -> a ", "x -> a [fixed] ")
    variables = relu_network(blurc.compile(text)).init(jax.random.key(0))
    assert set(variables.fixed) == {"x->a"}
    assert "x->a" not in variables.learned["weights"]


def test_a_convolutional_network_is_the_one_written_by_hand() -> None:
    """Statistics and scales are of channels; the pool is neither normalised nor bent."""
    net = blurc.compile("networks/mnist_conv.blur", side=8, first=2, second=3)
    network = relu_network(net)
    x = np.asarray(np.random.default_rng(0).normal(size=(5, 64)), np.float32)
    variables = started(network, x)
    w, scale, shift = (variables.learned[name] for name in ("weights", "scale", "shift"))
    assert set(scale) == {"strokes", "parts"}

    def layer(a: Any, name: str, source: str, shape: tuple[int, ...], stride: int) -> Any:
        kernel = w[f"{source}->{name}"].reshape(shape)
        z = jax.lax.conv_general_dilated(
            a, kernel, (stride, stride), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        return jax.nn.relu(norm(z + w[f"unit->{name}"], (0, 1, 2), scale[name], shift[name]))

    a = ((x - x.mean()) / np.sqrt(x.var() + EPS)).reshape(5, 8, 8, 1)
    a = layer(a, "strokes", "pixels", (5, 5, 1, 2), 2)
    a = layer(a, "parts", "strokes", (5, 5, 2, 3), 1)
    a = a.reshape(5, 2, 2, 2, 2, 3).max((2, 4)).reshape(5, -1)
    expected = a @ w["largest->class"] + w["unit->class"]
    np.testing.assert_allclose(jax.jit(network.learn)(variables, x)[0], expected, rtol=1e-3, atol=1e-4)


def test_places_without_an_axis_of_channels_share_one_scale() -> None:
    text = """
    import "rules/blur.blur"
    network n uses blur {
      input x[6, 6]  hidden a[4, 4]  output y[3]
      x -> a [conv(3, 3, padding = valid)]  a -> y
    }
    """
    scale = relu_network(blurc.compile(text)).init(jax.random.key(0)).learned["scale"]
    assert scale["a"].shape == (1,)


def test_residual_networks_are_built() -> None:
    network = relu_network(blurc.compile("networks/mnist_residual.blur", side=8, channels=2))
    x = np.zeros((3, 64), np.float32)
    assert jax.eval_shape(network.learn, started(network, x), x)[0].shape == (3, 10)


def test_a_network_without_anything_to_learn_is_left_out() -> None:
    text = 'import "rules/blur.blur"\nnetwork n uses blur { input x[2]  output y[2] { bias = off }  x -> y [fixed] }'
    with pytest.raises(LeftOut, match="no projection of `n` learns"):
        relu_network(blurc.compile(text))
