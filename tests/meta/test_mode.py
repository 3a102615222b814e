"""Meta-gradients in forward and in reverse mode."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import jax
import numpy as np
import pytest
from click.testing import CliRunner
from tiny import SPEC, experiment, refused

import blurc
from blurc import meta
from blurc.cli import cli
from blurc.meta.experiment.experiment import Gradient, Inner
from blurc.meta.run.mode import cheaper, with_mode
from blurc.meta.search.differentiate import value_and_gradient
from blurc.meta.search.episode import judged
from blurc.runtime import GenomeValues
from blurc.tasks import OBJECTIVES, Episode, TaskChoice
from blurc.tasks.task import task

pytestmark = pytest.mark.usefixtures("compiled_fast")

MANY = SPEC.replace("rate ~ uniform(0.05, 0.4)", "rate = 0.1, more[9] = 0").replace("- rate *", "- (rate + more[8]) *")
SPARSE = SPEC.replace("x -> class", "x -> class [sparse(p = 0.5, seed = 0, form = segments)]")


def net(text: str) -> blurc.Net:
    Path("it.blur").write_text(text)
    return blurc.compile("it.blur")


@pytest.mark.usefixtures("shared")
def test_both_give_the_same_gradient() -> None:
    with jax.enable_x64(True):
        tiny = net(SPEC)
        genome = tiny.init_genome(jax.random.key(2))
        episode = task(TaskChoice("moons")).episode(jax.random.key(1), steps=7, batch=4, query=8)
        one = partial(judged, tiny, OBJECTIVES["cross_entropy"], Inner(judge_every=3), key=jax.random.key(3))
        ways = [value_and_gradient(lambda g: (one(g, episode=episode), ()), mode) for mode in ("forward", "reverse")]
        forward, reverse = (jax.jit(way)(genome) for way in ways)
        assert jax.tree.leaves(forward)[0].dtype == np.float64
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-12, atol=1e-15), forward, reverse)
    assert abs(float(forward[1]["rate"])) > 1e-4


@pytest.mark.usefixtures("shared")
def test_both_give_the_same_gradient_however_the_program_rounds() -> None:
    """Without its optimisations, XLA computes the outputs of five steps twice and rounds them in two ways here."""
    tiny, moons = net(SPEC), task(TaskChoice("moons"))

    def value(genome: GenomeValues, episode: Episode) -> tuple[jax.Array, tuple[()]]:
        return judged(tiny, OBJECTIVES["cross_entropy"], Inner(), genome, jax.random.key(0), episode), ()

    forward, reverse = (jax.jit(value_and_gradient(value, mode)) for mode in ("forward", "reverse"))
    for i in range(20):
        given = tiny.init_genome(jax.random.key(i)), moons.episode(jax.random.key(i), steps=5, batch=1, query=1)
        jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-5), forward(*given), reverse(*given))


@pytest.mark.usefixtures("shared")
def test_few_meta_parameters_of_a_small_network_go_forward_and_many_back() -> None:
    assert cheaper(net(SPEC), 4) == "forward"
    assert cheaper(net(SPEC), 10**6) == "reverse"
    assert cheaper(net(MANY), 4) == "reverse"


@pytest.mark.usefixtures("shared")
def test_the_sums_of_sparse_projections_have_no_forward_mode() -> None:
    e = experiment("gradient")
    sparse = net(SPARSE)
    assert with_mode(e, sparse).method == replace(e.method, mode="reverse")
    (found,) = refused(lambda: with_mode(replace(e, method=Gradient(mode="forward")), sparse))
    assert found.message == "the sums of the sparse projection `x->class` have no forward mode"


def test_the_run_says_which_mode_it_took(shared: None, no_report: None) -> None:
    Path("e.yaml").write_text(
        "name: e\nspec: tiny.blur\ntasks: [moons]\ninner: {steps: 2, batch: 4, query: 4}\n"
        "method: {name: gradient, steps: 2}\nevaluation: {steps: [1], seeds: 1, batch: 4}\n"
    )
    told = CliRunner().invoke(cli, ["meta", "e.yaml"])
    assert "gradients in forward mode, by cost" in told.output
    assert meta.read("runs/e/experiment.yaml").method == Gradient(steps=2, objective="cross_entropy", mode="forward")
    told = CliRunner().invoke(cli, ["meta", "e.yaml", "--set", "method.mode=reverse", "-o", "other"])
    assert "gradients in reverse mode, as the experiment says" in told.output
