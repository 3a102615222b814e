"""`blurc race`: a genome against tuned optimizers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax
import pytest
from click.testing import CliRunner, Result

import blurc
from blurc import genome as genome_files
from blurc import tasks
from blurc.cli import cli
from blurc.diagnostics import BlurError
from blurc.evaluation import Row, course, races, scoring, tuning
from blurc.evaluation.races import Race
from blurc.meta.experiment.experiment import Evaluation
from blurc.meta.run import finishing
from blurc.tasks import TaskChoice
from blurc.tasks.task import LoadedTask, task
from blurc.training import recipes
from blurc.training.recipes import Optimizer
from blurc.training.relu_network import relu_network

pytestmark = pytest.mark.usefixtures("compiled_fast")

DIGITS = "networks/digits.blur"
SMALL: dict[str, Any] = {"steps": (10, 20), "batch": 32, "seeds": 2, "query": 100}
SGD, ADAM = Optimizer("SGD", optax.sgd, 0.1), Optimizer("Adam", optax.adam, 0.01)

FADING = """
genome fading {
  state act, trace persistent
  synapse w ~ ones
  sense { act <- input }
  forward { act <- incoming(w * pre.act);  trace <- 0.5 * trace + act }
  feedback { act <- act - target }
  update { w <- w - 0.1 * batch_mean(pre.act * post.act) }
  readout trace
}
network n uses fading { input x[64]  output y[10]  x -> y }
"""


def command(*args: object) -> Result:
    return CliRunner().invoke(cli, ["race", *map(str, args)])


@pytest.fixture(scope="module")
def digits() -> LoadedTask:
    return task(TaskChoice("digits"))


@pytest.fixture(scope="module")
def net() -> blurc.Net:
    return blurc.compile(DIGITS, hidden=16, rate=0.4)


@pytest.fixture(scope="module")
def genome(net: blurc.Net) -> dict[str, Any]:
    return net.init_genome(jax.random.key(0))


@pytest.fixture(scope="module")
def found(net: blurc.Net, genome: dict[str, Any], digits: LoadedTask) -> Iterator[Race]:
    with pytest.MonkeyPatch.context() as patch:
        searched_quickly(patch)
        yield races.race(net, genome, digits, optimizers=[SGD, ADAM], **SMALL)


def searched_quickly(patch: pytest.MonkeyPatch) -> None:
    """Rates alone, by one seed."""
    for name, value in {"DESCENT": {}, "NETWORK": {}, "SEEDS": 1, "FINAL_SEEDS": 1}.items():
        patch.setattr(tuning, name, value)


# ---------------------------------------------------------------- the race


def test_the_rule_is_scored_as_in_an_evaluation(found: Race, net: blurc.Net, genome: Any, digits: LoadedTask) -> None:
    expected = scoring.scores(net, genome, digits, **SMALL)
    np.testing.assert_array_equal(found.entries[0].scores, expected)


def test_the_lead_is_paired_over_seeds(found: Race) -> None:
    rule, strongest = found.entries[:2]
    difference = rule.scores - strongest.scores
    for at, lead in enumerate(found.lead(strongest)):
        assert lead.mean == pytest.approx(difference[:, at].mean())
        assert lead.error == pytest.approx(difference[:, at].std(ddof=1) / np.sqrt(2))


def test_the_strongest_has_done_best_on_held_out_examples(found: Race) -> None:
    _, strongest, *optimizers = found.entries
    assert {entry.name for entry in optimizers} == {"SGD", "Adam"}
    for at, chosen in enumerate(strongest.chosen):
        assert chosen.held_out == max(entry.chosen[at].held_out for entry in optimizers)
        (same,) = (entry for entry in optimizers if entry.name == chosen.tried.recipe.optimizer.name)
        np.testing.assert_array_equal(strongest.scores[:, at], same.scores[:, at])


def test_optimizers_learn_what_the_rule_learns_and_are_chosen_elsewhere(
    net: blurc.Net, genome: Any, digits: LoadedTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The results are of the same seeds, steps and batches; trials have other seeds and no test examples."""
    seen: list[tuple[bool, int, tuple[int, ...]]] = []
    run = course.Course.run

    def spied(self: course.Course, contender: Any, seed: int, *lost: Any) -> Any:
        seen.append((self.test, seed, self.steps))
        return run(self, contender, seed, *lost)

    searched_quickly(monkeypatch)
    monkeypatch.setattr(course.Course, "run", spied)
    races.race(net, genome, digits, optimizers=[SGD], **SMALL)
    results = [(seed, steps) for test, seed, steps in seen if test]
    assert results == [(0, (10, 20)), (1, (10, 20)), (0, (10,)), (1, (10,)), (0, (20,)), (1, (20,))]
    assert {seed for test, seed, _ in seen if not test} == {2}


