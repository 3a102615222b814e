"""`blurc race`: a genome against SGD, momentum and Adam at their best rates."""

from __future__ import annotations

import json
import os
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
from blurc.evaluation import accuracy, course, races
from blurc.evaluation.accuracy import Row
from blurc.evaluation.races import Entry, Race
from blurc.meta.experiment.experiment import Evaluation
from blurc.meta.run import finishing
from blurc.tasks import TaskChoice
from blurc.tasks.task import Task, task
from blurc.training.baselines import Optimizer

pytestmark = pytest.mark.usefixtures("compiled_fast")

DIGITS = "networks/digits.blur"
SMALL: dict[str, Any] = {"steps": (10, 20), "batch": 32, "seeds": 2, "query": 100}
SGD = Optimizer("SGD", optax.sgd, (0.003, 0.4, 30.0))

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
    return races.race(net, genome, digits, optimizers=[SGD], **SMALL)


# ---------------------------------------------------------------- the race


def test_sgd_at_the_rate_of_backprop_is_backprop(found: Race) -> None:
    """The same start, batches and questions for all: then equal learners have equal accuracies."""
    rule, sgd = found.entries
    assert sgd.rates == (0.4, 0.4)
    np.testing.assert_allclose(sgd.accuracies, rule.accuracies, atol=0.011)  # an example near a border


def test_the_rule_is_scored_as_in_an_evaluation(
    found: Race, net: blurc.Net, genome: Any, digits: Task
) -> None:
    expected = accuracy.accuracies(net, genome, digits, **SMALL)
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
    run = course.Course.run

    def spied(self: course.Course, contender: Any, seed: int) -> Any:
        seen.append(("rule" if len(seen) < 2 else "sgd", self.test, seed))
        return run(self, contender, seed)

    monkeypatch.setattr(course.Course, "run", spied)
    races.race(net, genome, digits, optimizers=[Optimizer("SGD", optax.sgd, (0.4,))], **SMALL)
    trials = [(who, test, seed) for who, test, seed in seen if not test]
    assert {seed for _, _, seed in trials} == {2 + i for i in range(races.TRIALS)}
    assert [(test, seed) for who, test, seed in seen if who == "rule"] == [(True, 0), (True, 1)]
    assert [(test, seed) for who, test, seed in seen[-2:]] == [(True, 0), (True, 1)]


def test_a_diverging_rate_is_never_chosen(net: blurc.Net, genome: Any, digits: Task) -> None:
    wild = Optimizer("wild", lambda rate: optax.sgd(rate * 1e20), (1e19, 1e-21))
    entry = races.race(net, genome, digits, optimizers=[wild], **SMALL).entries[1]
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

    entry = races.race(
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
    contender = races._descent(net, SGD)(0.4)
    carry = contender.start(course.keys(0), 32)
    episode = digits.episode(jax.random.key(1), steps=3, batch=32, query=1)
    after, sound = contender.advance(carry, episode.xs, episode.ys)
    assert sound
    assert "x->h" in after["fixed"]
    np.testing.assert_array_equal(after["fixed"]["x->h"]["w"], carry["fixed"]["x->h"]["w"])
    assert not np.array_equal(after["learned"]["h->y"]["w"], carry["learned"]["h->y"]["w"])


@pytest.mark.parametrize("make", [optax.sgd, optax.adam])
def test_rounds_are_as_many_batches_the_same(net: blurc.Net, digits: Task, make: Any) -> None:
    optimizer = Optimizer("it", make, (0.1,))
    once, thrice = (races._descent(net, optimizer, rounds)(0.1) for rounds in (1, 3))
    episode = digits.episode(jax.random.key(1), steps=2, batch=32, query=1)
    after, _ = thrice.advance(thrice.start(course.keys(0), 32), episode.xs, episode.ys)
    repeated = (np.repeat(a, 3, axis=0) for a in (episode.xs, episode.ys))
    expected, _ = once.advance(once.start(course.keys(0), 32), *repeated)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), after, expected)
    single, _ = once.advance(once.start(course.keys(0), 32), episode.xs, episode.ys)
    assert not np.allclose(single["learned"]["h1->h2"]["w"], after["learned"]["h1->h2"]["w"], atol=1e-3)


def test_rounds_are_for_optimizers_and_steps_count_batches(
    found: Race, net: blurc.Net, genome: Any, digits: Task
) -> None:
    """Of the same steps: the rule's accuracies stay, those of an optimizer are others."""
    again = races.race(net, genome, digits, optimizers=[SGD], rounds=3, **SMALL)
    np.testing.assert_array_equal(again.entries[0].accuracies, found.entries[0].accuracies)
    assert again.entries[1].accuracies.shape == (2, 2)
    assert not np.array_equal(again.entries[1].trials[0.4], found.entries[1].trials[0.4])
    assert (found.to_json()["rounds"], again.to_json()["rounds"]) == (1, 3)


