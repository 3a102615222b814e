"""Channels per example: every synapse has a value for every example of the batch."""

from __future__ import annotations

from pathlib import Path

import jax
import numpy as np
import pytest
from runtime.test_compiled import compare

import blurc
from blurc.diagnostics import BlurError

RULE = """
genome g {
  state   act, b[2], c persistent
  signal  r per example, all
  learn   m[2, 2] ~ normal(1), tau = 0.5 per neuron, each = 0.3 per synapse, p = 0.9 per projection
  synapse w ~ normal(1 / sqrt(fan_in)), u[2] ~ normal(1)
  synapse e ~ zeros per example, f[2] ~ zeros per example, q[2, 2] ~ zeros per example
  fn      phi = tanh
  sense   { act <- input;  b <- input * r;  c <- 0.5 * c + act }
  forward {
    act <- tanh(incoming((w + e) * pre.act) + incoming(tanh(e * pre.act + w)) * 0.1)
    b   <- incoming(q @ f * pre.act / (1 + square(post.incoming(e * pre.act)))) + m @ incoming(f * u)
    c   <- 0.9 * c + incoming(e * r + 0.1 * pre.c * pre.tau) - incoming(w * pre.c)
  }
  feedback { act <- act - target }
  backward { act <- tanh(outgoing(w * phi(e) * post.act) + outgoing(f[1] * each) * act + r) }
  update  {
    let hebb = pre.act * post.act
    let still = w * pre.tau * post.tau + batch_mean(hebb * post.b[0])
    e <- tanh(0.9 * e + hebb + still * pre.b[0] + phi(pre.act * p) + all * r)
    f[0] <- sin(e * f[1] + 0.1 * post.incoming(f[0] * pre.b[1]) + batch_sum(hebb))
    f[1] <- tanh(where(pre.act > post.act, f[0], pre.outgoing(e * post.c)) + post.tau)
    q <- clip(q + 0.1 * [[e, f[0]], [hebb, 1]], -1, 1)
    w <- tanh(w + batch_mean(e * post.act) + 0.1 * batch_sum(exp(-square(e)) * r) + batch_mean(hebb))
    u <- tanh(u + batch_mean(m @ f * hebb + (q @ f) * still))
  }
  readout act
}
"""
NETWORKS = {
    "dense": "input x[3]  hidden h[4]  output y[2]  x -> h -> y  h -> h [delay = 1]",
    "sparse": "input x[5]  hidden h[4]  output y[3]  x -> h [sparse(p = 0.6)]  h -> y [sparse(fan_in = 2)]",
    "one to one": "input x[3]  hidden h[3]  output y[3] { bias = off }  x -> h [one_to_one]  h -> y",
    "identity": "input x[3]  hidden h[3]  output y[3] { bias = off }  x -> h [identity]  h -> y  x -> y [identity]",
    "conv": "input x[4, 4]  hidden h[4, 4, 2] { bias = shared }  output y[2, 2, 1]  x -> h [conv(3, 3)]"
    "  h -> y [conv(2, 2, stride = 2, padding = valid)]",
    "pools": "input x[4, 4, 2]  hidden h[2, 2, 2]  hidden k[2, 2, 2]  output y[3]"
    "  x -> h [pool(max, 2, 2)]  x -> k [pool(avg, 2, 2)]  h -> y  k -> y",
    "tied": "input x[3]  hidden h[3]  hidden k[3]  output y[2]  x -> h [label = on]  h -> k [same = on]  k -> y",
    "tied windows": "input x[4, 2]  hidden h[4, 2]  hidden z[2, 2]  hidden k[2, 2]  output y[2]"
    "  x -> h [conv(2), label = on]  h -> z [pool(avg, 2)]  z -> k [same = on]  k -> y",
    "ids": "input x ids 5  hidden h[3]  output y[2]  x -> h -> y",
    "large windows": "input x[2]  hidden h[2, 1]  output y[1]  x -> h [conv(3)]  h -> y",
}


@pytest.mark.parametrize("network", NETWORKS)
def test_compiled_means_what_the_reference_says(network: str) -> None:
    with jax.enable_x64(True):
        compare(RULE + f"network n uses g {{ {NETWORKS[network]} }}", batch=3, seed=1)


def test_a_running_total_over_a_dense_projection() -> None:
    rule = """
      genome g {
        state act  synapse w ~ normal(1), e ~ zeros per example
        sense { act <- input }  forward { act <- tanh(incoming((w + e) * pre.act)) }
        update {
          e <- tanh(e + pre.act * (post.act - pre.outgoing_until(w * post.act + e)))
          w <- w + 0.1 * batch_mean(post.act * pre.outgoing_until(e * post.act))
        }
        readout act
      }
    """
    with jax.enable_x64(True):
        compare(rule + f"network n uses g {{ {NETWORKS['dense']} }}", batch=3, seed=1)