def test_a_recipe_is_what_optax_makes_of_it(net: blurc.Net, digits: LoadedTask) -> None:
    """Three batches, two updates on each, by hand: SGD on the mean cross entropy, a rate that falls to 0."""
    network = relu_network(net)
    learner = recipes.trained_by(recipes.Recipe(SGD, momentum=0.7), network, 0.1, steps=3, rounds=2)
    episode = digits.episode(jax.random.key(1), steps=3, batch=32, query=20)
    after, sound = learner.advance(learner.start(course.keys(0).start), episode.batches)
    assert sound

    variables = network.init(course.keys(0).start)
    optimizer = optax.sgd(optax.linear_schedule(0.1, 0.0, 6), 0.7)
    memory = optimizer.init(variables.learned)

    @jax.jit
    def updated(variables: Any, memory: Any, x: Any, y: Any) -> Any:
        def loss(learned: Any) -> Any:
            outputs, running = network.learn(variables._replace(learned=learned), x)
            return optax.losses.safe_softmax_cross_entropy(outputs, y).mean(), running

        gradient, running = jax.grad(loss, has_aux=True)(variables.learned)
        change, memory = optimizer.update(gradient, memory)
        learned = optax.apply_updates(variables.learned, change)
        return variables._replace(learned=learned, running=running), memory

    for x, y in zip(episode.xs, episode.ys, strict=True):
        variables = network.see(variables, x)
        for _ in range(2):
            variables, memory = updated(variables, memory, x, y)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), after["variables"], variables)
    expected = network.predict(variables, episode.x)
    np.testing.assert_allclose(learner.predict(after, episode.x, 0), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [("constant", [1, 1, 1, 1]), ("linear", [1, 0.75, 0.5, 0.25]), ("cosine", [1, 0.853553, 0.5, 0.146447])],
)
def test_a_schedule_is_over_all_updates(schedule: str, rates: list[float]) -> None:
    settings = {"rate": 2.0, "updates": 4.0, "schedule": recipes.SCHEDULES.index(schedule)}
    found = [recipes.rate_now(jax.numpy.float32(done), settings) for done in range(4)]
    np.testing.assert_allclose(found, 2 * np.asarray(rates), rtol=1e-5)


@pytest.mark.parametrize("optimizer", recipes.OPTIMIZERS, ids=lambda o: o.name)
def test_every_optimizer_learns(optimizer: Optimizer, net: blurc.Net, digits: LoadedTask) -> None:
    made = recipes.trained_by(recipes.Recipe(optimizer), relu_network(net), optimizer.rate, 20)
    learner = course.Contender(lambda own, batch: made.start(own.start), made.advance, made.predict)
    learned = scoring.planned(net, digits, steps=(20,), batch=32, seeds=1).run(learner, 0)
    assert learned[0] > 0.4


def test_optimizers_update_as_often_as_the_rule() -> None:
    def count(**given: Any) -> int:
        return races.updates(blurc.compile(DIGITS, **given))

    assert (count(), count(genome="swift"), count(genome="swift", rounds=2)) == (1, 4, 2)
    assert (count(genome="blur_bounded"), count(genome="equilibrium_propagation")) == (1, 1)


def test_rounds_may_be_given(net: blurc.Net, genome: Any, digits: LoadedTask) -> None:
    with pytest.raises(BlurError, match="E806"):
        races.race(net, genome, digits, rounds=0, **SMALL)


