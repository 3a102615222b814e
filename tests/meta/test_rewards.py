"""Genomes judged by what networks are paid in environments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner
from tiny import refused

from blurc import evaluation, meta
from blurc.cli import cli
from blurc.diagnostics import Source
from blurc.meta.experiment import schema
from blurc.meta.experiment.experiment import Experiment
from blurc.meta.run.folder import Folder
from blurc.meta.run.resuming import check_same, identity
from blurc.meta.run.setup import Setup, setup
from blurc.meta.search.lifetimes import LifetimeJudge
from blurc.tasks import TaskChoice, world
from blurc.tasks.environments import make
from blurc.tasks.environments.bandit import Bandit
from blurc.tasks.environments.maze import Maze

pytestmark = pytest.mark.usefixtures("compiled_fast")

EXPERIMENT = """
name: paid
spec: networks/actor.blur
parameters: {inputs: 1, actions: 2}
tasks: [{data: bandit, ways: 2}]
inner: {steps: 12, batch: 2, query: 4}
method: {name: cma, steps: 2, population: 4}
evaluation: {steps: [10], seeds: 2, batch: 1}
"""
PES = "{name: pes, steps: 2, population: 2, truncation: 5}"


def paid(**overrides: str) -> Experiment:
    given = {key.replace("__", "."): value for key, value in overrides.items()}
    return schema.parse(Source("e.yaml", EXPERIMENT), given)


def judge_of(ready: Setup) -> LifetimeJudge:
    assert isinstance(ready.judge, LifetimeJudge)
    return ready.judge


def test_a_lifetime_is_worth_its_last_steps_or_the_last_of_every_piece(ready: Callable[..., Setup]) -> None:
    """Of 12 steps, with every: 5, two are over and come first."""
    whole, pieces = (judge_of(ready(paid(inner__judge_every=every))) for every in ("0", "5"))
    genome, key = whole.net.init_genome(jax.random.key(0)), jax.random.key(1)
    lifetime = whole.worlds[0].lifetime(key, 12)
    living = whole.living[0]
    _, fate = living.lived(genome, living.born(genome, jax.random.split(key)[0], lifetime), lifetime)
    paid_in = [fate.totals[start : start + 4].mean() for start in (3, 8)]
    np.testing.assert_allclose(whole.value(genome, key, lifetime), paid_in[1], rtol=1e-6)
    np.testing.assert_allclose(pieces.value(genome, key, lifetime), np.mean(paid_in), rtol=1e-6)


def test_a_lifetime_in_pieces_is_the_whole(ready: Callable[..., Setup]) -> None:
    judge = judge_of(ready(paid()))
    genome, key = judge.net.init_genome(jax.random.key(0)), jax.random.key(1)
    lifetime = judge.worlds[0].lifetime(key, 12)
    alive = judge.begun(genome, jax.random.split(key)[0], lifetime)
    for first in (0, 5, 10):
        part = jax.tree.map(lambda x: x[0], judge.cut(jax.tree.map(lambda x: x[None], lifetime), first, 5))
        alive, _ = judge.continued(genome, alive, key, part)
    living = judge.living[0]
    expected, _ = living.lived(genome, living.born(genome, jax.random.split(key)[0], lifetime), lifetime)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), alive[0], expected)


@pytest.mark.parametrize("method", ["{name: cma, steps: 2, population: 4}", pytest.param(PES, marks=pytest.mark.slow)])
def test_a_search_in_an_environment_ends_with_a_genome_and_a_report(method: str) -> None:
    result = meta.run(paid(method=method), "run")
    assert 0 <= result.value <= 1
    assert result.objective == "return"
    (row,) = meta.finish("run")
    assert row.scores.shape == (2, 1)
    assert "In new lifetimes, return" in Path("run/report.html").read_text()


def test_several_environments_are_lived_in_side_by_side(ready: Callable[..., Setup]) -> None:
    """Each candidate has a lifetime in every one of them, as if it were alone."""
    tasks = "[{data: bandit, ways: 2}, {data: bandit, ways: 2, name: dark, act: greedy}]"
    both = ready(paid(tasks=tasks, tasks_per_step="2", over_tasks="worst"))
    drawn, candidates = both.episodes(0, 12), both.start()
    each = np.asarray(both.judge.values(candidates, drawn).each)[0]
    judge = judge_of(both)
    genome = jax.tree.map(lambda x: x[0], candidates)
    for i, living in enumerate(judge.living):
        lifetime, start = jax.tree.map(lambda x, i=i: x[i], drawn.episodes), jax.random.split(drawn.keys[i])[0]
        _, fate = living.lived(genome, living.born(genome, start, lifetime), lifetime)
        np.testing.assert_allclose(each[i], fate.totals[-4:].mean(), rtol=1e-6)


class Rotten(Bandit):
    """From some step on, it pays NaN."""

    def variation(self, key: jax.Array) -> Rotten:
        return self

    def reset(self, key: jax.Array) -> Any:
        return jnp.asarray(0), jnp.ones(1)

    def step(self, key: jax.Array, state: Any, action: jax.Array) -> Any:
        return state + 1, jnp.ones(1), jnp.where(state < 6, 1.0, jnp.nan), jnp.asarray(False)


def test_a_reward_that_is_not_finite_is_a_divergence_and_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "_environment", lambda choice: Rotten(2))
    result = meta.run(paid(method__steps="1"), "run")
    assert result.diverged == result.candidates == 4
    told = meta.replay("run")
    assert told.message == "the lifetime diverged at step 7: a reward of bandit is not finite"
    assert told.help is not None
    assert told.help.startswith("it comes from the environment, not from the rule")
    lost: list[tuple[int, int]] = []
    net = setup(paid()).net
    found = evaluation.scores(
        net, None, world(TaskChoice("bandit", ways=2)), steps=[5, 9], batch=1, seeds=1, lost=lambda *at: lost.append(at)
    )
    assert np.isfinite(found).tolist() == [[True, False]]
    assert lost == [(0, 7)]


def test_where_every_candidate_diverges_the_reason_of_the_first_is_told(
    monkeypatch: pytest.MonkeyPatch, no_report: None
) -> None:
    monkeypatch.setattr(make, "_environment", lambda choice: Rotten(2))
    Path("e.yaml").write_text(EXPERIMENT.replace("steps: 2", "steps: 1"))
    done = CliRunner().invoke(cli, ["meta", "e.yaml"])
    assert done.exit_code == 1
    assert "the first time, the lifetime diverged at step 7: a reward of bandit is not finite" in done.stderr
    assert "help: it comes from the environment" in done.stderr
    where = ["--network", "networks/actor.blur", "--set", "inputs=1", "--set", "actions=2", "--task", "bandit:ways=2"]
    done = CliRunner().invoke(cli, ["eval", "policy_gradient", *where, "--steps", "9", "--seeds", "1", "--batch", "1"])
    assert "seed 0 diverged at step 7\n    the lifetime diverged at step 7: a reward of bandit:ways=2" in done.stderr


WALK = """
import jax.numpy as jnp

