"""What `blurc meta` says: what its numbers are of, and what to do where nothing finite was found."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from blurc import meta
from blurc.cli import cli
from blurc.diagnostics import BlurError, Source
from blurc.meta.experiment import schema
from blurc.meta.run.compiling import compiled
from blurc.meta.run.setup import setup

pytestmark = pytest.mark.usefixtures("compiled_fast")

# Where `blast` is positive, w leaves the finite numbers at the first step.
SPEC = """
genome delta {
  state act, err
  synapse w ~ normal(0.5)
  learn rate = 0.1, blast = -1
  sense    { act <- input }
  forward  { act <- incoming(w * pre.act) }
  feedback { err <- softmax(act) - target }
  update   { w <- w - rate * batch_mean(pre.act * post.err) + exp(1000 * blast) }
  readout act
}
network tiny uses delta { input x[2]  output class[2]  x -> class }
"""
EXPERIMENT = """
name: tiny
spec: tiny.blur
tasks: [moons]
inner: {steps: 2, batch: 4, query: 4}
method: {steps: 2}
evaluation: {steps: [2], seeds: 1, batch: 4}
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.blur").write_text(SPEC)
    Path("e.yaml").write_text(EXPERIMENT)


def command(*args: object) -> Result:
    return CliRunner().invoke(cli, ["meta", *map(str, args)])


# ---------------------------------------------------------------- what came out


def test_the_last_line_says_what_its_number_is_of() -> None:
    done = command("e.yaml")
    assert done.exit_code == 0
    found = json.loads(Path("runs/tiny/result.json").read_text())["value"]
    what = f"cross entropy of the genome {found:.4g}, the mean of 16 episodes not used in the search"
    assert done.stdout.endswith(f"runs/tiny: genome.yaml, report.html; {what}\n")


def test_without_matplotlib_a_search_has_no_report_and_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("blurc.guards.packages.find_spec", lambda name: None)
        done = command("e.yaml")
    assert done.exit_code == 0
    assert "pip install 'blurc[pictures]', then blurc report runs/tiny\n" in done.stdout
    assert "\nruns/tiny: genome.yaml; cross entropy" in done.stdout
    assert not Path("runs/tiny/report.html").exists()
    assert CliRunner().invoke(cli, ["report", "runs/tiny"]).output == "runs/tiny/report.html\n"


@pytest.mark.usefixtures("no_report")
def test_the_last_line_says_that_the_worst_task_counts() -> None:
    done = command("e.yaml", "--set", "over_tasks=worst")
    assert "on its worst task in 16 episodes not used in the search\n" in done.stdout


def test_a_log_tells_what_takes_long_before_it_begins() -> None:
    told = command("e.yaml").stdout.split("\n")
    first = next(i for i, text in enumerate(told) if text.split()[:1] == ["1"])
    assert any(text.startswith("compiling") for text in told[:first])
    assert told.index("the report") < told.index("accuracy on test examples in %, 1 seed")


@pytest.mark.usefixtures("no_report")
def test_the_start_is_told_beside_the_result() -> None:
    done = command("e.yaml")
    start = json.loads(Path("runs/tiny/result.json").read_text())["start"]
    assert f"\nthe start: {start:.4g} on the same episodes\n" in done.stdout
    done = command("e.yaml", "-o", "leaping", "--set", "method.rate=1000")
    assert "no genome was better than the start, which is what genome.yaml holds\n" in done.stdout


@pytest.mark.usefixtures("no_report")
def test_accuracies_are_told_as_each_evaluation_ends() -> None:
    done = command("e.yaml", "--set", "evaluation.steps=[2, 4]")
    row = json.loads(Path("runs/tiny/evaluation.json").read_text())["rows"][0]
    first, second = (f"{100 * r['mean']:.1f}" for r in row["results"])
    assert f"moons in tiny\n  {first} after 2 steps, {second} after 4\n" in done.stdout