TRACE = """
genome g {
  state   act
  synapse w ~ normal(1), trace[2] ~ zeros per example
  sense   { act <- input }
  forward { act <- tanh(incoming((w + trace[0]) * pre.act)) }
  update  { trace <- 0.9 * trace + pre.act * post.act;  w <- w + 0.1 * batch_mean(trace[1] * post.act) }
  readout act
}
network n uses g { input x[3]  output y[2]  x -> y }
"""
STEPS, BATCH = 4, 3


def inputs() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(STEPS, BATCH, 3))


def test_the_state_keeps_them_where_it_keeps_those_of_neurons_and_reset_clears_them() -> None:
    net = blurc.compile(TRACE)
    genome = net.init_genome(jax.random.key(0))
    start = net.init(jax.random.key(1), genome, batch=BATCH)
    assert "trace" not in start.synapses["x->y"]
    assert start.neurons["x->y"]["trace"].shape == (2, BATCH, 3, 2)
    reset = np.zeros((STEPS, BATCH), bool)
    reset[2, 1] = True
    after, _ = net.train(genome, start, inputs(), reset=reset)
    state = start
    for i, x in enumerate(inputs()):
        if i == 2:
            cleared = {of: {"trace": kept["trace"].at[:, 1].set(0)} for of, kept in state.neurons.items()}
            state = state._replace(neurons=cleared)
        state, _ = net.step(genome, state, x)
    np.testing.assert_allclose(after.neurons["x->y"]["trace"], state.neurons["x->y"]["trace"], rtol=1e-5)
    np.testing.assert_allclose(after.synapses["x->y"]["w"], state.synapses["x->y"]["w"], rtol=1e-5)


def test_an_artifact_has_them_too(tmp_path: Path) -> None:
    net = blurc.compile(TRACE)
    genome = net.init_genome(jax.random.key(0))
    net.save(tmp_path / "n.blurx")
    loaded = blurc.load(tmp_path / "n.blurx")
    state = loaded.init(jax.random.key(1), genome, batch=BATCH)
    after, outs = loaded.train(genome, state, inputs())
    expected, same = net.train(genome, net.init(jax.random.key(1), genome, batch=BATCH), inputs())
    np.testing.assert_allclose(outs, same, rtol=1e-6)
    np.testing.assert_allclose(after.neurons["x->y"]["trace"], expected.neurons["x->y"]["trace"], rtol=1e-6)


def test_a_run_reads_them_and_leaves_them_but_for_a_reset() -> None:
    net = blurc.compile(TRACE)
    genome = net.init_genome(jax.random.key(0))
    state, _ = net.train(genome, net.init(jax.random.key(1), genome, batch=BATCH), inputs())
    after, outs = net.run(genome, state, inputs())
    np.testing.assert_array_equal(after.neurons["x->y"]["trace"], state.neurons["x->y"]["trace"])
    np.testing.assert_allclose(outs[2], net.predict(genome, state, inputs()[2]), rtol=1e-5)
    cleared, _ = net.run(genome, state, inputs(), reset=np.arange(STEPS) == 1)
    assert not cleared.neurons["x->y"]["trace"].any()


def test_another_batch_needs_another_state_and_the_first_needs_its_size() -> None:
    net = blurc.compile(TRACE)
    genome = net.init_genome(jax.random.key(0))
    with pytest.raises(BlurError, match="kept per example"):
        net.init(jax.random.key(1), genome)
    state = net.init(jax.random.key(1), genome, batch=BATCH)
    with pytest.raises(BlurError, match="keeps `x->y/trace` for 3 examples, but x has 4"):
        net.step(genome, state, np.zeros((4, 3)))


def test_what_cannot_fit_is_refused() -> None:
    net = blurc.compile(TRACE.replace("x[3]", "x[10000]").replace("y[2]", "y[10000]"))
    genome = net.init_genome(jax.random.key(0))
    with pytest.raises(BlurError, match=r"a state of .* for 100,000 examples would take"):
        net.init(jax.random.key(1), genome, batch=100_000)


def test_the_plan_says_what_is_built_and_with_how_many_bytes() -> None:
    text = str(blurc.compile(TRACE).plan)
    assert "x->y.trace[2]: a value for every synapse and example, 48 bytes for each example" in text
    conv = TRACE.replace("x[3]", "x[4, 4]").replace("y[2]", "y[4, 4]").replace("x -> y", "x -> y [conv(3, 3)]")
    assert "72 bytes for each example, and 800 where it is used: at 100 places" in str(blurc.compile(conv).plan)


def test_what_no_prediction_depends_on_is_dropped() -> None:
    plan = blurc.compile(TRACE.replace("+ trace[0]", "").replace("trace[1]", "pre.act")).plan
    assert not plan.examples
    assert "dropped: channel trace of x->y" in str(plan)


def test_equal_layers_become_one_loop_with_them_too() -> None:
    layers = "  ".join(f"hidden h{i}[3]" for i in range(20)) + "  " + "  ".join(f"h{i} -> h{i + 1}" for i in range(19))
    deep = TRACE.replace("x -> y }", layers + "  x -> h0  h19 -> y }")
    net = blurc.compile(deep)
    assert any(op.name == "loop" for op in net.plan.step.ops)
    with jax.enable_x64(True):
        compare(deep, batch=2, seed=1)
