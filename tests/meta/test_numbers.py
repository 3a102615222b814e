"""Runs whose tasks have targets that are not classes: what is optimised, what is measured, and what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from tiny import codes, refused

from blurc import meta
from blurc.diagnostics import Source
from blurc.meta.experiment import schema
from blurc.meta.run import setup as setups

pytestmark = pytest.mark.usefixtures("compiled_fast")

SPEC = """
genome descent {
  state act, slope, err
  synapse w ~ normal(1 / sqrt(fan_in))
  learn rate = 0.001
  fn phi = tanh

  sense    { act <- input }
  forward  { let z = incoming(w * pre.act)  act <- phi(z)  slope <- phi'(z) }
  feedback { err <- slope * (act - target) }
  backward { err <- slope * outgoing(w * post.err) }
  update   { w <- w - rate * batch_mean(pre.act * post.err) }
  readout act
}

network curve uses descent {
  input  x[1]
  hidden h[8]
  output y[1] { phi = linear }
  x -> h
  h -> y
}
"""
EXPERIMENT = """
name: waves
spec: curve.blur
tasks: [sinusoid]
inner: {steps: 5, batch: 16, query: 32}
evaluation: {steps: [2, 4], seeds: 2, batch: 8}
"""


@pytest.fixture(autouse=True)
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "curve.blur").write_text(SPEC)
    monkeypatch.chdir(tmp_path)


def experiment(more: str, tasks: str = "[sinusoid]") -> meta.Experiment:
    return schema.parse(Source("e.yaml", f"{EXPERIMENT}{more}\n".replace("[sinusoid]", tasks)))


@pytest.mark.parametrize(
    ("method", "objective"),
    [("gradient", "mse"), ("{name: pes, truncation: 5}", "mse"), ("cma", "mse"), ("{name: cma, objective: r2}", "r2")],
)
def test_the_tasks_say_what_is_optimised_unless_the_experiment_does(method: str, objective: str) -> None:
    assert setups.setup(experiment(f"method: {method}")).experiment.method.objective == objective


def test_of_classes_the_gradient_takes_the_loss_and_cma_the_score() -> None:
    (Path() / "curve.blur").write_text(SPEC.replace("x[1]", "x[2]").replace("y[1]", "y[2]"))
    found = [setups.setup(experiment(f"method: {m}", "[xor]")).experiment.method.objective for m in ("gradient", "cma")]
    assert found == ["cross_entropy", "accuracy"]


def test_a_rate_for_sinusoids_is_learned_and_all_that_is_written_speaks_of_squared_errors(tmp_path: Path) -> None:
    e = experiment("method: {name: gradient, steps: 20, rate: 0.01}\ncheckpoint_every: 10")
    result = meta.run(e, "run")
    assert result.objective == "mse"
    assert float(result.genome.values["rate"]) > 0.01
    assert "mse" in (tmp_path / "run/genome.yaml").read_text()
    rows = meta.finish("run")
    assert [row.metric.name for row in rows] == ["mse"]
    (found,) = json.loads((tmp_path / "run/evaluation.json").read_text())["rows"]
    assert (found["metric"], found["unit"]) == ("mean squared error", "")
    assert all(math.isfinite(r["mean"]) for r in found["results"])
    page = (tmp_path / "run/report.html").read_text()
    assert "mean squared error on test examples" in page
    assert "ccuracy" not in page
    again = meta.run(meta.read("run/experiment.yaml", {"method.steps": "22"}), "run", resume=True)
    assert again.steps == 22


def test_an_objective_that_does_not_suit_a_task_is_refused_at_its_line() -> None:
    (found,) = refused(lambda: setups.setup(experiment("method: {name: cma, objective: accuracy}")))
    assert (found.code, found.span and found.span.text) == ("E813", "sinusoid")
    assert found.help == "write `mse`, or leave it out"


def test_tasks_with_different_objectives_need_one_for_all() -> None:
    mixed = "[{data: random_xor, name: a, target: inputs}, {data: random_xor, outputs: 2}]"
    (Path() / "curve.blur").write_text(SPEC.replace("x[1]", "x[2]").replace("y[1]", "y[2]"))
    (found,) = refused(lambda: setups.setup(experiment("method: gradient", mixed)))
    assert found.code == "E613"
    assert "mse for a, cross_entropy for random_xor" in found.message
    assert setups.setup(experiment("method: {objective: mse}", mixed)).experiment.method.objective == "mse"


def test_the_gradient_needs_an_objective_that_has_one() -> None:
    assert codes(lambda: experiment("method: {objective: binary_accuracy}")) == ["E613"]
