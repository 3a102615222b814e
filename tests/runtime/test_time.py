"""Rules and networks that need time: what persists between steps, and what it is good for. One claim per test."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import blurc

KEY = jax.random.key(0)


@pytest.fixture
def double():
    with jax.enable_x64(True):
        yield


# ---------------------------------------------------------------- a network that remembers a step

WITHOUT_CONTEXT = """
import "rules/backprop3.blur"
network forgetful uses backprop3(rate = 0.5) {
  input  x[1]
  hidden h[16]
  output y[2] { phi = linear }
  x -> h
  h -> y
}
"""


def xor_of_the_last_two(steps: int, batch: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Random signs, and the exclusive or of each with the one before, which is 0 before the first."""
    bits = np.random.default_rng(0).integers(2, size=(steps, batch))
    before = np.concatenate([np.zeros((1, batch), int), bits[:-1]])
    return 2.0 * bits[..., None] - 1, np.eye(2)[bits ^ before]


def accuracy_at_the_end(spec: str) -> float:
    xs, ys = xor_of_the_last_two(400)
    net = blurc.compile(spec)
    genome = net.init_genome(KEY)
    _, outs = net.train(genome, net.init(KEY, genome, batch=32), xs, ys)
    return float((outs.argmax(-1) == ys.argmax(-1))[-50:].mean())


def test_elmans_network_learns_what_needs_the_step_before():
    assert accuracy_at_the_end("networks/elman.blur") > 0.98


def test_the_same_network_without_the_delayed_projection_cannot():
    assert accuracy_at_the_end(WITHOUT_CONTEXT) < 0.6


def elman() -> tuple[blurc.Net, dict, blurc.State]:
    net = blurc.compile("networks/elman.blur", hidden=5, inputs=2, classes=3)
    genome = net.init_genome(KEY)
    return net, genome, net.init(KEY, genome, batch=4)


def elman_by_hand(w: Mapping[str, jax.Array], xs, ys, reset) -> tuple[dict[str, jax.Array], list[jax.Array]]:
    """Gradient descent on each step, for which the context is an input that does not depend on the synapses."""

    def forward(w, x, context):
        h = jnp.tanh(x @ w["x->h"] + context @ w["context"] + w["unit->h"])
        return h @ w["h->y"] + w["unit->y"], h

    def loss(w, x, y, context):
        return -(y * jax.nn.log_softmax(forward(w, x, context)[0])).sum(-1).mean()

    context, outs = jnp.zeros((4, 5)), []
    for x, y, anew in zip(xs, ys, reset, strict=True):
        context = jnp.where(jnp.reshape(anew, (-1, 1)), 0.0, context)
        out, h = forward(w, x, context)
        gradient = jax.grad(loss)(w, x, y, context)
        w = {name: a - 0.5 * gradient[name] for name, a in w.items()}
        context, outs = h, [*outs, out]
    return dict(w), outs


@pytest.mark.parametrize("shape", [(10,), (10, 4)], ids=["of all examples", "of some examples"])
def test_elmans_network_is_gradient_descent_with_the_context_as_an_input(double, shape):
    net, genome, state = elman()
    rng = np.random.default_rng(0)
    xs, ys = rng.normal(size=(10, 4, 2)), np.eye(3)[rng.integers(3, size=(10, 4))]
    reset = rng.random(shape) < 0.3
    assert reset.any()
    assert not reset.all()
    after, outs = net.train(genome, state, xs, ys, reset=reset)
    start = {n: c["w"] for n, c in state.synapses.items()}
    w, expected = jax.jit(elman_by_hand)(start, xs, ys, reset)
    np.testing.assert_allclose(outs, jnp.stack(expected), atol=1e-12)
    for name, array in w.items():
        np.testing.assert_allclose(after.synapses[name]["w"], array, atol=1e-12)


