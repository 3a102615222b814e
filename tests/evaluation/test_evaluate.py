"""`blurc eval`: scores of genomes on tasks, their table, and the text of tasks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner, Result

import blurc
from blurc import evaluation
from blurc import genome as genome_files
from blurc.cli import cli
from blurc.cli.shared import scores, task_option
from blurc.diagnostics import BlurError
from blurc.evaluation import course, heat, scoring
from blurc.evaluation.summaries import summary
from blurc.tasks import ACCURACY, OBJECTIVES, Augment, TaskChoice, endless, mean_and_spread, omniglot, world
from blurc.tasks.endless import Stream
from blurc.tasks.task import LoadedTask, task
from blurc.training import rules

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

NOISY = FADING.replace("act <- act - target", "act <- act - target + noise(0.3)")


def characters() -> LoadedTask:
    """Twelve patterns to learn a rule with and twelve others, drawn by twenty hands."""
    noise = np.random.default_rng(0)
    patterns = noise.normal(size=(2, 12, 1, 16)) + np.asarray([5.0, -5.0]).reshape(2, 1, 1, 1)
    learned, tested = jnp.float32(patterns + 0.1 * noise.normal(size=(2, 12, 20, 16)))
    return LoadedTask("characters", 4, Augment(), omniglot.Characters(learned, tested, 4))


VARIED: dict[str, Callable[[], LoadedTask]] = {
    "digits": lambda: task(TaskChoice("digits", augment=Augment(permute_inputs=True, permute_labels=True))),
    "function": lambda: task(TaskChoice("random_pie_slice")),
    "characters": characters,
}


def command(*args: object) -> Result:
    return CliRunner().invoke(cli, ["eval", *map(str, args)])


@pytest.fixture(scope="module")
def digits() -> LoadedTask:
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


def by_hand(net: blurc.Net, genome: Any, digits: LoadedTask, steps: int, longest: int, seed: int) -> float:
    """In one piece, with all that evaluation does written out."""
    keys = course.keys(seed)
    stream = Stream(digits, keys.task, 32, True)
    ((_, (xs, ys, _)),) = stream.pieces(longest, longest)
    x, y, _ = stream.questions(200)
    state = net.init(keys.start, genome)
    state, _ = net.train(genome, state, xs[:steps], ys[:steps])
    right = net.predict(genome, state, x).argmax(-1) == y.argmax(-1)
    return float(right.mean())


# ---------------------------------------------------------------- scores


@pytest.mark.slow
def test_accuracy_in_pieces_is_that_of_one_training(net: blurc.Net, genome: Any, digits: LoadedTask) -> None:
    found = scoring.scores(net, genome, digits, steps=(4, 10), batch=32, seeds=2, query=200, seed=7)
    expected = [[by_hand(net, genome, digits, steps, 10, seed) for steps in (4, 10)] for seed in (7, 8)]
    np.testing.assert_allclose(found, expected, atol=0.011)  # two examples near a border


def test_a_seed_is_the_same_start_and_episode_wherever_it_stands(
    net: blurc.Net, genome: Any, digits: LoadedTask
) -> None:
    three = scoring.scores(net, genome, digits, steps=(6,), batch=32, seeds=3)
    last = scoring.scores(net, genome, digits, steps=(6,), batch=32, seeds=1, seed=2)
    assert three[2] == last[0]
    assert len(set(three[:, 0])) > 1


@pytest.mark.parametrize("text", [None, NOISY])
def test_scores_do_not_depend_on_what_else_is_scored(digits: LoadedTask, text: str | None) -> None:
    """Neither on how long it goes on, nor on the pieces that come of it; also where there is noise."""
    net = blurc.compile(text or FADING)
    values = net.init_genome(jax.random.key(0))
    few, many = (
        scoring.scores(net, values, digits, steps=steps, batch=16, seeds=1, query=300)
        for steps in ((6,), (3, 6, 8, 104))
    )
    assert few[0, 0] == many[0, 1]
    assert len(set(many[0])) > 2


def test_memory_does_not_grow_with_steps(digits: LoadedTask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches are drawn a part at a time, and no part is larger than another."""
    net = blurc.compile(FADING)
    values = net.init_genome(jax.random.key(0))
    sizes: list[int] = []
    drawn = endless._drawn

    def spied(*args: Any) -> Any:
        found = drawn(*args)
        sizes.append(found.x.nbytes + found.y.nbytes)
        return found

    monkeypatch.setattr(endless, "_drawn", spied)
    monkeypatch.setattr(endless, "PART_BYTES", 70 * 4 * 16 * (64 + 10))
    scoring.scores(net, values, digits, steps=(100, 500), batch=16, seeds=1, query=10)
    question, *parts = sizes
    assert parts == [50 * 4 * 16 * (64 + 10)] * 10  # round numbers: 50 fit where 70 would
    assert question < parts[0]


