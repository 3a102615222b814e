"""Backpropagation through time: what people train recurrent networks by."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import blurc
from blurc.tasks import Batches
from blurc.training import Cell, LeftOut, Optimizer, Recipe, recurrent_network, trained_through_time

SPEC = """
genome rate {
  state   act, err
  synapse w ~ normal(1 / sqrt(fan_in))
  fn      phi = tanh
  sense    { act <- input }
  forward  { act <- phi(incoming(w * pre.act)) }
  feedback { err <- target - act }
  update   { w <- w + 0.1 * batch_mean(pre.act * post.err) }
  readout  act
}
network plain uses rate {
  input  x[2] hidden h[3] output y[1] { phi = linear }
  x -> h
  h -> h [delay = 1, forward]
  h -> y
}
"""
TIME, BATCH, RATE = 5, 4, 0.05


@pytest.fixture(scope="module")
def net() -> blurc.Net:
    return blurc.compile(SPEC)


def descent() -> Recipe:
    import optax

    return Recipe(Optimizer("plain", lambda rate, momentum: optax.sgd(rate), RATE), schedule="constant")


def drawn(count: int = 1) -> Batches:
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal((count, BATCH, TIME, n)).astype(np.float32) for n in (2, 1))
    return Batches(x, y, (rng.random((count, BATCH, TIME)) < 0.5).astype(np.float32))


def by_hand(w: Any, x: Any, y: Any, mask: Any) -> jax.Array:
    """The masked squared error of a tanh network, written as one would."""
    h, errors = jnp.zeros((BATCH, 3)), []
    for t in range(TIME):
        h = jnp.tanh(x[:, t] @ w["x->h"] + h @ w["h->h"] + w["unit->h"])
        errors.append((h @ w["h->y"] + w["unit->y"] - y[:, t])[:, 0] ** 2)
    return (jnp.stack(errors, axis=1) * mask).sum() / mask.sum()


def test_the_own_cell_follows_the_gradient_of_a_network_written_by_hand(net: blurc.Net) -> None:
    learner = trained_through_time(descent(), recurrent_network(net), RATE, 1, kind="values", time=TIME)
    start, batches = learner.start(jax.random.key(1)), drawn()
    after, sound = learner.advance(start, batches)
    before = {name: channels["w"] for name, channels in start["variables"].learned.items()}
    gradient = jax.grad(by_hand)(before, *(np.asarray(a)[0] for a in batches))
    norm = jnp.sqrt(sum((g**2).sum() for g in gradient.values()))
    for name, w in before.items():
        expected = w - RATE * gradient[name] / max(1.0, float(norm))
        np.testing.assert_allclose(after["variables"].learned[name]["w"], expected, rtol=1e-4, atol=1e-6)
    assert sound


@pytest.mark.parametrize("cell", ["own", "gru"])
def test_pieces_go_on_with_their_neurons(net: blurc.Net, cell: Cell) -> None:
    """At a rate of nothing, what is answered does not depend on them; pieces that are longer than a sequence are it."""
    from dataclasses import replace

    network, batches = replace(recurrent_network(net), cell=cell), drawn(2)

    def after(truncate: int, rate: float) -> Any:
        learner = trained_through_time(descent(), network, rate, 2, kind="values", time=TIME, truncate=truncate)
        carry, sound = learner.advance(learner.start(jax.random.key(1)), batches)
        assert sound
        assert carry["done"] == 2 * (-(-TIME // truncate) if truncate else 1)
        return learner.predict(carry, batches.xs[0], 0)

    np.testing.assert_array_equal(after(0, RATE), after(9, RATE))
    np.testing.assert_allclose(after(2, 0.0), after(0, 0.0), rtol=1e-6)
    assert not np.allclose(after(2, RATE), after(0, RATE), rtol=1e-6)


def test_a_piece_that_asks_nothing_changes_nothing(net: blurc.Net) -> None:
    learner = trained_through_time(descent(), recurrent_network(net), RATE, 1, kind="values", time=TIME, truncate=2)
    start, batches = learner.start(jax.random.key(1)), drawn()
    after, sound = learner.advance(start, batches._replace(masks=np.zeros_like(batches.masks)))
    jax.tree.map(np.testing.assert_array_equal, after["variables"], start["variables"])
    assert sound


def test_an_optimizer_with_momentum_waits_for_a_piece_that_asks_something(net: blurc.Net) -> None:
    import optax

    recipe = Recipe(Optimizer("adam", lambda rate, momentum: optax.adam(rate), RATE), schedule="constant")
    learner = trained_through_time(recipe, recurrent_network(net), RATE, 2, kind="values", time=TIME)
    batches = drawn()
    once, _ = learner.advance(learner.start(jax.random.key(1)), batches)
    after, _ = learner.advance(once, batches._replace(masks=np.zeros((1, BATCH, TIME), np.float32)))
    for kept in ("variables", "memory"):
        jax.tree.map(np.testing.assert_array_equal, after[kept], once[kept])
    assert any(np.any(leaf) for leaf in jax.tree.leaves(once["memory"]))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("act <- phi(", "act <- noise(1) + phi("), "answers with noise"),
        (("  state   act, err", "  state   act, err\n  signal  gain"), None),
        (("act <- phi(", "act <- gain * phi("), "reads the signal `gain`"),
    ],
)
def test_what_cannot_be_compared_is_left_out(change: tuple[str, str], why: str | None) -> None:
    spec = SPEC.replace("  state   act, err", "  state   act, err\n  signal  gain") if "gain" in change[1] else SPEC
    if why is None:
        assert recurrent_network(blurc.compile(spec)).cell == "own"
        return
    with pytest.raises(LeftOut, match=why):
        recurrent_network(blurc.compile(spec.replace(*change)))
