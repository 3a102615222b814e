"""Meta-parameters that are pulled to 0: which, how firmly, and what is said of the rule then."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import optax
import pytest
from click.testing import CliRunner
from tiny import SPEC, codes, experiment, made, refused

from blurc import meta
from blurc.cli import cli
from blurc.meta.experiment import schema
from blurc.meta.run import setup as setups
from blurc.meta.search.methods.shrink import shrink

pytestmark = pytest.mark.usefixtures("compiled_fast")

PULLED = "{name: gradient, steps: 8, rate: 0.05, l1: {names: [spread], strength: 4}}"


def test_what_the_gradient_does_not_hold_becomes_exactly_0() -> None:
    """The bowl around (1, 0.01, 1), of which the last may be what it wants."""
    method = optax.chain(optax.adam(0.01), shrink(["held", "loose"], 0.2, 0.01))
    goal = {"held": jnp.asarray(1.0), "loose": jnp.asarray([0.0, 0.0]), "free": jnp.asarray(1.0)}
    now = {"held": jnp.asarray(0.5), "loose": jnp.asarray([0.3, -0.2]), "free": jnp.asarray(0.5)}
    state = method.init(now)
    for _ in range(400):
        slopes = jax.tree.map(lambda x, g: x - g, now, goal)
        change, state = method.update(slopes, state, now)
        now = optax.apply_updates(now, change)
    assert now["loose"].tolist() == [0.0, 0.0]
    assert 0.5 < float(now["held"]) < 1.0
    assert float(now["free"]) == pytest.approx(1.0, abs=0.05)


def test_a_decaying_rate_pulls_less_and_less() -> None:
    pull = shrink(["a"], 1.0, optax.linear_schedule(0.1, 0.0, 2))
    now, state = {"a": jnp.asarray(1.0)}, pull.init(None)
    for expected in (0.9, 0.85, 0.85):
        change, state = pull.update({"a": jnp.asarray(0.0)}, state, now)
        now = optax.apply_updates(now, change)
        assert float(now["a"]) == pytest.approx(expected)


def test_a_run_goes_on_to_the_same_bits(shared: None, stopped: Callable[..., None]) -> None:
    e = experiment(PULLED)
    meta.run(e, "whole")
    stopped(e, 4)
    meta.run(e, "run", resume=True)
    assert made("run") == made("whole")


def test_a_name_that_the_rule_does_not_have_is_told_where_it_is() -> None:
    Path("e.yaml").write_text("name: e\nspec: tiny.blur\ntasks: [moons]\nmethod: {l1: {names: [rat], strength: 0.1}}\n")
    (found,) = refused(lambda: setups.setup(schema.read("e.yaml")))
    assert found.code == "E613"
    assert found.message == "the rule `delta` has no meta-parameter `rat`"
    assert found.span
    assert (found.span.line, found.span.text) == (4, "[rat]")
    assert "`rate`" in (found.help or "")


@pytest.mark.parametrize("l1", ["{}", "{names: []}", "{names: [rate], strength: 0}", "{names: [rate], strenght: 1}"])
def test_what_is_wrong_with_it_is_refused(l1: str) -> None:
    assert codes(lambda: experiment(f"{{name: gradient, l1: {l1}}}"))[0] in ("E605", "E606", "E607", "E612")


def test_only_gradients_are_pulled() -> None:
    assert codes(lambda: experiment("{name: cma, l1: {names: [rate]}}")) == ["E607"]


def test_the_rule_is_printed_without_what_became_0() -> None:
    """A term that does harm, and so goes; the best genome is the last."""
    harmful = SPEC.replace("blast = -1", "blast = -1, harm = 0.3").replace(
        "+ exp(1000 * blast)", "+ exp(1000 * blast) + harm * batch_mean(pre.act * post.err)"
    )
    Path("tiny.blur").write_text(harmful)
    Path("e.yaml").write_text(
        "name: e\nspec: tiny.blur\ntasks: [moons]\ninner: {steps: 3, batch: 4, query: 32}\n"
        "method: {steps: 8, rate: 0.1, l1: {names: [harm], strength: 1}}\n"
        "evaluation: {steps: [2], seeds: 1, batch: 4}\n"
    )
    done = CliRunner().invoke(cli, ["meta", "e.yaml"])
    assert done.exit_code == 0, done.output
    shown = re.search(r"the rule without the terms that became 0:\n\n(.*?)\n\n", done.stdout, re.DOTALL)
    assert shown
    assert "harm" not in shown[1]
    assert "<h2>Rule without the terms that are 0</h2>" in Path("runs/e/report.html").read_text()
