"""What a plan says a network will take, against what XLA says of the compiled program."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import pytest

import blurc
from blurc.plan import cost_of
from blurc.runtime import Entries

BATCH = 64
NETWORKS = {
    "dense": ("input x[200]  hidden h[100]  output y[10] { phi = linear }  x -> h -> y", "backprop"),
    "several states": ("input x[200]  hidden h[100]  output y[10] { phi = linear }  x -> h -> y", "blur"),
    "statistics": ("input x[200]  hidden h[100]  output y[10] { phi = linear }  x -> h -> y", "blur_bounded"),
    "convolution": (
        "input x[14, 14, 4]  hidden h[14, 14, 8] { phi = relu }  output y[10]  x -> h [conv(3, 3)]  h -> y", "backprop",
    ),
    "pairs": ("input x[300]  output y[300]  x -> y [sparse(p = 0.3, seed = 1, form = masked)]", "backprop"),
}  # fmt: skip


GELU = "network n { input x[60]  hidden h[300] { phi = gelu }  output y[10] { phi = linear }  x -> h -> y }"


def net_of(kind: str) -> blurc.Net:
    wiring, rule = NETWORKS[kind]
    return blurc.compile(f"network n {{ {wiring} }}", genome=rule)


def compiled_step(net: blurc.Net, batch: int) -> Any:
    genome = net.init_genome(jax.random.key(0))
    state = net.init(jax.random.key(1), genome, batch=batch)
    x, y = ({p.name: jnp.zeros((batch, p.size)) for p in net.plan.with_role(role)} for role in ("input", "output"))
    return jax.jit(Entries(net.plan).step).lower(genome, state, x, y).compile()


@pytest.mark.parametrize("kind", NETWORKS)
def test_arithmetic_and_memory_of_a_step_are_about_what_xla_says(kind: str) -> None:
    net = net_of(kind)
    cost, program = net.cost(BATCH), compiled_step(net, BATCH)
    found, (arguments, total) = _said(program), _memory(program)
    assert cost.flops == pytest.approx(found["flops"], rel=0.2)
    assert cost.step == pytest.approx(total, rel=0.3 if kind == "convolution" else 0.2)
    assert cost.genome + cost.state + cost.examples == pytest.approx(arguments, rel=0.01)


def test_what_erf_shares_with_its_slope_stays_in_memory() -> None:
    net = blurc.compile(GELU, genome="backprop")
    _, total = _memory(compiled_step(net, 512))
    assert net.cost(512).step == pytest.approx(total, rel=0.2)


def _said(program: Any) -> Any:
    said = program.cost_analysis()
    return said[0] if isinstance(said, list) else said  # a list in older versions of JAX


def _memory(program: Any) -> tuple[int, int]:
    """Bytes of the arguments, and of everything."""
    found = program.memory_analysis()
    everything = found.argument_size_in_bytes + found.output_size_in_bytes + found.temp_size_in_bytes
    return found.argument_size_in_bytes, everything


def test_a_product_is_two_operations_for_every_synapse_and_example() -> None:
    parts = {p.of: p for p in net_of("dense").cost(BATCH).parts}
    assert parts["x->h"].flops == pytest.approx(2 * 2 * BATCH * 200 * 100, rel=0.02)  # forward, and outer
    assert parts["h->y"].flops == pytest.approx(3 * 2 * BATCH * 100 * 10, rel=0.02)  # and backward


def test_equal_layers_in_a_loop_cost_what_they_cost_one_by_one() -> None:
    def layers(count: int) -> int:
        hidden = "  ".join(f"hidden h{i}[20]" for i in range(count))
        chain = " -> ".join(f"h{i}" for i in range(count))
        text = f"network n {{ input x[20]  {hidden}  output y[20]  x -> {chain} -> y }}"
        return blurc.compile(text, genome="backprop").cost(BATCH).flops

    assert layers(41) - layers(21) == pytest.approx(2 * (layers(21) - layers(11)), rel=0.05)


def test_what_is_repeated_costs_as_often() -> None:
    rule = """
    genome settling(rounds = 1) {
      state a  synapse w ~ zeros
      sense { a <- input }
      repeat rounds { forward { a <- tanh(a + incoming(w * pre.a)) } }
      readout a
    }
    """
    text = rule + "network n uses settling { input x[20]  hidden h[20]  output y[20]  x -> h -> y }"
    small, middle, large = (blurc.compile(text, rounds=rounds).cost(BATCH) for rounds in (20, 40, 60))
    assert middle.flops - small.flops == large.flops - middle.flops > 20 * 2 * BATCH * 20 * 20
    assert middle.moved - small.moved == large.moved - middle.moved > 20 * 4 * BATCH * 20
    assert {part.of: part.flops for part in large.parts}["h->y"] > 0.8 * large.flops


def test_memory_grows_with_steps_and_for_gradients_with_their_square_root() -> None:
    cost = net_of("several states").cost(BATCH)
    assert cost.train(20) - cost.train(10) == 10 * (cost.examples + cost.readout)
    kept = [cost.gradient(steps) - cost.train(steps) for steps in (100, 400)]
    assert kept[1] == 2 * kept[0]
    assert cost.gradient(100, recompute=False) - cost.train(100) == 100 * cost.residuals


def test_a_gradient_takes_what_xla_says_within_a_factor() -> None:
    net, steps = net_of("dense"), 16
    genome = net.init_genome(jax.random.key(0))
    state = net.init(jax.random.key(1), genome, batch=BATCH)
    xs, ys = jnp.zeros((steps, BATCH, 200)), jnp.zeros((steps, BATCH, 10))

    def loss(genome: Any, state: Any, xs: jax.Array, ys: jax.Array) -> jax.Array:
        return net.train(genome, state, xs, ys)[1].mean()

    _, total = _memory(jax.jit(jax.grad(loss)).lower(genome, state, xs, ys).compile())
    assert 1 / 1.5 < net.cost(BATCH).gradient(steps, recompute=False) / total < 1.5


def test_values_per_example_grow_with_the_batch() -> None:
    net = blurc.compile("network n { input x[10]  output y[10]  x -> y }", genome="rflo")
    small, large = (cost_of(net.plan, batch).state for batch in (1, 11))
    per_example = 4 * sum(
        net.plan.projection(v.of).axes[0] * net.plan.projection(v.of).axes[1] for v in net.plan.examples
    )
    assert large - small >= 10 * per_example > 0


@pytest.mark.parametrize("batch", [0, -1, 2.5, True, "4"])
def test_a_batch_is_a_positive_integer(batch: Any) -> None:
    with pytest.raises(blurc.BlurError, match="the batch size must be a positive integer"):
        net_of("dense").cost(batch)
