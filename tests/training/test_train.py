"""Training: the loop, the baselines, the curves, and divergence."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest
from click.testing import CliRunner, Result

import blurc
from blurc import tasks
from blurc.cli import cli
from blurc.diagnostics import BlurError
from blurc.plan import plan_of
from blurc.spec import select
from blurc.training import (
    LeftOut,
    Point,
    Run,
    Settings,
    baselines,
    curve,
    diverge,
    fitted,
    learner,
    relu_network,
    train,
)
from blurc.training.recompile import recompile
from blurc.training.rules import keys
from blurc.training.scores import score

XOR = "networks/xor.blur"


class Silent:
    """Records what it is told."""

    def __init__(self) -> None:
        self.begun: dict[str, int] = {}
        self.steps = 0
        self.points: list[Point] = []

    def begin(self, name: str, steps: int) -> None:
        self.begun[name] = steps

    def advance(self, steps: int) -> None:
        self.steps += steps

    def point(self, name: str, point: Point) -> None:
        self.points.append(point)


def command(*args: object) -> Result:
    return CliRunner().invoke(cli, ["train", *map(str, args)])


@pytest.fixture(scope="module")
def xor() -> tasks.Dataset:
    return tasks.load("xor")


@pytest.fixture(scope="module")
def net() -> blurc.Net:
    return blurc.compile(XOR, hidden=6)


@pytest.fixture(scope="module")
def trained(net: blurc.Net, xor: tasks.Dataset) -> tuple[Run, Silent]:
    watch = Silent()
    return train(net, None, xor, Settings(130, 16, 3), watch, "backprop"), watch


# ---------------------------------------------------------------- the loop


def test_training_is_that_of_one_scan(net: blurc.Net, xor: tasks.Dataset, trained: tuple[Run, Silent]) -> None:
    genome_key, key = keys(3)
    genome = net.init_genome(genome_key)
    state, _ = net.train(genome, net.init(key, genome), *tasks.batches(xor, 16, 130, 3))
    got = trained[0].carry[1]
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(state), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_it_learns(trained: tuple[Run, Silent]) -> None:
    assert trained[0].test > 0.95
    assert trained[0].points[-1].score == trained[0].test


def test_the_curve_starts_before_and_ends_after_all_steps(trained: tuple[Run, Silent]) -> None:
    steps = [point.step for point in trained[0].points]
    assert (steps[0], steps[-1]) == (0, 130)
    assert 10 <= len(steps) <= learner.EVALUATIONS + 1
    assert trained[1].steps == 130
    assert trained[1].points == list(trained[0].points)


def test_chunks_stay_small_however_long_the_training(xor: tasks.Dataset) -> None:
    wide = replace(xor, x_train=np.zeros((512, 10_000), np.float32))
    chunk, chunks = Settings(1_000_000, 128, 0).rhythm(wide)
    assert chunk * 128 * 10_002 * 4 <= learner.CHUNK_BYTES
    assert chunk * chunks >= 1_000_000 / learner.EVALUATIONS


def test_scores_in_slices_count_every_example_once() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((9001, 3)).astype(np.float32)
    y = np.eye(3, dtype=np.float32)[rng.integers(0, 3, 9001)]
    assert score(lambda part, first: part, tasks.Side(x, y), tasks.ACCURACY) == (x.argmax(1) == y.argmax(1)).mean()
    mse = score(lambda part, first: part, tasks.Side(x, y), tasks.OBJECTIVES["mse"])
    assert mse == pytest.approx(((x - y) ** 2).mean())


def test_outputs_that_are_not_finite_score_as_nothing() -> None:
    x = np.full((4, 3), np.nan, np.float32)
    side = tasks.Side(x, np.eye(4, 3, dtype=np.float32))
    assert np.isnan(score(lambda part, first: part, side, tasks.ACCURACY))


# ---------------------------------------------------------------- baselines


@pytest.fixture(scope="module")
def wired() -> blurc.Net:
    """With a fixed projection, one that carries feedback only, and a rule that is not backprop."""
    return blurc.compile(
        'import "rules/blur.blur"\nnetwork n uses blur { input x[2] hidden h[8] output y[2] { phi = linear } '
        "x -> h [fixed] h -> y x -> y [backward] }"
    )


def test_a_fixed_projection_stays_as_it_is(wired: blurc.Net, xor: tasks.Dataset) -> None:
    runs = list(baselines(relu_network(wired), xor, Settings(20, 16, 0), Silent()))
    assert [run.name for run in runs] == ["SGD", "Adam"]
    for run in runs:
        variables = run.carry["variables"]
        assert list(variables.fixed) == ["x->h"]
        assert "x->h" not in variables.learned["weights"]


def test_the_rate_is_the_best_on_held_out_examples(net: blurc.Net, xor: tasks.Dataset) -> None:
    watch = Silent()
    run = next(baselines(relu_network(net), xor, Settings(60, 16, 0), watch))
    assert run.rate is not None
    assert run.rates[run.rate] == max(run.rates.values())
    assert watch.begun == {"SGD": 60 * (len(run.rates) + 1)}
    assert watch.steps == watch.begun["SGD"]


def test_adam_learns_numbers_and_in_small_batches_too(net: blurc.Net) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (200, 2)).astype(np.float32)
    y = np.abs(x)
    data = tasks.Dataset("abs", x[:160], y[:160], x[160:], y[160:], None, "", "")
    _, adam = baselines(relu_network(net), data, Settings(300, 4, 0), Silent())
    start, *_, end = adam.points
    assert np.isfinite(start.score)
    assert end.score < start.score / 3


PARTS = """\
import "rules/backprop.blur"
block wide(n = 2) { input x[n]  hidden h[2 * n]  output y[n]  x -> h  h -> y }
network blocks uses backprop { input x[2]  b = wide(x = x)  output y[2]  b.y -> y }
network edges uses backprop { input x[2]  hidden h[3]  output y[2]  x -> h [edges("e/mine.csv")]  h -> y }
"""


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spec with blocks, and with edges in a file beside it."""
    folder = tmp_path_factory.mktemp("parts")
    (folder / "e").mkdir()
    (folder / "e" / "mine.csv").write_text("0,0\n0,1\n1,2\n")
    (folder / "parts.blur").write_text(PARTS)
    return folder / "parts.blur"


