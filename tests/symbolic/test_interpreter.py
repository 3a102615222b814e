"""The rule that interprets rules computes what the compiler makes of each of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import blurc
from blurc.symbolic import Space, Trees, Variation, space

pytestmark = pytest.mark.usefixtures("compiled_fast")

RULE = """
genome hole {
  state   act, err, pair[2]
  synapse w ~ normal(1 / sqrt(fan_in)), v[2] ~ normal(0.5)
  learn   gain = 0.5
  sense    { act <- input;  pair[0] <- input }
  forward  { let z = incoming(w * pre.act);  act <- tanh(z);  pair[1] <- gain * act }
  feedback { err <- act - target }
  backward { let back = outgoing(v[0] * post.err);  err <- 0 }
  update   { w <- w;  v[1] <- 0 }
  readout  act
}
"""
DENSE = "network n uses hole { input x[3]  hidden h[4]  output y[2] { bias = off }  x -> h -> y }"
EVERY = """network n uses hole {
    input x[6, 1]  hidden h[6, 2] { bias = off }  output y[2] { bias = off }
    x -> h [conv(3)]  h -> y  h -> h [sparse(p = 0.6), delay = 1] }"""


@cache
def searched(network: str) -> Space:
    net = blurc.compile(RULE + network)
    return space(net, ["backward", "update"], {}, ["tanh", "abs"], ["+", "-", "*", "/"])


def candidates(of: Space, count: int) -> list[Trees]:
    """Random ones that the checker allows and that fit, the first of which is all that there is at once."""
    variation = Variation(of, 40, np.random.default_rng(7))
    found: list[Trees] = []
    while len(found) < count:
        new = variation.fresh()
        for _ in range(2):
            new = variation.child([new, variation.fresh()])
        if of.fingerprint(new) is not None and of.tables(new):
            found.append(new)
    return found


def learned(net: blurc.Net, genome: Any) -> Any:
    x, target = (jax.random.normal(jax.random.key(n), (3, 5, size)) for n, size in ((1, net_inputs(net)), (2, 2)))
    state = net.init(jax.random.key(0), genome, batch=5)
    return net.train(genome, state, 0.5 * x, 0.5 * target)[0].synapses


def net_inputs(net: blurc.Net) -> int:
    (x,) = net.model.network.with_role("input")
    return x.size


@pytest.mark.parametrize(
    ("network", "count"), [(DENSE, 8), (EVERY, 4)], ids=["dense", "convolution, sparse and delayed"]
)
def test_it_computes_what_the_compiler_makes_of_a_rule(network: str, count: int) -> None:
    of = searched(network)
    own = of.net.init_genome(jax.random.key(0))
    interpreted = jax.jit(lambda genome: learned(of.interpreter, genome))
    sound = 0
    for trees in candidates(of, count):
        tables = of.tables(trees)
        assert tables
        net = of.compiled(trees)
        expected = jax.jit(lambda genome, net=net: learned(net, genome))(net.init_genome(jax.random.key(0)))
        if not all(np.abs(x).max() < 100 for x in jax.tree.leaves(expected)):
            continue  # what blows up has no digits in common
        sound += 1
        found = interpreted({**own, **{name: jnp.asarray(table) for name, table in tables.items()}})
        for projection, channels in expected.items():
            for channel, value in channels.items():
                np.testing.assert_allclose(found[projection][channel], value, rtol=2e-3, atol=2e-4)
    assert sound >= count // 2
