"""Experiments whose tasks are learned by different networks, in batches of different sizes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from click.testing import CliRunner
from tiny import SPEC, refused

from blurc import meta
from blurc.cli import cli
from blurc.diagnostics import BlurError, Diagnostic, Source
from blurc.meta.experiment import schema
from blurc.meta.experiment.experiment import Experiment
from blurc.meta.run import finishing
from blurc.meta.run.setup import Setup, setup
from blurc.meta.search.episode import judged
from blurc.tasks import Episode

pytestmark = pytest.mark.usefixtures("compiled_fast")

DEEPER = """
import "tiny.blur"
network deeper(hidden = 3) uses delta { input x[2]  hidden h[hidden]  output class[2]  x -> h  h -> class }
"""
TEXT = """
name: mixed
spec: tiny.blur
network: tiny
tasks: [center_circle, {data: moons, name: deep}, {data: moons, name: few}]
by_task:
  deep: {network: {spec: deeper.blur, parameters: {hidden: 4}}}
  few: {batch: 1, steps: 7}
tasks_per_step: 3
inner: {steps: 5, batch: 4, query: 8}
method: METHOD
evaluation: {steps: [2], seeds: 1, batch: 4}
"""
CMA = "{name: cma, steps: 3, population: 4, objective: cross_entropy}"
IN_ITS_NETWORK = [("center_circle", "tiny"), ("deep", "deeper(hidden = 4)"), ("few", "tiny")]
GRADIENT = "{name: gradient, steps: 2, rate: 0.01}"


@pytest.fixture(autouse=True)
def _specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny.blur").write_text(SPEC)
    (tmp_path / "deeper.blur").write_text(DEEPER)
    monkeypatch.chdir(tmp_path)


def experiment(method: str = CMA, **replaced: str) -> Experiment:
    text = TEXT.replace("METHOD", method)
    for old, new in replaced.items():
        text = text.replace(old, new)
    return schema.parse(Source("e.yaml", text))


def by_hand(ready: Setup, genome: Any) -> list[Any]:
    """The value of each episode of the first meta-step, each in its own network."""
    found: list[Any] = []
    for number, one in ready.singly(0, 5):
        net = ready.lesson(ready.tasks[number]).net
        episode = jax.tree.map(lambda a: a[0], one.episodes)
        found.append(judged(net, ready.objective, ready.experiment.inner, genome, one.keys[0], episode))
    return found


def test_every_task_has_its_own_network_batch_and_steps():
    ready = setup(experiment())
    genomes = ready.start()
    found = ready.judge.values(genomes, ready.episodes(0, 5))
    shapes = {one.episodes.xs.shape for _, one in ready.singly(0, 5) if isinstance(one.episodes, Episode)}
    assert {(1, 7, 1, 2)} < shapes <= {(1, 5, 4, 2), (1, 7, 1, 2)}
    expected = by_hand(ready, jax.tree.map(lambda a: a[0], genomes))
    np.testing.assert_allclose(found.each[0], expected, rtol=1e-5)
    assert found.values[0] == pytest.approx(np.mean(expected), rel=1e-5)
    assert ready.lesson(ready.tasks[1]).net.plan.population("h").size == 4


def test_gradients_are_those_of_the_mean_and_of_the_worst():
    for over in ("mean", "worst"):
        ready = setup(experiment(GRADIENT, tasks_per_step=f"over_tasks: {over}\ntasks_per_step"))
        genomes = ready.start()
        mixed = ready.episodes(0, 5)
        assert isinstance(mixed, list)
        alone = [judge.gradients(genomes, drawn) for judge, drawn in mixed]
        found = ready.judge.gradients(genomes, mixed)
        costs = [float(one.values[0]) for one in alone]
        counted = alone if over == "mean" else [alone[int(np.argmax(costs))]]
        for name, slope in found.gradients.items():
            expected = np.mean([one.gradients[name] for one in counted], axis=0)
            np.testing.assert_allclose(slope, expected, rtol=1e-4, atol=1e-6, err_msg=name)


def test_tasks_are_evaluated_in_their_networks_which_the_run_folder_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_report: None
):
    (tmp_path / "e.yaml").write_text(TEXT.replace("METHOD", CMA))
    told = CliRunner().invoke(cli, ["meta", "e.yaml", "--set", "method.steps=1", "-o", "run"])
    assert told.exit_code == 0, told.output
    assert {p.name for p in (tmp_path / "run" / "spec").rglob("*.blur")} >= {"tiny.blur", "deeper.blur"}
    assert re.findall(r"^ +mixed +(\S+) +(\S.*?) {2,}\S+$", told.stdout, re.MULTILINE) == IN_ITS_NETWORK
    with monkeypatch.context() as patch:
        patch.setattr(finishing, "check_fits", _no_fit)
        assert [d.code for d in refused(lambda: meta.finish("run"))] == ["E801"], "when nothing is left, it says why"
    text = (tmp_path / "run" / "experiment.yaml").read_text()
    assert schema.dump(meta.read("run/experiment.yaml")) == text

    (tmp_path / "deeper.blur").write_text(DEEPER.replace("h -> class", "h -> class  x -> class"))
    changed = refused(lambda: meta.run(experiment(), "run", resume=True))
    assert [d.message for d in changed] == ["the spec is not the one that `run/checkpoint.npz` was made with"]
    assert [d.code for d in refused(lambda: meta.run(meta.read("run/experiment.yaml"), "again"))] == ["E617"]


def _no_fit(*_: Any) -> None:
    raise BlurError(Diagnostic("E801", "it does not fit"))


def test_doubts_are_of_the_network_and_batch_of_each_task(tmp_path: Path):
    (tmp_path / "tiny.blur").write_text(SPEC.replace("(w * pre.act)", "(w * pre.act) + standardize(err)"))
    found = finishing.check(experiment())
    assert [line.partition("because it ")[2] for line in found] == [
        f"learns from {count} at a time and predicts 8 at a time" for count in (4, 1)
    ]


def test_eval_measures_every_task_in_its_network(tmp_path: Path):
    (tmp_path / "e.yaml").write_text(TEXT.replace("METHOD", CMA))
    asked = ["eval", "delta", "--experiment", "e.yaml", "--steps", "2", "--seeds", "1", "--json", "-"]
    found = json.loads(CliRunner().invoke(cli, asked).stdout)
    assert [(row["task"], row["network"]) for row in found["rows"]] == IN_ITS_NETWORK
    given = json.loads(CliRunner().invoke(cli, [*asked, "--task", "moons", "--network", "deeper.blur"]).stdout)
    assert [(row["task"], row["network"]) for row in given["rows"]] == [("moons", "deeper")]


def test_a_divergence_is_replayed_in_its_network(tmp_path: Path):
    (tmp_path / "tiny.blur").write_text(SPEC.replace("blast = -1", "blast = 1"))
    meta.run(experiment(CMA.replace("steps: 3", "steps: 1")), "lost")
    found = meta.replay("lost")
    assert found.code == "E905"
    assert "candidate 0, task" in found.notes[0]


WRONG = {
    "unknown": ("  few: {", "  fwe: {", "there is no task `fwe`"),
    "pes": (CMA, "{name: pes, steps: 3, population: 4, truncation: 2}", "pes learns all tasks in one network"),
    "curriculum": ("tasks_per_step: 3", "tasks_per_step: 3\ncurriculum: {add: 1}", "the curriculum lengthens"),
    "rule": ("deeper.blur, p", "deeper.blur, rule: backprop, p", "`deeper`, which learns `deep`, has other"),
    "judged": ("steps: 7", "steps: 2", "`inner.judge_every` is 3, and an episode of `few` has 2 steps"),
}


@pytest.mark.parametrize(("old", "new", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_does_not_fit_is_refused(old: str, new: str, message: str):
    text = TEXT.replace("METHOD", CMA).replace("query: 8", "query: 8, judge_every: 3").replace(old, new)
    text = text.replace(", judge_every: 3", "") if "pes" in new else text
    found = refused(lambda: setup(schema.parse(Source("e.yaml", text))))
    assert (found[0].code, found[0].message[: len(message)]) == ("E613", message)
