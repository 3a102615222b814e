"""`blurc train --task`: one variation of a task, and lifetimes in an environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner, Result

import blurc
from blurc import evaluation, tasks
from blurc.cli import cli
from blurc.cli.shared import hints
from blurc.evaluation.lifetimes import LifeCourse
from blurc.tasks import TaskChoice, world
from blurc.tasks.environments.make import own_world
from blurc.training import Living, Settings, train
from blurc.training.baselines import held_out
from blurc.training.loop import fit

pytestmark = pytest.mark.usefixtures("compiled_fast")

XOR, ACTOR = "networks/xor.blur", "networks/actor.blur"
MINE = """
import jax
import jax.numpy as jnp

class Waves:
    def sample(self, key, steps, batch):
        x = jax.random.uniform(key, (steps, batch, 2))
        return x, jnp.sin(x)

    def score(self, outs, targets):
        return jnp.abs(outs - targets).mean()

class Line:
    observations, actions, bounds = 1, 2, None

    def reset(self, key):
        return jnp.zeros(()), jnp.zeros(1)

    def step(self, key, at, action):
        at = at + 1
        return at, jnp.ones(1), jnp.sqrt(150 - at), at >= 200
"""


@pytest.fixture
def mine(tmp_path: Path) -> str:
    (tmp_path / "mine.py").write_text(MINE)
    return str(tmp_path / "mine.py")


def command(*args: object) -> Result:
    return CliRunner().invoke(cli, ["train", *map(str, args)])


def found(*args: object) -> tuple[Result, dict[str, Any]]:
    done = command(*args, "--json", "-")
    return done, json.loads(done.stdout)


# ------------------------------------------------------------------- tasks


def test_a_task_is_learned_in_the_order_of_its_episode() -> None:
    """In the middle of it, labels change."""
    one = tasks.task(TaskChoice("moons", augment=tasks.Augment(relabel_at=2)))
    data = tasks.as_data(one, steps=4, batch=8, query=5, seed=0)
    xs, ys = tasks.batches(data, 8, 6, seed=3)
    np.testing.assert_array_equal(xs[:4].reshape(32, 2), data.x_train)
    np.testing.assert_array_equal(ys[4], ys[0])
    assert data.x_test.shape == (5, 2)
    again = tasks.as_data(one, steps=4, batch=8, query=5, seed=0)
    np.testing.assert_array_equal(again.y_train, data.y_train)
    assert (tasks.as_data(one, steps=4, batch=8, query=5, seed=1).x_train != data.x_train).any()


def test_sequences_of_a_task_keep_their_mask() -> None:
    one = tasks.task(TaskChoice("copying", parameters={"length": 1, "delay": 1}))
    data = tasks.as_data(one, steps=2, batch=3, query=4, seed=0)
    assert data.mask_train is not None
    assert data.x_train.shape[:2] == data.mask_train.shape == (6, data.time)


def test_a_task_of_ones_own_is_measured_by_its_own_score(mine: str, tmp_path: Path) -> None:
    wiring = "input x[2]  output y[2] { phi = linear }  x -> y"
    (tmp_path / "n.blur").write_text(f'import "rules/backprop3.blur"\nnetwork n uses backprop3_mse {{ {wiring} }}')
    where = (tmp_path / "n.blur", "--task", f"{mine}:Waves", "--steps", 40, "--batch", 8)
    done, result = found(*where, "--no-baselines")
    assert done.exit_code == 0, done.output
    assert (result["metric"], [run["name"] for run in result["runs"]]) == ("score", ["backprop3_mse"])
    curve = [point["test"] for point in result["runs"][0]["curve"]]
    assert curve[-1] < curve[0]
    assert "score: less is better" in done.stderr


def test_without_targets_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    (tmp_path / "n.blur").write_text('import "rules/oja.blur"\nnetwork n uses oja { input x[8] output y[1] x -> y }')
    done = command(tmp_path / "n.blur", "--task", "principal_component", "--steps", 3)
    assert done.exit_code == 0, done.output
    assert "are left out: principal_component has no targets that they could learn from" in done.stdout


def test_rates_are_chosen_in_another_episode_without_test_examples() -> None:
    """Not among examples that come twice in an episode longer than the data set, nor by labels of the past."""
    digits = tasks.task(TaskChoice("digits", augment=tasks.Augment(relabel_at=90)))
    data = tasks.as_data(digits, steps=100, batch=32, query=40, seed=0)
    part, _ = held_out(data, Settings(100, 32, 0))
    learned, asked = ({x.tobytes() for x in side} for side in (part.x_train, part.x_test))
    assert len(part.x_train) == len(data.x_train) > len(learned)
    assert not learned & asked
    assert not {x.tobytes() for x in data.x_test} & (learned | asked)
    moons = tasks.as_data(tasks.task(TaskChoice("moons")), steps=2, batch=4, query=5, seed=0)
    assert (held_out(moons, Settings(2, 4, 0))[0].x_test != moons.x_test).all()


def test_right_answers_that_change_are_asked_for_on_the_way() -> None:
    """The first examples are not asked again at the end, when they are called something else."""
    net, one = blurc.compile(XOR), tasks.task(TaskChoice("moons", augment=tasks.Augment(relabel_at=2)))
    data = tasks.as_data(one, steps=4, batch=1, query=5, seed=0)
    run = train(net, None, data, Settings(4, 1, 0, online=True), Mock(), "backprop")
    assert np.isnan(run.train)
    assert np.isfinite([run.test, run.online]).all()


def test_answers_that_do_not_fit_into_memory_are_refused_before_any_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    xor = tasks.load("xor")
    monkeypatch.setattr("blurc.guards.memory.available", lambda: 1000)
    with pytest.raises(blurc.BlurError, match=r"the answers to 200 batches of 1 would take 3.2 kB"):
        fit(Mock(), xor, Settings(200, 1, 0, online=True), Mock(), Mock())


# ------------------------------------------------------------ environments


def test_lifetimes_are_compared_with_a_frozen_network_and_with_chance(tmp_path: Path) -> None:
    where = (ACTOR, "--task", "maze", "--steps", 60, "--seeds", 2)
    done, result = found(*where, "--curve", tmp_path / "c.jsonl")
    assert done.exit_code == 0, done.output
    assert [row["name"] for row in result["rows"]] == ["policy_gradient", "the same, frozen", "random actions"]
    assert [at["steps"] for at in result["rows"][0]["results"]] == list(range(6, 61, 6))
    assert all(0 <= value <= 1 for row in result["rows"] for at in row["results"] for value in at["values"])
    lines = [json.loads(line) for line in (tmp_path / "c.jsonl").read_text().splitlines()]
    assert lines[9]["return"] == result["rows"][0]["results"][-1]["mean"]
    assert len(lines) == 30
    assert "steps 55 to 60" in done.stderr


def test_a_frozen_network_keeps_its_synapses_and_remembers() -> None:
    net, maze = blurc.compile(ACTOR), world(TaskChoice("maze"))
    genome, lifetime = net.init_genome(jax.random.key(0)), maze.lifetime(jax.random.key(1), 60)
    living = Living(net, maze, 8, frozen=True)
    born = living.born(genome, jax.random.key(2), lifetime)
    after, fate = jax.jit(living.lived)(genome, born, lifetime)
    same = jax.tree.map(lambda a, b: bool((a == b).all()), born.network.synapses, after.network.synapses)
    assert all(jax.tree.leaves(same))
    assert fate.ends.any()
    assert (after.network.neurons["act"]["expected"] != 0).any()


def test_random_actions_are_equally_likely_or_uniform_within_bounds() -> None:
    class Line:
        observations, actions, bounds = 2, 2, ((-1.0, 0.0), (1.0, 4.0))

        def reset(self, key: jax.Array) -> Any:
            return jnp.zeros(2), jnp.zeros(2)

        def step(self, key: jax.Array, at: jax.Array, action: jax.Array) -> Any:
            return action, action, action.sum(), jnp.asarray(False)

    numbers = own_world(Line(), "line", TaskChoice("line"))
    _, steps = jax.jit(lambda life: tasks.wandered(numbers, life, 8))(numbers.lifetime(jax.random.key(0), 200))
    np.testing.assert_allclose(steps.seen.mean((0, 1)), [0, 2], atol=0.15)
    np.testing.assert_allclose((steps.seen.min((0, 1)), steps.seen.max((0, 1))), [(-1, 0), (1, 4)], atol=0.05)


def test_a_lifetime_that_diverges_ends_with_the_step_and_the_reason(mine: str) -> None:
    """Later than where environments are tried."""
    options = ("--set", "inputs=1", "--set", "actions=2", "--task", f"{mine}:Line", "--steps", 160, "--seeds", 1)
    done, result = found(ACTOR, *options, "--no-baselines")
    assert done.exit_code == 1
    assert f"E905]: the lifetime diverged at step 151: a reward of {mine}:Line is not finite" in done.stderr
    assert result["rows"][0]["results"][-1]["mean"] is None
    assert "seed 0 diverged at step 151" in done.stderr


def test_a_lifetime_that_diverges_fails_also_where_living_again_stays_finite(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(course: LifeCourse, genome: Any, seeds: range, tell: Any = None, *kept: Any) -> Any:
        if tell:
            tell(3, 7)
        return np.full((1, 1), np.nan)

    monkeypatch.setattr(LifeCourse, "run", lost)
    monkeypatch.setattr(LifeCourse, "where_lost", lambda *_: None)
    maze = world(TaskChoice("maze"))
    found = evaluation.lives(Mock(), None, maze, name="r", steps=1, batch=1, seeds=range(3, 4), alone=True)
    assert found.diagnostic
    assert (found.diagnostic.code, found.diagnostic.message) == ("E905", "the lifetime diverged at step 7")


def test_a_few_examples_of_a_task_need_not_have_all_classes() -> None:
    five = tasks.task(TaskChoice("moons", outputs=5))
    data = tasks.as_data(five, steps=2, batch=2, query=3, seed=0)
    assert not [hint for hint in hints.of(blurc.compile(XOR), {}, data) if "never asked for" in hint]


REFUSED = {
    "--data": (("--task", "moons", "--data", "xor"), "--data is not for tasks: give one of the two"),
    "--target": (
        ("--task", "moons", "--target", "inputs"),
        "--target is not for tasks: write it into the task, `--task digits:target=inputs`",
    ),
    "--save": (("--task", "maze", "--save", "f.npz"), "--save is for data"),
    "--online": (("--task", "maze", "--online"), "--online is for data"),
    "--online --probe": (("--data", "xor", "--online", "--probe", "h"), "--online asks the outputs in every step"),
    "relabel_at": (("--task", "moons:relabel_at=9"), "`augment.relabel_at` reorders the classes, and the same test"),
    "familiarity": (("--task", "familiarity"), "`familiarity` asks about what was shown last, and the same test"),
    "--seeds": (("--task", "moons", "--seeds", 3), "--seeds is for environments"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_options_that_do_not_go_together_are_refused(what: str) -> None:
    options, told = REFUSED[what]
    done = command(XOR, *options)
    assert done.exit_code == 2
    assert told in done.stderr


def test_all_examples_in_one_batch_are_more_than_the_rates_are_tried_with(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    np.savez(tmp_path / "all.npz", x=x, y=(x[:, 0] > 0).astype(np.int64))
    result = command("networks/xor.blur", "--data", tmp_path / "all.npz", "--batch", 16, "--steps", 2)
    assert not result.exception, result.output
    assert "Adam" in result.output
