"""What `blurc bench` compares computes the same: speed is measured there, never here."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import blurc
from blurc.bench import einsum, handwritten, meta, products, specs
from blurc.bench.timing import Spread, Timings, alternate

SIZES = (6, 5, 3)
STEPS, BATCH = 4, 7


@pytest.fixture(scope="module")
def data() -> tuple[Any, Any]:
    xs = jax.random.normal(jax.random.key(0), (STEPS, BATCH, SIZES[0]))
    return xs, jax.nn.one_hot(jax.random.randint(jax.random.key(1), (STEPS, BATCH), 0, SIZES[-1]), SIZES[-1])


def start(spec: str) -> tuple[Any, Any, Any]:
    net = blurc.compile(spec)
    genome = net.init_genome(jax.random.key(2))
    return net, genome, net.init(jax.random.key(3), genome)


def layers(net: Any) -> list[tuple[str, str]]:
    """The projections of a chain in order, each with that of the bias."""
    own = [p for p in net.plan.projections if not p.unit]
    return [(p.name, f"unit->{p.target}") for p in own]


def test_the_handwritten_yardstick_learns_what_compiled_backprop_learns(data: Any) -> None:
    net, genome, state = start(specs.backprop(SIZES))
    after, _ = net.train(genome, state, *data)
    params = [(state.synapses[w]["w"], state.synapses[b]["w"][0]) for w, b in layers(net)]
    expected, _ = handwritten.train(jax.tree.map(jnp.copy, params), *data, rate=float(genome["eta"]))
    for (w, b), (name, bias) in zip(expected, layers(net), strict=True):
        np.testing.assert_allclose(after.synapses[name]["w"], w, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(after.synapses[bias]["w"][0], b, rtol=1e-4, atol=1e-6)


def test_the_yardstick_by_muon_starts_where_that_by_sgd_starts_and_learns(data: Any) -> None:
    key = jax.random.key(0)
    _, losses = handwritten.train(handwritten.init(key, SIZES), *data)
    _, by_muon = handwritten.train_muon(handwritten.init_muon(key, SIZES), *(jnp.repeat(a[:1], 50, 0) for a in data))
    assert by_muon[0] == pytest.approx(losses[0])
    assert by_muon[-1] < by_muon[0]


@pytest.mark.parametrize("k", [2, 4])
def test_the_einsum_formulation_predicts_what_compiled_blur_predicts(data: Any, k: int) -> None:
    net, genome, state = start(specs.blur(SIZES, k))
    genome = {**genome, "es": jnp.float32(-0.3), "oja": jnp.float32(0.01), "f": jnp.float32(0.4)}
    after, outs = net.train(genome, state, *data)
    synapses, expected = einsum.train(genome, [square(state, *names) for names in layers(net)], *data)
    np.testing.assert_allclose(outs, expected, rtol=1e-3, atol=1e-4)
    predicted = einsum.predict(genome, synapses, data[0][0])
    np.testing.assert_allclose(net.predict(genome, after, data[0][0]), predicted, rtol=1e-3, atol=1e-4)


def square(state: Any, name: str, bias: str) -> Any:
    """A layer's synapses as one square matrix; a way back that is not allocated is 0."""
    w = jnp.moveaxis(state.synapses[name]["w"], 0, -1)
    b = jnp.moveaxis(state.synapses[bias]["w"], 0, -1)
    v = state.synapses[name].get("v")
    back = jnp.zeros_like(w) if v is None else jnp.moveaxis(v, 0, -1)
    return einsum.combine(w, b, jnp.swapaxes(back, 0, 1))


def test_the_bare_products_run(data: Any) -> None:
    out = products.run(products.init(jax.random.key(0), SIZES, 2), data[0])
    assert all(bool(jnp.isfinite(a).all()) for a in jax.tree.leaves(out))


def test_candidates_take_turns() -> None:
    calls: list[str] = []
    timings = alternate(
        {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=3, sample_seconds=0.0, warmup=0
    )
    assert calls.count("a") == calls.count("b") >= 3
    assert "ab" in "".join(calls)
    assert "ba" in "".join(calls), "the order is turned round from time to time, so that none is always first"
    assert timings.ratio("a", "b").median > 0


def test_a_spread_is_the_median_between_the_quartiles() -> None:
    spread = Spread.of([1.0, 2.0, 3.0, 4.0, 100.0])
    assert (spread.low, spread.median, spread.high) == (2.0, 3.0, 4.0)


@pytest.mark.slow
def test_a_generation_is_judged_alike_however_many_genomes_run_side_by_side() -> None:
    found = {
        name: np.asarray(getattr(values, "values", values))
        for name, values in ((name, run()) for name, run in meta.generations((6, 5, 3), 3).items())
    }
    for program in ("blur", "einsum"):
        first, *others = (values for name, values in found.items() if name.startswith(program))
        assert first.shape == (3,)
        assert np.ptp(first) > 0, "these genomes are not worth the same"
        for values in others:
            np.testing.assert_allclose(values, first, atol=0.01)


@pytest.mark.slow
def test_the_memory_of_a_gradient_is_held_against_its_bound() -> None:
    (row,) = meta.memory((6, 5, 3), 9)
    assert 0 < row.value < 1
    assert row.ok


def test_a_gradient_in_forward_mode_is_held_against_one_in_reverse_mode_which_keeps_every_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        meta, "alternate", lambda ways, **how: Timings({way: [2.0 + (way == "reverse")] for way in ways})
    )
    forward, reverse, ratio = meta.modes(1, SIZES, steps=40)
    assert (forward.name[:12], reverse.name[:12]) == ("forward mode", "reverse mode")
    assert 0 < forward.value < reverse.value
    assert (ratio.name, ratio.value) == ("reverse / forward, time", 1.5)


@pytest.mark.usefixtures("compiled_fast")
def test_meta_steps_go_on_from_call_to_call() -> None:
    steps = meta.MetaSteps((16, 10))
    before = steps()
    assert steps.step == meta.META_STEPS
    assert any((a != b).any() for a, b in zip(*map(jax.tree.leaves, (before, steps())), strict=True))