@pytest.mark.parametrize("kind", VARIED)
def test_all_parts_are_of_one_variation(kind: str) -> None:
    """What was learned from the first part holds in the second and in the questions, by the nearest neighbour."""
    one = VARIED[kind]()
    batches = Stream(one, jax.random.key(4), 60, True)
    parts = [part for _, part in batches.pieces(batches.length, 2 * batches.length)]
    first, second = ((flat(part.xs), flat(part.ys)) for part in parts)
    assert not np.array_equal(first[0], second[0])
    for x, y in (second, batches.questions(300)[:2]):
        assert right(first, (x[:300], y[:300])) > 0.9
    assert right(first, Stream(one, jax.random.key(5), 60, True).questions(300)[:2]) < 0.8


@pytest.mark.parametrize("test", [True, False])
def test_questions_are_none_of_what_is_learned(test: bool) -> None:
    """Others of the drawings of a character, of the characters for testing or of the others."""
    batches = Stream(characters(), jax.random.key(0), 60, test)
    ((_, (xs, ys, _)),) = batches.pieces(batches.length, batches.length)
    x, y = (np.asarray(a) for a in batches.questions(40)[:2])
    learned, asked = ({row.tobytes() for row in np.asarray(a).reshape(-1, 16)} for a in (xs, x))
    assert (len(learned), len(asked)) == (4 * 15, 4 * 5)
    assert not learned & asked
    assert np.asarray(ys).sum((0, 1)).tolist() == [60 * 100 / 4] * 4
    assert y.sum(0).tolist() == [10] * 4
    assert (x.mean() < 0) == test


def flat(batches: Any) -> Any:
    return np.asarray(batches).reshape(-1, batches.shape[-1])


def right(learned: tuple[Any, Any], questions: tuple[Any, Any]) -> float:
    """The share of those asked about whose nearest example is of their class."""
    (x, y), (asked, expected) = learned, map(np.asarray, questions)
    distance = (asked**2).sum(-1)[:, None] - 2 * asked @ x.T + (x**2).sum(-1)
    return float(np.mean(y[distance.argmin(-1)].argmax(-1) == expected.argmax(-1)))


def test_no_two_purposes_share_a_key() -> None:
    """Also with the keys that predictions with noise take, and those of any other seed."""
    all_keys = [key for seed in range(20) for key in (*course.keys(seed), *rules.keys(seed))]
    assert len({jax.random.key_data(key).tobytes() for key in all_keys}) == 20 * 6


def test_without_a_genome_every_seed_has_its_own(digits: LoadedTask) -> None:
    net = blurc.compile(DIGITS, genome="blur", hidden=8)
    first, second = scoring.scores(net, None, digits, steps=(5,), batch=32, seeds=2)
    for seed, found in enumerate((first, second)):
        values = net.init_genome(course.keys(seed).genome)
        given = scoring.scores(net, values, digits, steps=(5,), batch=32, seeds=1, seed=seed)
        np.testing.assert_array_equal(given[0], found)
    assert course.fresh_each_seed(net, None)
    assert not course.fresh_each_seed(net, values)
    assert not course.fresh_each_seed(blurc.compile(DIGITS), None)  # its one meta-parameter starts at one value


def test_it_learns(net: blurc.Net, genome: Any, digits: LoadedTask) -> None:
    found = scoring.scores(net, genome, digits, steps=(2, 60), batch=64, seeds=2).mean(axis=0)
    assert found[1] > 0.85
    assert found[1] > found[0] + 0.1


def test_divergence_is_not_a_number_from_where_it_happens(net: blurc.Net, digits: LoadedTask) -> None:
    # tanh hides an infinite synapse from the outputs.
    found = scoring.scores(net, {"eta": jnp.float32(3e38)}, digits, steps=(2, 4), batch=32, seeds=2)
    assert np.isnan(found).all()


@pytest.mark.parametrize("last", [1, 2, 3, 12, 20])
def test_the_step_at_which_a_seed_diverges_is_told(last: int, digits: LoadedTask) -> None:
    """Whatever the pieces, which are of 2 steps here."""

    def advance(done: int, batches: Any) -> tuple[int, bool]:
        return done + len(batches.xs), done + len(batches.xs) < last

    counting = course.Contender(lambda own, batch: 0, advance, lambda done, x, first: np.zeros((len(x), 10)))
    told: list[tuple[int, int]] = []
    found = course.Course(digits, ACCURACY, (4, 10, 20), 8, 16, 2).run(counting, 7, lambda *lost: told.append(lost))
    assert told == [(7, last)]
    assert np.isnan(found).tolist() == [step >= last for step in (4, 10, 20)]


