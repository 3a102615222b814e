"""Products that are added and differ in one neuron factor become one, and compute the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from blurc.plan import Pipeline, Plan, cost_of
from blurc.runtime.entries import Entries, Fed
from blurc.spec import select_model

BATCH = 4


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


RULE = """
genome g {{
  state a, b, e[2]
  synapse w ~ normal(1), v ~ normal(1), z[2] ~ normal(1)
  learn c = 0.5, d = 0.3, many[3] = 0.2, at = 0.7 per neuron, of = 0.4 per projection
  sense {{ a <- input;  b <- sin(input);  e <- [cos(a), b] }}
  forward {{ a <- tanh(incoming(w * pre.a));  b <- cos(incoming(w * pre.b));  e <- [sin(a), b] }}
  {more}
  readout a + b
}}
network n uses g {{ {network} }}
"""
DENSE = "input x[3]  output y[5]  x -> y"


def plans(more: str, network: str = DENSE) -> tuple[Plan, Plan]:
    """Before and after the pass."""
    stages: dict[str, Any] = {}
    Pipeline(lambda name, value, _: stages.update({name: value})).plan(
        select_model(RULE.format(more=more, network=network))
    )
    return stages["liveness"], stages["merge"]


def products(plan: Plan, of: str = "x->y") -> int:
    return sum(op.name in ("to_post", "to_pre", "outer") and op.attrs[0] == of for op in plan.step.ops)


def fewer(more: str, network: str = DENSE) -> int:
    before, after = plans(more, network)
    assert cost_of(after, 8).flops <= cost_of(before, 8).flops
    return products(before) - products(after)


UPDATE = "update {{ w <- w + {} }}"


@pytest.mark.parametrize(
    "change",
    [
        "c * batch_mean(pre.a * post.a) + d * batch_mean(pre.a * post.b)",
        "c * batch_mean(pre.a * post.a) - d * batch_mean(pre.b * post.a)",
        "c * (d * batch_sum(pre.a * post.a) - w) / 2 - of * batch_sum(pre.a * sin(post.a))",
        "d * (c * batch_mean(pre.a * post.a) - batch_mean(pre.a * post.b) - v)",
        "post.at * batch_mean(pre.a * post.a) + batch_mean(pre.a * post.b)",
        "batch_mean(pre.a * post.a) - (pre.at * batch_mean(pre.b * post.a) - d * v)",
        "(many * (batch_mean(pre.a * post.a) + c * batch_mean(pre.a * post.b)))[1]",
    ],
)
def test_products_with_one_side_in_common_become_one(change: str) -> None:
    assert fewer(UPDATE.format(change)) == 1


@pytest.mark.parametrize(
    "change",
    [
        "batch_mean(pre.a * post.a) + batch_mean(pre.b * post.b)",
        "batch_mean(pre.a * post.a) + batch_sum(pre.a * post.b)",
        "pre.at * batch_mean(pre.a * post.a) + batch_mean(pre.a * post.b)",
        "v * batch_mean(pre.a * post.a) + batch_mean(pre.a * post.b)",
        "tanh(batch_mean(pre.a * post.a)) + batch_mean(pre.a * post.b)",
        "c / batch_mean(pre.a * post.a) + batch_mean(pre.a * post.b)",
        "(many * batch_mean(pre.a * post.a) + batch_mean(pre.a * post.b))[1]",
    ],
)
def test_other_products_stay(change: str) -> None:
    assert fewer(UPDATE.format(change)) == 0


def test_products_that_two_sums_read_stay() -> None:
    change = "batch_mean(pre.a * post.a) + {} * batch_mean(pre.a * post.b)"
    forward = "forward { a <- incoming(v * pre.a) }"
    assert fewer(f"{forward} update {{ w <- w + {change.format('c')};  v <- v - {change.format('d')} }}") == 0


@pytest.mark.parametrize(
    ("total", "saved"),
    [
        ("c * incoming(w * pre.a) - d * incoming(w * relu(pre.a))", 1),
        ("incoming(w * pre.a + w * relu(pre.a)) + d * incoming(w * cos(pre.a)) / 2", 2),
        ("incoming(z * pre.e)[0] + c * incoming(z[0] * pre.a)", 0),
        ("c * incoming(w * pre.a) + d * incoming(v * pre.a)", 0),
        ("at * incoming(w * pre.a) + incoming(w * relu(pre.a))", 0),
    ],
)
def test_sums_over_the_same_synapses_become_one(total: str, saved: int) -> None:
    assert fewer(f"forward {{ a <- {total} }}") == saved


def test_what_is_added_up_is_of_the_smaller_population() -> None:
    change = "batch_mean(pre.a * post.a) + batch_mean(pre.a * post.b) + batch_mean(pre.b * post.a)"
    for network, side in ((DENSE, 0), ("input x[5]  output y[3]  x -> y", 1)):
        _, after = plans(UPDATE.format(change), network)
        merged = next(op for op in after.step.ops if op.name == "outer" and after.step.ops[op.args[side]].name == "add")
        assert after.step.ops[merged.args[side]].type.space.of == "xy"[side]


def test_ids_are_still_looked_up() -> None:
    change = "batch_mean(pre.a * post.a) + batch_mean(sin(pre.a) * post.a)"
    assert fewer(UPDATE.format(change), "input x ids 9  output y[5]  x -> y") == 0


ALL = """
forward { a <- sin(c * incoming(w * pre.a) + incoming(w * (d * pre.b - pre.a ^ 2))) }
update {
  w <- w - 0.1 * (c * batch_mean(pre.a * post.a) - v - batch_mean(pre.a * post.b) / d) - of * batch_mean(post.a * pre.b)
  v <- v - (post.at * batch_sum(pre.b * post.a ^ 2) - d * batch_sum(pre.b * post.b)) / 7
}
"""
KINDS = """
input x[4]  hidden h[3]  output y[4, 1]
x -> h [sparse(p = 0.6)]  x -> y [conv(2, padding = same)]  h -> y
"""


def test_values_and_gradients_are_the_same() -> None:
    before, after = plans(ALL, KINDS)
    assert [products(before, p) - products(after, p) for p in ("x->h", "h->y", "x->y")] == [3, 3, 2]
    found, expected = (_gradient(plan) for plan in (after, before))
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert np.isfinite(b).all()
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


def _gradient(plan: Plan) -> Any:
    """Of the mean squares after a step, by meta-parameters and synapses, with what is there then."""
    entries, keys = Entries(plan), jax.random.split(jax.random.key(0), 4)
    genome = entries.init_genome(keys[0])
    state = entries.init(keys[1], genome, BATCH)
    xs = {p.name: jax.random.normal(keys[2], (BATCH, p.size)) for p in plan.with_role("input")}

    def stepped(genome: Any, state: Any) -> Any:
        after, outs = entries.step(genome, state, xs, {}, Fed({}, keys[3]))
        return sum(jnp.mean(v**2) for v in jax.tree.leaves(after)), (after, outs)

    return jax.jit(jax.grad(stepped, argnums=(0, 1), has_aux=True))(genome, state)
