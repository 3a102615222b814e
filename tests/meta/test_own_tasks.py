"""Runs on tasks and objectives of a user's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import Killed, Stopping, refused

from blurc import meta
from blurc.diagnostics import Source
from blurc.meta import internals
from blurc.meta.experiment import schema
from blurc.meta.run import best
from blurc.meta.run.setup import setup
from blurc.meta.search.episode import Judge
from blurc.meta.search.methods.symbolic import SymbolicMethod

SPEC = """
genome delta {
  state act, err
  synapse w ~ zeros
  learn rate = 0.1
  sense    { act <- input }
  forward  { act <- incoming(w * pre.act) }
  feedback { err <- act - target }
  update   { w <- w - rate * batch_mean(pre.act * post.err) }
  readout act
}
network line uses delta { input x[3]  output y[2]  x -> y }
"""
OWN = """
import jax
import jax.numpy as jnp

class Planes:
    def sample(self, key, steps, batch):
        w_key, x_key = jax.random.split(key)
        x = jax.random.normal(x_key, (steps, batch, 3))
        if steps > 12:
            raise ValueError("too long")
        return x, x @ jax.random.normal(w_key, (3, 2))

    def score(self, outs, targets):
        return jnp.mean((outs - targets) ** 2)

def closeness(outs, targets):
    return 1 - jnp.abs(outs - targets).mean()

closeness.greater_is_better = True

def hits(outs, targets):
    return (jnp.abs(outs - targets) < 0.1).mean()
"""
EXPERIMENT = """name: own
spec: line.blur
tasks: ["own.py:Planes"]
inner: {steps: 5, batch: 4, query: 8}
checkpoint_every: 2
evaluation: {steps: [2], seeds: 1, batch: 200}
"""
PES = "{name: pes, steps: 2, population: 4, truncation: 2}"
GRADIENT = "method: {name: gradient, steps: 4, rate: 0.01}\n"


def experiment(text: str = GRADIENT) -> meta.Experiment:
    return schema.parse(Source("own.yaml", EXPERIMENT + text))


@pytest.fixture(autouse=True)
def files(here: None) -> None:
    Path("line.blur").write_text(SPEC)
    Path("own.py").write_text(OWN)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of a run, which was killed after its checkpoint."""
    folder = tmp_path_factory.mktemp("begun")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("line.blur").write_text(SPEC)
        Path("own.py").write_text(OWN)
        with pytest.raises(Killed):
            meta.run(experiment(), "run", watch=Stopping(2))
    return folder


