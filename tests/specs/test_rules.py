"""What each rule of the library is known for: one claim a test.

Where a rule is an equation of the paper, it is written a second time here, in NumPy.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rules import KEY, SMALL, cosine, drawn

import blurc
from blurc import tasks

RNG = np.random.default_rng(0)

X = RNG.normal(size=(8, 4))
Y = np.eye(3)[RNG.integers(3, size=8)]
OTHER_Y = np.roll(Y, 1, axis=1)


def ready(rule: str, meta: Mapping = {}, **parameters):
    """A rule on SMALL, with these meta-parameters instead of the drawn ones: net, genome, state."""
    net = blurc.compile(SMALL, genome=rule, **parameters)
    genome = net.init_genome(KEY) | {name: jnp.asarray(value, jnp.float32) for name, value in meta.items()}
    return net, genome, drawn(net)


@functools.cache
def trained_on_digits(rule: str, steps: int, **parameters) -> tuple[blurc.State, blurc.State, float]:
    """The state before and after training, and the test accuracy."""
    data = tasks.load("digits")
    net = blurc.compile("networks/digits.blur", genome=rule, hidden=32, **parameters)
    genome = net.init_genome(KEY)
    before = drawn(net)
    after, _ = net.train(genome, before, *tasks.batches(data, 64, steps, seed=0))
    right = net.predict(genome, after, data.x_test).argmax(-1) == data.y_test.argmax(-1)
    return before, after, float(right.mean())


# ---------------------------------------------------------------- other ways back


def both_ways(state: blurc.State, name: str) -> tuple[jax.Array, jax.Array]:
    return state.synapses[name]["w"], state.synapses[name]["v"]


def test_feedback_alignment_learns_through_random_synapses_that_never_change():
    before, after, accuracy = trained_on_digits("feedback_alignment", 300, rate=0.5)
    assert accuracy > 0.9
    for name in ("h1->h2", "h2->class"):
        np.testing.assert_array_equal(before.synapses[name]["v"], after.synapses[name]["v"])


def test_feedback_alignment_turns_the_forward_synapses_towards_the_random_ones():
    before, after, _ = trained_on_digits("feedback_alignment", 300, rate=0.5)
    for name in ("h1->h2", "h2->class"):
        assert abs(cosine(*both_ways(before, name))) < 0.12
        assert cosine(*both_ways(after, name)) > 0.15


def test_kolen_pollack_makes_the_two_ways_equal_whatever_the_data():
    before, after, accuracy = trained_on_digits("kolen_pollack", 300, rate=0.5, decay=0.01)
    assert accuracy > 0.85
    for name in ("h1->h2", "h2->class"):
        (w, v), (new_w, new_v) = both_ways(before, name), both_ways(after, name)
        np.testing.assert_allclose(new_w - new_v, 0.99**300 * (w - v), atol=2e-6)
        assert cosine(new_w, new_v) > 0.95


def test_direct_feedback_reaches_the_first_hidden_population_past_the_second():
    net = blurc.compile("networks/direct_feedback.blur", hidden=8)
    genome, state = net.init_genome(KEY), drawn(net)
    data = tasks.load("digits")
    x, y = data.x_train[:16], data.y_train[:16]
    trace = net.trace(genome, state, x, y)["backward"]
    expected = trace["h1"]["slope"] * (trace["class"]["err"] @ state.synapses["direct"]["v"].T)
    np.testing.assert_allclose(trace["h1"]["err"], expected, atol=1e-6)


def test_normalized_backpropagation_learns_and_its_hidden_synapses_have_no_length():
    _, after, accuracy = trained_on_digits("backprop_normalized", 300, rate=0.3)
    assert accuracy > 0.94
    net = blurc.compile("networks/digits.blur", genome="backprop_normalized", hidden=32)
    x = tasks.load("digits").x_test
    scaled = {n: {"w": 2 * c["w"]} if n.endswith("->h1") else c for n, c in after.synapses.items()}
    once, twice = (net.predict({"eta": 0.1}, after._replace(synapses=s), x) for s in (after.synapses, scaled))
    np.testing.assert_allclose(once, twice, atol=0.01)


def test_bounded_synapses_have_length_1_and_errors_keep_their_size():
    """On a wide network and a narrow one, what comes back through all synapses is about as large as it was."""
    for hidden in (16, 256):
        net = blurc.compile("networks/digits.blur", genome="blur_bounded", hidden=hidden)
        genome, data = net.init_genome(KEY) | {"keep": jnp.zeros(2)}, tasks.load("digits")
        state, _ = net.train(genome, drawn(net), *tasks.batches(data, 64, 20, seed=0))
        for into in ("h1", "h2", "class"):
            projections = [p.name for p in net.plan.projections if p.target == into]
            length = sum((state.synapses[name]["w"] ** 2).sum(0) for name in projections)
            np.testing.assert_allclose(length, 1, atol=1e-3)
        trace = net.trace(genome, state, data.x_train[:64], data.y_train[:64])
        sent, back = trace["feedback"]["class"]["a"][1], trace["backward"]["h2"]["a"][1]
        assert 0.5 < np.std(back) / np.std(sent) < 2, hidden


# ---------------------------------------------------------------- unsupervised rules


def centred_data(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Batches [steps, 64, 5] and their first principal component."""
    rng = np.random.default_rng(1)
    axes = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    return (rng.normal(size=(steps, 64, 5)) * [2.0, 1.0, 0.7, 0.5, 0.3]) @ axes.T, axes[:, 0]


