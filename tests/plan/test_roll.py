"""Chains of equal layers as loops: they compute what the written-out plan computes.

In float64, so that a difference is a mistake and not rounding. Chains are rolled from 3 segments on here, so that small
networks do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from blurc.plan import Pipeline, plan_of
from blurc.plan.passes.roll import roll
from blurc.plan.passes.roll.stretches import Stretch, stretches
from blurc.plan.plan import Block, Plan, loop_of, show, verify
from blurc.runtime.entries import Entries, Fed, State
from blurc.runtime.kernels.stacks import stack, unstack
from blurc.spec import select

STEPS, BATCH = 3, 4


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def plans(source: str, **parameters: Any) -> tuple[Plan, Plan]:
    """Written out, and rolled."""
    model, _, _ = select(source, network=None, genome=None, params=parameters)
    plain = Pipeline(rolls=False).plan(model)
    rolled = roll(plain, least=3, worth=0)
    verify(rolled.step, "roll")
    verify(rolled.predict, "roll")
    return plain, rolled


def loops(block: Block) -> list[Any]:
    return [loop_of(op) for op in block.all_ops() if op.name == "loop"]


def same(source: str, gradient: bool = False, reset: bool = False, **parameters: Any) -> Plan:
    """A prediction, several steps, and the gradient through them, of both plans; the rolled one."""
    both = plans(source, **parameters)
    assert loops(both[1].step), "nothing was rolled"
    expected, found = (_everything(plan, gradient, reset) for plan in both)
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert np.isfinite(b).all()
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    return both[1]


def _everything(plan: Plan, gradient: bool, reset: bool) -> Any:
    entries, keys = Entries(plan), jax.random.split(jax.random.key(0), 5)
    genome = _shaken(entries.init_genome(keys[0]), 0.1)
    state = entries.init(keys[1], genome, BATCH)
    state = State(state.synapses, _shaken(state.neurons, 1.0))
    xs = {p.name: jax.random.normal(keys[2], (STEPS, BATCH, p.size)) for p in plan.with_role("input")}
    ys = {p.name: jax.random.uniform(keys[3], (STEPS, BATCH, p.size)) for p in plan.with_role("output")}
    signals = {v.name: 0.1 + jnp.arange(STEPS) for v in plan.modulators}
    key = keys[4]
    fed = Fed(signals, key, jnp.array([False, True, False]) if reset else None)
    x = {name: v[0] for name, v in xs.items()}

    def trained(genome: Any) -> Any:
        after = entries.train(genome, state, xs, ys, fed)
        return sum(jnp.mean(v**2) for v in jax.tree.leaves(after)), after

    def everything(genome: Any) -> Any:
        prediction = entries.predict(genome, state, x, Fed({}, key))
        return prediction, (jax.grad(trained, has_aux=True) if gradient else trained)(genome)

    return jax.jit(everything)(genome)


def _shaken(tree: Any, size: float) -> Any:
    return jax.tree.map(lambda v: v + size * jax.random.normal(jax.random.key(9), v.shape), tree)


# ------------------------------------------------------------------------ equality


CHAIN = """
  network n(depth = 6) uses RULE {
    input x[3]
    hidden h{1}[3]
    x -> h{1}
    for i in 2..depth {
      hidden h{i}[3]
      h{i-1} -> h{i}
    }
    output y[2]
    h{depth} -> y
  }"""


def chain(rule: str) -> str:
    return f'import "rules/{rule}.blur"\n' + CHAIN.replace("RULE", rule)


@pytest.mark.parametrize("rule", ["backprop", "feedback_alignment", "hebb"])
def test_a_chain_of_layers(rule: str) -> None:
    same(chain(rule), gradient=rule == "backprop", depth=5)


def test_the_rule_of_the_paper() -> None:
    same(chain("blur"), depth=5)


SKIPPING = """
  import "rules/backprop.blur"
  network n(depth = 8) uses backprop {
    input x[3]
    hidden h{1}[3]  hidden h{2}[3]
    x -> h{1}  h{1} -> h{2}
    for i in 3..depth {
      hidden h{i}[3]
      h{i-1} -> h{i}
      h{i-2} -> h{i} [identity]
    }
    output y[2]
    h{depth} -> y
  }"""


def test_connections_that_skip_a_layer_are_carried_along() -> None:
    rolled = same(SKIPPING)
    assert max(loop.carries for loop in loops(rolled.step)) == 2


def test_one_step_is_a_short_training() -> None:
    _, plan = plans(chain("hebb"))
    entries, key = Entries(plan), jax.random.key(0)
    state = entries.init(key, entries.init_genome(key), None)
    x, y = {"x": jnp.ones((BATCH, 3))}, {"y": jnp.ones((BATCH, 2))}
    genome = entries.init_genome(key)
    once, out = entries.step(genome, state, x, y)
    trained, outs = entries.train(genome, state, *jax.tree.map(lambda v: v[None], (x, y)))
    assert jax.tree.structure(once) == jax.tree.structure(state)
    for a, b in zip(jax.tree.leaves((once, out)), jax.tree.leaves((trained, outs)), strict=True):
        np.testing.assert_allclose(a, b.reshape(a.shape), rtol=1e-12)


BLOCKS = """
  import "rules/backprop.blur"
  block residual(width = 3) {
    input x[width]  hidden a[width]  output y[width]
    x -> a  a -> y  x -> y [identity]
  }
  network n(depth = 5) uses backprop {
    input p[4]
    hidden h[3]
    p -> h
    r1 = residual(x = h)
    for i in 2..depth { r{i} = residual(x = r{i-1}.y) }
    output c[2]
    r{depth}.y -> c
  }"""


def test_a_chain_of_blocks() -> None:
    same(BLOCKS)


EVERYTHING = """
  genome g {
    state act persistent
    state err
    synapse w ~ normal(1 / sqrt(fan_in))
    learn eta = 0.1 per projection, b = 0.3 per neuron, c = 0.2 per population, d = 1.0 per synapse
    signal r
    sense    { act <- input }
    forward  {
      let z = incoming(d * w * pre.act) + b * c
      act <- 0.5 * act + tanh(z) + noise(0.1)
      err <- tanh'(z)
    }
    feedback { err <- err * (act - target) }
    backward { err <- err * outgoing(w * post.err) }
    update   { w <- w - r * eta * batch_mean(pre.act * post.err) }
    readout  act
  }"""


def test_meta_parameters_of_each_layer_noise_signals_and_states_that_persist() -> None:
    rolled = same(EVERYTHING + CHAIN.replace("RULE", "g"), gradient=True, reset=True, depth=5)
    assert {s.kind for s in rolled.step.stacks} == {"synapse", "carried", "meta"}


ROUNDS = """
  genome g {
    state act, v
    synapse w ~ normal(1 / sqrt(fan_in))
    sense { act <- input }
    repeat 6 {
      forward { v <- 0.5 * v + incoming(w * pre.act) + noise(0.1);  act <- tanh(v) }
      update  { w <- w - 0.1 * batch_mean(pre.act * post.act) }
    }
    readout act
  }"""


def test_random_numbers_of_synapses_and_functions_with_slopes() -> None:
    source = ROUNDS.replace("update  { w <- w", "update  { w <- 0.9 * w + noise(0.1 * w) + uniform(0, 0.1)")
    source = source.replace("tanh(v)", "spike(v)").replace("sense", "fn spike(x) = step(x) slope tanh'(x)  sense")
    rolled = same(source + "network n uses g { input x[3]  hidden h[4]  output y[2]  x -> h  h -> y }", gradient=True)
    assert {"noise", "uniform"} <= {op.name for op in rolled.step.ops}, "drawn for all rounds at once"


def test_the_rounds_of_a_repeat() -> None:
    rolled = same(
        ROUNDS + "network n uses g { input x[3]  hidden h[4]  output y[2]  x -> h  h -> y  x -> y }", gradient=True
    )
    assert [loop.count for loop in loops(rolled.step)] == [5], "the first round finds zeros"


def test_rounds_over_layers_are_loops_in_a_loop() -> None:
    _, rolled = plans(ROUNDS + CHAIN.replace("RULE", "g"))
    inner = [loop for loop in loops(rolled.predict) if loops(loop.body)]
    assert inner, "no loop in a loop"
    same(ROUNDS.replace("repeat 6", "repeat 4") + CHAIN.replace("RULE", "g"), depth=4)


def test_two_chains_side_by_side_and_delays() -> None:
    source = """
      import "rules/backprop.blur"
      network n(depth = 5) uses backprop {
        input x[3]
        hidden a{1}[3]  hidden b{1}[3]
        x -> a{1}  x -> b{1}
        for i in 2..depth { hidden a{i}[3]  a{i-1} -> a{i}  a{i} -> a{i} [delay = 1] }
        for i in 2..depth { hidden b{i}[3]  b{i-1} -> b{i} }
        output y[2]
        a{depth} -> y  b{depth} -> y
      }"""
    same(source)


def test_convolutions_and_functions_of_places() -> None:
    source = """
      genome g {
        state act, err  synapse w ~ normal(1 / sqrt(fan_in))
        sense    { act <- input }
        forward  { let z = incoming(w * pre.act)  act <- tanh(z - place_mean(z)) }
        feedback { err <- target - act }
        backward { err <- outgoing(w * post.err) / (1 + place_max(act)) }
        update   { w <- w + 0.1 * batch_mean(pre.act * post.err) }
        readout  act
      }
      network n(depth = 5) uses g {
        input x[3, 3, 1]
        hidden h{1}[3, 3, 2] { bias = shared }
        x -> h{1} [conv(2, 2)]
        for i in 2..depth {
          hidden h{i}[3, 3, 2] { bias = shared }
          h{i-1} -> h{i} [conv(2, 2)]
        }
        output y[2]
        h{depth} -> y
      }"""
    same(source)


# ------------------------------------------------------------------------ plans


def test_the_plan_of_a_long_chain_is_as_long_as_that_of_a_short_one() -> None:
    def operations(depth: int) -> list[int]:
        model, _, _ = select(chain("backprop"), network=None, genome=None, params={"depth": depth})
        plan = plan_of(model)
        return [len(list(block.all_ops())) for block in (plan.step, plan.predict)]

    assert operations(100) == operations(40)


def test_what_differs_is_no_chain() -> None:
    sizes = "".join(f"hidden h{i}[{3 + i}]  h{i - 1} -> h{i}  " for i in range(2, 7))
    source = f"""
      import "rules/backprop.blur"
      network n uses backprop {{ input x[3]  hidden h1[4]  x -> h1  {sizes} output y[2]  h6 -> y }}"""
    plain, rolled = plans(source)
    assert rolled == plain


def test_short_chains_are_left_alone() -> None:
    model, _, _ = select(chain("backprop"), network=None, genome=None, params={"depth": 6})
    assert plan_of(model) == Pipeline(rolls=False).plan(model)


def test_before_and_after_in_print() -> None:
    source = """
      genome g {
        state a  synapse w ~ zeros
        sense { a <- input }  forward { a <- tanh(incoming(w * pre.a)) }
        readout a
      }
      network n uses g {
        input x[2]
        for i in 1..4 { hidden h{i}[2] { bias = off } }
        output y[1] { bias = off }
        x -> h1  h1 -> h2  h2 -> h3  h3 -> h4  h4 -> y
      }"""
    before, after = (text(plan.predict) for plan in plans(source))
    assert before == [
        "%0 = synapse {x->h1, w} : [pre, post]",
        "%1 = synapse {h1->h2, w} : [pre, post]",
        "%2 = synapse {h2->h3, w} : [pre, post]",
        "%3 = synapse {h3->h4, w} : [pre, post]",
        "%4 = synapse {h4->y, w} : [pre, post]",
        "%5 = input {x} : [batch, x]",
        "%6 = to_post %0 %5 {x->h1, synapse * neuron} : [batch, h1]",
        "%7 = tanh %6 : [batch, h1]",
        "%8 = to_post %1 %7 {h1->h2, synapse * neuron} : [batch, h2]",
        "%9 = tanh %8 : [batch, h2]",
        "%10 = to_post %2 %9 {h2->h3, synapse * neuron} : [batch, h3]",
        "%11 = tanh %10 : [batch, h3]",
        "%12 = to_post %3 %11 {h3->h4, synapse * neuron} : [batch, h4]",
        "%13 = tanh %12 : [batch, h4]",
        "%14 = to_post %4 %13 {h4->y, synapse * neuron} : [batch, y]",
        "%15 = tanh %14 : [batch, y]",
        "readout y <- %15",
    ]
    assert after == [
        "x->h1..h3->h4: 4 x w as one",
        "%0 = input {x} : [batch, x]",
        "%1 = synapse {x->h1..h3->h4, w} : [4; pre, post]",
        "%2 = loop %0 %1 {4 times} : []",
        "    %0 = each {0} : [pre, post]",
        "    %1 = carry {0} : [batch, h1]",
        "    %2 = to_post %0 %1 {h1->h2, synapse * neuron} : [batch, h2]",
        "    %3 = tanh %2 : [batch, h2]",
        "    carry 0 <- %3",
        "%3 = synapse {h4->y, w} : [pre, post]",
        "%4 = final %2 {0} : [batch, h4]",
        "%5 = to_post %3 %4 {h4->y, synapse * neuron} : [batch, y]",
        "%6 = tanh %5 : [batch, y]",
        "readout y <- %6",
    ]


def text(block: Block) -> list[str]:
    return [line.partition(" #")[0].rstrip() for line in show(block, "")]


# ------------------------------------------------------------------------ pieces


def test_repetitions_are_found() -> None:
    assert stretches([9, 9, 8] + [1, 2, 3] * 7 + [1, 2] + [5] * 8 + [4], 6) == [Stretch(3, 3, 7, 2), Stretch(26, 1, 8)]
    assert stretches([9] + [1, 2, 1, 2, 3] * 7 + [5], 6) == [Stretch(1, 5, 7)]
    assert stretches([1, 1, 2, 2] * 9, 6) == [Stretch(0, 4, 9)]
    assert stretches([1, 2, 3] * 5, 6) == []


@pytest.mark.parametrize("n", [3, 20])
def test_stacks_go_there_and_back_and_have_all_derivatives(n: int) -> None:
    x = jax.random.normal(jax.random.key(0), (n, 2))

    def f(x: jax.Array, there: Any, back: Any) -> jax.Array:
        entries = there(jnp.cos(x))
        return sum(jnp.sin(e).sum() * i for i, e in enumerate(entries)) + (back(entries[::-1]) * x).sum()

    def ours(x: jax.Array) -> jax.Array:
        return f(x, unstack, stack)

    def plain(x: jax.Array) -> jax.Array:
        return f(x, list, jnp.stack)

    two = jnp.stack([x, 2 * x], axis=1)

    @jax.jit
    def everything() -> Any:
        return [
            (f(x), jax.grad(f)(x), jax.jvp(f, (x,), (x,))[1], jax.vmap(jax.grad(f), 1, 1)(two), jax.hessian(f)(x))
            for f in (ours, plain)
        ]

    for found, expected in zip(*everything(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
