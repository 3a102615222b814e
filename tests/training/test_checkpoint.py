"""Training that was interrupted goes on to the same bits, and from nothing but its own checkpoint."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from click.testing import CliRunner, Result

import blurc
from blurc import tasks
from blurc.cli import cli
from blurc.cli.shared import progress
from blurc.cli.shared.output import check_writable
from blurc.storage import checkpoints
from blurc.training import Checkpoint, Point, Settings, checkpoint

pytestmark = pytest.mark.usefixtures("compiled_fast")

XOR = ("networks/xor.blur", "--data", "xor", "--steps", "40", "--no-baselines")
KEPT = (*XOR, "--checkpoint", "c.npz")


@pytest.fixture(autouse=True)
def at_every_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Checkpoint, "is_due", True)


def command(*args: str) -> Result:
    return CliRunner().invoke(cli, ["train", *args])


def interrupted(monkeypatch: pytest.MonkeyPatch, *args: str, by: BaseException, writes: int = 4) -> Result:
    """After so many checkpoints."""
    left, whole = [writes], checkpoints.Kind.save

    def save(self: checkpoints.Kind, *of: Any) -> None:
        left[0] -= 1
        if not left[0]:
            raise by
        whole(self, *of)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.Kind, "save", save)
        return command(*args)


def result(*args: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What is printed as JSON, without times, and the synapses."""
    lives = "maze" in args
    done = command(*args, "--json", "out.json", *(() if lives else ("--save", "w.npz")))
    assert done.exit_code == 0, done.output
    found = json.loads(Path("out.json").read_text())
    for run in found.get("runs", ()):
        for timed in (run, *run["curve"]):
            timed.pop("seconds")
            timed.pop("compile_seconds", None)
    if lives:
        return found, {}
    with np.load("w.npz") as file:
        return found, {name: file[name].tobytes() for name in file.files}


