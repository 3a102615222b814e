"""Rules whose synapses keep a trace of every example: e-prop and RFLO. One claim a test."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rules import KEY, change, cosine

import blurc

STEPS, BATCH, RATE = 30, 3, 0.1
NETWORK = {
    "eprop": "network n { input x[4]  hidden h[5] { bias = off }  output y[2]"
    "  x -> h  h -> h [delay = 1, forward, label = rec]  h -> y [kind = readout] }",
    "rflo": "network n { input x[4]  hidden h[5]  output y[2]"
    "  x -> h  h -> h [delay = 1, forward, label = rec]  h -> y [kind = readout] }",
}
Synapses = dict[str, np.ndarray]


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    """Rounding must not turn into a spike more or less."""
    with jax.enable_x64(True):
        yield


def made(rule: str, batch: int = BATCH) -> tuple[blurc.Net, dict, blurc.State, np.ndarray, np.ndarray]:
    """A network, its start, a sequence of spikes or numbers, and what it should say to it."""
    rng, net = np.random.default_rng(0), blurc.compile(NETWORK[rule], genome=rule)
    genome = {**net.init_genome(KEY), "eta": RATE}
    state = net.init(KEY, genome, batch=batch)
    synapses = {
        of: {name: rng.normal(size=value.shape) for name, value in channels.items()}
        for of, channels in state.synapses.items()
    }
    xs, ys = rng.normal(size=(STEPS, batch, 4)), rng.normal(size=(STEPS, batch, 2))
    return net, genome, state._replace(synapses=synapses), 1.0 * (xs > 0) if rule == "eprop" else xs, ys


def outer(pre: np.ndarray, post: np.ndarray) -> np.ndarray:
    """Of every example, [batch, pre, post]."""
    return pre[:, :, None] * post[:, None, :]


def eprop_by_hand(w: Synapses, xs: np.ndarray, ys: np.ndarray) -> Synapses:
    """The equations of the paper for every example, and the mean of its changes: (4), (5), (13), (22) to (28)."""
    w, zero = {name: a.copy() for name, a in w.items()}, np.zeros((xs.shape[1], 5))
    v, z, seen, heard, y = zero, zero, zero, np.zeros((xs.shape[1], 4)), np.zeros((xs.shape[1], 2))
    trace = {name: np.zeros((xs.shape[1], *a.shape)) for name, a in w.items()}
    for x, target in zip(xs, ys, strict=True):
        heard = 0.9 * heard + x
        v = 0.9 * v + x @ w["x->h"] + z @ w["rec"] - z
        z, psi = 1.0 * (v > 1), 0.3 * np.maximum(0, 1 - np.abs(v - 1))
        y = 0.9 * y + z @ w["h->y"] + w["unit->y#readout"]
        made = {"x->h": outer(heard, psi), "rec": outer(seen, psi), "h->y": z[:, :, None], "unit->y#readout": 1.0}
        trace = {name: 0.9 * trace[name] + made[name] for name in w}
        error = target - y
        back = error @ w["h->y"].T
        told = {"x->h": back, "rec": back, "h->y": error, "unit->y#readout": error}
        w = {name: w[name] + RATE * (trace[name] * told[name][:, None, :]).mean(0) for name in w}
        seen = 0.9 * seen + z
    return w


def rflo_by_hand(w: Synapses, b: np.ndarray, xs: np.ndarray, ys: np.ndarray, tau: float = 10) -> Synapses:
    """Equations (1) and (3) to (5)."""
    w, h = {name: a.copy() for name, a in w.items()}, np.zeros((xs.shape[1], 5))
    trace = {name: np.zeros((xs.shape[1], *w[name].shape)) for name in ("x->h", "rec", "unit->h")}
    for x, target in zip(xs, ys, strict=True):
        u = x @ w["x->h"] + h @ w["rec"] + w["unit->h"]
        slope, pre = 1 - np.tanh(u) ** 2, {"x->h": x, "rec": h, "unit->h": np.ones((len(x), 1))}
        trace = {name: (1 - 1 / tau) * trace[name] + outer(pre[name], slope) / tau for name in trace}
        h = (1 - 1 / tau) * h + np.tanh(u) / tau
        error = target - h @ w["h->y"] - w["unit->y#readout"]
        change = {name: trace[name] * (error @ b.T)[:, None, :] for name in trace}
        change |= {"h->y": outer(h, error), "unit->y#readout": error[:, None, :]}
        w = {name: w[name] + RATE * change[name].mean(0) for name in w}
    return w


def test_eprop_is_the_equations_of_the_paper_at_a_batch_of_three():
    net, genome, state, xs, ys = made("eprop")
    after, outs = net.train(genome, state, xs, ys)
    expected = eprop_by_hand({of: np.asarray(channels["w"]) for of, channels in state.synapses.items()}, xs, ys)
    assert np.abs(np.diff(outs, axis=0)).max() > 0.5  # there are spikes
    for of, w in expected.items():
        assert np.abs(w - state.synapses[of]["w"]).max() > 1e-3
        np.testing.assert_allclose(after.synapses[of]["w"], w, rtol=1e-9, atol=1e-9)


def test_rflo_is_the_equations_of_the_paper_at_a_batch_of_three():
    net, genome, state, xs, ys = made("rflo")
    after, _ = net.train(genome, state, xs, ys)
    w = {of: np.asarray(channels["w"]) for of, channels in state.synapses.items()}
    for of, expected in rflo_by_hand(w, np.asarray(state.synapses["h->y"]["b"]), xs, ys).items():
        assert np.abs(expected - w[of]).max() > 1e-3
        np.testing.assert_allclose(after.synapses[of]["w"], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("rule", ["eprop", "rflo"])
def test_a_rule_that_is_told_what_is_asked_learns_that_alone(rule: str):
    """Asked at every step it is the other, and at none it learns nothing."""
    net, genome, state, xs, ys = made(rule)
    told = blurc.compile(NETWORK[rule], genome=f"{rule}_asked")
    expected, _ = net.train(genome, state, xs, ys)
    for asked, known in ((1.0, expected), (0.0, state)):
        after, _ = told.train(genome, state, xs, ys, signals={"asked": np.full((STEPS, BATCH), asked)})
        for of, channels in known.synapses.items():
            np.testing.assert_allclose(after.synapses[of]["w"], channels["w"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("rule", ["eprop", "rflo"])
def test_two_examples_change_synapses_by_the_mean_of_what_each_would_alone(rule: str):
    net, genome, state, xs, ys = made(rule, 2)

    def changed(examples: slice) -> np.ndarray:
        """By the last step; before that, only the traces grow."""
        fresh = net.init(KEY, genome, batch=xs[0, examples].shape[0])._replace(synapses=state.synapses)
        before, _ = net.train({**genome, "eta": 0.0}, fresh, xs[:-1, examples], ys[:-1, examples])
        return change(net, genome, before, xs[-1, examples], ys[-1, examples])

    first, second = changed(slice(0, 1)), changed(slice(1, 2))
    assert np.abs(first - second).max() > 1e-3
    np.testing.assert_allclose(changed(slice(0, 2)), (first + second) / 2, atol=1e-12)


@jax.custom_jvp
def spike(v: jax.Array) -> jax.Array:
    return 1.0 * (v > 1)


@spike.defjvp
def _(primals, tangents):
    (v,), (slope,) = primals, tangents
    return spike(v), 0.3 * jnp.maximum(0, 1 - jnp.abs(v - 1)) * slope


def test_without_recurrence_eprop_is_the_gradient_through_time():
    populations = "input x[4]  hidden h[5] { bias = off }  output y[2] { bias = off }"
    text = f"network n {{ {populations}  x -> h  h -> y [kind = readout] }}"
    rng, net, tiny = np.random.default_rng(0), blurc.compile(text, genome="eprop"), 1e-7
    start = {"x->h": jnp.asarray(rng.normal(size=(4, 5))), "h->y": jnp.asarray(rng.normal(size=(5, 2)))}
    xs, ys = 1.0 * (rng.normal(size=(STEPS, BATCH, 4)) > 0), rng.normal(size=(STEPS, BATCH, 2))

    def loss(w):
        def step(carry, now):
            (v, z, y), (x, target) = carry, now
            v = 0.9 * v + x @ w["x->h"] - jax.lax.stop_gradient(z)
            z = spike(v)
            y = 0.9 * y + z @ w["h->y"]
            return (v, z, y), ((target - y) ** 2).sum(-1).mean() / 2

        rest = jnp.zeros((BATCH, 5)), jnp.zeros((BATCH, 5)), jnp.zeros((BATCH, 2))
        return jax.lax.scan(step, rest, (xs, ys))[1].sum()

    genome = {**net.init_genome(KEY), "eta": tiny}
    state = net.init(KEY, genome, batch=BATCH)._replace(synapses={of: {"w": a} for of, a in start.items()})
    after, _ = net.train(genome, state, xs, ys)
    for of, slope in jax.grad(loss)(start).items():
        assert np.abs(slope).max() > 0.1
        np.testing.assert_allclose((after.synapses[of]["w"] - start[of]) / tiny, -slope, rtol=1e-3, atol=1e-3)


def errors_in_time(
    spec: str, xs: np.ndarray, ys: np.ndarray, times: int, **params: float
) -> tuple[np.ndarray, blurc.State]:
    """The mean squared error of each of many times that a network hears a sequence."""
    net = blurc.compile(spec, inputs=xs.shape[-1])
    genome = net.init_genome(KEY)
    start = np.tile(np.arange(len(xs)) == 0, times)
    state, outs = net.train(
        genome, net.init(KEY, genome, batch=1), np.tile(xs, (times, 1, 1)), np.tile(ys, (times, 1, 1)), reset=start
    )
    return ((np.asarray(outs).reshape(times, *ys.shape) - ys) ** 2).mean((1, 2, 3)), state


def test_spiking_neurons_learn_a_course_in_time_by_eprop():
    rng, t = np.random.default_rng(0), np.arange(60)
    ys = (np.sin(2 * np.pi * t / 60) + 0.5 * np.sin(6 * np.pi * t / 60))[:, None, None]
    found, _ = errors_in_time("networks/spiking.blur", 1.0 * (rng.random((60, 1, 20)) < 0.3), ys, 200)
    assert found[-10:].mean() < 0.2 * np.square(ys).mean()


def test_rate_neurons_learn_a_course_in_time_by_rflo_and_turn_towards_the_feedback():
    t = np.arange(60)
    xs, ys = np.ones((60, 1, 1)), np.sin(2 * np.pi * t / 60)[:, None, None]
    found, state = errors_in_time("networks/following.blur", xs, ys, 300)
    assert found[-10:].mean() < 0.2 * np.square(ys).mean()
    assert cosine(state.synapses["h->y"]["w"], state.synapses["h->y"]["b"]) > 0.3