@pytest.mark.parametrize("network", ["blocks", "edges"])
def test_networks_of_parts_have_baselines_from_spec_and_artifact(
    parts: Path, tmp_path: Path, network: str, xor: tasks.Dataset
) -> None:
    net = blurc.compile(parts, network=network)
    net.save(tmp_path / "n.blurx", platforms=("cpu",))
    made = relu_network(net)
    assert relu_network(blurc.load(tmp_path / "n.blurx")) == made
    runs = list(baselines(made, xor, Settings(2, 8, 0), Silent()))
    assert [np.isfinite(run.test) for run in runs] == [True, True]


def test_an_artifact_needs_no_edge_file_on_disk(parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(parts.parent)
    net = blurc.compile(parts.name, network="edges")  # stored as e/mine.csv, not as mine.csv
    net.save(tmp_path / "n.blurx", platforms=("cpu",))
    monkeypatch.chdir(tmp_path)
    assert recompile(blurc.load(tmp_path / "n.blurx")).plan == net.plan


def test_an_artifact_is_recompiled_with_its_own_network_whatever_the_file_of_its_rule_calls_so(tmp_path: Path) -> None:
    """A genome file names the spec that its rule is taken from."""
    own = tmp_path / "own.blur"
    rule = "genome mine { state a  synapse w ~ ones  learn m = 1  sense { a <- input } forward { a <- m * incoming(w) }"
    own.write_text(f"{rule} readout a }} network n uses mine {{ input x[2]  output y[2]  x -> y }}")
    spec = 'import "rules/backprop.blur"  network n uses backprop { input x[5]  output y[3]  x -> y }'
    model, sources, _ = select(spec, genome="mine", elsewhere=[own])
    net = blurc.Net(plan_of(model), model, sources, [])
    net.save(tmp_path / "n.blurx", platforms=("cpu",))
    assert recompile(blurc.load(tmp_path / "n.blurx")).plan == net.plan


PAST = """
genome past {
  state   a, trace persistent
  synapse w ~ normal(1)
  sense   { a <- input }
  forward { a <- incoming(w * pre.a);  trace <- 0.5 * trace + a }
  update  { w <- w + 0.01 * batch_mean(pre.a * post.trace) }
  readout a
}
genome noisy {
  state   a
  synapse w ~ normal(1)
  sense   { a <- input }
  forward { a <- incoming(w * pre.a) + noise(1) }
  update  { w <- w + 0.01 * batch_mean(pre.a * post.a) }
  readout a
}
genome told {
  state   a
  signal  reward
  synapse w ~ normal(1)
  sense   { a <- input }
  forward { a <- incoming(w * pre.a) }
  update  { w <- w + reward * batch_mean(pre.a * post.a) }
  readout a
}
"""
PLAIN, FIXED = "input x[2] output y[2] x -> y", "input x[2] output y[2] { bias = off } x -> y [fixed]"
DELAYED = 'import "rules/backprop.blur" network n uses backprop { input x[2] output y[2] x -> y y -> y [delay = 1] }'
WITHOUT = {
    "delayed projections": DELAYED,
    "keeps neuron states": PAST + f"network n uses past {{ {PLAIN} }}",
    "predicts with noise": PAST + f"network n uses noisy {{ {PLAIN} }}",
    "reads the signal `reward`": PAST + f"network n uses told {{ {PLAIN} }}",
    "no projection of `n` learns": f'import "rules/backprop.blur" network n uses backprop {{ {FIXED} }}',
}


@pytest.mark.parametrize("why", WITHOUT)
def test_why_there_are_no_baselines(why: str, tmp_path: Path) -> None:
    net = blurc.compile(WITHOUT[why])
    net.save(tmp_path / "n.blurx", platforms=("cpu",))
    for made in (net, blurc.load(tmp_path / "n.blurx")):
        with pytest.raises(LeftOut, match=why):
            relu_network(made)


@pytest.mark.parametrize("why", ["delayed projections", "keeps neuron states"])
def test_the_command_goes_on_without_baselines(why: str, tmp_path: Path) -> None:
    path = tmp_path / "n.blur"
    path.write_text(WITHOUT[why])
    done = command(path, "--data", "xor", "--steps", 3, "--json", tmp_path / "r.json")
    assert done.exit_code == 0, done.output
    assert "SGD and Adam are left out: " in done.stdout
    assert why in done.stdout
    assert len(json.loads((tmp_path / "r.json").read_text())["runs"]) == 1


# ---------------------------------------------------------------- data


def test_data_that_does_not_fit_names_both_shapes(net: blurc.Net) -> None:
    with pytest.raises(BlurError) as caught:
        fitted(tasks.load("digits"), net.signature)
    first, second = (d.render() for d in caught.value.diagnostics)
    assert "the examples of digits have shape [8, 8], but the input `x` of `xor` has shape [2]" in first
    assert "the targets of digits have shape [10], but the output `class` of `xor` has shape [2]" in second
    assert "`--data xor`" in first


def test_labels_saved_as_floats_are_recognized(net: blurc.Net, tmp_path: Path) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (60, 2)).astype(np.float32)
    np.savez(tmp_path / "mine.npz", x=x, y=(x[:, 0] > 0).astype(np.float32))
    with pytest.raises(BlurError, match="save classes as integers"):
        fitted(tasks.load(str(tmp_path / "mine.npz")), net.signature)


