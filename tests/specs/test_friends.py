"""What the rules of others than the paper's family are known for, within one step: one claim a test.

Rules that need time, delays or rewards are in `test_time.py`, the older ones in `test_rules.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rules import KEY, SMALL, cosine, drawn

import blurc
from blurc import tasks


def everything(arrays: Mapping) -> np.ndarray:
    return np.concatenate([np.ravel(arrays[name]) for name in sorted(arrays)])


def trained_on_digits(rule: str, steps: int = 300, **parameters) -> tuple[blurc.State, blurc.State, float]:
    """The state before and after training, and the test accuracy."""
    data = tasks.load("digits")
    net = blurc.compile("networks/digits.blur", genome=rule, hidden=32, **parameters)
    genome = net.init_genome(KEY)
    before = net.init(KEY, genome)
    after, _ = net.train(genome, before, *tasks.batches(data, 64, steps, seed=0), key=KEY)
    right = net.predict(genome, after, data.x_test).argmax(-1) == data.y_test.argmax(-1)
    return before, after, float(right.mean())


def changes(net: blurc.Net, genome: Mapping, state: blurc.State, x, y) -> dict[str, np.ndarray]:
    """By how much a step changes the synapses."""
    after, _ = net.step(genome, state, x, y)
    return {n: np.asarray(c["w"] - state.synapses[n]["w"]) for n, c in after.synapses.items()}


# ---------------------------------------------------------------- other ways back


def test_sign_symmetry_sends_errors_back_through_the_signs_of_the_synapses_alone():
    net, rng = blurc.compile(SMALL, genome="sign_symmetric"), np.random.default_rng(1)
    genome, state = net.init_genome(KEY), drawn(net)
    x, y = rng.normal(size=(6, 4)), np.eye(3)[rng.integers(3, size=6)]
    trace = net.trace(genome, state, x, y)["backward"]
    for name, above in (("h1", "h2"), ("h2", "y")):
        signs = np.sign(state.synapses[f"{name}->{above}"]["w"])
        expected = trace[name]["slope"] * (trace[above]["err"] @ signs.T) / np.sqrt(len(signs))
        np.testing.assert_allclose(trace[name]["err"], expected, atol=1e-6)


def test_sign_symmetry_learns():
    _, _, accuracy = trained_on_digits("sign_symmetric", rate=0.5)
    assert accuracy > 0.93


def angles(state: blurc.State) -> list[float]:
    """In degrees, between the ways forth and back."""
    pairs = (state.synapses[name] for name in ("h1->h2", "h2->class"))
    return [float(np.degrees(np.arccos(cosine(s["w"], s["v"])))) for s in pairs]


def test_weight_mirrors_align_the_way_back_far_better_than_feedback_alignment_does():
    before, mirrored, accuracy = trained_on_digits("weight_mirror", rate=0.5)
    _, aligned, _ = trained_on_digits("feedback_alignment", rate=0.5)
    assert accuracy > 0.93
    assert min(angles(before)) > 80
    assert max(angles(mirrored)) < 15
    assert min(angles(aligned)) > 50


# ---------------------------------------------------------------- rules with coefficients


def test_abcd_is_its_equation_with_coefficients_for_every_synapse():
    net, rng = blurc.compile(SMALL, genome="abcd"), np.random.default_rng(0)
    genome = net.init_genome(KEY)
    genome["eta"] = {n: jnp.asarray(rng.uniform(0, 1, w.shape)) for n, w in genome["eta"].items()}
    state, x = net.init(KEY, genome), rng.normal(size=(6, 4))
    acts = {n: s["act"] for n, s in net.trace(genome, state, x)["forward"].items()} | {"unit": np.ones((6, 1))}
    after, _ = net.step(genome, state, x)
    for name, channels in state.synapses.items():
        A, B, C, D, eta = (np.asarray(genome[c][name]) for c in ("A", "B", "C", "D", "eta"))
        pre, post = (np.asarray(acts[end]) for end in name.split("->"))
        # One example after the other: every term is averaged over the batch.
        change = np.mean([A * np.outer(i, j) + B * i[:, None] + C * j + D for i, j in zip(pre, post, strict=True)], 0)
        assert np.abs(change).max() > 0.1
        np.testing.assert_allclose(after.synapses[name]["w"], channels["w"] + eta * change, atol=1e-5)


def test_bcm_neurons_become_selective_for_one_of_two_patterns():
    """Each answers with 2 to one pattern, as these are equally frequent, and with 0 to the other."""
    text = "network n { input x[2]  output y[8] { bias = off }  x -> y }"
    net, rng = blurc.compile(text, genome="bcm", rate=0.02), np.random.default_rng(0)
    patterns = np.array([[1.0, 0.3], [0.3, 1.0]])
    genome = net.init_genome(KEY)
    start = net.init(KEY, genome, batch=32)
    w = jnp.asarray(rng.uniform(0.3, 0.7, size=(2, 8)))
    state = blurc.State({"x->y": {"w": w}}, start.neurons)
    assert np.abs(np.subtract(*(patterns @ w))).max() < 0.5  # no neuron prefers one by much
    state, _ = net.train(genome, state, patterns[rng.integers(2, size=(3000, 32))])
    answers = np.sort(patterns @ np.asarray(state.synapses["x->y"]["w"]), axis=0)
    np.testing.assert_allclose(answers[0], 0.0, atol=0.1)
    np.testing.assert_allclose(answers[1], 2.0, atol=0.25)
    preferred = (patterns @ np.asarray(state.synapses["x->y"]["w"])).argmax(0)
    assert set(preferred) == {0, 1}


# ---------------------------------------------------------------- settling instead of a way back


@pytest.fixture
def double():
    with jax.enable_x64(True):
        yield


def predictive_coding(variance: float) -> float:
    """The cosine between the updates of predictive coding and of backpropagation, all synapses together."""
    net = blurc.compile(SMALL, genome="predictive_coding", rounds=40)
    other, rng = blurc.compile(SMALL, genome="backprop3_mse"), np.random.default_rng(0)
    genome, state = net.init_genome(KEY), drawn(net)
    genome["variance"] = {**genome["variance"], "y": jnp.asarray(variance)}
    x, y = rng.normal(size=(8, 4)), rng.normal(size=(8, 3))
    found = changes(net, genome, state, x, y)
    expected = changes(other, other.init_genome(KEY), state, x, y)
    return cosine(everything(found), everything(expected))


def test_predictive_coding_comes_close_to_backpropagation_for_outputs_of_large_variance(double):
    """Whittington and Bogacz (2017): then the errors inside are small, and stay where backpropagation has them."""
    far, near, nearest = (predictive_coding(v) for v in (1.0, 10.0, 1000.0))
    assert far < 0.95
    assert far < near < nearest
    assert nearest > 0.9999


def test_predictive_coding_comes_to_rest(double):
    """After settling, another round moves nothing: the errors of a neuron balance."""
    net, rng = blurc.compile(SMALL, genome="predictive_coding", rounds=60), np.random.default_rng(0)
    trace = net.trace(net.init_genome(KEY), drawn(net), rng.normal(size=(8, 4)), rng.normal(size=(8, 3)))
    first, last, end = (trace[f"backward@{i}"]["h1"]["act"] for i in (1, 59, 60))
    assert np.abs(end - first).max() > 0.1
    np.testing.assert_allclose(last, end, atol=1e-6)


def test_predictive_coding_learns():
    _, _, accuracy = trained_on_digits("predictive_coding", rate=0.2, rounds=12)
    assert accuracy > 0.88


def settled(nudge: float) -> tuple[blurc.Net, dict, blurc.State, np.ndarray, np.ndarray]:
    """A small network of which no neuron is at an end of its range."""
    text = "network n { input x[4]  hidden h[5]  output y[3]  x -> h  h -> y }"
    net = blurc.compile(text, genome="equilibrium_propagation", rounds=40, more=40, nudge=nudge)
    rng = np.random.default_rng(0)
    synapses = {n: {"w": 0.3 * c["w"] + (0.4 if n.startswith("unit") else 0)} for n, c in drawn(net).synapses.items()}
    return (net, net.init_genome(KEY), blurc.State(synapses, {}), rng.uniform(size=(8, 4)), rng.uniform(size=(8, 3)))


def test_equilibrium_propagation_descends_the_gradient_at_the_free_equilibrium(double):
    net, genome, state, x, y = settled(nudge=1e-4)

    def loss(synapses):
        out = net.predict(genome, blurc.State(synapses, {}), x)
        return 0.5 * ((out - y) ** 2).sum(-1).mean()

    gradient = jax.grad(loss)(state.synapses)
    found = changes(net, genome, state, x, y)
    for name, change in found.items():
        expected = -genome["eta"] * gradient[name]["w"]
        np.testing.assert_allclose(change, expected, atol=2e-3 * np.abs(expected).max())


def test_equilibrium_propagation_learns():
    """Which of two numbers is the larger one."""
    text = "network n { input x[2]  hidden h[8]  output y[2]  x -> h  h -> y }"
    net, rng = blurc.compile(text, genome="equilibrium_propagation", rate=0.2), np.random.default_rng(0)
    xs = rng.uniform(size=(400, 32, 2))
    ys = np.eye(2)[xs.argmax(-1)]
    genome = net.init_genome(KEY)
    _, outs = net.train(genome, net.init(KEY, genome), xs, ys)
    right = np.asarray(outs.argmax(-1)) == xs.argmax(-1)
    assert right[:5].mean() < 0.8
    assert right[-50:].mean() > 0.93
