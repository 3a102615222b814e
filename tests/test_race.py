"""`blurc race`: a genome against SGD, momentum and Adam at their best rates."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax
import pytest
from click.testing import CliRunner, Result

import blurc
from blurc import tasks
from blurc.cli import cli
from blurc.diagnostics import BlurError
from blurc.meta import evaluate, racing
from blurc.meta.racing import Entry, Race
from blurc.tasks import TaskChoice
from blurc.tasks.task import Task, task
from blurc.training.baselines import Optimizer

pytestmark = pytest.mark.usefixtures("compiled_fast")

DIGITS = "networks/digits.blur"
SMALL: dict[str, Any] = {"steps": (2, 6), "batch": 32, "seeds": 2, "query": 100}
SGD = Optimizer("SGD", optax.sgd, (0.003, 0.4, 30.0))


def command(*args: object) -> Result:
    return CliRunner().invoke(cli, ["race", *map(str, args)])


@pytest.fixture(scope="module")
def digits() -> Task:
    return task(TaskChoice("digits"))


@pytest.fixture(scope="module")
def net() -> blurc.Net:
    return blurc.compile(DIGITS, hidden=16, rate=0.4)


@pytest.fixture(scope="module")
def genome(net: blurc.Net) -> dict[str, Any]:
    return net.init_genome(jax.random.key(0))


@pytest.fixture(scope="module")
def found(net: blurc.Net, genome: Any, digits: Task) -> Race:
    return racing.race(net, genome, digits, optimizers=[SGD], **SMALL)


# ---------------------------------------------------------------- the race


def test_sgd_at_the_rate_of_backprop_is_backprop(found: Race) -> None:
    """The same start, batches and questions for all: then equal learners have equal accuracies."""
    rule, sgd = found.entries
    assert sgd.rates == (0.4, 0.4)
    np.testing.assert_allclose(sgd.accuracies, rule.accuracies, atol=0.011)  # an example near a border


def test_the_rule_is_scored_as_in_an_evaluation(
    found: Race, net: blurc.Net, genome: Any, digits: Task
) -> None:
    expected = evaluate.accuracies(net, genome, digits, **SMALL)
    np.testing.assert_array_equal(found.entries[0].accuracies, expected)


def test_the_chosen_rate_is_the_best_of_the_trials(found: Race) -> None:
    sgd = found.entries[1]
    for at, rate in enumerate(sgd.rates):
        assert sgd.trials[rate][at] == np.nanmax([trial[at] for trial in sgd.trials.values()])
    assert set(sgd.trials) == set(SGD.rates)


def test_rates_are_chosen_without_the_seeds_and_the_test_examples(
    net: blurc.Net, genome: Any, digits: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, bool, int]] = []
    run = evaluate.Course.run

    def spied(self: evaluate.Course, contender: Any, seed: int) -> Any:
        seen.append(("rule" if len(seen) < 2 else "sgd", self.test, seed))
        return run(self, contender, seed)

    monkeypatch.setattr(evaluate.Course, "run", spied)
    racing.race(net, genome, digits, optimizers=[Optimizer("SGD", optax.sgd, (0.4,))], **SMALL)
    trials = [(who, test, seed) for who, test, seed in seen if not test]
    assert {seed for _, _, seed in trials} == {2 + i for i in range(racing.TRIALS)}
    assert [(test, seed) for who, test, seed in seen if who == "rule"] == [(True, 0), (True, 1)]
    assert [(test, seed) for who, test, seed in seen[-2:]] == [(True, 0), (True, 1)]


def test_a_diverging_rate_is_never_chosen(net: blurc.Net, genome: Any, digits: Task) -> None:
    wild = Optimizer("wild", lambda rate: optax.sgd(rate * 1e20), (1e19, 1e-21))
    entry = racing.race(net, genome, digits, optimizers=[wild], **SMALL).entries[1]
    assert entry.rates == (1e-21, 1e-21)
    assert np.isnan(entry.trials[1e19]).all()


@pytest.mark.slow
def test_each_number_of_steps_has_its_own_rate(net: blurc.Net, genome: Any, digits: Task) -> None:
    """A rate that learns first and is 0 from the third step on, and one that learns last."""

    def scheduled(rate: Any) -> optax.GradientTransformation:
        early = rate > 0.5
        return optax.sgd(
            lambda count: (
                jax.numpy.where((jax.numpy.asarray(count) < 2) == early, 0.4, 0.0) * (1 + 2 * (1 - early))
            )
        )

    entry = racing.race(
        net,
        genome,
        digits,
        optimizers=[Optimizer("odd", scheduled, (0.0, 1.0))],
        steps=(2, 30),
        batch=32,
        seeds=2,
        query=100,
    ).entries[1]
    assert entry.rates == (1.0, 0.0)


def test_fixed_projections_stay_fixed(digits: Task) -> None:
    """With nothing else to learn than one of two layers, the optimizers change that one alone."""
    text = 'import "rules/backprop.blur"\nnetwork n uses backprop { input x[64]  hidden h[8]  output y[10] ' \
        "{ phi = linear }  x -> h [fixed]  h -> y }"  # fmt: skip
    net = blurc.compile(text)
    contender = racing._descent(net, SGD)(0.4)
    carry = contender.start(jax.random.key(0), 32)
    episode = digits.episode(jax.random.key(1), steps=3, batch=32, query=1)
    after, sound = contender.advance(carry, episode.xs, episode.ys)
    assert sound
    assert "x->h" in after["fixed"]
    np.testing.assert_array_equal(after["fixed"]["x->h"]["w"], carry["fixed"]["x->h"]["w"])
    assert not np.array_equal(after["learned"]["h->y"]["w"], carry["learned"]["h->y"]["w"])


def test_an_edge_of_the_grid_is_told() -> None:
    trials = {rate: np.zeros(1) for rate in (0.1, 0.3, 1.0)}
    assert Entry("a", np.zeros((1, 1)), (1.0,), trials).at_an_edge
    assert not Entry("a", np.zeros((1, 1)), (0.3,), trials).at_an_edge
    assert not Entry("the rule", np.zeros((1, 1))).at_an_edge


def test_a_network_that_sgd_cannot_train_is_refused(digits: Task) -> None:
    text = """
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
    with pytest.raises(BlurError, match="E720"):
        racing.race(blurc.compile(text), {}, digits, **SMALL)