def test_normalized_hidden_activity_is_for_optimizers(net: blurc.Net, genome: Any, digits: Task) -> None:
    """Synapses into a hidden neuron may be scaled then, and nothing changes; of the outputs they may not."""
    normal = races._twin(net, races.NORMALIZED)
    state = normal.init(jax.random.key(0), normal.init_genome(jax.random.key(1)))
    x = digits.episode(jax.random.key(2), steps=1, batch=32, query=32).x

    def predicted(of: str) -> Any:
        scaled = {n: {"w": 3 * c["w"]} if n.endswith(of) else c for n, c in state.synapses.items()}
        return normal.predict({"eta": 0.1}, state._replace(synapses=scaled), x)

    plain = normal.predict({"eta": 0.1}, state, x)
    np.testing.assert_allclose(predicted("->h1"), plain, atol=1e-3)
    (output,) = normal.signature.outputs
    assert not np.allclose(predicted(f"->{output}"), plain, atol=1e-1)
    found = races.race(net, genome, digits, optimizers=[SGD], normalize=True, **SMALL)
    assert found.to_json()["normalize"]


def test_no_rounds_are_refused(net: blurc.Net, genome: Any, digits: Task) -> None:
    with pytest.raises(BlurError, match="E806"):
        races.race(net, genome, digits, rounds=0, **SMALL)


def finished(net: blurc.Net, digits: Task, patch: pytest.MonkeyPatch) -> tuple[Row, list[Race], list[str]]:
    """What is judged after a run with `evaluation: {race: true}`, and what is told meanwhile."""
    patch.setattr(finishing, "race", partial(races.race, optimizers=[SGD]))
    file = genome_files.describe(net, net.init_genome(jax.random.key(0)), name="mine")
    judged = Evaluation(steps=(10,), seeds=1, batch=32, race=True)
    told: list[str] = []
    return *finishing._judged(judged, file, net, "wide", digits, told.append), told


def test_a_run_that_ends_with_a_race_is_judged_once(
    net: blurc.Net, genome: Any, digits: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = accuracy.accuracies(net, genome, digits, steps=(10,), seeds=1, batch=32)
    monkeypatch.delattr(finishing, "accuracies")
    row, (one,), _ = finished(net, digits, monkeypatch)
    np.testing.assert_array_equal(row.accuracies, expected)
    assert (row.genome, row.network, one.network) == ("mine", "wide", "wide")
    assert [entry.name for entry in one.entries] == ["mine", "SGD"]


def test_a_run_whose_network_sgd_cannot_train_is_judged_alone(
    digits: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, races, told = finished(blurc.compile(FADING), digits, monkeypatch)
    assert (row.accuracies.shape, races) == ((1, 1), [])
    assert told[0].startswith("no race with SGD, momentum and Adam:")


def test_an_edge_of_the_grid_is_told() -> None:
    trials = {rate: np.zeros(1) for rate in (0.1, 0.3, 1.0)}
    assert Entry("a", np.zeros((1, 1)), (1.0,), trials).at_an_edge
    assert not Entry("a", np.zeros((1, 1)), (0.3,), trials).at_an_edge
    assert not Entry("the rule", np.zeros((1, 1))).at_an_edge


def test_a_network_that_sgd_cannot_train_is_refused(digits: Task) -> None:
    with pytest.raises(BlurError, match="E720"):
        races.race(blurc.compile(FADING), {}, digits, **SMALL)


@pytest.mark.slow
def test_the_optimizers_reach_on_mnist_what_others_report() -> None:
    """784-256-128-10, batches of 128, after 10, 20, 50 and 100 steps. Fast sibling: that SGD is backprop."""
    root = Path(os.environ.get("BLURC_DATA") or Path(__file__).parents[3] / "shared" / "data")
    try:
        tasks.load("mnist", data_dir=root, download=False)
    except BlurError:
        pytest.skip("MNIST's files are neither in BLURC_DATA nor in ../shared/data")
    net = blurc.compile("networks/mnist.blur", network="mnist")
    found = races.race(net, net.init_genome(jax.random.key(0)), task(TaskChoice("mnist"), root), seeds=2)
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
        f"{DIGITS}:digits", "--task", "digits", "--set", "hidden=8", "--steps", "2,4", "--seeds", 2, "--batch", 16,
        "--rounds", 2, "--normalize", *files,
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
    for optimizer in races.OPTIMIZERS:
        (line,) = (
            s for s in raced[0].stdout.splitlines() if s.startswith(f"{optimizer.name}: learning rate")
        )
        assert ", ".join(f"{rate:g}" for rate in optimizer.rates) in line


def test_how_often_a_batch_is_gone_through_is_told(raced: tuple[Result, dict[str, Any], Path]) -> None:
    told = "2 updates on each batch before the next, hidden activity normalized over the batch"
    assert f"SGD, momentum and Adam: {told}" in raced[0].stdout.splitlines()
    assert (raced[1]["rounds"], raced[1]["normalize"]) == (2, True)


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
