"""Inputs by ids: the numbers of one-hot inputs, at the cost of the rows of ids that occur."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import generate
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from jax.extend.core import jaxprs_in_params
from test_compiled import QUIET, compare

import blurc
from blurc.diagnostics import BlurError

CASES = 400 if os.environ.get("BLURC_EXPLORE") else 6

BACKPROP = """
import "rules/backprop.blur"
network n(k = 9) uses backprop {{
  input user {user}
  input item {item}
  input z[2]
  hidden h[4]
  output y[2] {{ phi = linear }}
  user -> h  item -> h  z -> h
  item -> y
  h -> y
}}
"""
BY_IDS = BACKPROP.format(user="ids k", item="ids 5")
ONE_HOT = BACKPROP.format(user="[k]", item="[5]")


def rule(update: str, sense: str = "act <- input", states: str = "act, err", more: str = "", ends: str = "") -> str:
    return f"""
      genome g {{
        state {states}
        synapse w ~ normal(1), v ~ zeros
        learn eta = 0.1, pace = 0.3 per neuron, rate = 0.2 per synapse
        {more}
        sense {{ {sense} }}
        forward {{ act <- tanh(incoming(w * pre.act)) }}
        feedback {{ err <- act - target }}
        update {{ {update} }}
        readout act
      }}
      network n uses g {{
        input x ids 11
        output y[3]
        x -> y {ends}
      }}
    """


def how(source: str) -> str:
    """What the plan says of the input."""
    (said,) = blurc.compile(source).plan.ids
    return said


def data(k: int = 9, batch: int = 6) -> tuple[dict[str, Any], dict[str, Any], Any]:
    """Ids, the same one-hot, and targets."""
    rng = np.random.default_rng(0)
    user, item = rng.integers(0, k, batch), rng.integers(-1, 5, (batch, 3))
    z, y = rng.normal(size=(batch, 2)), rng.normal(size=(batch, 2))
    bags = (item[..., None] == np.arange(5)).sum(axis=1)
    return {"user": user, "item": item, "z": z}, {"user": np.eye(k)[user], "item": bags, "z": z}, y


@pytest.fixture
def double() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


@settings(max_examples=CASES, **QUIET)
@given(generate.cases(by_rows=True))
def test_rules_mean_by_ids_what_the_reference_says(case: generate.Case) -> None:
    with jax.enable_x64(True):
        compare(case.source, case.batch, case.seed)


BY_ROWS = {
    "gradient": "w <- w - eta * batch_mean(pre.act * post.err)",
    "momentum that unseen rows do not have": "v <- batch_mean(pre.act * post.err);  w <- w - eta * v",
    "adagrad": "let g = batch_sum(pre.act * post.err);  v <- v + g ^ 2;  w <- w - eta * g / sqrt(v ^ 2 + 0.01)",
    "a rate for each row": "w <- w - eta * pre.pace * batch_mean(pre.act * post.err)",
    "a rate for each synapse": "w <- w - rate * batch_mean(pre.act * post.err)",
    "decay of seen rows": "w <- (1 - 0.1 * min(1, batch_sum(pre.act))) * w",
    "a choice": "w <- where(batch_sum(pre.act) > 0, 0.5 * w + 0.1 * batch_mean(post.err), w)",
    "a norm of the change": "let g = batch_mean(pre.act * post.err);  w <- w - g / max(1, sqrt(projection_sum(g ^ 2)))",
    "a mean of the change": "let g = batch_mean(pre.act * post.err);  w <- w - g * (1 + projection_mean(g))",
    "rows of their own sums": "w <- w - batch_mean(pre.act * pre.outgoing(w * post.err) * post.err)",
    "running totals": "w <- w - batch_mean(pre.act * post.err) * pre.outgoing_until(w * v)",
    "two updates": "w <- w - batch_mean(pre.act * post.err) } update { w <- w + v * batch_sum(pre.act * post.act)",
}

SENSES = {
    "functions": "act <- tanh(2 * input) * (1 + pace)",
    "means of bags": "act <- input / max(1, population_sum(input))",
    "whether it is there": "act <- input > 0",
    "standardized": "act <- standardize(input) * 0.1",
    "a share": "act <- input * (1 - population_mean(input))",
}

BY_ALL = {
    "decay": ("w <- 0.99 * w - eta * batch_mean(pre.act * post.err)", {}, "`w` of `x->y` changes"),
    "momentum": ("v <- 0.9 * v + batch_mean(pre.act * post.err);  w <- w - eta * v", {}, "of `x->y` changes"),
    "norms": ("w <- w / (1 + post.incoming(w ^ 2)) + 0 * v", {}, "`to_post` reads every row"),
    "counts": ("w <- w - batch_mean(pre.act * post.err) / post.incoming(1)", {}, "`to_post` reads every row"),
    "noise": ("w <- w + noise(0.1)", {}, "random numbers"),
    "a trace": (
        "w <- w + batch_mean(pre.t * post.err)",
        {"sense": "act <- input;  t <- 0.9 * t + input", "states": "act, err, t persistent"},
        "`t` of its neurons is kept",
    ),
    "what comes from other rows": ("w <- w + eta * batch_mean(post.act)", {}, "`w` of `x->y` changes"),
    "values without input": ("w <- w + batch_mean(pre.act * post.err)", {"sense": "act <- input + 0.1"}, "`to_post`"),
    "a softmax": ("w <- w - batch_mean(pre.act * post.err)", {"sense": "act <- softmax(input)"}, "`softmax`"),
    "other wirings": ("w <- w - batch_mean(pre.act * post.err)", {"ends": "[sparse(fan_in = 4)]"}, "is sparse"),
    "delays": ("w <- w - batch_mean(pre.act * post.err)", {"ends": "[delay = 1]"}, "`act` of its neurons is kept"),
    "powers that are not 0 at 0": ("w <- w + eta * batch_sum(pre.act) ^ 0", {}, "`w` of `x->y` changes"),
    "powers that are infinite at 0": ("w <- w + min(2, batch_sum(pre.act) ^ -2)", {}, "`w` of `x->y` changes"),
    "a maximum": ("w <- w - eta * batch_mean(pre.act * post.err) * projection_max(w)", {}, "`projection_max`"),
}


@pytest.mark.parametrize("update", BY_ROWS.values(), ids=BY_ROWS)
def test_a_rule_that_leaves_unseen_rows_alone_computes_seen_ones_only(update: str, double: None) -> None:
    assert "only the rows of ids that occur" in how(rule(update))
    for seed in (0, 1):
        compare(rule(update), 5, seed)


@pytest.mark.parametrize("sense", SENSES.values(), ids=SENSES)
def test_values_that_are_0_without_input_may_be_anything_else(sense: str, double: None) -> None:
    source = rule(BY_ROWS["gradient"], sense)
    assert "only the rows of ids that occur" in how(source)
    for seed in (0, 1, 2):
        compare(source, 4, seed)


TIED = """
genome g {
  state act, err  synapse w ~ normal(1)
  sense { act <- input }
  forward { act <- tanh(incoming(w * pre.act)) }
  feedback { err <- act - target }
  update { w <- w - 0.1 * batch_mean(pre.act * post.err) }
  readout act
}
network n uses g { input a ids 7  input b ids 7  output y[3]  output z[3]
  a -> y [label = table]  b -> z  %s -> z [same = table]
}
"""


@pytest.mark.parametrize(("other", "how"), [("a", "only the rows"), ("b", "and other rows of them")])
def test_a_table_of_several_projections(other: str, how: str, double: None) -> None:
    assert how in blurc.compile(TIED % other).plan.ids[0]
    compare(TIED % other, 5, 1)


@pytest.mark.parametrize(("update", "parts", "why"), BY_ALL.values(), ids=BY_ALL)
def test_any_other_rule_computes_all_rows_and_the_plan_says_why(
    update: str, parts: dict[str, str], why: str, double: None
) -> None:
    source = rule(update, **parts)
    assert "every row is computed" in how(source)
    assert why in how(source)
    compare(source, 5, 1)


ONLY_LEARNING_READS = """
genome g {
  state act, t persistent
  synapse w ~ normal(1)
  update { w <- w + 0.1 * batch_sum(pre.t * post.t) }
  sense { act <- input;  t <- input }
  forward { act <- incoming(w * pre.act);  t <- act }
  update { w <- w + 0.1 * batch_sum(pre.act * post.act) }
  readout act
}
network n uses g { input x ids 11  output y[2]  x -> y [label = on] %s }
"""


@pytest.mark.parametrize("more", ["", "x -> y [same = on, delay = 1, backward]"], ids=["a trace", "a delay"])
def test_sequences_keep_what_only_learning_reads(more: str) -> None:
    source = ONLY_LEARNING_READS % more
    if more:  # then only the delayed projection remembers
        source = source.replace("pre.t * post.t", "pre.act * post.act").replace("t persistent", "t")
    by_ids, one_hot = blurc.compile(source), blurc.compile(source.replace("x ids 11", "x[11]"))
    key = jax.random.key(0)
    genome = by_ids.init_genome(key)
    state = by_ids.init(key, genome, 2)
    ids = np.array([[1, 3], [4, 3]])
    found, expected = by_ids.run(genome, state, ids), one_hot.run(genome, state, np.eye(11)[ids])
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), found, expected)


def test_ids_are_one_hot_inputs() -> None:
    by_ids, one_hot = blurc.compile(BY_IDS), blurc.compile(ONE_HOT)
    key = jax.random.key(0)
    genome = by_ids.init_genome(key)
    state = by_ids.init(key, genome)
    ids, hot, y = data()
    for run in ("step", "trace"):
        found, expected = getattr(by_ids, run)(genome, state, ids, y), getattr(one_hot, run)(genome, state, hot, y)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), found, expected)
    np.testing.assert_allclose(
        by_ids.predict(genome, state, ids), one_hot.predict(genome, state, hot), rtol=1e-5, atol=1e-6
    )


def test_meta_gradients_are_those_of_one_hot_inputs() -> None:
    nets = blurc.compile(BY_IDS), blurc.compile(ONE_HOT)
    key = jax.random.key(0)
    ids, hot, y = data()
    steps = jax.tree.map(lambda a: np.stack([a, a[::-1]]), (ids, hot, y))

    def loss(eta: Any, net: Any, xs: Any) -> Any:
        state = net.init(key, {"eta": eta})
        _, outs = net.train({"eta": eta}, state, xs, steps[2])
        return jnp.mean(outs[1] ** 2)

    by_ids, one_hot = (jax.grad(loss)(0.3, net, xs) for net, xs in zip(nets, steps[:2], strict=True))
    np.testing.assert_allclose(by_ids, one_hot, rtol=1e-4)


def test_nothing_has_the_size_of_the_batch_times_all_ids() -> None:
    net = blurc.compile(BY_IDS, k=100_003)
    key = jax.random.key(0)
    genome = net.init_genome(key)
    state = net.init(key, genome)
    ids, _, y = data()
    jaxpr = jax.make_jaxpr(net.step)(genome, state, ids, y)
    of_all = [v.aval.shape for eqn in _equations(jaxpr.jaxpr) for v in eqn.outvars if 100_003 in v.aval.shape]
    assert set(of_all) == {(100_003, 4)}  # the synapses themselves


def _equations(jaxpr: Any) -> Iterator[Any]:
    for eqn in jaxpr.eqns:
        yield eqn
        for inner in jaxprs_in_params(eqn.params):
            yield from _equations(inner)


def test_rows_that_no_example_has_are_the_same_to_the_last_bit() -> None:
    net = blurc.compile(BY_IDS)
    key = jax.random.key(0)
    genome = net.init_genome(key)
    state = net.init(key, genome)
    ids, _, y = data()
    after, _ = net.step(genome, state, ids, y)
    unseen = np.setdiff1d(np.arange(9), ids["user"])
    before, now = (np.asarray(s.synapses["user->h"]["w"]) for s in (state, after))
    assert len(unseen)
    assert (before[unseen] == now[unseen]).all()
    assert (before[ids["user"]] != now[ids["user"]]).all()


WRONG = [
    ({"user": np.zeros(6)}, "E922", r"must contain integers, its ids, found float64\[6\]"),
    ({"user": np.eye(9)[:6]}, "E922", r"from one-hot rows, x.argmax\(axis=-1\)"),
    ({"user": np.zeros(6, bool)}, "E922", "must contain integers"),
    ({"user": [0, 1, 2, 3, 4, 9]}, "E922", r"has the id 9 at \[5\], but its ids are 0 .. 8"),
    ({"user": np.full((6, 2), -2)}, "E922", r"has the id -2 at \[0, 0\]"),
    ({"user": np.full(6, 2**40)}, "E922", "has the id 1099511627776"),
    ({"user": jnp.full(6, 9)}, "E922", "has the id 9"),
    ({"user": np.zeros((6, 2, 2), int)}, "E901", r"has shape \[6, 2, 2\], but ids are \[batch\] or \[batch, m\]"),
    ({"user": np.zeros((6, 0), int)}, "E901", r"has shape \[6, 0\]"),
    ({"user": np.zeros(5, int)}, "E901", "differ in batch"),
    ({"z": np.zeros(6, int)}, "E901", "to give it by ids, declare `input z ids 2`"),
]


@pytest.mark.parametrize(("wrong", "code", "message"), WRONG)
def test_what_are_not_ids_is_refused(wrong: dict[str, Any], code: str, message: str) -> None:
    net = blurc.compile(BY_IDS)
    genome = net.init_genome(jax.random.key(0))
    state = net.init(jax.random.key(0), genome)
    ids, _, y = data()
    with pytest.raises(BlurError, match=message) as caught:
        net.step(genome, state, {**ids, **wrong}, y)
    assert caught.value.diagnostics[0].code == code


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint32, np.int64])
def test_any_integers_are_ids(dtype: Any) -> None:
    net = blurc.compile(BY_IDS)
    genome = net.init_genome(jax.random.key(0))
    state = net.init(jax.random.key(0), genome)
    ids, _, _ = data()
    found = net.predict(genome, state, {**ids, "user": ids["user"].astype(dtype)})
    np.testing.assert_array_equal(found, net.predict(genome, state, ids))


@pytest.mark.parametrize("beyond", [9, -7, 2**31 - 1])
def test_traced_ids_out_of_range_are_nothing(beyond: int) -> None:
    net = blurc.compile(BY_IDS)
    genome = net.init_genome(jax.random.key(0))
    state = net.init(jax.random.key(0), genome)
    ids, _, y = data()
    step = jax.jit(lambda user: net.step(genome, state, {**ids, "user": user}, y))
    found, expected = (
        step(np.where(ids["user"] == 3, beyond, ids["user"])),
        step(np.where(ids["user"] == 3, -1, ids["user"])),
    )
    jax.tree.map(np.testing.assert_array_equal, found, expected)


def test_members_of_a_population_of_genomes_have_ids_of_their_own() -> None:
    net = blurc.compile(BY_IDS)
    genome = net.init_genome(jax.random.key(0))
    state = net.init(jax.random.key(0), genome)
    ids, _, y = data()
    users = np.stack([ids["user"], ids["user"][::-1]])

    def step(user: Any) -> Any:
        return net.step(genome, state, {**ids, "user": user}, y)

    both, one = jax.vmap(step)(users), step(users[1])
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a[1], b, rtol=1e-5, atol=1e-6), both, one)