@pytest.mark.slow
def test_the_optimizers_reach_on_mnist_what_others_report() -> None:
    """784-256-128-10, batches of 128, after 10, 20, 50 and 100 steps. Fast sibling: that SGD is backprop."""
    root = Path(os.environ.get("BLURC_DATA") or Path(__file__).parents[2] / "shared" / "data")
    try:
        tasks.load("mnist", data_dir=root, download=False)
    except BlurError:
        pytest.skip("MNIST's files are neither in BLURC_DATA nor in ../shared/data")
    net = blurc.compile("networks/mnist.blur", network="mnist")
    found = racing.race(net, net.init_genome(jax.random.key(0)), task(TaskChoice("mnist"), root), seeds=2)
    least = {
        "SGD": (0.7, 0.78, 0.85, 0.88),
        "momentum": (0.74, 0.8, 0.87, 0.9),
        "Adam": (0.75, 0.83, 0.88, 0.91),
    }
    for entry in found.entries[1:]:
        assert (entry.accuracies.mean(axis=0) > least[entry.name]).all(), entry.name


# ---------------------------------------------------------------- the command


@pytest.fixture(scope="module")
def raced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("race")
    files = ("--json", folder / "race.json", "-o", folder / "race.png")
    run = command(
        DIGITS, "--task", "digits", "--set", "hidden=8", "--steps", "2,4", "--seeds", 2, "--batch", 16, *files
    )  # fmt: skip
    assert run.exit_code == 0, run.output
    return run, json.loads((folder / "race.json").read_text()), folder / "race.png"


def test_the_table_has_a_row_for_each_learner(raced: tuple[Result, dict[str, Any], Path]) -> None:
    run, data, _ = raced
    assert [learner["name"] for learner in data["learners"]] == ["backprop", "SGD", "momentum", "Adam"]
    for learner in data["learners"]:
        (line,) = (line for line in run.stdout.splitlines() if line.strip().startswith(learner["name"] + " "))
        assert all(f"{100 * result['mean']:.1f} ±" in line for result in learner["results"])


def test_the_grids_are_printed(raced: tuple[Result, dict[str, Any], Path]) -> None:
    for optimizer in racing.OPTIMIZERS:
        (line,) = (
            s for s in raced[0].stdout.splitlines() if s.startswith(f"{optimizer.name}: learning rate")
        )
        assert ", ".join(f"{rate:g}" for rate in optimizer.rates) in line


def test_the_picture_is_drawn(raced: tuple[Result, dict[str, Any], Path]) -> None:
    assert raced[2].read_bytes().startswith(b"\x89PNG")


def test_a_wrong_task_is_told_before_the_work() -> None:
    run = command(DIGITS, "--task", "digits:permute_input")
    assert run.exit_code == 1
    assert "did you mean `permute_inputs`?" in run.stderr