def test_the_shape_to_declare_is_told(net: blurc.Net) -> None:
    with pytest.raises(BlurError, match=r"declare `x\[8, 8\]`, or \[64\]"):
        fitted(tasks.load("digits"), net.signature)


def test_data_of_the_same_size_and_another_shape_fits() -> None:
    flat = blurc.compile('import "rules/backprop.blur"\nnetwork n uses backprop { input x[64] output y[10] x -> y }')
    assert fitted(tasks.load("digits"), flat.signature).x_train.shape == (1437, 64)


def test_several_inputs_are_refused() -> None:
    text = "network n uses backprop { input a[2] input b[2] output y[2] a -> y b -> y }"
    two = blurc.compile(f'import "rules/backprop.blur"\n{text}')
    with pytest.raises(BlurError, match=r"E807.*2 input populations"):
        fitted(tasks.load("xor"), two.signature)


# ---------------------------------------------------------------- divergence

EXPLODING = """\
genome exploding {
  state a, e
  synapse w ~ ones

  sense    { a <- input }
  forward  { a <- incoming(w * pre.a) }
  feedback { e <- a - target }
  update   { w <- w + 1e30 * batch_mean(pre.a * post.e) }
  readout  a
}
genome logarithm {
  state a[2]
  synapse w ~ ones

  sense    { a[0] <- input }
  forward  {
    a[0] <- incoming(w * pre.a[0])
    a[1] <- log(a[0] - a[0])
  }
  update   { w <- w + batch_mean(pre.a[0] * post.a[1]) }
  readout  a[0]
}
genome unreadable {
  state a
  synapse w ~ ones

  sense   { a <- input }
  forward { a <- incoming(w * pre.a) }
  update  { w <- w + batch_mean(0 * pre.a * post.a) }
  readout 1 / (a - a)
}
network n uses exploding { input x[2] hidden h[3] output y[2] x -> h h -> y }
"""