def test_persistent_states_of_training_do_not_reach_the_test(digits: LoadedTask) -> None:
    """They are kept for 32 examples, the test has 360."""
    net = blurc.compile(FADING)
    values = net.init_genome(jax.random.key(0))
    found = scoring.scores(net, values, digits, steps=(60,), batch=32, seeds=1)
    assert found[0, 0] > 0.5


def test_all_test_examples_are_asked_about(digits: LoadedTask) -> None:
    assert scoring.queries(digits) == 360
    assert scoring.queries(task(TaskChoice("moons"))) == scoring.GENERATED_QUERIES


def test_genomes_of_one_network_share_its_programs(net: blurc.Net, genome: Any, digits: LoadedTask) -> None:
    scoring.scores(net, genome, digits, steps=(3, 6), batch=16, seeds=1)
    train = net._call.train
    before = train._cache_size()
    scoring.scores(net, {"eta": jnp.float32(0.2)}, digits, steps=(3, 9), batch=16, seeds=2)
    assert train._cache_size() == before


@pytest.mark.parametrize("wrong", [{"steps": (0, 3)}, {"steps": ()}, {"batch": 0}, {"seeds": 0}])
def test_numbers_below_one_are_refused(net: blurc.Net, genome: Any, digits: LoadedTask, wrong: dict[str, Any]) -> None:
    with pytest.raises(BlurError, match="E806"):
        scoring.scores(net, genome, digits, **wrong)


def test_a_task_that_does_not_fit_says_both_sizes(net: blurc.Net) -> None:
    with pytest.raises(BlurError) as error:
        evaluation.check_fits(net, task(TaskChoice("moons")))
    first, second = error.value.diagnostics
    assert first.code == second.code == "E807"
    assert "2 inputs" in first.message
    assert "[8, 8]" in first.message
    assert "2 outputs" in second.message
    assert "`moons:outputs=10` (in a file `{data: moons, outputs: 10}`)" in (second.help or "")
    with pytest.raises(BlurError) as error:
        evaluation.check_fits(net, task(TaskChoice("digits", name="digits:crop=6", crop=6)))
    assert "`digits:crop=6,resize=8` (in a file `resize: 8`)" in (error.value.diagnostics[0].help or "")
    with pytest.raises(BlurError) as error:
        evaluation.check_fits(net, task(TaskChoice("moons", name="moons:outputs=3", outputs=3)))
    assert "`moons:outputs=10`" in (error.value.diagnostics[1].help or "")
    with pytest.raises(BlurError) as error:
        task(TaskChoice("moons:outputs=10,center,drift=0.1"))
    assert "`{data: moons, outputs: 10, center: true, augment: {drift: 0.1}}`" in str(error.value)


# ---------------------------------------------------------------- many seeds


def test_a_summary_counts_the_diverged_and_averages_the_rest() -> None:
    found = summary(np.asarray([0.5, np.nan, 0.7]))
    assert (found.mean, found.diverged) == (pytest.approx(0.6), 1)
    assert found.spread == pytest.approx(np.std([0.5, 0.7], ddof=1))
    assert found.show(ACCURACY) == "60.0 ± 14.1, 1 of 3 diverged"


@pytest.mark.parametrize(
    ("mean", "spread", "shown"),
    [
        (0.1111, 0.19253, "0.11 ± 0.19"),
        (-4, 8.176e-5, "-4.000 ± 0.000"),
        (0.5, 0, "0.5 ± 0"),
        (1234.5, 234.5, "1234 ± 234"),
        (1.234e-9, 2e-10, "1.234e-09 ± 2e-10"),
        (1.234e9, 2.31e8, "1.234e+09 ± 2.3e+08"),
        (0, 0.021, "0.000 ± 0.021"),
    ],
)
def test_a_mean_has_the_digits_that_its_spread_leaves(mean: float, spread: float, shown: str) -> None:
    assert mean_and_spread(mean, spread, "") == shown


@pytest.mark.parametrize(
    ("values", "shown"), [([np.nan, np.nan], "diverged"), ([0.875], "87.5"), ([0.8, np.nan], "80.0, 1 of 2 diverged")]
)
def test_few_seeds_have_no_spread(values: list[float], shown: str) -> None:
    assert summary(np.asarray(values)).show(ACCURACY) == shown