def finished(net: blurc.Net, digits: LoadedTask, patch: pytest.MonkeyPatch) -> tuple[Row, list[Race], list[str]]:
    """What is judged after a run with `evaluation: {race: true}`, and what is told meanwhile."""
    searched_quickly(patch)
    patch.setattr(finishing, "race", partial(races.race, optimizers=[SGD]))
    file = genome_files.describe(net, net.init_genome(jax.random.key(0)), name="mine")
    judged = Evaluation(steps=(10,), seeds=1, batch=32, race=True)
    told: list[str] = []
    return *finishing._judged(judged, file, net, "wide", digits, {"probe": None}, told.append), told


def test_a_run_that_ends_with_a_race_is_judged_once(
    net: blurc.Net, genome: Any, digits: LoadedTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = scoring.scores(net, genome, digits, steps=(10,), seeds=1, batch=32)
    monkeypatch.delattr(finishing, "scores")
    row, (one,), _ = finished(net, digits, monkeypatch)
    np.testing.assert_array_equal(row.scores, expected)
    assert (row.genome, row.network, one.network) == ("mine", "wide", "wide")
    assert [entry.name for entry in one.entries] == ["mine", "strongest", "SGD"]


def test_a_run_whose_network_sgd_cannot_train_is_judged_alone(
    digits: LoadedTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, races, told = finished(blurc.compile(FADING), digits, monkeypatch)
    assert (row.scores.shape, races) == ((1, 1), [])
    assert told[0].startswith("no race with optimizers:")


def test_a_network_that_sgd_cannot_train_is_refused(digits: LoadedTask) -> None:
    with pytest.raises(BlurError, match="E720"):
        races.race(blurc.compile(FADING), {}, digits, **SMALL)


def test_a_task_without_targets_is_refused() -> None:
    text = 'import "rules/backprop.blur"\nnetwork cloud uses backprop { input x[8]  output y[1]  x -> y }'
    net = blurc.compile(text)
    with pytest.raises(BlurError, match="E720"):
        races.race(net, {}, task(TaskChoice("principal_component")), **SMALL)


@pytest.mark.slow
def test_the_optimizers_reach_on_mnist_what_others_report() -> None:
    """784-256-128-10, batches of 128, after 10 and 50 steps: Adam with batch norm, as an independent program has it.
    Fast sibling: that a recipe is what optax makes of it."""
    root = Path(os.environ.get("BLURC_DATA") or Path(__file__).parents[3] / "shared" / "data")
    try:
        tasks.load("mnist", data_dir=root, download=False)
    except BlurError:
        pytest.skip("MNIST's files are neither in BLURC_DATA nor in ../shared/data")
    net = blurc.compile("networks/mnist.blur", network="mnist")
    adam = [optimizer for optimizer in recipes.OPTIMIZERS if optimizer.name == "Adam"]
    found = races.race(net, None, task(TaskChoice("mnist"), root), steps=(10, 50), seeds=2, optimizers=adam)
    assert (found.entries[1].scores.mean(axis=0) > (0.86, 0.92)).all()


# ---------------------------------------------------------------- the command


@pytest.fixture(scope="module")
def raced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("race")
    files = ("--json", folder / "race.json", "-o", folder / "race.png")
    with pytest.MonkeyPatch.context() as patch:
        searched_quickly(patch)
        patch.setattr(races, "race", partial(races.race, optimizers=[SGD, ADAM]))
        run = command(
            f"{DIGITS}:digits", "--task", "digits", "--set", "hidden=8", "--steps", "2,4", "--seeds", 2, "--batch",
            16, "--rounds", 2, *files,
        )  # fmt: skip
    assert run.exit_code == 0, run.output
    return run, json.loads((folder / "race.json").read_text()), folder / "race.png"


def test_the_table_has_a_row_for_each_learner_and_the_lead(raced: tuple[Result, dict[str, Any], Path]) -> None:
    run, data, _ = raced
    assert [learner["name"] for learner in data["learners"]] == ["backprop", "strongest", "SGD", "Adam"]
    for learner in data["learners"]:
        (line,) = (line for line in run.stdout.splitlines() if line.strip().startswith(learner["name"] + " "))
        assert all(f"{100 * result['mean']:.1f} ±" in line for result in learner["results"])
    (line,) = (line for line in run.stdout.splitlines() if line.strip().startswith("lead "))
    lead = data["learners"][1]["lead_of_the_rule"]
    assert all(f"{100 * one['mean']:+.1f} ± {100 * one['error']:.1f}" in line for one in lead)


def test_what_was_chosen_is_told(raced: tuple[Result, dict[str, Any], Path]) -> None:
    run, data, _ = raced
    assert "optimizers: 2 updates on each batch" in run.stdout
    assert data["rounds"] == 2
    for steps, chosen in zip((2, 4), data["learners"][1]["chosen"], strict=True):
        assert f"{steps} steps: {chosen['recipe']}, learning rate {chosen['learning_rate']:g}" in run.stdout


def test_the_picture_is_drawn(raced: tuple[Result, dict[str, Any], Path]) -> None:
    assert raced[2].read_bytes().startswith(b"\x89PNG")


def test_a_wrong_task_is_told_before_the_work() -> None:
    run = command(DIGITS, "--task", "digits:permute_input")
    assert run.exit_code == 1
    assert "did you mean `permute_inputs`?" in run.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([DIGITS, "--network", f"{DIGITS}:digits"], f"write `blurc race {DIGITS}:digits ..`"),
        ([DIGITS, "--network", "other.blur"], "write `blurc race other.blur ..`"),
        ([DIGITS, "--network", "a-b"], f"expected the NAME of a network of {DIGITS}"),
        ([f"{DIGITS}:a", "--network", "b"], f"`blurc race {DIGITS}:a ..` or `blurc race {DIGITS}:b ..`"),
    ],
)
def test_a_network_is_named_once(args: list[str], message: str) -> None:
    run = command(*args, "--task", "digits")
    assert run.exit_code == 2
    assert message in run.stderr


