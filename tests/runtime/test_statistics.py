"""Statistics that neurons keep over steps."""

from __future__ import annotations

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import blurc

RULE = """
genome g {
  state   a
  sense   { a <- FUNCTION }
  forward { a <- incoming(pre.a) }
  readout a
}
network n uses g { input x[3]  output y[3] { bias = off }  x -> y [one_to_one] }
"""
KEY = jax.random.key(0)


def net_of(function: str) -> blurc.Net:
    return blurc.compile(RULE.replace("FUNCTION", function))


def data(steps: int, batch: int) -> np.ndarray:
    return 3 + 2 * np.random.default_rng(0).normal(size=(steps, batch, 3))


@pytest.mark.parametrize("batch", [1, 32])
def test_running_statistics_come_to_those_of_the_data(batch: int) -> None:
    for function, expected in (("running_mean(input, 0.01)", 3.0), ("running_var(input, 0.01)", 4.0)):
        net = net_of(function)
        state, _ = net.train({}, net.init(KEY, {}), data(2000, batch))
        np.testing.assert_allclose(net.predict({}, state, np.zeros((1, 3))), expected, atol=0.9)


def test_the_first_step_of_rate_1_has_the_statistics_of_its_batch() -> None:
    x = data(1, 50)[0]
    for function, expected in (("running_mean(input, 1)", x.mean(0)), ("running_var(input, 1)", x.var(0))):
        net = net_of(function)
        _, out = net.step({}, net.init(KEY, {}), x)
        np.testing.assert_allclose(out[0], expected, rtol=1e-5)


def test_an_example_is_predicted_alone_as_among_others() -> None:
    net, x = net_of("standardize(input, running)"), data(20, 8)
    state, _ = net.train({}, net.init(KEY, {}), x)
    among = net.predict({}, state, x[0])
    np.testing.assert_allclose(net.predict({}, state, x[0, :1]), among[:1], rtol=1e-6)
    assert jnp.abs(among).max() < 6


def test_a_prediction_changes_nothing_and_a_step_takes_any_batch() -> None:
    net = net_of("running_mean(input)")
    state, _ = net.step({}, net.init(KEY, {}), data(1, 4)[0])
    before = net.predict({}, state, data(1, 2)[0])
    np.testing.assert_array_equal(net.predict({}, state, data(1, 2)[0]), before)
    after, _ = net.step({}, state, data(1, 1)[0])
    assert after.statistics["x"]["running_mean#0"].shape == (3,)


def test_a_reset_forgets_no_statistics() -> None:
    net = blurc.compile(
        RULE.replace("state   a", "state   a, b persistent").replace("FUNCTION", "running_mean(input) + b")
    )
    x = data(3, 2)
    kept, _ = net.train({}, net.init(KEY, {}, batch=2), x)
    reset, _ = net.train({}, net.init(KEY, {}, batch=2), x, reset=np.ones(3, bool))
    np.testing.assert_array_equal(reset.statistics["x"]["running_mean#0"], kept.statistics["x"]["running_mean#0"])


def test_statistics_of_a_state_that_do_not_fit_are_refused() -> None:
    net = net_of("running_mean(input)")
    with pytest.raises(blurc.BlurError, match="has no `x/running_mean#0`"):
        net.step({}, blurc.State(net.init(KEY, {}).synapses, {}), data(1, 4)[0])


def test_an_artifact_keeps_them(tmp_path: Path) -> None:
    net = net_of("standardize(input, running)")
    net.save(tmp_path / "n.blurx", platforms=["cpu"])
    loaded, x = blurc.load(tmp_path / "n.blurx"), data(5, 2)
    (found, outs), (expected, right) = (n.train({}, n.init(KEY, {}), x) for n in (loaded, net))
    np.testing.assert_allclose(outs, right, rtol=1e-6)
    np.testing.assert_allclose(found.statistics["x"]["running_var#0"], expected.statistics["x"]["running_var#0"])
    np.testing.assert_allclose(loaded.predict({}, found, x[0, :1]), net.predict({}, expected, x[0, :1]), rtol=1e-6)
