"""Sequences: the neurons are reset between batches, the synapses go on, and only what is asked counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner

import blurc
from blurc.cli import cli
from blurc.diagnostics import BlurError
from blurc.tasks import Batches
from blurc.training import check_signals, diverge, learn, predict

SPEC = """
genome memory {
  state   act persistent, err
  synapse w ~ normal(1 / sqrt(fan_in)), trace ~ zeros per example
  signal  asked per example
  learn   rate = 0.1

  sense    { act <- input }
  forward  { act <- 0.5 * act + incoming(w * pre.act) }
  feedback { err <- asked * (target - act) }
  update   { trace <- 0.5 * trace + pre.act;  w <- w + rate * batch_mean(trace * post.err) }
  readout  act
}
network late uses memory {
  input  x[2]
  hidden h[3]
  output y[1]
  x -> h
  h -> h [delay = 1, forward]
  h -> y
}
"""
TIME, BATCH = 4, 3


@pytest.fixture(scope="module")
def net() -> blurc.Net:
    return blurc.compile(SPEC)


def drawn(count: int) -> Batches:
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal((count, BATCH, TIME, n)).astype(np.float32) for n in (2, 1))
    return Batches(x, y, (rng.random((count, BATCH, TIME)) < 0.5).astype(np.float32))


def by_hand(net: blurc.Net, genome: Any, state: blurc.State, batches: Batches) -> blurc.State:
    for xs, ys, masks in zip(*map(np.asarray, batches), strict=True):
        state = state._replace(neurons=net.init(jax.random.key(9), genome, batch=BATCH).neurons)
        for t in range(TIME):
            state, _ = net.step(genome, state, xs[:, t], ys[:, t], signals={"asked": masks[:, t]})
    return state


def test_batches_are_learned_step_by_step_from_neurons_at_rest(net: blurc.Net) -> None:
    genome = net.init_genome(jax.random.key(0))
    start = net.init(jax.random.key(1), genome, batch=BATCH)
    after, outs = learn(net, genome, start, drawn(2), None)
    assert outs.shape == (2 * TIME, BATCH, 1)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5),
        after,
        by_hand(net, genome, start, drawn(2)),
    )


def test_what_is_not_asked_is_not_learned(net: blurc.Net) -> None:
    genome, batches = net.init_genome(jax.random.key(0)), drawn(1)
    start = net.init(jax.random.key(1), genome, batch=BATCH)
    after, _ = learn(net, genome, start, batches._replace(masks=np.zeros_like(batches.masks)), None)
    jax.tree.map(np.testing.assert_array_equal, after.synapses["h->y"]["w"], start.synapses["h->y"]["w"])


def test_sequences_are_answered_with_frozen_synapses_and_neurons_at_rest(net: blurc.Net) -> None:
    genome = net.init_genome(jax.random.key(0))
    state = net.init(jax.random.key(1), genome, batch=BATCH)
    before, _ = learn(net, genome, state, drawn(1), None)
    x = drawn(1).xs[0]
    _, outs = net.run(genome, before, x.swapaxes(0, 1), reset=np.arange(TIME) == 0)
    found = predict(net, genome, before, x, jax.random.key(2))
    assert found.shape == (BATCH, TIME, 1)
    np.testing.assert_allclose(found, jnp.asarray(outs).swapaxes(0, 1), rtol=1e-5)


def test_examples_without_time_do_not_follow_one_another(net: blurc.Net) -> None:
    """Two batches at once and one by one, from neurons at rest."""
    genome = net.init_genome(jax.random.key(0))
    start = net.init(jax.random.key(1), genome, batch=BATCH)
    xs, ys = drawn(2).xs[:, :, 0], drawn(2).ys[:, :, 0]
    state, ones = start, np.ones(BATCH)
    for x, y in zip(xs, ys, strict=True):
        state, _ = net.step(genome, state._replace(neurons=start.neurons), x, y, signals={"asked": ones})
    after, _ = learn(net, genome, start, Batches(xs, ys), None)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), after, state)


def test_the_command_learns_sequences_and_says_what_is_odd(tmp_path: Path) -> None:
    """By a network that would need to be told what is asked, and one that remembers nothing."""
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "s.npz", x=rng.standard_normal((20, TIME, 2)), y=rng.standard_normal((20, 1)))
    deaf = SPEC.replace("  signal  asked per example\n", "").replace("asked * ", "")
    rough = SPEC.replace("act <- 0.5 * act", "act <- (act > 1) + 0.5 * act")
    told = ("told", SPEC, ""), ("deaf", deaf, "learns at all steps, also where no"), ("rough", rough, "has no slope")
    for name, spec, said in told:
        (tmp_path / f"{name}.blur").write_text(spec)
        options = ["--data", tmp_path / "s.npz", "--steps", 3, "--batch", 4, "--no-baselines"]
        done = CliRunner().invoke(cli, ["train", str(tmp_path / f"{name}.blur"), *map(str, options)])
        assert done.exit_code == 0, done.output
        text = " ".join(done.stdout.split())
        assert "16 to train and 4 to test, held out, sequences of 4 steps" in text
        assert [part in text for part in ("learns at all", "has no slope")] == [name == "deaf", name == "rough"]
        assert said in text


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("asked per", "asked[2] per", "a signal `asked` that is not one number for each example"),
        ("0.5 * act + inc", "asked * act + inc", "reads the signal `asked` before it answers"),
        ("asked per example", "asked per example, mood", "reads the signal `mood`, which data do not have"),
    ],
)
def test_signals_that_data_cannot_feed_are_refused(before: str, after: str, said: str) -> None:
    spec = SPEC.replace(before, after, 1)
    spec = spec.replace("asked * (", "asked[0] * (") if "[2]" in after else spec
    spec = spec.replace("w + rate", "w + mood * rate") if "mood" in after else spec
    with pytest.raises(BlurError) as caught:
        check_signals(blurc.compile(spec).signature)
    assert (caught.value.diagnostics[0].code, said in caught.value.diagnostics[0].message) == ("E807", True)


def test_a_divergence_is_found_within_its_sequence(net: blurc.Net) -> None:
    """Where the batch before stayed finite."""
    genome = net.init_genome(jax.random.key(0))
    batches, state = drawn(2), net.init(jax.random.key(1), genome, batch=BATCH)
    batches.xs[1, :, 2] = np.inf
    found = diverge.find(net, genome, state, batches)
    assert found is not None
    assert found.diagnostic().message.startswith("training diverged at step 2, 3 steps into its sequences: ")