@pytest.fixture
def inside(begun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(begun)
    Path("own.py").write_text(OWN)


@pytest.mark.usefixtures("inside")
def test_a_changed_file_is_refused() -> None:
    Path("own.py").write_text(OWN.replace("jnp.mean", "jnp.sum"))
    (resumed,) = refused(lambda: meta.run(experiment(), "run", resume=True))
    (pinned,) = refused(lambda: meta.run(meta.read("run/experiment.yaml"), "run", resume=True))
    assert (resumed.code, pinned.code) == ("E617", "E617")
    assert "the Python file of the task `Planes` is not the one" in resumed.message
    assert resumed.help
    assert resumed.help.startswith("restore it: a copy is in `python/`")
    assert "`own.py:Planes` is not what it was" in pinned.message
    assert pinned.span
    assert "own.py" in pinned.span.text


@pytest.mark.usefixtures("inside")
def test_a_run_on_a_file_is_resumed_and_its_report_runs_no_file() -> None:
    Path("own.py").write_text(f"{OWN}\n# a comment changes nothing\n")
    result = meta.run(meta.read("run/experiment.yaml"), "run", resume=True)
    assert result.objective == "score"
    assert result.value < result.start
    assert Path("run/python/own.py").read_text() == OWN
    assert json.loads(Path("run/objective.json").read_text()) == {
        "name": "score", "title": "score", "greater_is_better": False
    }  # fmt: skip
    (row,) = meta.finish("run")
    assert (row.task, row.metric.name) == ("Planes", "score")
    for file in ("own.py", "run/python/own.py"):
        Path(file).write_text("raise SystemExit('it ran')")
    internals.report.write(Path("run"))
    assert "score of the start" in Path("run/report.html").read_text()


class Planes:
    def sample(self, key: Any, steps: int, batch: int) -> Any:
        w_key, x_key = jax.random.split(key)
        x = jax.random.normal(x_key, (steps, batch, 3))
        return x, x @ jax.random.normal(w_key, (3, 2))

    def score(self, outs: Any, targets: Any) -> Any:
        return jnp.mean((outs - targets) ** 2)


def test_an_object_is_a_task_by_the_name_that_the_experiment_has() -> None:
    text = EXPERIMENT.replace('"own.py:Planes"', "planes")
    e = schema.parse(Source("own.yaml", f"{text}validation: [planes]\nmethod: {PES}\n"))
    own = {"planes": Planes()}
    result = meta.run(e, "run", tasks=own)
    assert result.value <= result.start
    assert refused(lambda: meta.run(e, "none"))[0].code == "E810"
    (unused,) = refused(lambda: meta.run(e, "none", tasks={**own, "other": Planes()}))
    assert "names no task `other`" in unused.message


def test_an_objective_in_a_file_is_followed_in_its_direction() -> None:
    result = meta.run(experiment("method: {steps: 4, rate: 0.05, objective: own.py:closeness}\n"), "run")
    assert result.objective == "closeness"
    assert result.value > result.start
    assert json.loads(Path("run/objective.json").read_text())["greater_is_better"] is True


def test_an_objective_without_a_gradient_is_refused_where_it_stands() -> None:
    (found,) = refused(lambda: meta.run(experiment("method: {objective: own.py:hits}\n"), "run"))
    assert (found.code, str(found.span)) == ("E613", "own.yaml:7:21")
    assert "no gradient" in found.message


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("(outs - targets) / 0 * 0", "`own.py:hits` returns an array [6, 2], expected a scalar"),
        ("jnp.sqrt(-jnp.mean((outs - targets) ** 2))", "`own.py:hits` returns nan for outputs that are finite"),
        ("targets.nothing", "`own.py:hits` raises AttributeError"),
    ],
)
def test_an_objective_that_fails_is_refused_where_it_stands(body: str, said: str) -> None:
    Path("own.py").write_text(OWN.replace("(jnp.abs(outs - targets) < 0.1).mean()", body))
    (found,) = refused(lambda: meta.run(experiment("method: {name: cma, objective: own.py:hits}\n"), "run"))
    assert (found.code, str(found.span)) == ("E815", "own.yaml:7:32")
    assert said in found.message
    assert not Path("run").exists()


def test_an_objective_that_is_lost_in_the_run_is_told_from_the_rule() -> None:
    lost = "jnp.mean(outs - targets) * (jnp.nan if len(outs) > 6 else 1)"
    Path("own.py").write_text(OWN.replace("(jnp.abs(outs - targets) < 0.1).mean()", lost))
    meta.run(experiment("method: {name: cma, steps: 1, population: 4, objective: own.py:hits}\n"), "run")
    found = meta.replay("run")
    assert (found.severity, found.span) == ("note", None)
    assert found.message == "training stayed finite; `hits`, a function of your own, or its gradient did not"
    assert found.help
    assert found.help.startswith("keep what is divided by")


def test_what_raises_in_the_middle_is_said_with_both_lines_and_loses_nothing() -> None:
    more = "method: {steps: 9, rate: 0.01}\ncurriculum: {add: 10, every: 3, until: 25}\ncheckpoint_every: 100\n"
    text = EXPERIMENT.replace("checkpoint_every: 2\n", "")
    (found,) = refused(lambda: meta.run(schema.parse(Source("own.yaml", text + more)), "run"))
    assert found.message == "`own.py:Planes.sample` raises ValueError: too long"
    assert found.span
    assert found.span.line == 3
    assert found.notes == ('own.py, line 10: `raise ValueError("too long")`',)
    assert internals.CHECKPOINT in {p.name for p in Path("run").iterdir()}


def test_a_missing_file_is_said_where_it_is_named() -> None:
    Path("own.py").unlink()
    (found,) = refused(experiment)
    assert (found.code, found.span and found.span.line) == ("E814", 3)


def test_a_symbolic_search_judges_rules_on_a_task_in_a_file_as_if_they_were_compiled() -> None:
    ready = setup(experiment("method: {name: symbolic, search: [update], population: 4, length: 5}\n"))
    candidates = ready.method.ask(ready.method.init(None), jax.random.key(0))
    drawn = best.trial(ready, 0, 3)
    values = ready.judge.values(candidates, drawn).values
    assert ready.space
    assert isinstance(ready.method, SymbolicMethod)
    net = ready.space.compiled(ready.method.trees(candidates)[1])
    genome = {**net.init_genome(jax.random.key(0)), **ready.own}
    value, _ = jax.jit(Judge(net, ready.objective, ready.experiment.inner).one)(genome, drawn)
    assert ready.objective.name == "score"
    np.testing.assert_allclose(values[1], value, rtol=1e-4)
