"""`blurc meta` and `meta.run` as users call them."""

from __future__ import annotations

import inspect
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tiny import EXPERIMENT, MADE, METHODS, Stopping, lines

from blurc import genome as genome_files
from blurc import meta
from blurc.cli import cli
from blurc.meta import internals
from blurc.meta.experiment import schema
from blurc.meta.experiment.experiment import Experiment

pytestmark = pytest.mark.usefixtures("compiled_fast")


def command(*args: object) -> Result:
    return CliRunner().invoke(cli, ["meta", *map(str, args)])


@pytest.fixture
def file(shared: None) -> Path:
    path = Path("e.yaml")
    path.write_text(f"{EXPERIMENT}method: {METHODS['gradient']}\n")
    return path


def test_the_command_learns_evaluates_and_reports(file: Path) -> None:
    done = command(file, "--set", "method.steps=2", "--json", "-", "--log", "tensorboard")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [p.name.split(".")[0] for p in Path("runs/tiny/tensorboard").iterdir()] == ["events"]
    assert len(lines("runs/tiny")) == 2
    assert (found["experiment"], found["folder"], found["objective"]) == ("tiny", "runs/tiny", "cross_entropy")
    assert [row["task"] for row in found["rows"]] == ["center_circle", "moons"]
    assert {p.name for p in Path("runs/tiny").iterdir()} >= {*MADE, "report.html", "evaluation.json", "versions.json"}
    assert command(file, "--set", "method.steps=2").exit_code == 1
    assert command(file, "--set", "method.steps=2", "--replay", 0).exit_code == 1


@pytest.mark.parametrize(
    ("options", "status", "told"),
    [
        (["--set", "method.clp=2"], 1, "did you mean `clip`?"),
        (["--set", "sed=2"], 1, "did you mean `seed`?"),
        (["--set", "method.steps"], 2, "write KEY=VALUE"),
        (["--set", "seed=1", "--set", "seed=2"], 2, "seed is set twice"),
        (["--resume", "--replay", "0"], 2, "use one or the other"),
        (["--resume"], 1, "error[E615]"),
        (["--replay", "0"], 1, "error[E615]"),
        (["--log", "paper"], 2, "'paper' is not one of 'tensorboard', 'wandb'"),
        (["--replay", "-1"], 2, "-1 is not in the range"),
        (["-o", "e.yaml"], 1, "error[E618]"),
    ],
    ids=str,
)
def test_the_command_refuses(options: list[str], status: int, told: str, file: Path) -> None:
    done = command(file, *options)
    assert (done.exit_code, told in done.output) == (status, True), done.output
    assert not Path("runs").exists()


def test_the_command_without_a_file() -> None:
    done = command("none.yaml")
    assert (done.exit_code, "error[E601]" in done.output) == (1, True)


def test_a_rule_that_normalises_over_few_examples_is_doubted_beforehand(file: Path) -> None:
    assert internals.check(schema.read(file)) == []
    spec = Path("tiny.blur")
    spec.write_text(
        spec.read_text().replace("act <- incoming(w * pre.act)", "act <- standardize(incoming(w * pre.act))")
    )
    (doubt,) = internals.check(schema.read(file))
    assert "normalises over the batch, and does worse because it learns from 4 at a time and predicts 8 at" in doubt


def test_the_command_replays(exploding: Experiment, file: Path) -> None:
    file.write_text(file.read_text().replace("steps: 11, rate: 0.01}\nreplicas: 2", "steps: 1}\nreplicas: 4\nseed: 3"))
    meta.run(schema.read(file), "runs/tiny")
    done = command(file, "--replay", 0)
    assert done.exit_code == 0
    assert "note[E905]: training diverged at step" in done.stdout
    assert "`w` of `x->class` in update is not finite" in done.stdout
    assert "tiny.blur:" in done.stdout


def test_an_interrupted_command_says_how_to_go_on(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Interrupting()
    with monkeypatch.context() as patch:
        patch.setattr(meta, "follow", lambda experiment, out: watch)
        done = command(file)
    assert watch.ended
    assert (done.exit_code, "add --resume to continue" in done.output) == (130, True)
    with monkeypatch.context() as patch:
        patch.setattr(meta, "follow", lambda experiment, out: Interrupting())
        assert "progress is saved in `runs/tiny`: the same command continues" in command(file, "--resume").output
    assert meta.run(schema.read(file), "runs/tiny", resume=True).steps == 11
    assert len(lines("runs/tiny")) == 11


def test_a_command_that_is_terminated_says_how_to_go_on(file: Path) -> None:
    """As a batch system ends it."""
    command = [sys.executable, "-m", "blurc", "meta", str(file), "--set", "method.steps=100000"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    metrics = Path("runs/tiny/metrics.jsonl")
    while running.poll() is None and not (metrics.exists() and metrics.read_bytes().count(b"\n") > 1):
        time.sleep(0.01)
    running.terminate()
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 143
    assert errors == "progress is saved in `runs/tiny`: add --resume to continue\nterminated\n"
    done = len(lines("runs/tiny"))
    assert meta.run(schema.read(file, {"method.steps": str(done + 1)}), "runs/tiny", resume=True).steps == done + 1


class Interrupting(Stopping):
    def __init__(self) -> None:
        super().__init__(4, KeyboardInterrupt)
        self.ended = False

    def end(self) -> None:
        self.ended = True


def test_the_example_of_the_module_works(shared: None) -> None:
    Path("experiment.yaml").write_text(f"{EXPERIMENT}method: {METHODS['gradient']}\n")
    text = inspect.getdoc(meta) or ""
    (code,) = re.findall(r"^( {4}from blurc import meta\n(?: {4}.*\n|\n)+)", text, re.M)
    found: dict[str, Any] = {}
    exec(inspect.cleandoc(code), found)
    assert isinstance(found["result"].genome, genome_files.GenomeFile)
    assert len(lines("runs/mine")) == 100


# ---------------------------------------------------------------- whose folder


@pytest.fixture
def copied(file: Path, no_report: None) -> Path:
    """A run of a step, whose folder was copied; the original went on to three."""
    meta.run(schema.read(file, {"method.steps": "1"}), "runs/tiny")
    shutil.copytree("runs/tiny", "moved")
    meta.run(schema.read(file, {"method.steps": "3"}), "runs/tiny", resume=True)
    return Path("moved")


def test_a_copied_folder_goes_on_by_itself(copied: Path) -> None:
    done = command(copied / "experiment.yaml", "--resume", "--set", "method.steps=2")
    assert done.exit_code == 0, done.output
    assert [len(lines(folder)) for folder in (copied, "runs/tiny")] == [2, 3]


def test_a_copied_folder_is_looked_back_at_by_itself(copied: Path) -> None:
    done = command(copied / "experiment.yaml", "--replay", 0)
    assert "`moved` has recorded no divergence" in done.output


def test_a_folder_that_is_named_goes_before_that_of_the_file(copied: Path) -> None:
    for named in (["-o", "runs/tiny"], ["--set", "write=runs/tiny"]):
        done = command(copied / "experiment.yaml", "--replay", 0, *named)
        assert "`runs/tiny` has recorded no divergence" in done.output


def test_a_repeat_of_a_folder_needs_another(copied: Path) -> None:
    done = command(copied / "experiment.yaml")
    assert "the folder `runs/tiny` is not empty" in done.output