@pytest.mark.usefixtures("no_report")
def test_a_race_shows_the_optimizers_too() -> None:
    Path("e.yaml").write_text(EXPERIMENT.replace("seeds: 1,", "seeds: 1, race: true,"))
    done = command("e.yaml")
    assert done.exit_code == 0, done.output
    table = done.stdout.split("2 steps\n")[-1]
    rows = re.findall(r"^ +(\w+) +moons +tiny +(\S+)", table, re.MULTILINE)
    assert [name for name, _ in rows] == ["tiny", "strongest", "SGD", "Adam", "Lion", "Muon"]
    (race,) = json.loads(Path("runs/tiny/evaluation.json").read_text())["races"]
    means = [learner["results"][0]["mean"] for learner in race["learners"]]
    assert [shown for _, shown in rows[1:]] == [f"{100 * mean:.1f}" for mean in means]
    assert "accuracy on test examples in %, 1 seed\n" in done.stdout


@pytest.mark.usefixtures("no_report")
def test_going_on_tells_what_is_otherwise_than_it_began() -> None:
    command("e.yaml", "--set", "method.steps=1")
    done = command("e.yaml", "--resume")
    assert done.exit_code == 0, done.output
    assert done.stderr == "changed from `runs/tiny/experiment.yaml`: method.steps: 1 there, 2 now\n"
    assert command("e.yaml", "--resume").stderr == ""


@pytest.fixture
def exploded(no_report: None) -> Result:
    Path("tiny.blur").write_text(SPEC.replace("blast = -1", "blast = 1"))
    return command("e.yaml", "--json", "r.json")


def test_a_run_without_a_finite_genome_ends_as_an_error(exploded: Result) -> None:
    assert exploded.exit_code == 1
    assert "error[E905]: no finite genome was found" in exploded.stderr
    assert "try smaller steps (`--set method.rate=5e-05`)" in exploded.stderr
    assert "report.html" not in exploded.output
    assert json.loads(Path("r.json").read_text())["value"] is None


def test_its_note_shows_where_to_look(exploded: Result) -> None:
    (args,) = re.findall(
        r"2 of 2 candidates diverged; to see where the first one did: blurc meta (.*)", exploded.stderr
    )
    done = command(*args.split())
    assert done.exit_code == 0
    assert "`w` of `x->class` in update is not finite" in done.stdout
    assert "help: bound values in the rule" in done.stdout
    assert "--set" not in done.stdout


# ---------------------------------------------------------------- what is not an experiment


def test_a_spec_is_answered_with_an_experiment_that_works() -> None:
    done = command("networks/digits.blur")
    assert (done.exit_code, "error[E605]" in done.stderr) == (1, True)
    text = "\n".join(done.stderr.splitlines()[2:])  # indented alike, as it can be copied
    experiment = schema.parse(Source("mine.yaml", text))
    assert experiment.network.spec == "networks/digits.blur"
    assert setup(experiment).net.plan.metas


def test_a_spec_that_is_not_there_is_not_there() -> None:
    assert "error[E601]" in command("networks/none.blur").stderr


@pytest.mark.parametrize(
    ("changed", "help"),
    [
        ("spec: networks/mnist.blur", "choose one: `network: mnist`"),
        ("spec: none.blur", "or choose one: `rule: GENOME`"),
        ("spec: tiny.blur\nparameters: {rule: 3}", "choose a rule with the key `rule`"),
    ],
)
def test_help_is_in_the_words_of_experiments(changed: str, help: str) -> None:
    Path("none.blur").write_text(SPEC.replace(" uses delta", ""))
    Path("e.yaml").write_text(EXPERIMENT.replace("spec: tiny.blur", changed))
    with pytest.raises(BlurError) as caught:
        compiled(schema.read("e.yaml").network)
    (found,) = caught.value.diagnostics
    assert help in (found.help or "")
    assert "--" not in (found.help or "")


def test_the_module_lists_what_it_offers() -> None:
    assert dir(meta) == sorted(meta.__all__)