def found(rule: str, steps: int = 8) -> diverge.Divergence:
    net = blurc.compile(EXPLODING, genome=rule)
    genome = net.init_genome(jax.random.key(0))
    batches = tasks.Batches(*tasks.batches(tasks.load("xor"), 4, steps, 0))
    result = diverge.find(net, genome, net.init(jax.random.key(1), genome), batches, done=100)
    assert result is not None
    return result


def test_a_state_is_found_with_its_phase_population_and_line() -> None:
    what = found("logarithm")
    assert (what.step, what.phase, what.of, what.name) == (101, "forward", "h", "a")
    assert what.span is not None
    assert what.span.text == "a[1] <- log(a[0] - a[0])"


def test_synapses_are_found_with_their_projection_and_line() -> None:
    what = found("exploding")
    assert what.phase in ("forward", "feedback", "update")
    assert 101 <= what.step <= 103
    assert what.span is not None
    assert what.largest > 1e29


def test_a_readout_is_found() -> None:
    what = found("unreadable")
    assert (what.step, what.of, what.name) == (101, "y", "readout")
    assert what.span is not None
    assert what.span.text == "1 / (a - a)"


def test_a_start_that_is_not_finite_is_found() -> None:
    text = EXPLODING.replace("synapse w ~ ones", "synapse w ~ normal(1 / (fan_in - fan_in))")
    net = blurc.compile(text, genome="exploding")
    genome = net.init_genome(jax.random.key(0))
    batches = tasks.Batches(*tasks.batches(tasks.load("xor"), 4, 1, 0))
    what = diverge.find(net, genome, net.init(jax.random.key(1), genome), batches)
    assert what is not None
    assert (what.step, what.of, what.name) == (0, "x->h", "w")


def test_what_stays_finite_is_no_divergence(net: blurc.Net, xor: tasks.Dataset) -> None:
    genome = net.init_genome(jax.random.key(0))
    batches = tasks.Batches(*tasks.batches(xor, 4, 3, 0))
    assert diverge.find(net, genome, net.init(jax.random.key(1), genome), batches) is None


def test_a_projection_without_synapses_has_no_largest() -> None:
    wiring = "input x[2] hidden h[3] output y[2] x -> h h -> y x -> y [sparse(p = 0.0001, seed = 1)]"
    net = blurc.compile(EXPLODING[: EXPLODING.index("network")] + f"network n uses exploding {{ {wiring} }}")
    genome = net.init_genome(jax.random.key(0))
    state = net.init(jax.random.key(1), genome)
    assert 0 in state.synapses["x->y"]["w"].shape
    what = diverge.find(net, genome, state, tasks.Batches(*tasks.batches(tasks.load("xor"), 4, 8, 0)))
    assert what is not None
    assert what.where in ("x->h", "h->y", "unit->h", "unit->y")


