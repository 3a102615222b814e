"""`net.run`: a sequence with frozen synapses, compiled and loaded."""

from __future__ import annotations

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import blurc
from blurc import artifact
from blurc.runtime import Program

pytestmark = pytest.mark.usefixtures("compiled_fast")

KEY = jax.random.key(0, impl="threefry2x32")
STEPS, BATCH = 6, 3
LEAKY = """
genome leaky {
  state   act, err, u persistent
  synapse w ~ normal(0.5)
  learn   eta = 0.1
  signal  gain

  sense    { act <- gain * input }
  forward  { u <- 0.5 * u + incoming(w * pre.act)  act <- tanh(u) }
  feedback { err <- act - target  u <- 100 * u }
  update   { w <- w - eta * batch_mean(pre.act * post.err) }
  readout  act
}
network n uses leaky { input x[2]  output y[2]  x -> y  y -> y [delay = 2, forward] }
"""


@pytest.fixture(scope="module")
def elman() -> blurc.Net:
    return blurc.compile("networks/elman.blur", inputs=2, classes=3, hidden=4)


@pytest.fixture(scope="module")
def leaky() -> blurc.Net:
    return blurc.compile(LEAKY)


def inputs(net: Program) -> jax.Array:
    (shape,) = net.signature.inputs.values()
    return jax.random.normal(jax.random.key(1), (STEPS, BATCH, *shape))


def started(net: Program) -> tuple[dict, blurc.State]:
    values = net.init_genome(KEY)
    return values, net.init(KEY, values, batch=BATCH)


def equal(one: object, other: object) -> bool:
    return bool(jax.tree.all(jax.tree.map(lambda a, b: np.allclose(a, b, rtol=1e-5, atol=1e-6), one, other)))


def test_a_sequence_answers_as_training_does_where_nothing_is_learned(elman: blurc.Net) -> None:
    values, state = started(elman)
    xs = inputs(elman)
    targets = jnp.zeros((STEPS, BATCH, 3))
    expected, outs = elman.train({**values, "eta": jnp.float32(0)}, state, xs, targets)
    after, found = elman.run(values, state, xs)
    np.testing.assert_allclose(found, outs, rtol=1e-5, atol=1e-6)
    assert equal(after.neurons["h"]["act@1"], expected.neurons["h"]["act@1"])
    assert equal(after.synapses, state.synapses)


def test_only_what_comes_before_the_readout_runs(leaky: blurc.Net) -> None:
    values, state = started(leaky)
    xs, gains = inputs(leaky), jnp.linspace(0.5, 1.0, STEPS)
    after, outs = leaky.run(values, state, xs, signals={"gain": gains})
    w, back = (state.synapses[name]["w"] for name in ("x->y", "y->y"))
    u, past = jnp.zeros((BATCH, 2)), [jnp.zeros((BATCH, 2))] * 2
    for t in range(STEPS):
        u = 0.5 * u + gains[t] * xs[t] @ w + past[t] @ back
        past.append(jnp.tanh(u))
        np.testing.assert_allclose(outs[t], past[-1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(after.neurons["y"]["u"], u, rtol=1e-5)


def test_a_sequence_may_be_run_in_parts_and_forget(elman: blurc.Net) -> None:
    values, state = started(elman)
    xs = inputs(elman)
    after, outs = elman.run(values, state, xs)
    middle, first = elman.run(values, state, xs[:2])
    end, rest = elman.run(values, middle, xs[2:])
    assert equal((end, jnp.concatenate([first, rest])), (after, outs))
    _, again = elman.run(values, middle, xs, jnp.asarray([True] + [False] * (STEPS - 1)))
    assert equal(again, outs)
    one = jnp.zeros((STEPS, BATCH), bool).at[3, 1].set(True)
    _, apart = elman.run(values, state, xs, one)
    assert equal(apart[:, [0, 2]], outs[:, [0, 2]])
    assert equal(apart[3:, 1], elman.run(values, state, xs[3:])[1][:, 1])


def test_a_network_without_memory_answers_each_step_alone() -> None:
    net = blurc.compile("networks/digits.blur", hidden=4)
    values, state = started(net)
    xs = jax.random.normal(jax.random.key(1), (STEPS, BATCH, 64))
    after, outs = net.run(values, state, xs)
    assert equal(outs, jnp.stack([net.predict(values, state, x) for x in xs]))
    assert equal(after, state)


def test_a_deep_network_whose_layers_are_one_loop_runs_too() -> None:
    net = blurc.compile("networks/digits.blur", hidden=4, depth=60)
    assert net.plan.run.stacks
    values, state = started(net)
    xs = inputs(net)
    _, outs = net.run(values, state, xs)
    assert equal(outs, jnp.stack([net.predict(values, state, x) for x in xs]))


def test_gradients_go_through_time(elman: blurc.Net) -> None:
    values, state = started(elman)
    xs = inputs(elman)

    def last(w: jax.Array) -> jax.Array:
        synapses = {**state.synapses, "x->h": {"w": w}}
        return elman.run(values, state._replace(synapses=synapses), xs)[1][-1].sum()

    w = state.synapses["x->h"]["w"]
    slope = jax.grad(last)(w)
    step = 1e-2 * jnp.ones_like(w)
    assert float(last(w + step) - last(w - step)) == pytest.approx(float(2 * (slope * step).sum()), rel=0.05, abs=1e-4)


@pytest.mark.parametrize("spec", ["elman", "leaky"])
def test_a_loaded_artifact_runs_alike(spec: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    net = request.getfixturevalue(spec)
    values, state = started(net)
    xs = inputs(net)
    signals = {"gain": jnp.linspace(0.5, 1.0, STEPS)} if spec == "leaky" else None
    reset = jnp.arange(STEPS) == 2
    artifact.save(net, tmp_path / "n.blurx", platforms=["cpu"])
    loaded = blurc.load(tmp_path / "n.blurx")
    assert equal(loaded.run(values, state, xs, reset, signals), net.run(values, state, xs, reset, signals))


def test_what_does_not_fit_is_refused(leaky: blurc.Net) -> None:
    values, state = started(leaky)
    with pytest.raises(blurc.BlurError, match="E909"):
        leaky.run(values, state, inputs(leaky))
    with pytest.raises(blurc.BlurError, match="E911"):
        leaky.run(values, state, inputs(leaky), [1.0] * STEPS, {"gain": jnp.ones(STEPS)})
    with pytest.raises(blurc.BlurError, match="E901"):
        leaky.run(values, state, inputs(leaky)[0], signals={"gain": jnp.ones(STEPS)})
