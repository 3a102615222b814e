"""Symbolic searches find again what is known, from rules that say nothing of it. Their fast siblings are in
test_symbolic_search.py and tests/symbolic."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import pytest

import blurc
from blurc import meta
from blurc.meta.run import best
from blurc.meta.run import setup as setups

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("compiled_fast")]

EXAMPLES = Path(__file__).parents[2] / "examples" / "symbolic"
OJA = "w <- w + eta * batch_mean(post.act * (pre.act - w * post.act))"
DELTA = "w <- w + eta * batch_mean(pre.act * (post.goal - post.act))"


def known(rule: str, update: str, network: str, e: meta.Experiment) -> float:
    """The lowest cost of a rule over its rates, on the episodes that judge the search."""
    spec = (
        f'import "{EXAMPLES / "rules.blur"}"\ngenome known extends {rule} {{ learn eta = 0.1  update {{ {update} }} }}'
    )
    net = blurc.compile(spec, network=network, genome="known")
    ready = setups.setup(e)
    values = (0.02, 0.05, 0.1, 0.2, 0.5)
    return min(best.worth(ready, net, {"eta": jnp.asarray(v)}, e.inner.steps) for v in values)


@pytest.mark.parametrize(
    ("name", "rule", "update", "network"),
    [("oja", "alone", OJA, "component"), ("delta", "taught", DELTA, "regression")],
)
def test_what_is_found_is_as_good_as_what_is_known(name: str, rule: str, update: str, network: str) -> None:
    e = meta.read(EXAMPLES / f"{name}.yaml")
    found = meta.run(replace(e, evaluation=replace(e.evaluation, seeds=1)), "run")
    cost = known(rule, update, network, setups.setup(e).experiment)
    assert found.value <= 1.1 * cost + 0.005