def test_divergence_ends_at_a_line_of_the_spec(tmp_path: Path) -> None:
    path = tmp_path / "bad.blur"
    path.write_text(EXPLODING)
    done = command(path, "--rule", "logarithm", "--data", "xor", "--steps", 40, "--json", tmp_path / "r.json")
    assert done.exit_code == 1
    assert done.stderr.startswith(f"{path}:18:5: error[E905]: training diverged at step 1: ")
    result = json.loads((tmp_path / "r.json").read_text())
    assert [run["test"] for run in result["runs"]] == [None]
    assert result["diagnostics"][0]["line"] == 18


# ---------------------------------------------------------------- the command


def test_a_rule_without_a_teacher_is_told() -> None:
    told = "this rule never reads `target`: it learns without a teacher"
    options = ("--data", "xor", "--steps", 2, "--no-baselines")
    assert told in command(XOR, "--rule", "hebb", *options).stdout
    assert told not in command(XOR, *options).stdout


def test_a_task_is_told_from_a_data_set() -> None:
    done = command(XOR, "--data", "moons")
    assert done.exit_code == 1
    assert "`moons` is a task, not a data set" in done.stderr
    assert "write `--task moons`" in done.stderr
    assert "write `--task maze`" in command(XOR, "--data", "maze").stderr
    assert "did you mean `xor`" in command(XOR, "--data", "xro").stderr


def test_a_network_is_named_behind_its_spec() -> None:
    done = command("networks/mnist.blur:mnist_small", "--data", "xor")
    assert "E807" in done.stderr
    assert "several networks" not in done.stderr


def test_labels_are_answered_with_how_to_make_targets_of_them() -> None:
    net = blurc.compile(XOR)
    genome = net.init_genome(jax.random.key(0))
    state = net.init(jax.random.key(1), genome)
    with pytest.raises(BlurError, match=r"E901(.|\n)*`jax.nn.one_hot\(y, 2\)`"):
        net.step(genome, state, np.zeros((4, 2)), np.array([0, 1, 1, 0]))


def test_the_command_ends_with_the_table_of_all_three(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("c.svg", "c.png", "c.jsonl")]
    curves = [part for path in files for part in ("--curve", path)]
    saved = tmp_path / "w.npz"
    done = command(XOR, "--data", "xor", "--steps", 60, *curves, "--save", saved, "--json", tmp_path / "r.json")
    assert done.exit_code == 0, done.output
    rows = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ") and "%" in line]
    assert rows[-3:] == ["backprop", "SGD", "Adam"]
    result = json.loads((tmp_path / "r.json").read_text())
    assert [run["name"] for run in result["runs"]] == ["backprop", "SGD", "Adam"]
    assert result["runs"][0]["curve"][-1]["test"] == result["runs"][0]["test"]
    assert files[0].read_bytes().startswith(b"<?xml")
    assert files[1].read_bytes().startswith(b"\x89PNG")
    lines = [json.loads(line) for line in files[2].read_text().splitlines()]
    assert lines[0].keys() == {"run", "step", "test accuracy", "seconds"}
    with np.load(saved) as arrays:
        assert arrays["x->h/w"].shape == (2, 8)


def test_json_on_stdout_is_nothing_but_json() -> None:
    done = command(XOR, "--data", "xor", "--steps", 4, "--no-baselines", "--json", "-")
    assert json.loads(done.stdout)["steps"] == 4
    assert "test accuracy" in done.stderr


def test_targets_that_are_no_classes_are_scored_by_squared_error(tmp_path: Path) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (60, 2)).astype(np.float32)
    mixing = np.array([[1, 0.5], [0, 1]], np.float32)
    np.savez(tmp_path / "mine.npz", x=x, y=x @ mixing)
    wiring = "input x[2]  output y[2] { phi = linear }  x -> y"
    text = f'import "rules/backprop3.blur"\nnetwork n uses backprop3_mse(rate = 0.1) {{ {wiring} }}'
    (tmp_path / "n.blur").write_text(text)
    options = ("--steps", 100, "--batch", 8, "--no-baselines", "--json", "-")
    done = command(tmp_path / "n.blur", "--data", tmp_path / "mine.npz", *options)
    result = json.loads(done.stdout)
    assert result["metric"] == "mean squared error"
    assert result["runs"][0]["test"] < 0.01


