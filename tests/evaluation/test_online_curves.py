"""Scores while a network learns: every batch is asked just before it is learned."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner, Result

import blurc
from blurc import evaluation, tasks
from blurc.cli import cli
from blurc.cli.commands.eval import Protocol, drawn
from blurc.evaluation.course import keys
from blurc.tasks import OBJECTIVES, Augment, LoadedTask, TaskChoice, streamed, task

pytestmark = pytest.mark.usefixtures("compiled_fast")

SPEC = """
genome delta {
  state act, err
  synapse w ~ normal(1)
  learn rate = 0.5
  sense    { act <- input }
  forward  { act <- incoming(w * pre.act) }
  feedback { err <- softmax(act) - target }
  update   { w <- w - rate * batch_mean(pre.act * post.err) }
  readout act
}
network tiny uses delta { input x[2]  output class[2]  x -> class }
"""
STEPS, BATCH = 6, 2


@pytest.fixture(scope="module")
def net() -> blurc.Net:
    return blurc.compile(SPEC)


def online(net: blurc.Net, genome: Any, **more: Any) -> evaluation.Online:
    return evaluation.online(net, genome, moons(), steps=STEPS, batch=BATCH, **more)


def moons() -> LoadedTask:
    return task(TaskChoice("moons", augment=Augment(relabel_at=3)))


def test_answers_are_those_before_each_batch_and_scores_are_of_the_steps_in_between(net: blurc.Net) -> None:
    own, genome = keys(3), {"rate": jnp.asarray(0.5)}
    state, answers, right = net.init(own.start, genome, batch=BATCH), list[Any](), list[Any]()
    for _, pieces in streamed(moons(), own.task, BATCH, True, STEPS, 1).pieces(1, STEPS):
        x, y = pieces.xs[0], pieces.ys[0]
        answers.append(net.predict(genome, state, x))
        right.append(np.asarray(answers[-1]).argmax(-1) == np.asarray(y).argmax(-1))
        state, _ = net.step(genome, state, x, y)
    found = online(net, genome, seeds=1, seed=3)
    np.testing.assert_allclose(found.answers[0].outputs, np.stack(answers), rtol=1e-5)
    np.testing.assert_allclose(found.scores((2, 5)), [[np.mean(right[:2]), np.mean(right[2:5])]], rtol=1e-6)


def test_divergence_is_not_a_number_from_where_it_happens(net: blurc.Net) -> None:
    told: list[tuple[int, int]] = []
    found = online(net, {"rate": jnp.asarray(jnp.inf)}, seeds=1, lost=lambda seed, step: told.append((seed, step)))
    assert told == [(0, 1)]
    later = replace(found, answers=(replace(found.answers[0], outputs=found.answers[0].targets, sound=1),))
    np.testing.assert_equal(later.scores((1, 2)), [[1.0, np.nan]])


def command(*args: object) -> Result:
    return CliRunner().invoke(cli, ["eval", *map(str, args)])


def test_the_command_has_a_table_of_stretches_and_a_curve(tmp_path: Path) -> None:
    spec, picture = tmp_path / "tiny.blur", tmp_path / "curve.svg"
    spec.write_text(SPEC)
    what = ("delta", "--network", spec, "--task", "moons", "--online", "--batch", BATCH, "--seeds", 2)
    run = command(*what, "--steps", f"2,{STEPS}", "-o", picture, "--json", tmp_path / "table.json")
    assert run.exit_code == 0, run.output
    assert "steps 1-2" in run.stdout
    assert f"steps 3-{STEPS}" in run.stdout
    assert "accuracy in % of answers given just before each batch is learned, mean ± standard" in run.stdout
    (row,) = json.loads((tmp_path / "table.json").read_text())["rows"]
    assert [point["steps"] for point in row["curve"]] == [*range(1, STEPS + 1)]
    values = [point["mean"] for point in row["curve"]]
    assert np.mean(values[2:]) == pytest.approx(row["results"][1]["mean"])
    assert picture.read_text().startswith("<?xml")


def test_the_curves_of_each_metric_have_an_axis(net: blurc.Net) -> None:
    found, metrics = online(net, {"rate": jnp.asarray(0.5)}, seeds=1), [OBJECTIVES[m] for m in ("accuracy", "mse")]
    row = evaluation.Row("delta", "moons", "tiny", found.scores((STEPS,)), metrics[0], online=found)
    rows = [replace(row, metric=metric) for metric in metrics]
    picture = drawn(rows, Protocol((STEPS,), 1, BATCH, 0, online=True), "svg").decode()
    assert all(f"{metric.title} before learning" in picture for metric in metrics)


def test_classes_that_are_never_reordered_are_warned_of() -> None:
    assert tasks.too_late(Augment(), 5) == tasks.too_late(Augment(relabel_at=4), 5) == ""
    late = tasks.too_late(Augment(relabel_at=150), 100)
    assert late == "warning: with `relabel_at` 150, 100 steps end before the classes are reordered"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--task", "maze"), "online, batches are asked before they are learned, and maze has rewards"),
        (("--task", "moons", "--probe", "x"), "--online asks for the network's own answers"),
    ],
)
def test_what_has_no_answers_is_refused(more: tuple[str, ...], message: str, tmp_path: Path) -> None:
    spec = tmp_path / "tiny.blur"
    spec.write_text(SPEC.replace("x[2]", "x[25]").replace("class[2]", "class[4]"))
    run = command("delta", "--network", spec, "--online", *more)
    assert run.exit_code != 0
    assert message in run.output
