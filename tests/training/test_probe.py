"""Probes: readouts that answer by what a population holds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner

import blurc
from blurc import evaluation, meta
from blurc.cli import cli
from blurc.diagnostics import BlurError, Diagnostic, Source
from blurc.evaluation import course
from blurc.meta.experiment import schema
from blurc.meta.run import setup as setups
from blurc.tasks import TaskChoice, task
from blurc.training import Held, Probe, activity, answers, predict

pytestmark = pytest.mark.usefixtures("compiled_fast")

SPEC = """
genome still {
  state act, u
  synapse w ~ normal(1)
  learn size = 1
  sense { act <- input }
  forward { u <- incoming(w * pre.act);  act <- tanh(size * u) }
  readout act
}
network one uses still { input x[2]  hidden h[12]  output y[1]  x -> h -> y }
"""
GAUSS = np.random.default_rng(0).normal


def refused(call: Callable[[], object]) -> list[Diagnostic]:
    with pytest.raises(BlurError) as caught:
        call()
    return list(caught.value.diagnostics)


def test_a_ridge_readout_is_the_regression_of_standardised_activities() -> None:
    known, targets, new = (GAUSS(size=shape).astype(np.float32) for shape in ((50, 4), (50, 2), (9, 4)))
    found = answers(Probe("h", strength=1e-8), Held(jnp.asarray(known), jnp.asarray(targets)), jnp.asarray(new))
    ones = [np.c_[a, np.ones(len(a))] for a in (known, new)]
    np.testing.assert_allclose(found, ones[1] @ np.linalg.lstsq(ones[0], targets)[0], atol=1e-5)


def test_the_nearest_neighbours_answer_with_their_mean() -> None:
    known, targets = jnp.asarray([[0.0], [1.0], [10.0], [11.0]]), jnp.asarray([[0.0], [1.0], [2.0], [4.0]])
    found = answers(Probe("h", "knn", neighbours=2), Held(known, targets), jnp.asarray([[0.4], [12.0]]))
    assert found.tolist() == [[0.5], [3.0]]


def test_a_neuron_that_never_changes_does_no_harm() -> None:
    known = jnp.stack([jnp.arange(8.0), jnp.ones(8)], axis=1)
    found = answers(Probe("h"), Held(known, jnp.arange(8.0)[:, None]), known)
    assert jnp.isfinite(found).all()


@pytest.mark.parametrize(("population", "state"), [("h", ""), ("h", "u"), ("x", ""), ("y", "")])
def test_what_is_read_is_what_the_population_does(population: str, state: str) -> None:
    net = blurc.compile(SPEC)
    genome = net.init_genome(jax.random.key(0))
    start = net.init(jax.random.key(1), genome, batch=5)
    x = jnp.asarray(GAUSS(size=(5, 2)), jnp.float32)
    found = activity(net, Probe(population, state=state), genome, start, x, jax.random.key(2))
    u = x @ start.synapses["x->h"]["w"] + start.synapses["unit->h"]["w"]
    expected = {"hu": u, "h": jnp.tanh(u), "x": x, "y": net.predict(genome, start, x)}[population + state]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


class Watched:
    """A network that keeps the keys it is given, by method."""

    def __init__(self, net: blurc.Net) -> None:
        self.net, self.keys = net, dict[str, Any]()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.net, name)
        if name not in ("init", "trace", "predict"):
            return found

        def called(*args: Any, **kwargs: Any) -> Any:
            key = args[0] if name == "init" else kwargs["key"]
            self.keys[name] = jax.random.key_data(key).tolist()
            return found(*args, **kwargs)

        return called


def test_neurons_begin_by_another_key_than_they_answer_by() -> None:
    net = blurc.compile(SPEC.replace("x -> h -> y }", "x -> h -> y\n  h -> h [delay = 1, forward] }"))
    genome, key = net.init_genome(jax.random.key(0)), jax.random.key(2)
    start, x = net.init(jax.random.key(1), genome, batch=5), jnp.ones((5, 2))
    for ask, answer in ((partial(activity, probe=Probe("h")), "trace"), (predict, "predict")):
        watched: Any = Watched(net)
        ask(watched, genome=genome, state=start, x=x, key=key)
        assert watched.keys["init"] != watched.keys[answer]


def test_what_is_known_and_what_is_asked_have_noise_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def noise(net: object, probe: object, values: object, state: object, x: jax.Array, key: jax.Array) -> jax.Array:
        return jax.random.uniform(key, (len(x), 1))

    monkeypatch.setattr(course, "activity", noise)
    monkeypatch.setattr(course, "answers", lambda _, learned, asked: (learned.activity == asked).any())
    x, key = np.ones((4, 2), np.float32), jax.random.key(0)
    contender = course.probed(blurc.compile(SPEC), None, Probe("h"))
    assert not contender.predict((({}, (), key, 0), (x, x)), x, 0)


def test_random_features_tell_moons_apart() -> None:
    net, moons = blurc.compile(SPEC), task(TaskChoice("moons"))
    found = evaluation.scores(net, None, moons, steps=(4,), batch=64, seeds=2, probe=Probe("h"))
    assert found.min() > 0.95


def test_eval_takes_a_probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.blur").write_text(SPEC)
    where = ["eval", "still", "--network", "one.blur", "--task", "xor", "--steps", "4", "--seeds", "1"]
    told = CliRunner().invoke(cli, [*where, "--probe", "h:knn"])
    assert told.exit_code == 0, told.output
    assert "xor" in told.output
    assert "write a population" in CliRunner().invoke(cli, [*where, "--probe", "h:kn"]).output


def experiment(more: str) -> meta.Experiment:
    text = "name: e\nspec: one.blur\ntasks: [xor]\n"
    return schema.parse(Source("e.yaml", f"{text}inner: {{steps: 3, batch: 8, query: 16, probe: {more}}}\n"))


def test_a_search_descends_what_a_probe_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.blur").write_text(SPEC)
    e = experiment("{population: h, strength: 0.01}")
    ready = setups.setup(e)
    feedback = ready.judge.gradients(ready.start(), ready.episodes(0, 3))
    assert abs(float(feedback.gradients["size"][0])) > 1e-6
    assert schema.parse(Source("e.yaml", meta.dump(e))).inner == e.inner


REFUSED = {
    "k": ("E807", "`one` has no population `k` to probe"),
    "{population: h, state: v}": ("E807", "the rule `still` has no state `v` to probe"),
    "{population: h, by: knn}": ("E613", "the answers of nearest neighbours have no gradient"),
    "{population: h, by: ridg}": ("E612", "`inner.probe.by` must be ridge or knn, found `ridg`"),
}


@pytest.mark.parametrize("probe", REFUSED)
def test_what_cannot_be_probed_is_refused(probe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.blur").write_text(SPEC)
    (found,) = refused(lambda: setups.setup(experiment(probe)))
    assert (found.code, found.message) == REFUSED[probe]