@pytest.mark.parametrize("args", [["networks/mnist.blur:mnst"], ["networks/mnist.blur", "--network", "mnst"]])
def test_a_network_may_be_named_both_ways(args: list[str]) -> None:
    run = command(*args, "--task", "digits")
    assert run.exit_code == 1
    assert "did you mean `mnist`?" in run.stderr


def test_of_numbers_the_strongest_has_the_least_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And the rule leads where its error is less."""
    (tmp_path / "c.blur").write_text(
        'import "rules/backprop3.blur"\nnetwork curve uses backprop3_mse(rate = 0.01) {'
        " input x[1]  hidden h[16]  output y[1] { phi = linear }  x -> h -> y }"
    )
    searched_quickly(monkeypatch)
    curve = blurc.compile(tmp_path / "c.blur")
    sizes = {"steps": (10,), "batch": 16, "seeds": 2, "query": 100}
    found = races.race(curve, None, task(TaskChoice("sinusoid")), optimizers=[SGD, ADAM], **sizes)
    rule, strongest, sgd, adam = found.entries
    assert found.metric.name == "mse"
    assert strongest.chosen[0].held_out == min(sgd.chosen[0].held_out, adam.chosen[0].held_out)
    assert found.lead(strongest)[0].mean == pytest.approx((strongest.scores - rule.scores).mean())
    assert found.to_json()["metric"] == "mean squared error"


def test_sequences_are_raced_through_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the cell that did best in trials; a network without hidden populations has no other than its own."""
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "s.npz", x=rng.standard_normal((20, 3, 2)), y=np.arange(20) % 2)
    wiring = "input x[2] output y[2] x -> y y -> y [delay = 1, forward]"
    net = blurc.compile(f'import "rules/backprop3.blur" network n uses backprop3 {{ {wiring} }}')
    one = task(TaskChoice(str(tmp_path / "s.npz"), time=True))
    searched_quickly(monkeypatch)
    made = races.race(net, None, one, steps=(2,), batch=4, seeds=1, query=4, optimizers=[ADAM], truncate=2)
    (chosen,) = made.entries[-1].chosen
    assert str(chosen.tried).startswith("Adam, momentum 0.9, linear to 0, its own cell, learning rate ")
    assert np.isfinite(made.entries[0].scores).all()