def test_a_softmax_rule_on_numbers_is_told_which_rule_learns_them(tmp_path: Path) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (60, 2)).astype(np.float32)
    np.savez(tmp_path / "mine.npz", x=x, y=x)
    options = ("--data", tmp_path / "mine.npz", "--steps", 1, "--batch", 8, "--no-baselines")
    hint = "`--rule backprop3_mse`"
    told = command(XOR, *options).stdout
    assert 0 < told.find(hint) < told.find("seconds: training only")
    assert hint not in command(XOR, *options, "--rule", "backprop3_mse").stdout


def test_a_fresh_random_genome_is_said_to_be_one() -> None:
    options = ("--data", "xor", "--steps", 1, "--no-baselines")
    hint = "meta-parameters are random"
    assert hint in command(XOR, *options, "--rule", "blur").stdout
    assert hint not in command(XOR, *options).stdout


def test_one_step_is_no_plural() -> None:
    assert "backprop: 1 step\n" in command(XOR, "--data", "xor", "--steps", 1, "--no-baselines").stdout


def test_an_artifact_trains_like_its_spec(tmp_path: Path) -> None:
    options = ("--data", "xor", "--steps", 40, "--no-baselines", "--json", "-")
    path = tmp_path / "x.blurx"
    blurc.compile(XOR).save(path, platforms=("cpu",))
    compiled, loaded = (json.loads(command(what, *options).stdout)["runs"][0]["test"] for what in (XOR, path))
    assert loaded == pytest.approx(compiled, abs=0.01)


def test_an_artifact_brings_the_network_of_its_baselines(tmp_path: Path) -> None:
    path = tmp_path / "x.blurx"
    blurc.compile(XOR, hidden=5).save(path, platforms=("cpu",))
    assert relu_network(blurc.load(path)) == relu_network(blurc.compile(XOR, hidden=5))