# ---------------------------------------------------------------- the text of a task


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("moons", TaskChoice("moons")),
        ("mnist:crop=20,resize=10", TaskChoice("mnist", crop=20, resize=10)),
        ("digits:classes=0-2+7,center", TaskChoice("digits", classes=(0, 1, 2, 7), center=True)),
        ("digits:permute_labels,center=no", TaskChoice("digits", augment=Augment(permute_labels=True))),
        ("mnist:scale=-1,shift=1", TaskChoice("mnist", scale=-1, shift=1)),
        ("bandit:observe=done+reward,ways=2", TaskChoice("bandit", observe=("done", "reward"), ways=2)),
        ("gymnax:CartPole-v1", TaskChoice("gymnax:CartPole-v1")),
        ("gymnax:CartPole-v1:act=greedy", TaskChoice("gymnax:CartPole-v1", act="greedy")),
        ("t_maze:delay=9", TaskChoice("t_maze", parameters={"delay": 9})),
        ("adding:length=20", TaskChoice("adding", parameters={"length": 20})),
        ("waves.py:Waves:permute_inputs", TaskChoice("waves.py:Waves", augment=Augment(permute_inputs=True))),
        (
            "waves.py:Waves:length=3,crop=.5,kind=sine,wide,project=2",
            TaskChoice(
                "waves.py:Waves",
                parameters={"length": 3, "crop": 0.5, "kind": "sine", "wide": True},
                augment=Augment(project=2),
            ),
        ),
        ("a.npz:project=8,brightness=.5", TaskChoice("a.npz", augment=Augment(project=8, brightness=0.5))),
    ],
)
def test_the_text_of_a_task(text: str, choice: TaskChoice) -> None:
    assert task_option.parse(text) == replace(choice, name=text)


def test_a_task_may_be_named() -> None:
    assert task_option.parse("mnist:name=small,resize=10").name == "small"


def test_every_field_of_a_task_can_be_written_but_its_weight() -> None:
    for name in task_option.fields("digits"):
        assert task_option.parse(f"digits:{task_option.example(name).split(',')[0]}").data == "digits"
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


@pytest.mark.parametrize(("seeds", "legend"), [(1, "in %, 1 seed"), (2, "in %, mean ± standard deviation of 2 seeds")])
def test_one_seed_has_no_deviation(seeds: int, legend: str) -> None:
    run = command("backprop", "--task", "digits", "--network", DIGITS, "--steps", 1, "--seeds", seeds)
    assert f"accuracy on test examples {legend}\n" in run.stdout


def test_the_help_names_what_a_wide_network_needs() -> None:
    assert "moons:outputs=5" in command("--help").output


def test_a_diverged_genome_is_shown_as_such(net: blurc.Net, tmp_path: Path) -> None:
    path = tmp_path / "wild.yaml"
    genome_files.write(path, genome_files.describe(net, {"eta": np.float32(3e38)}, name="wild"))
    args = ("--task", "digits", "--network", DIGITS, "--set", "hidden=16", "--steps", 2, "--seeds", 2)
    run = command(path, *args, "--json", "-")
    assert run.exit_code == 0
    assert "seed 0 diverged at step 2\n" in run.stderr
    (row,) = json.loads(run.stdout)["rows"]
    assert row["results"] == [{"steps": 2, "mean": None, "spread": None, "diverged": 2, "values": [None, None]}]


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
        (["backprop", "--task", "digits", "--network", "digits"], 2, f"--network {DIGITS}:digits"),
        (["backprop", "--task", "digits", "--network", "mine"], 2, "--network SPEC:mine"),
        (["backprop", "--task", "digits", "--network", "networks/mnist.blur"], 1, "networks/mnist.blur:mnist`"),
        (["backprop", "--task", "digits:corp=3", "--network", DIGITS], 1, "did you mean `crop`?"),
        (["backprop", "--task", "moons", "--network", DIGITS], 1, "E807"),
        ([DIGITS, "--task", "digits", "--network", DIGITS], 1, "is a spec, expected a genome file or the name"),
        ([DIGITS, "--task", "digits", "--network", DIGITS], 1, "write the name of its rule, `backprop`"),
        (["none.yaml", "--task", "digits", "--network", DIGITS], 1, "E601"),
        (["backprob", "--task", "digits", "--network", DIGITS], 1, "did you mean `backprop`?"),
        (["backprop", "--task", "digits", "--network", DIGITS, "--steps", "3,x"], 2, "whole numbers"),
        (["backprop", "--task", "digits", "--network", DIGITS, "-o", "a.gif"], 2, "ending in .svg or .png"),
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


