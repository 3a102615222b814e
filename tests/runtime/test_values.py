"""Values of the rule in the network file: where meta-parameters start, and what constants are."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import numpy as np
import pytest

import blurc
from blurc.plan import plan_of
from blurc.spec import select, select_model

RULE = """
genome rule {
  state   a
  synapse w ~ uniform(site, site)
  learn   tau = 5 per population, gain[2] ~ normal(1) per projection
  const   site = 1 per projection, pair[2] = [0, 3] per projection, pace = 2 per population
  sense   { a <- input }
  forward { a <- incoming(site * w * pre.a) + incoming((1 - site) * gain[0] * w * pre.pace) + tau * 0 + pace }
  update  { w <- w + 0.1 * site * batch_mean(pre.a * post.a) + pair[0] * w }
  readout a
}
"""
NETWORK = """
block b(slow = 3) { input x[2]  hidden h[2] { tau = 2 * slow }  output y[2]  x -> h -> y [pair = slow] }
network n(slow = 20) uses rule {
  input  x[2]
  hidden h[2] { tau = slow, pace = -1 }
  output y[1]
  part = b(x = h, slow = 1)
  x -> h [gain = [3, 4]]
  for i in 0..1 { h -> y [site = i] }
  part.y -> y
}
"""


@pytest.fixture(scope="module")
def net() -> blurc.Net:
    return blurc.compile(RULE + NETWORK)


def test_a_meta_parameter_starts_where_the_network_says(net: blurc.Net) -> None:
    genome = net.init_genome(jax.random.key(0))
    tau, gain = genome["tau"], genome["gain"]
    assert isinstance(tau, Mapping)
    assert isinstance(gain, Mapping)
    assert {of: float(value) for of, value in tau.items()} == {
        "x": 5,
        "h": 20,
        "y": 5,
        "part.h": 2,
        "part.y": 5,
        "unit": 5,
    }
    np.testing.assert_allclose(gain["x->h"], [3, 4])
    assert not np.allclose(gain["h->y"], gain["part.y->y"])


def test_a_constant_is_what_the_network_says() -> None:
    model = select_model(RULE + NETWORK)
    assert [model.constant("site", of) for of in ("h->y", "h->y#2", "unit->y")] == [0, 1, 1]
    assert [model.constant("pair", of) for of in ("x->h", "x->part.h", "h->part.h")[::2]] == [(0, 3), (1, 1)]
    assert [model.constant("pace", of) for of in ("x", "h", "unit")] == [2, -1, 2]


def test_synapses_may_start_by_a_constant(net: blurc.Net) -> None:
    synapses = net.init(jax.random.key(0), net.init_genome(jax.random.key(0))).synapses
    np.testing.assert_allclose(synapses["h->y"]["w"], 0)
    np.testing.assert_allclose(synapses["h->y#2"]["w"], 1)


def test_a_constant_of_zero_prunes_its_terms() -> None:
    plan = plan_of(select_model(RULE + NETWORK))
    used = [str(op.attrs[0]) for op in plan.predict.ops if op.name == "to_post"]
    assert sorted(used) == sorted(["x->h", "h->part.h", "part.h->part.y", "h->y", "h->y#2", "part.y->y",
                                   "unit->h", "unit->part.h", "unit->part.y", "unit->y"])  # fmt: skip
    learning = {op.attrs[0] for op in plan.step.all_ops() if op.name == "outer"}
    assert "h->y" not in learning
    assert {"x->h", "h->y#2"} <= learning


def test_another_rule_need_not_have_the_values_but_is_warned_of() -> None:
    phases = "sense { a <- input }  forward { a <- incoming(w * pre.a) }"
    other = f"genome other {{ state a  synapse w ~ ones  {phases}  readout a }}"
    _, _, warnings = select(RULE + other + NETWORK, network="n", genome="other")
    assert {d.code for d in warnings} == {"W501"}
    assert {d.message.split("`")[1] for d in warnings} == {"tau", "pace", "pair", "gain", "site"}


def test_values_come_back_from_a_graph() -> None:
    net = blurc.compile(RULE + FLAT)
    assert blurc.from_networkx(net.graph, genome=RULE).model == net.model


FLAT = "network n uses rule { input x[2]  output y[2] { tau = -1.5 }  x -> y [pair = [1, 2e-3], site = 0] }"