def test_an_artifact_trains_where_the_compiler_is_not(tmp_path: Path) -> None:
    path = tmp_path / "x.blurx"
    blurc.compile(XOR).save(path, platforms=("cpu",))
    program = (
        "import sys; sys.modules.update(lark=None, networkx=None); from blurc.cli import main\n"
        f"sys.argv = ['blurc', 'train', {str(path)!r}, '--data', 'xor', '--steps', '4']; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "SGD and Adam are left out" in done.stdout


def test_settings_of_an_artifact_are_wrong_usage(tmp_path: Path) -> None:
    assert command(tmp_path / "x.blurx", "--set", "hidden=3").exit_code == 2


@pytest.mark.parametrize(
    ("options", "status", "part"),
    [
        (("--data", "xorr"), 1, "did you mean `xor`?"),
        (("--data", "xor", "--batch", "100000"), 1, "error[E806]"),
        (("--data", "xor", "--curve", "no/where.png"), 1, "error[E907]"),
        (("--data", "xor", "--curve", "curve.gif"), 2, ".jsonl"),
        (("--data", "xor", "--save", "synapses.zip"), 2, ".npz"),
        (("--steps", "0"), 2, "--steps"),
        (("--seed", "-1"), 2, "--seed"),
    ],
)
def test_wrong_options(options: tuple[str, ...], status: int, part: str) -> None:
    done = command(XOR, *options)
    assert done.exit_code == status
    assert part in done.stderr


def test_a_broken_artifact_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.blurx"
    path.write_bytes(b"PK\x03\x04 nothing")
    done = command(path, "--data", "xor")
    assert done.exit_code == 1
    assert "error[E7" in done.stderr


# ---------------------------------------------------------------- persistent states

PERSISTENT = """\
genome remembering {
  state a
  state old persistent
  synapse w ~ normal(1)

  sense   { a <- input }
  forward { a <- tanh(incoming(w * pre.a) + 0.1 * old);  old <- a }
  update  { w <- w + 0.01 * batch_mean(pre.a * post.a) }
  readout a
}
network n uses remembering { input x[2] output y[2] x -> y }
"""


def test_persistent_states_are_kept_for_each_example_of_the_batch(xor: tasks.Dataset) -> None:
    net = blurc.compile(PERSISTENT)
    run = train(net, None, xor, Settings(8, 16, 0), Silent(), "remembering")
    assert run.carry[1].neurons["y"]["old"].shape == (16, 2)
    assert np.isfinite(run.test)


# ---------------------------------------------------------------- curves


def test_the_same_runs_give_the_same_picture() -> None:
    run = Run("SGD", None, (Point(0, 0.1, 0.0), Point(10, 0.9, 0.5)), 0.9, 0.9, 0.5, 0.1, rate=0.3)
    assert curve.render([run], tasks.ACCURACY, "title", "svg") == curve.render([run], tasks.ACCURACY, "title", "svg")


def test_a_curve_as_json_lines() -> None:
    run = Run("SGD", None, (Point(0, 0.1, 0.0), Point(10, float("nan"), 0.5)), 0.9, 0.9, 0.5, 0.1)
    lines = [
        json.loads(line)
        for line in curve.render([run], tasks.OBJECTIVES["mse"], "title", "jsonl").decode().splitlines()
    ]
    assert lines == [
        {"run": "SGD", "step": 0, "test mean squared error": 0.1, "seconds": 0.0},
        {"run": "SGD", "step": 10, "test mean squared error": None, "seconds": 0.5},
    ]


# ---------------------------------------------------------------- targets that are not classes


SIGMOID = """
genome logistic {
  state act, err
  synapse w ~ normal(1 / sqrt(fan_in))
  learn eta = 1.0
  sense    { act <- input }
  forward  { act <- sigmoid(incoming(w * pre.act)) }
  feedback { err <- act - target }
  update   { w <- w - eta * batch_mean(pre.act * post.err) }
  readout act
}
network n uses logistic { input x[4]  output y[3]  x -> y }
"""


def test_labels_of_any_number_are_learned_and_the_optimizers_get_their_loss(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(400, 4)).astype(np.float32)
    y = x @ np.random.default_rng(1).normal(size=(4, 3)) > 0
    np.savez(tmp_path / "labels.npz", x=x, y=y.astype(np.float32))
    (tmp_path / "n.blur").write_text(SIGMOID)
    data = ("--data", tmp_path / "labels.npz", "--steps", 300, "--batch", 16)
    done = command(tmp_path / "n.blur", *data, "--json", tmp_path / "out.json")
    result = json.loads((tmp_path / "out.json").read_text())
    assert result["metric"] == "binary accuracy"
    assert [run["name"] for run in result["runs"]] == ["logistic", "SGD", "Adam"]
    assert all(run["test"] > 0.93 for run in result["runs"]), result["runs"]
    assert "test binary accuracy" in done.stdout


def test_a_network_may_learn_its_inputs_and_be_measured_as_one_likes(tmp_path: Path) -> None:
    wiring = "input x[64]  output y[64] { phi = linear }  x -> y"
    text = f'import "rules/backprop3.blur"\nnetwork n uses backprop3_mse(rate = 0.05) {{ {wiring} }}'
    (tmp_path / "n.blur").write_text(text)
    options = ("--data", "digits", "--target", "inputs", "--metric", "r2", "--steps", 300, "--no-baselines")
    done = command(tmp_path / "n.blur", *options, "--json", tmp_path / "out.json")
    result = json.loads((tmp_path / "out.json").read_text())
    assert result["metric"] == "R²"
    assert 0.8 < result["runs"][0]["test"] < 1
    assert "test R²" in done.stdout


def test_a_metric_that_does_not_suit_the_targets_is_refused(net: blurc.Net, tmp_path: Path) -> None:
    done = command(XOR, "--data", "xor", "--metric", "binary_accuracy", "--steps", 4)
    assert done.exit_code == 1
    assert "E813" in done.stderr


def test_gradients_through_time_are_not_cut_where_there_is_no_time() -> None:
    told = "--truncate is for sequences, and the examples of xor are not sequences"
    assert told in command(XOR, "--data", "xor", "--truncate", 3).stderr