# ---------------------------------------------------------------- few examples


@pytest.mark.parametrize(
    ("rule", "batch", "told"),
    [("blur_bounded", 8, "because it learns from 8 at a time"), ("blur_bounded", 128, ""), ("backprop", 8, "")],
)
def test_a_rule_that_normalises_over_few_examples_is_doubted(
    rule: str, batch: int, told: str, digits: LoadedTask
) -> None:
    found = evaluation.doubt(blurc.compile(DIGITS, genome=rule), digits, batch)
    assert bool(found) == bool(told)
    assert told in found


def test_a_rule_that_reads_rewards_in_a_critic_is_doubted_without_one() -> None:
    text = 'import "rules/actor_critic.blur"\nnetwork b uses actor_critic { input x[1]  output y[10]  x -> y }'
    found = evaluation.doubt(blurc.compile(text), world(TaskChoice("bandit")), 1)
    assert "in `b` no population is of the kind `critic`, so nothing reads `reward`" in found


def test_few_questions_are_doubted() -> None:
    few = replace(task(TaskChoice("digits")).source, x_test=jnp.zeros((20, 64)))
    net = blurc.compile(DIGITS, genome="blur_bounded")
    assert "because it predicts 20 at a time" in evaluation.doubt(net, LoadedTask("few", 10, Augment(), few), 128)


# ---------------------------------------------------------------- targets that are not classes


CURVE = """
import "rules/backprop3.blur"
network curve uses backprop3_mse(rate = 0.01) { input x[1]  hidden h[16]  output y[1] { phi = linear }  x -> h -> y }
network copy uses backprop3_mse(rate = 0.01) { input x[64]  output y[64] { phi = linear }  x -> y }
network classes uses backprop3(rate = 0.1) { input x[64]  output y[10] { phi = linear }  x -> y }
"""


def test_numbers_are_scored_by_squared_errors(tmp_path: Path) -> None:
    (tmp_path / "c.blur").write_text(CURVE)
    where = ("--network", f"{tmp_path / 'c.blur'}:curve", "--task", "sinusoid", "--steps", "1,50", "--seeds", 2)
    run = command(
        "backprop3_mse", *where, "--batch", 16, "--json", tmp_path / "found.json", "-o", tmp_path / "heat.svg"
    )
    assert "mean squared error on test examples, mean ± standard deviation of 2 seeds\n" in run.stdout
    (row,) = json.loads((tmp_path / "found.json").read_text())["rows"]
    assert row["metric"] == "mean squared error"
    assert row["results"][1]["mean"] < row["results"][0]["mean"]


def test_every_task_is_scored_by_its_own_metric_in_one_table(tmp_path: Path) -> None:
    (tmp_path / "c.blur").write_text(CURVE)
    genome = ("backprop3_mse", "--network", f"{tmp_path / 'c.blur'}:copy", "--steps", 20, "--seeds", 1)
    run = command(*genome, "--task", "digits:target=inputs", "--task", "digits:target=inputs,project=64")
    assert "mean squared error on test examples, 1 seed\n" in run.stdout
    refused = command(*genome, "--task", "digits:target=inputs", "--metric", "accuracy")
    assert "E813" in refused.stderr
    mixed = scores.legend(3, [("digits", ACCURACY, ""), ("waves", OBJECTIVES["mse"], "")])
    own = replace(OBJECTIVES["mse"], name="closeness", title="closeness", greater_is_better=True)
    assert scores.legend(1, [("waves", own, "")]) == "closeness on test examples (more is better), 1 seed"
    assert mixed.startswith("accuracy on test examples in % (digits); mean squared error on test examples (waves); ")


def test_a_metric_may_be_chosen(tmp_path: Path) -> None:
    (tmp_path / "c.blur").write_text(CURVE)
    where = ("--network", f"{tmp_path / 'c.blur'}:classes", "--task", "digits", "--steps", 20, "--seeds", 1)
    run = command("backprop3", *where, "--metric", "cross_entropy")
    assert "softmax cross entropy on test examples, 1 seed\n" in run.stdout


@pytest.mark.parametrize("number", ["-1", "999999999999"])
def test_a_number_of_a_task_that_is_out_of_range_is_told_the_range(number: str) -> None:
    with pytest.raises(BlurError, match=f"`crop` must be from 0 to 2147483647, found `{number}`"):
        task_option.parse(f"moons:crop={number}")
