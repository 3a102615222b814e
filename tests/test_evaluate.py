"""`blurc eval`: accuracies of genomes on tasks, their table, and the text of tasks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner, Result

import blurc
from blurc import genome as genome_files
from blurc.cli import cli, task_option
from blurc.diagnostics import BlurError
from blurc.meta import evaluate, heat
from blurc.tasks import Augment, TaskChoice
from blurc.tasks.task import Task, task

pytestmark = pytest.mark.usefixtures("compiled_fast")

DIGITS = "networks/digits.blur"
FADING = """
genome fading {
  state   act, trace persistent
  synapse w ~ normal(1 / sqrt(fan_in))
  learn   eta = 0.1
  sense    { act <- input }
  forward  { act <- tanh(incoming(w * pre.act));  trace <- 0.5 * trace + act }
  feedback { act <- act - target }
  update   { w <- w - eta * batch_mean(pre.act * post.act) }
  readout  trace
}
network n uses fading { input x[64]  output y[10]  x -> y }
"""


def command(*args: object) -> Result:
    return CliRunner().invoke(cli, ["eval", *map(str, args)])


@pytest.fixture(scope="module")
def digits() -> Task:
    return task(TaskChoice("digits"))


@pytest.fixture(scope="module")
def net() -> blurc.Net:
    return blurc.compile(DIGITS, hidden=16)


@pytest.fixture(scope="module")
def genome(net: blurc.Net) -> dict[str, Any]:
    return net.init_genome(jax.random.key(0))


@pytest.fixture(scope="module")
def written(net: blurc.Net, genome: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("genomes") / "mine.yaml"
    genome_files.write(path, genome_files.describe(net, genome, name="mine"))
    return path


def by_hand(net: blurc.Net, genome: Any, digits: Task, steps: int, longest: int, seed: int) -> float:
    """In one piece, with all that evaluation does written out."""
    start_key, data_key = jax.random.split(jax.random.key(seed))
    episode = digits.episode(data_key, steps=longest, batch=32, query=200, test=True)
    state = net.init(start_key, genome)
    state, _ = net.train(genome, state, episode.xs[:steps], episode.ys[:steps])
    right = net.predict(genome, state, episode.x).argmax(-1) == episode.y.argmax(-1)
    return float(right.mean())


# ---------------------------------------------------------------- accuracies


@pytest.mark.slow
def test_accuracy_in_pieces_is_that_of_one_training(net: blurc.Net, genome: Any, digits: Task) -> None:
    found = evaluate.accuracies(net, genome, digits, steps=(4, 10), batch=32, seeds=2, query=200, seed=7)
    expected = [[by_hand(net, genome, digits, steps, 10, seed) for steps in (4, 10)] for seed in (7, 8)]
    np.testing.assert_allclose(found, expected, atol=0.011)  # two examples near a border


def test_a_seed_is_the_same_start_and_episode_wherever_it_stands(
    net: blurc.Net, genome: Any, digits: Task
) -> None:
    three = evaluate.accuracies(net, genome, digits, steps=(6,), batch=32, seeds=3)
    last = evaluate.accuracies(net, genome, digits, steps=(6,), batch=32, seeds=1, seed=2)
    assert three[2] == last[0]
    assert len(set(three[:, 0])) > 1


def test_it_learns(net: blurc.Net, genome: Any, digits: Task) -> None:
    found = evaluate.accuracies(net, genome, digits, steps=(2, 60), batch=64, seeds=2).mean(axis=0)
    assert found[1] > 0.85
    assert found[1] > found[0] + 0.1


def test_divergence_is_not_a_number_from_where_it_happens(net: blurc.Net, digits: Task) -> None:
    # tanh hides an infinite synapse from the outputs.
    found = evaluate.accuracies(net, {"eta": jnp.float32(3e38)}, digits, steps=(2, 4), batch=32, seeds=2)
    assert np.isnan(found).all()


def test_persistent_states_of_training_do_not_reach_the_test(digits: Task) -> None:
    """They are kept for 32 examples, the test has 360."""
    net = blurc.compile(FADING)
    values = net.init_genome(jax.random.key(0))
    found = evaluate.accuracies(net, values, digits, steps=(20,), batch=32, seeds=1)
    assert found[0, 0] > 0.5


def test_all_test_examples_are_asked_about(digits: Task) -> None:
    assert evaluate.queries(digits) == 360
    assert evaluate.queries(task(TaskChoice("moons"))) == evaluate.GENERATED_QUERIES


def test_genomes_of_one_network_share_its_programs(net: blurc.Net, genome: Any, digits: Task) -> None:
    evaluate.accuracies(net, genome, digits, steps=(3, 6), batch=16, seeds=1)
    train = net._call.train
    before = train._cache_size()
    evaluate.accuracies(net, {"eta": jnp.float32(0.2)}, digits, steps=(3, 9), batch=16, seeds=2)
    assert train._cache_size() == before


@pytest.mark.parametrize("wrong", [{"steps": (0, 3)}, {"steps": ()}, {"batch": 0}, {"seeds": 0}])
def test_numbers_below_one_are_refused(
    net: blurc.Net, genome: Any, digits: Task, wrong: dict[str, Any]
) -> None:
    with pytest.raises(BlurError, match="E806"):
        evaluate.accuracies(net, genome, digits, **wrong)


def test_a_task_that_does_not_fit_says_both_sizes(net: blurc.Net) -> None:
    with pytest.raises(BlurError) as error:
        evaluate.check_fits(net, task(TaskChoice("moons")))
    first, second = error.value.diagnostics
    assert first.code == second.code == "E807"
    assert "2 inputs" in first.message
    assert "[8, 8]" in first.message
    assert "2 outputs" in second.message


# ---------------------------------------------------------------- many seeds


def test_a_summary_counts_the_diverged_and_averages_the_rest() -> None:
    found = evaluate.summary(np.asarray([0.5, np.nan, 0.7]))
    assert (found.mean, found.diverged) == (pytest.approx(0.6), 1)
    assert found.spread == pytest.approx(np.std([0.5, 0.7], ddof=1))
    assert str(found) == "60.0 ± 14.1, 1 of 3 diverged"


@pytest.mark.parametrize(
    ("values", "shown"),
    [([np.nan, np.nan], "diverged"), ([0.875], "87.5"), ([0.8, np.nan], "80.0, 1 of 2 diverged")],
)
def test_few_seeds_have_no_spread(values: list[float], shown: str) -> None:
    assert str(evaluate.summary(np.asarray(values))) == shown


# ---------------------------------------------------------------- the text of a task


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("moons", TaskChoice("moons")),
        ("mnist:crop=20,resize=10", TaskChoice("mnist", crop=20, resize=10)),
        ("digits:classes=0-2+7,center", TaskChoice("digits", classes=(0, 1, 2, 7), center=True)),
        ("digits:permute_labels,center=no", TaskChoice("digits", augment=Augment(permute_labels=True))),
        ("a.npz:project=8,brightness=.5", TaskChoice("a.npz", augment=Augment(project=8, brightness=0.5))),
    ],
)
def test_the_text_of_a_task(text: str, choice: TaskChoice) -> None:
    assert task_option.parse(text) == replace(choice, name=text)


def test_a_task_may_be_named() -> None:
    assert task_option.parse("mnist:name=small,resize=10").name == "small"


def test_every_field_of_a_task_can_be_written_but_its_weight() -> None:
    for name, kind in (task_option._kinds(TaskChoice) | task_option._kinds(Augment)).items():
        example = kind.example.split(",")[0]
        assert task_option.parse(f"digits:{name}{example}").data == "digits"
    with pytest.raises(BlurError, match="E721"):
        task_option.parse("digits:weight=2")


def test_all_that_is_wrong_with_a_task_comes_at_once_with_its_place() -> None:
    with pytest.raises(BlurError) as error:
        task_option.choices(("mnist:corp=20,resize=ten,classes=3-1", "digits:center,center"))
    found = [(d.code, d.span.text if d.span else "", d.help) for d in error.value.diagnostics]
    assert found == [
        ("E721", "corp", "did you mean `crop`?"),
        ("E721", "resize=ten", "write resize=10"),
        ("E721", "classes=3-1", "write classes=0-4, or classes=1+3+5"),
        ("E721", "center", "set it once"),
    ]


# ---------------------------------------------------------------- the command


def test_the_table_has_a_row_for_each_genome_task_and_network(written: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.json"
    run = command(
        written, "backprop", "--task", "digits", "--task", "digits:permute_inputs", "--network",
        f"{DIGITS}:digits", "--set", "hidden=16", "--steps", "8,2", "--seeds", 2, "--batch", 16, "--json", table,
    )  # fmt: skip
    assert run.exit_code == 0, run.output
    found = json.loads(table.read_text())
    names = [(row["genome"], row["task"], row["network"]) for row in found["rows"]]
    assert names == [
        (genome, task, "digits(hidden = 16)")
        for genome in ("mine", "backprop")
        for task in ("digits", "digits:permute_inputs")
    ]
    first = found["rows"][0]["results"]
    assert [result["steps"] for result in first] == [2, 8]
    assert first[1]["mean"] == pytest.approx(np.mean(first[1]["values"]))
    assert f"{100 * first[1]['mean']:.1f} ±" in run.stdout
    # The file holds what `backprop` starts from, and the two see the same seeds.
    assert found["rows"][0]["results"] == found["rows"][2]["results"]


def test_a_diverged_genome_is_shown_as_such(net: blurc.Net, tmp_path: Path) -> None:
    path = tmp_path / "wild.yaml"
    genome_files.write(path, genome_files.describe(net, {"eta": np.float32(3e38)}, name="wild"))
    args = ("--task", "digits", "--network", DIGITS, "--set", "hidden=16", "--steps", 2, "--seeds", 2)
    run = command(path, *args, "--json", "-")
    assert run.exit_code == 0
    assert "diverged" in run.stderr
    (row,) = json.loads(run.stdout)["rows"]
    assert row["results"] == [
        {"steps": 2, "mean": None, "spread": None, "diverged": 2, "values": [None, None]}
    ]


def test_an_experiment_gives_tasks_and_networks(written: Path, tmp_path: Path) -> None:
    experiment = tmp_path / "e.yaml"
    experiment.write_text(
        "name: e\n"
        f"spec: {DIGITS}\nrule: blur\nparameters: {{hidden: 16, k: 3}}\n"
        "tasks: [{data: moons}]\n"
        "evaluation: {tasks: [{data: digits, name: eights}]}\n"
    )
    args = ("--experiment", experiment, "--steps", 2, "--seeds", 1, "--batch", 16, "--json", "-")
    run = command(written, *args)
    assert run.exit_code == 0, run.output
    (row,) = json.loads(run.stdout)["rows"]
    # k is a parameter of the experiment's rule, and not of the genome's.
    assert (row["task"], row["network"]) == ("eights", "digits(hidden = 16)")


@pytest.mark.parametrize(
    ("args", "status", "message"),
    [
        (["backprop", "--task", "digits"], 2, "--network"),
        (["backprop", "--task", "digits:corp=3", "--network", DIGITS], 1, "did you mean `crop`?"),
        (["backprop", "--task", "moons", "--network", DIGITS], 1, "E807"),
        (["none.yaml", "--task", "digits", "--network", DIGITS], 1, "E601"),
        (["backprob", "--task", "digits", "--network", DIGITS], 1, "did you mean `backprop`?"),
        (["backprop", "--task", "digits", "--network", DIGITS, "--steps", "3,x"], 2, "whole numbers"),
        (["backprop", "--task", "digits", "--network", DIGITS, "-o", "a.gif"], 2, "expected .svg or .png"),
    ],
)
def test_what_is_wrong_is_said(args: list[str], status: int, message: str) -> None:
    run = command(*args)
    assert run.exit_code == status
    assert message in run.stderr
    assert run.stdout == ""


# ---------------------------------------------------------------- pictures


@pytest.mark.parametrize(("form", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_a_heat_map_is_the_same_bytes_again(form: str, start: bytes) -> None:
    values = np.asarray([[0.2, 0.9], [np.nan, 0.5]])
    panel = heat.Panel("t", values, ["a", "b"], ["10", "20"], [["20", "90"], ["diverged", "50"]])
    first, again = (heat.render([panel], form, "title") for _ in range(2))
    assert first == again
    assert first.startswith(start)


def test_a_matrix_of_nothing_finite_can_be_drawn() -> None:
    panels = [heat.Panel("t", np.full((3, 3), np.nan), signed=True), heat.Panel("u", np.zeros((2, 2)))]
    assert heat.render(panels, "png").startswith(b"\x89PNG")


def test_the_command_draws_its_table(tmp_path: Path) -> None:
    picture = tmp_path / "heat.svg"
    args = ("--task", "digits", "--network", DIGITS, "--steps", "1,2", "--seeds", 1, "-o", picture)
    assert command("backprop", *args).exit_code == 0
    assert picture.read_text().startswith("<?xml")