class Walk:
    observations, actions, bounds = 1, 2, None

    def __init__(self, far=3):
        self.far = far

    def reset(self, key):
        return jnp.zeros(()), jnp.zeros(1)

    def step(self, key, at, action):
        at = at + 2.0 * action - 1
        return at, at[None], at, abs(at) >= self.far
"""


def test_an_environment_of_ones_own_is_named_in_a_file_or_given() -> None:
    Path("walk.py").write_text(WALK)
    of_file = setup(paid(tasks="[{data: walk.py:Walk, parameters: {far: 2}}]")).worlds[0]
    mine: Any = of_file.environment
    assert (of_file.name, mine.far) == ("Walk", 2)
    given = setup(paid(tasks="[mine]"), own={"mine": mine}).worlds[0]
    assert given.environment is mine
    (d,) = refused(lambda: setup(paid(tasks="[{data: walk.py:Walk, crop: 3}]")))
    assert (d.code, d.message) == ("E811", "`crop` is for examples, and Walk is an environment")
    assert d.span is not None


def test_an_environment_is_given_to_all_that_takes_tasks() -> None:
    """Each gets beyond its arguments."""
    e, own = paid(tasks="[{data: mine, crop: 3}]"), {"mine": Bandit(2)}
    assert refused(lambda: meta.run(e, "run", tasks=own))[0].code == "E811"
    assert refused(lambda: meta.finish("run", tasks=own))[0].code == "E601"
    assert refused(lambda: meta.replay("run", tasks=own))[0].code == "E615"


def test_a_run_is_not_resumed_in_another_environment() -> None:
    path = Path("walk.py")
    path.write_text(WALK)
    e = paid(tasks="[walk.py:Walk]")
    first = identity(setup(e))
    path.write_text(WALK + "# a comment")
    assert identity(setup(e)) == first
    path.write_text(WALK.replace("- 1", "- 0.5"))
    (d,) = refused(lambda: check_same(Folder(Path("run")), first, setup(e)))
    assert (d.code, d.message[:46]) == ("E617", "the Python file of the environment `Walk` is n")
    assert world(TaskChoice("bandit")).digest != world(TaskChoice("maze")).digest


TALKED = """
genome talked {
  state   act
  signal  mood
  synapse w ~ ones
  learn   eta = 0.1
  sense   { act <- input }
  forward { act <- incoming(w * pre.act) }
  update  { w <- w + eta * mood }
  readout act
}
network talking uses talked {
  input  x[1]
  output y[2]
  x -> y
}
"""
REFUSED: dict[str, tuple[dict[str, str], str, str]] = {
    "gradient": ({"method": "gradient"}, "E613", "the gradient does not pass through the actions in `bandit`"),
    "symbolic": ({"method": "{name: symbolic, search: [update]}"}, "E613", "a symbolic search compares rules on"),
    "mixed": (
        {"spec": "quiet.blur", "parameters": "{}", "validation": "[{data: moons, augment: {project: 1}}]"},
        "E613",
        "`bandit` is an environment, and moons has examples",
    ),
    "size": ({"tasks": "[{data: bandit, ways: 3}]"}, "E807", "the task bandit has 3 outputs"),
    "signal": ({"spec": "talked.blur", "parameters": "{}"}, "E807", "reads the signal `mood`, and environments have"),
    "own objective": ({"method.objective": "talked.py:hits"}, "E813", "`talked.py:hits` is for outputs and targets"),
    "online": ({"inner.online": "true"}, "E613", "`inner.online` judges batches of examples, and `bandit` is an env"),
    "objective": ({"method.objective": "mse"}, "E813", "`mse` is for targets that are"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_does_not_go_with_an_environment_is_refused(what: str) -> None:
    Path("talked.blur").write_text(TALKED)
    Path("talked.py").write_text("raise SystemExit('it ran')")
    Path("quiet.blur").write_text(TALKED.replace("  signal  mood\n", "").replace("eta * mood", "eta"))
    overrides, code, message = REFUSED[what]
    (d,) = refused(lambda: setup(schema.parse(Source("e.yaml", EXPERIMENT), overrides)))
    assert d.code == code
    assert message in d.message


def test_returns_are_measured_along_a_lifetime() -> None:
    """A number of steps has the same return, whatever else is measured."""
    net, maze = setup(paid(tasks="[maze]", parameters="{}")).net, world(TaskChoice("maze"))
    numbers: dict[str, Any] = {"batch": 2, "seeds": 2, "query": 30}
    both, late = (evaluation.scores(net, None, maze, steps=steps, **numbers) for steps in ([20, 60], [60]))
    np.testing.assert_array_equal(both[:, 1], late[:, 0])
    assert maze.environment is not None
    assert isinstance(maze.environment, Maze)
    (d,) = refused(lambda: evaluation.scores(net, None, maze, query=-5))
    assert (d.code, d.message) == ("E806", "query is -5, expected at least 1")


def test_eval_shows_a_curve_of_returns() -> None:
    arguments = ["eval", "policy_gradient", "--network", "networks/actor.blur", "--task", "maze:name=water"]
    done = CliRunner().invoke(cli, [*arguments, "--steps", "20,40", "--seeds", "2", "--batch", "1"])
    assert done.exit_code == 0, done.output
    assert "return in new lifetimes" in done.output
    told = CliRunner().invoke(cli, ["race", "networks/actor.blur", "--task", "maze"])
    assert told.exit_code == 1
    assert "E811" in told.stderr