def test_two_sequences_with_a_reset_between_are_two_trainings_with_fresh_neurons(double):
    net, genome, state = elman()
    rng = np.random.default_rng(0)
    xs, ys = rng.normal(size=(8, 4, 2)), np.eye(3)[rng.integers(3, size=(8, 4))]
    once, outs = net.train(genome, state, xs, ys, reset=np.arange(8) == 5)
    first, _ = net.train(genome, state, xs[:5], ys[:5])
    second, later = net.train(genome, blurc.State(first.synapses, state.neurons), xs[5:], ys[5:])
    for a, b in zip(jax.tree.leaves(once), jax.tree.leaves(second), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(outs[5:], later)
    _, unbroken = net.train(genome, state, xs, ys)
    assert np.abs(unbroken[5] - outs[5]).max() > 0.01


# ---------------------------------------------------------------- an attractor


def test_hopfields_network_completes_what_it_has_stored():
    n, rng = 100, np.random.default_rng(0)
    patterns = np.sign(rng.normal(size=(5, n)))
    net = blurc.compile("networks/attractor.blur", size=n)
    genome = net.init_genome(KEY)
    fresh = net.init(KEY, genome, batch=5)
    # Two steps for all patterns at once: in the second the neurons read the pattern from each other.
    stored, _ = net.train(genome, fresh, [patterns, patterns], signals={"store": [1.0, 1.0]})
    w = np.asarray(stored.synapses["y->y"]["w"])
    np.testing.assert_allclose(w, patterns.T @ patterns / n, atol=1e-6)
    wrong = np.where(rng.random(patterns.shape) < 0.25, -patterns, patterns)
    cues = np.concatenate([wrong[None], np.zeros((6, 5, n))])
    after, outs = net.train(genome, blurc.State(stored.synapses, fresh.neurons), cues, signals={"store": np.zeros(7)})
    overlaps = np.asarray((outs * patterns).mean(-1))  # [steps, patterns]
    assert overlaps[0].max() < 0.7
    np.testing.assert_array_equal(overlaps[-1], 1.0)
    np.testing.assert_array_equal(after.synapses["y->y"]["w"], w)
    energies = -0.5 * np.einsum("spi,ij,spj->sp", outs, w, outs)
    assert (np.diff(energies, axis=0) <= 1e-3).all()


# ---------------------------------------------------------------- differentiable plasticity

SIZE = 16


def life(net: blurc.Net, genome: Mapping, pattern: jax.Array, shown: jax.Array) -> jax.Array:
    return lives(net, genome, pattern[None], shown[None])[0]


def lives(net: blurc.Net, genome: Mapping, patterns: jax.Array, shown: jax.Array) -> jax.Array:
    """Two steps of a pattern, then, from rest, two steps of a part of it. Returns the last answer of every example."""
    state = net.init(KEY, genome, batch=len(patterns))
    state, _ = net.train(genome, state, jnp.stack([patterns] * 2))
    rest = {"y": jax.tree.map(jnp.zeros_like, state.neurons["y"])}
    _, outs = net.train(genome, state._replace(neurons=state.neurons | rest), jnp.stack([patterns * shown] * 2))
    return outs[-1]


def life_by_hand(genome: Mapping, pattern: jax.Array, shown: jax.Array) -> jax.Array:
    """Equations (1) and (2) of the paper. The synapses from the inputs have traces too."""
    w, alpha, eta = genome["w"], genome["alpha"], genome["eta"]
    hebb = jax.tree.map(jnp.zeros_like, w)
    y = jnp.zeros(SIZE)
    for step, x in enumerate([pattern, pattern, pattern * shown, pattern * shown]):
        before = jnp.zeros(SIZE) if step == 2 else y
        strength = {name: w[name] + alpha[name] * hebb[name] for name in w}
        y = jnp.tanh(x * strength["pattern->y"] + before @ strength["recurrent"])
        product = {"pattern->y": x * y, "recurrent": before[:, None] * y}
        hebb = {name: (1 - eta) * hebb[name] + eta * product[name] for name in w}
    return y


def patterns_and_parts(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Signs, and ones where they are shown again: at half of the places."""
    hidden = rng.random((count, SIZE)).argsort(-1) < SIZE // 2
    return np.sign(rng.normal(size=(count, SIZE))), 1.0 - hidden


def lives_loss(one_life, genome: Mapping, patterns, shown) -> jax.Array:
    answers = jax.vmap(partial(one_life, genome))(patterns, shown)
    return ((answers - patterns) ** 2).mean()


def test_differentiable_plasticity_and_its_gradients_are_the_equations(double):
    net = blurc.compile("networks/one_shot.blur", size=SIZE)
    genome = jax.tree.map(lambda a: a + 0.1, net.init_genome(KEY))
    data = patterns_and_parts(np.random.default_rng(0), 3)
    found, slopes = jax.jit(jax.value_and_grad(partial(lives_loss, partial(life, net))))(genome, *data)
    expected, expected_slopes = jax.jit(jax.value_and_grad(partial(lives_loss, life_by_hand)))(genome, *data)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    for name in ("w", "alpha"):
        for projection, slope in expected_slopes[name].items():
            assert np.abs(slope).max() > 1e-5
            np.testing.assert_allclose(slopes[name][projection], slope, atol=1e-12)
    np.testing.assert_allclose(slopes["eta"], expected_slopes["eta"], atol=1e-12)


def test_the_lives_of_a_batch_have_traces_of_their_own(double):
    net = blurc.compile("networks/one_shot.blur", size=SIZE)
    genome = jax.tree.map(lambda a: a + 0.1, net.init_genome(KEY))
    patterns, shown = patterns_and_parts(np.random.default_rng(0), 3)
    alone = [life(net, genome, *one) for one in zip(patterns, shown, strict=True)]
    np.testing.assert_allclose(lives(net, genome, patterns, shown), np.stack(alone), rtol=1e-12)


def right_where_hidden(plastic: bool) -> float:
    """How often a hidden sign is recalled, after meta-learning with or without traces."""
    net, rng = blurc.compile("networks/one_shot.blur", size=SIZE), np.random.default_rng(0)
    one_life, optimizer = partial(life, net), optax.adam(0.03)

    def without(tree: dict) -> dict:
        return tree if plastic else {**tree, "alpha": jax.tree.map(jnp.zeros_like, tree["alpha"])}

    def advance(carry, data):
        genome, memory = carry
        slopes = jax.grad(partial(lives_loss, one_life))(genome, *data)
        update, memory = optimizer.update(without(slopes), memory)
        return (optax.apply_updates(genome, update), memory), None

    genome = without(net.init_genome(KEY))
    batches = zip(*(patterns_and_parts(rng, 16) for _ in range(120)), strict=True)
    data = tuple(np.stack(a) for a in batches)
    learned = jax.jit(lambda start: jax.lax.scan(advance, start, data)[0])
    genome, _ = learned((genome, optimizer.init(genome)))
    patterns, shown = patterns_and_parts(rng, 100)
    answers = jax.vmap(partial(one_life, genome))(patterns, shown)
    return float((np.sign(answers) == patterns)[shown == 0].mean())


def test_meta_learned_plasticity_recalls_in_one_shot_what_fixed_synapses_cannot():
    assert right_where_hidden(plastic=True) > 0.99
    assert right_where_hidden(plastic=False) < 0.65


# ---------------------------------------------------------------- a reward that comes later

DELAY = 3
GOOD = np.array([1.0, -1.0, -1.0, 1.0])  # the sign of the answer to each of four cues that is rewarded
ACTOR = "network actor { input cue[4]  output act[1] { bias = off }  cue -> act }"


def rewards(decay: float, trials: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """The reward of every trial, and the final synapses. A cue is answered at once and rewarded three steps later;
    in between there is no input."""
    net = blurc.compile(ACTOR, genome="three_factor", decay=decay)
    genome = net.init_genome(KEY)
    blank = jnp.zeros((1, 4))

    def trial(state, now):
        cue, keys = now
        state, out = net.step(genome, state, jax.nn.one_hot(cue, 4)[None], signals={"reward": 0.0}, key=keys[0])
        reward = jnp.sign(out[0, 0]) * jnp.asarray(GOOD)[cue]
        for i in range(1, DELAY + 1):
            signals = {"reward": jnp.where(i == DELAY, reward, 0.0)}
            state, _ = net.step(genome, state, blank, signals=signals, key=keys[i])
        return state, reward

    cues = np.random.default_rng(0).integers(4, size=trials)
    data = (cues, jax.random.split(KEY, (trials, DELAY + 1)))
    state, brought = jax.lax.scan(trial, net.init(KEY, genome), data)
    return np.asarray(brought), np.asarray(state.synapses["cue->act"]["w"])


def test_three_factors_learn_from_a_reward_that_comes_later():
    brought, w = rewards(decay=0.8)
    assert (brought[:20] > 0).mean() < 0.8
    assert (brought[-50:] > 0).mean() > 0.95
    np.testing.assert_array_equal(np.sign(w[:, 0]), GOOD)


def test_without_a_trace_nothing_bridges_the_delay():
    """When the reward comes, the cue is gone and the product with it."""
    brought, w = rewards(decay=0.0)
    assert (brought[-50:] > 0).mean() < 0.8
    start = blurc.compile(ACTOR, genome="three_factor")
    np.testing.assert_array_equal(w, start.init(KEY, start.init_genome(KEY)).synapses["cue->act"]["w"])
