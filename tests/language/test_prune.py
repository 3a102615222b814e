"""A genome without the terms whose coefficient is 0: shorter, and of the same meaning."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import blurc
from blurc.diagnostics import Report, Source
from blurc.language import parse, prune, syntax, unparse


def pruned(statement: str, zeros: set[str], more: str = "") -> str:
    """What is left of an update."""
    text = f"genome g {{ state x, y synapse w ~ zeros learn a = 0, b = 1, t[3] = 0 {more} update {{ {statement} }} }}"
    tree = parse(Source("g.blur", text), Report()).genomes[0]
    found = prune(tree, lambda name, at: name in zeros or f"{name}{[*at]}" in zeros)
    (phase,) = (item for item in found.items if isinstance(item, syntax.Phase))
    return unparse(replace(phase, kind="update")).removeprefix("update { ").removesuffix(" }")


@pytest.mark.parametrize(
    ("statement", "left"),
    [
        ("w <- w + a * pre.x + b * post.x", "w <- w + b * post.x"),
        ("w <- w - b * (a * pre.x + post.x)", "w <- w - b * post.x"),
        ("w <- a * pre.x - b * w", "w <- -(b * w)"),
        ("w <- w + batch_mean(a * pre.x * post.x) + b", "w <- w + b"),
        ("w <- w + b / (1 + a)", "w <- w + b / 1"),
        ("w <- w + exp(a) + a ^ 2 + incoming(w * a) / b", "w <- w + exp(0)"),
        ("w <- w + t[0] * pre.x + t[1] * post.x", "w <- w + t[1] * post.x"),
        ("w <- w + b * where(a > 0, pre.x, post.x)", "w <- w + b * where(0 > 0, pre.x, post.x)"),
        ("let z = a * pre.x;  w <- w + z + z * b + b", "w <- w + b"),
    ],
)
def test_terms_that_are_0_vanish(statement: str, left: str) -> None:
    assert pruned(statement, {"a", "t[0]"}) == left


def test_what_nothing_reads_is_not_declared_and_arguments_are_not_meta_parameters() -> None:
    text = "genome g { synapse w ~ zeros learn a = 0, b = 1 fn f(a) = a + 1 update { w <- w + a * f(b) + f(b) } }"
    tree = parse(Source("g.blur", text), Report()).genomes[0]
    shown = unparse(prune(tree, lambda name, at: name == "a"))
    assert "learn b = 1" in shown
    assert "learn a" not in shown
    assert "fn f(a) = a + 1" in shown
    assert "w <- w + f(b)" in shown


SPEC = """
genome g {
  state act, err
  synapse w ~ normal(0.5)
  learn hebb = 0.0, delta = 0.3, decay = 0.0, gains[2] = 1.0
  sense    { act <- input }
  forward  { act <- incoming(w * pre.act) + decay * act }
  feedback { err <- softmax(act) - target }
  update   { w <- w + hebb * batch_mean(pre.act * post.act) - delta * batch_mean(pre.act * post.err) - decay * w }
  readout act * gains[0]
}
network n uses g { input x[2]  output y[3]  x -> y }
"""


def test_a_pruned_rule_computes_the_same() -> None:
    whole = blurc.compile(SPEC)
    tree = whole.sources.genomes["g"]
    text = unparse(prune(tree, lambda name, at: name in ("hebb", "decay")))
    assert "hebb" not in text
    assert "decay" not in text
    short = blurc.compile(text + "\nnetwork n uses g { input x[2]  output y[3]  x -> y }")
    key, x = jax.random.key(0), jax.random.normal(jax.random.key(1), (4, 2))
    y = jax.nn.one_hot(jnp.arange(4) % 3, 3)
    outs = []
    for net in (whole, short):
        values = net.init_genome(key)
        state, _ = net.step(values, net.init(key, values, batch=4), x, y)
        outs.append(net.predict(values, state, x))
    np.testing.assert_allclose(*outs, rtol=1e-6)