WAYS = {
    "data, asked before they are learned": (*XOR, "--online", "--batch", "4"),
    "a task, by an artifact with random numbers": (
        "noisy.blurx", "--task", "xor", "--steps", "40", "--no-baselines"
    ),
    "lifetimes": ("networks/actor.blur", "--task", "maze", "--steps", "20", "--seeds", "3", "--no-baselines"),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_it_goes_on_to_the_same_bits(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if "noisy.blurx" in WAYS[way]:
        blurc.compile(XOR[0], genome="node_perturbation").save("noisy.blurx")
    whole = result(*WAYS[way])
    saved = "2 lifetimes" if way == "lifetimes" else "step 6"
    kept = (*WAYS[way], "--checkpoint", "c.npz")
    stopped = interrupted(monkeypatch, *kept, by=KeyboardInterrupt(), writes=3)
    assert stopped.exit_code == 130
    assert f"progress is saved in `c.npz` ({saved}): add --resume to continue" in stopped.stderr
    assert result(*kept, "--resume") == whole


def test_what_a_training_goes_on_from_is_said(begun: Path) -> None:
    goes_on = command(*KEPT, "--resume")
    assert f"resuming from `{begun}` (step 6)\n" in goes_on.stdout
    assert "(step 40)\n" in command(*KEPT, "--resume").stdout


def test_an_interruption_saves_what_was_learned_since_the_last_time(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = result(*XOR)
    monkeypatch.setattr(Checkpoint, "is_due", False)
    show = progress.Lines.point

    def stop(self: progress.Lines, name: str, point: Point) -> None:
        if point.step == 20:
            raise KeyboardInterrupt
        show(self, name, point)

    with monkeypatch.context() as patch:
        patch.setattr(progress.Lines, "point", stop)
        stopped = command(*KEPT)
    assert "progress is saved in `c.npz` (step 18): " in stopped.stderr
    assert checkpoint.KIND.read(Path("c.npz"))[0]["chunks"] == 9
    assert result(*KEPT, "--resume") == whole


def test_chunks_are_short_where_progress_is_saved() -> None:
    data = tasks.load("xor")
    for steps, chunk in ((2000, 100), (20_000, 100), (1_000_000, 1000), (2 * 10**9, 10_000)):
        assert Settings(steps, 4, 0).rhythm(data, saved=True)[0] == chunk
        assert math.prod(Settings(steps, 4, 0).rhythm(data, saved=True)) == steps // 20


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint in the middle. The disk was full then."""
    full = interrupted(monkeypatch, *KEPT, by=OSError(28, "No space left on device"))
    assert full.exit_code == 1
    assert "error[E907]: cannot write c.npz: " in full.stderr
    assert "make room, then go on with --resume" in full.stderr
    return Path("c.npz")


def test_a_last_write_that_fails_loses_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*of: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Checkpoint, "is_due", False)
    monkeypatch.setattr(checkpoints.Kind, "save", full)
    done = command(*KEPT, "--save", "w.npz", "--json", "out.json")
    assert (done.exit_code, done.stderr.count("warning[W901]: cannot write c.npz: no space left")) == (0, 1)
    assert json.loads(Path("out.json").read_text())["runs"][0]["curve"][-1]["step"] == 40
    assert Path("w.npz").exists()


def test_lifetimes_that_are_all_over_are_not_lost_with_the_last_write(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = (*WAYS["lifetimes"], "--checkpoint", "c.npz")
    done = interrupted(monkeypatch, *kept, by=OSError(28, "No space left on device"), writes=3)
    assert (done.exit_code, "warning[W901]: cannot write c.npz: no space left" in done.stderr) == (0, True)
    assert "lacks the last lifetime" in done.stderr
    Path("c.npz").unlink()
    early = interrupted(monkeypatch, *kept, by=OSError(28, "No space left on device"), writes=2)
    assert (early.exit_code, "error[E907]" in early.stderr) == (1, True)


def test_what_cannot_be_read_is_refused(begun: Path) -> None:
    data = begun.read_bytes()
    for damaged in (data[: len(data) // 2], b"", data[:-300] + bytes(300), data.replace(b"points", b"Points")):
        begun.write_bytes(damaged)
        refused = command(*KEPT, "--resume")
        assert (refused.exit_code, "error[E616]: cannot resume from `c.npz`" in refused.stderr) == (1, True)
    begun.unlink()
    refused = command(*KEPT, "--resume")
    assert "error[E615]: there is no checkpoint `c.npz`" in refused.stderr


OTHERS = {
    ("--steps", "50"): "made with other options: --steps 40 there, 50 here",
    ("--batch", "8", "--seed", "1"): "made with other options: --batch 32 there, 8 here; --seed 0 there, 1 here",
    ("--metric", "accuracy"): "made with other options: --metric none there, accuracy here",
    ("--set", "hidden=5"): "`c.npz` was made with other options: --set hidden 8 there, 5 here",
    ("--rule", "feedback_alignment"): "with other options: --rule backprop there, feedback_alignment here",
    ("--set", "rate=0.2", "--set", "hidden=5"): "--set hidden 8 there, 5 here; --set rate 1.0 there, 0.2 here",
    ("--data", "other.npz"): "the data are not those that `c.npz` was made with: xor there, other.npz here",
    ("--genome", "genome.yaml"): "the genome is not the one that `c.npz` was made with",
}


def test_another_training_is_refused_and_told_what_is_different(begun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez("other.npz", x=np.ones((40, 2), np.float32), y=np.arange(40) % 2)
    net = blurc.compile(XOR[0])
    values = net.init_genome(jax.random.key(1))
    blurc.genome.write("genome.yaml", blurc.genome.describe(net, values))
    for options, said in OTHERS.items():
        refused = command(*KEPT, "--resume", *options)
        assert (refused.exit_code, "error[E617]" in refused.stderr, said in refused.stderr) == (1, True, True), options
        assert refused.stdout == "", "before any heading"
    monkeypatch.setattr(checkpoint, "versions", lambda: {"jax": "0.0.1"})
    refused = command(*KEPT, "--resume")
    assert "`c.npz` was made with other versions: " in refused.stderr
    assert " there, 0.0.1 here" in refused.stderr
    assert begun.exists()


def test_a_checkpoint_is_not_begun_again_unasked(begun: Path) -> None:
    refused = command(*KEPT)
    assert (refused.exit_code, "error[E615]: there is a checkpoint `c.npz` already" in refused.stderr) == (1, True)


def test_a_file_of_another_kind_is_neither_overwritten_nor_to_be_deleted() -> None:
    np.savez("data.npz", x=np.ones((4, 2), np.float32), y=np.arange(4) % 2)
    before = Path("data.npz").read_bytes()
    kept = (*XOR, "--checkpoint", "data.npz")
    refused = command(*kept)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "error[E615]: `data.npz` exists already, and is not a checkpoint of `blurc train`" in refused.stderr
    assert "--resume" not in refused.stderr
    refused = command(*kept, "--resume")
    assert "error[E616]: cannot resume from `data.npz`" in refused.stderr
    assert "delete" not in refused.stderr
    assert Path("data.npz").read_bytes() == before


@pytest.mark.parametrize(
    ("others", "why"),
    [
        (("--save", "./c.npz"), "cannot write c.npz, as another output goes there"),
        (("--save", "w.npz", "--json", "w.npz"), "cannot write w.npz, as another output goes there"),
        (("--data", "./d.npz", "--save", "d.npz"), "cannot write d.npz, as it is read"),
    ],
)
def test_outputs_that_overwrite_a_file_in_use_are_refused(others: tuple[str, ...], why: str) -> None:
    refused = command(*KEPT, *others)
    assert (refused.exit_code, why in refused.stderr) == (2, True)


def test_outputs_that_replace_nothing_may_be_one() -> None:
    check_writable(["/dev/null", "/dev/null", "-", "-", None, None])


def test_resuming_needs_a_file() -> None:
    assert command(*XOR, "--resume").exit_code == 2
