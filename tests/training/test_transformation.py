"""A genome trains a model that blurc does not know, as it trains a network."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import blurc

KEY = jax.random.key(0)
NETWORK = "network n { input x[4]  hidden h[5]  output y[3] { phi = linear }  x -> h -> y }"
RNG = np.random.default_rng(0)
XS, YS = RNG.normal(size=(6, 8, 4)).astype("f"), np.eye(3, dtype="f")[RNG.integers(3, size=(6, 8))]


class Model(eqx.Module):
    hidden: eqx.nn.Linear
    last: eqx.nn.Linear

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.last(jnp.tanh(self.hidden(x)))


def loss(model: Model, x: jax.Array, y: jax.Array) -> jax.Array:
    return optax.softmax_cross_entropy(jax.vmap(model)(x), y).mean()


def model_of(state: blurc.State) -> Model:
    """The synapses of the network as layers of Equinox."""
    w = {name: jnp.asarray(channels["w"]) for name, channels in state.synapses.items()}

    def linear(projection: str) -> eqx.nn.Linear:
        weight, bias = w[projection].T, w[f"unit->{projection[3:]}"][0]
        layer = eqx.nn.Linear(weight.shape[1], weight.shape[0], key=KEY)
        return eqx.tree_at(lambda linear: (linear.weight, linear.bias), layer, (weight, bias))

    return Model(linear("x->h"), linear("h->y"))


# An error of the other sign; traces of two numbers; a mean over all synapses; a copy of the weight.
TURNED = """
import "rules/backprop.blur"
genome turned extends backprop {
  synapse m[2] ~ zeros, v = w
  feedback { err <- err * (target - softmax(act)) }
  update {
    m[0] <- 0.9 * m[0] + 2 * batch_mean(pre.act * post.err)
    m[1] <- m[1] + 0.1 * (m[0] - m[1])
    v <- (v + w) / 2
    w <- w + eta * m[1] - 0.01 * v * projection_mean(w ^ 2)
  }
}
"""


@pytest.mark.parametrize(("rule", "own"), [("learned_optimizer", ""), ("turned", TURNED)])
def test_a_model_of_equinox_learns_as_the_network_does(rule: str, own: str) -> None:
    net = blurc.compile(own + NETWORK, genome=rule)
    genome = net.init_genome(KEY)
    state = net.init(KEY, genome)
    model = model_of(state)
    optimizer = blurc.optax_from(net, genome)
    memory = optimizer.init(eqx.filter(model, eqx.is_array))

    @eqx.filter_jit
    def step(model: Model, memory: Any, x: jax.Array, y: jax.Array) -> tuple[Model, Any]:
        updates, memory = optimizer.update(eqx.filter_grad(loss)(model, x, y), memory, eqx.filter(model, eqx.is_array))
        return eqx.apply_updates(model, updates), memory

    for x, y in zip(XS, YS, strict=True):
        model, memory = step(model, memory, x, y)
    expected = model_of(net.train(genome, state, XS, YS)[0])
    for found, wanted in zip(*map(jax.tree.leaves, (model, expected)), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ("w <- w - 0.1 * batch_sum(pre.act * post.err)", "a product of neurons other than the gradient"),
        ("w <- w - 0.1 * batch_mean(pre.act * post.err) * batch_mean(post.act)", "neurons"),
        (
            "w <- w - 0.1 * batch_mean(pre.act * post.err) - 0.1 * batch_mean(pre.act * post.act)",
            "a product of neurons",
        ),
        ("w <- w - 0.1 * batch_mean(pre.act * post.err) / fan_in", "`fan_in`"),
        ("w <- w - 0.1 * batch_mean(pre.act * post.err) / batch_sum(1)", "the size of the batch"),
        ("w <- w - noise(0.1) * batch_mean(pre.act * post.err)", "random numbers"),
        ("w <- w - 0.1 * batch_mean(pre.act * post.err) / post.incoming(w ^ 2)", "neurons"),
        ("w <- w - own * batch_mean(pre.act * post.err)", "`own`, which projections or populations have"),
        ("w <- w - 0.1 * batch_mean(pre.act * post.act)", "not the gradient"),
        ("w <- 0.9 * w", "do not read a gradient"),
        ("w <- w - 0.1 * u * batch_mean(pre.act * post.err)", "cannot start `u`"),
    ],
)
def test_what_reads_more_than_the_gradient_is_refused(update: str, message: str) -> None:
    rule = """
    import "rules/backprop.blur"
    genome r extends backprop { synapse u ~ normal(1)  learn own = 1 per projection  update { %s } }
    """
    net = blurc.compile(rule % update + NETWORK, genome="r")
    with pytest.raises(blurc.BlurError) as found:
        blurc.optax_from(net, net.init_genome(KEY))
    assert {d.code for d in found.value.diagnostics} == {"E923"}
    assert message in str(found.value)


def test_the_network_has_a_gradient_to_compare_with() -> None:
    net = blurc.compile("network n { input x[2]  output y[2]  x -> y [one_to_one] }", genome="backprop")
    with pytest.raises(blurc.BlurError, match="a dense projection that learns"):
        blurc.optax_from(net, net.init_genome(KEY))


def test_the_update_needs_the_parameters() -> None:
    net = blurc.compile(NETWORK, genome="backprop")
    optimizer = blurc.optax_from(net, net.init_genome(KEY))
    params = {"w": jnp.ones((2, 3)), "b": jnp.asarray(2.0)}
    with pytest.raises(blurc.BlurError, match="was not given the parameters"):
        optimizer.update(params, optimizer.init(params))
    updates: Any = optimizer.update(params, optimizer.init(params), params)[0]
    np.testing.assert_allclose(updates["w"], -0.1 * params["w"], rtol=1e-5)


PARAMS: dict[str, Any] = {"w": jnp.ones((2, 3)), "b": [jnp.ones(3), None]}
MISTAKES = {
    "missing": ({"w": jnp.ones((2, 3)), "b": []}, PARAMS, "the gradient of the parameter `['b'][0]` is missing"),
    "none": ({**PARAMS, "w": None}, PARAMS, "the gradient of the parameter `['w']` is None"),
    "number": ({**PARAMS, "w": 0.5}, PARAMS, "the gradient of the parameter `['w']` is a `float`, not an array"),
    "shape": ({**PARAMS, "w": jnp.ones((3, 2))}, PARAMS, "`['w']` has the shape (3, 2), and it has (2, 3)"),
    "surplus": (
        {**PARAMS, "b": [jnp.ones(3)] * 2},
        PARAMS,
        "there is a gradient for `['b'][1]`, and no such parameter",
    ),
    "parameter": (PARAMS, {**PARAMS, "w": 1.0}, "the parameter `['w']` is a `float`, not an array"),
}


@pytest.fixture(scope="module")
def momentum() -> Any:
    rule = """
    import "rules/backprop.blur"
    genome r extends backprop {
      synapse m ~ zeros
      update { m <- 0.9 * m + batch_mean(pre.act * post.err);  w <- w - eta * m }
    }
    """
    net = blurc.compile(rule + NETWORK, genome="r")
    return blurc.optax_from(net, net.init_genome(KEY))


@pytest.mark.parametrize(("gradients", "params", "said"), MISTAKES.values(), ids=list(MISTAKES))
def test_a_leaf_that_does_not_fit_is_named(momentum: Any, gradients: Any, params: Any, said: str) -> None:
    with pytest.raises(blurc.BlurError, match="E923") as found:
        momentum.update(gradients, momentum.init(PARAMS), params)
    assert said in str(found.value)


def test_a_state_of_other_parameters_is_refused(momentum: Any) -> None:
    others = {"w": jnp.ones((2, 2)), "b": [jnp.ones(3), None]}
    with pytest.raises(blurc.BlurError, match=r"fits the parameter `\['w'\]`"):
        momentum.update(PARAMS, momentum.init(others), PARAMS)
    with pytest.raises(blurc.BlurError, match="not one of this optimizer"):
        momentum.update(PARAMS, (), PARAMS)