def unsupervised(rule: str, steps: int, rate: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Synapses [5, 3] before and after, and the first principal component."""
    xs, component = centred_data(steps)
    text = "network n { input x[5]  output y[3] { bias = off }  x -> y }"
    net = blurc.compile(text, genome=rule, rate=rate)
    before = drawn(net)
    after, _ = net.train(net.init_genome(KEY), before, xs)
    return np.asarray(before.synapses["x->y"]["w"]), np.asarray(after.synapses["x->y"]["w"]), component


def test_oja_finds_the_first_principal_component():
    before, after, component = unsupervised("oja", 300, rate=0.02)
    assert min(abs(cosine(w, component)) for w in before.T) < 0.9
    assert all(abs(cosine(w, component)) > 0.99 for w in after.T)
    np.testing.assert_allclose(np.linalg.norm(after, axis=0), 1.0, atol=0.02)


def test_hebb_turns_to_the_first_principal_component_and_grows_without_end():
    before, after, component = unsupervised("hebb", 300, rate=0.01)
    assert all(abs(cosine(w, component)) > 0.99 for w in after.T)
    # The variance along the component is 4, so its part grows about as exp(0.01 * 4 * 300).
    growth = np.log((after.T @ component) / (before.T @ component))
    np.testing.assert_allclose(growth, 300 * np.log(1.04), rtol=0.1)


# ---------------------------------------------------------------- the general rule

K = 3


def general(genome: Mapping, w: Mapping, v: Mapping) -> tuple[dict, dict, dict]:
    """One step of equations (5) to (7) on SMALL, with f = 0: the states after the backward pass, and the new
    synapses."""
    g = {name: np.asarray(value, float) for name, value in genome.items()}
    into = {"h1": ["x"], "h2": ["h1", "x"], "y": ["h2"]}
    a = {"x": np.zeros((8, 4, K)), "unit": np.ones((8, 1, K))}
    a["x"][..., 0] = X
    for j, sources in into.items():  # (5): a_j^c <- phi(eta sum_i,d w_ij^c nu^cd a_i^d)
        z = sum(np.einsum("cij,cd,bid->bjc", w[f"{i}->{j}"], g["nu"], a[i]) for i in [*sources, "unit"])
        a[j] = g["eta"] * z if j == "y" else np.tanh(g["eta"] * z)
    a["y"][..., 1], a["y"][..., 2] = 2 * Y - 1, 0
    for i, targets in {"h2": ["y"], "h1": ["h2"]}.items():  # (6), and v_ij is w_ji of the paper
        z = sum(np.einsum("cij,cd,bjd->bic", v[f"{i}->{j}"], g["mu"], a[j]) for j in targets)
        a[i] = np.tanh(g["eta"] * z)
    new_w, new_v = {}, {}
    for name in w:  # (7)
        pre, post = (a[end] for end in name.split("->"))
        hebb = np.einsum("bie,ce,cd,bjd->cij", pre, g["hp"], g["hq"], post) / 8
        new_w[name] = g["fs"] * w[name] + g["es"] * hebb
        if name in v:
            hebb = np.einsum("bje,ce,cd,bid->cij", post, g["hp"], g["hq"], pre) / 8
            new_v[name] = g["fs"] * v[name] + g["es"] * hebb
    return a, new_w, new_v


def test_blur_plain_is_equations_5_to_7_of_the_paper():
    net, genome, state = ready("blur_plain", {"eta": 0.7, "fs": 0.9, "es": -0.3}, k=K)
    w, v = ({n: np.asarray(c[name]) for n, c in state.synapses.items() if name in c} for name in ("w", "v"))
    states, new_w, new_v = general(genome, w, v)
    after, _ = net.step(genome, state, X, Y)
    trace = net.trace(genome, state, X, Y)["backward"]
    for name in ("h1", "h2", "y"):
        np.testing.assert_allclose(np.moveaxis(trace[name]["a"], 0, -1), states[name], atol=1e-5)
    for name, channels in after.synapses.items():
        np.testing.assert_allclose(channels["w"], new_w[name], atol=1e-5)
        if "v" in channels:
            np.testing.assert_allclose(channels["v"], new_v[name], atol=1e-5)


@pytest.mark.parametrize("rule", ["blur", "blur_symmetric"])
def test_activations_of_a_fresh_normalized_rule_do_not_depend_on_the_size_of_the_inputs(rule: str):
    net, genome, state = ready(rule)
    small, large = (net.trace(genome, state, scale * X, Y)["forward"]["h1"]["a"] for scale in (1, 10))
    np.testing.assert_allclose(small, large, atol=1e-3)


def test_activations_of_the_plain_rule_do_depend_on_it():
    net, genome, state = ready("blur_plain")
    small, large = (net.trace(genome, state, scale * X, Y)["forward"]["h1"]["a"] for scale in (1, 10))
    assert np.abs(small - large).max() > 0.1


def test_ojas_term_pulls_synapses_in_by_the_squared_length_of_all_that_come_in():
    """Equation (8), its first term; with es = 0 nothing else changes them."""
    net, genome, state = ready("blur", {"es": 0.0, "oja": 0.1})
    after, _ = net.step(genome, state, X, Y)
    into = [state.synapses[name]["w"] for name in ("h1->h2", "x->h2", "unit->h2")]
    squared = sum((np.asarray(w) ** 2).sum(axis=1, keepdims=True) for w in into)
    for w, name in zip(into, ("h1->h2", "x->h2", "unit->h2"), strict=True):
        np.testing.assert_allclose(after.synapses[name]["w"], w - 0.1 * w * squared, atol=1e-6)


# ---------------------------------------------------------------- its variants


def test_symmetric_synapses_are_the_asymmetric_ones_made_equal():
    net, genome, state = ready("blur_symmetric")
    other, _, asymmetric = ready("blur")
    synapses = {n: dict.fromkeys(asymmetric.synapses[n], c["w"]) for n, c in state.synapses.items()}
    found = net.trace(genome, state, X, Y)["backward"]
    expected = other.trace(genome, blurc.State(synapses, {}), X, Y)["backward"]
    for name in ("h1", "h2"):
        np.testing.assert_allclose(found[name]["a"], expected[name]["a"], atol=1e-6)


@pytest.mark.parametrize(("single", "several"), [("blur_single", "blur"), ("blur_symmetric_single", "blur_symmetric")])
def test_a_single_channel_is_several_equal_ones_with_equal_rows(single: str, several: str):
    net, genome, state = ready(single, {"es": -0.2})
    other, more, _ = ready(several)
    repeated = {n: {c: jnp.stack([a, a]) for c, a in channels.items()} for n, channels in state.synapses.items()}
    same = more | genome | {name: jnp.tile(genome[name], (2, 1)) for name in ("hp", "hq")}
    found, _ = net.step(genome, state, X, Y)
    expected, _ = other.step(same, blurc.State(repeated, {}), X, Y)
    for name, channels in found.synapses.items():
        for channel, array in channels.items():
            np.testing.assert_allclose(array, expected.synapses[name][channel][0], atol=1e-6)


def test_the_multiplicative_backward_pass_multiplies_every_state():
    net, genome, state = ready("blur_multiplicative")
    trace = net.trace(genome, state, X, Y)
    back = np.einsum("kij,kc,cbj->kbi", state.synapses["h2->y"]["v"], genome["mu"], trace["feedback"]["y"]["a"])
    product = np.asarray(trace["forward"]["h2"]["a"]) * back
    centred = product - product.mean(axis=1, keepdims=True)
    expected = np.tanh(centred / np.sqrt(product.var(axis=1, keepdims=True) + 1e-5))
    np.testing.assert_allclose(trace["backward"]["h2"]["a"], expected, atol=1e-4)


def test_the_second_state_rule_leaves_activations_alone_on_the_way_back():
    net, genome, state = ready("blur_second_state", k=3)
    trace = net.trace(genome, state, X, Y)
    for name in ("h1", "h2"):
        forward, backward = trace["forward"][name]["a"], trace["backward"][name]["a"]
        np.testing.assert_array_equal(forward[0], backward[0])
        assert all(np.abs(forward[c] - backward[c]).max() > 0.1 for c in (1, 2))


def test_blur_from_backprop_starts_as_backprop():
    net, genome, state = ready("blur_from_backprop", rate=0.5)
    other, eta, _ = ready("backprop", rate=0.5)
    found, expected = net.step(genome, state, X, Y), other.step(eta, state, X, Y)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


# ---------------------------------------------------------------- bounds on synapses


def greatest_synapse(rule: str, meta: Mapping, steps: int) -> float:
    net, genome, state = ready(rule, meta)
    xs, ys = (np.broadcast_to(a, (steps, *a.shape)) for a in (X, Y))
    after, _ = net.train(genome, state, xs, ys)
    return max(float(jnp.abs(a).max()) for a in jax.tree.leaves(after.synapses))


def test_saturation_lets_synapses_grow_by_no_more_than_the_logarithm():
    """The bound in blur_saturated.blur, for a Hebbian drive of at most g: one step changes exp(c |w|) by at
    most c g exp(c g)."""
    steps, c, es = 400, 1.001, 0.05
    mixing = {"hp": np.eye(2), "hq": np.eye(2)}
    g = es * np.abs(X).max() * np.sqrt(7)  # the greatest standardized value of 8 examples is sqrt(7)
    start = max(float(jnp.abs(a).max()) for a in jax.tree.leaves(ready("blur_saturated")[2].synapses))
    bound = np.log(np.exp(c * start) + c * g * np.exp(c * g) * steps) / c
    assert greatest_synapse("blur_saturated", {"es": es, "s": 1.0, **mixing}, steps) < bound
    assert greatest_synapse("blur", {"es": es, **mixing}, steps) > bound


def test_normalized_synapses_into_and_back_to_a_neuron_have_length_1():
    net, genome, state = ready("blur_normalized", {"es": -0.3})
    after, _ = net.step(genome, state, X, Y)
    s = after.synapses
    into = sum((np.asarray(s[name]["w"]) ** 2).sum(axis=1) for name in ("h1->h2", "x->h2", "unit->h2"))
    back = (np.asarray(s["h1->h2"]["v"]) ** 2).sum(axis=2)
    np.testing.assert_allclose(into, 1.0, atol=1e-5)
    np.testing.assert_allclose(back, 1.0, atol=1e-5)


def test_effective_normalization_makes_the_network_the_same_for_scaled_synapses():
    net, genome, state = ready("blur_normalized_effective")
    scaled = jax.tree.map(lambda a: 7.0 * a, state)
    found, expected = (net.trace(genome, s, X, Y)["backward"] for s in (scaled, state))
    for name in ("h1", "h2", "y"):
        np.testing.assert_allclose(found[name]["a"], expected[name]["a"], atol=1e-4)


# ---------------------------------------------------------------- learning in the forward pass


def test_the_forward_update_is_seen_by_the_backward_pass_of_the_same_step():
    net, genome, state = ready("blur_forward", {"ef": -0.5})
    moved, unmoved = (net.trace(g, state, X, Y) for g in (genome, genome | {"ef": jnp.zeros(())}))
    np.testing.assert_array_equal(moved["forward"]["h2"]["a"], unmoved["forward"]["h2"]["a"])
    assert np.abs(moved["backward"]["h2"]["a"] - unmoved["backward"]["h2"]["a"]).max() > 0.01


def test_the_forward_update_needs_no_target():
    net, genome, state = ready("blur_forward", {"ef": -0.5, "es": 0.0})
    (found, _), (other, _) = net.step(genome, state, X, Y), net.step(genome, state, X, OTHER_Y)
    for name, channels in found.synapses.items():
        np.testing.assert_array_equal(channels["w"], other.synapses[name]["w"])
    assert np.abs(found.synapses["h1->h2"]["w"] - state.synapses["h1->h2"]["w"]).max() > 0.01
