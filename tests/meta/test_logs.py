"""A run in TensorBoard and in Weights & Biases: what they are given is what metrics.jsonl holds."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
import wandb
from tensorboardX.proto.event_pb2 import Event
from tiny import experiment, refused

from blurc import meta
from blurc.meta.watch.follower import Together
from blurc.meta.watch.numbers import numbers
from blurc.tasks import OBJECTIVES

OBJECTIVE = OBJECTIVES["cross_entropy"]


def line(step: int, **more: Any) -> Any:
    base = {"step": step, "unroll": 10, "task": ["moons"], "value": 0.5, "values": [0.5, None], "candidates": 2}
    return {**base, "diverged": 1, **more}


def scalars(folder: Path) -> dict[tuple[str, int], float]:
    """What event files hold: records of a length [8], its checksum [4], the event and its checksum [4]."""
    found: dict[tuple[str, int], float] = {}
    for path in sorted(folder.glob("events.*")):
        data = path.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            event = Event.FromString(data[12 : 12 + length])
            found |= {(value.tag, event.step): value.simple_value for value in event.summary.value}
            data = data[16 + length :]
    return found


def test_numbers_have_the_names_of_the_metrics_and_none_where_there_is_none() -> None:
    found = numbers(line(3, by_task={"moons": 0.25, "xor": None}, judged=None))
    assert found == {"unroll": 10, "value": 0.5, "values/0": 0.5, "by_task/moons": 0.25, "diverged": 1}


def test_tensorboard_reads_what_was_written(tmp_path: Path) -> None:
    board = meta.TensorBoard(tmp_path / "logs")
    board.begin(0, 2, OBJECTIVE)
    board.line(line(0))
    board.line(line(1, value=0.25, by_task={"moons": 0.75}))
    board.end()
    found = scalars(tmp_path / "logs")
    assert found["value", 0] == 0.5
    assert (found["value", 1], found["by_task/moons", 1]) == (0.25, 0.75)


def test_weights_and_biases_gets_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_MODE", raising=False)
    log = meta.WandB(experiment(), tmp_path / "run")
    log.begin(0, 2, OBJECTIVE)
    log.line(line(0, by_task={"moons": 0.1875}))
    log.end()
    wandb.teardown()  # waits for the process that writes, as the end of Python does
    (file,) = (tmp_path / "run/wandb").glob("offline-run-*/*.wandb")
    data = file.read_bytes()
    assert b"by_task/moons" in data
    assert b"0.1875" in data
    assert b"checkpoint_every" in data  # the experiment


@pytest.mark.parametrize(
    ("make", "extra"),
    [(lambda: meta.TensorBoard("logs"), "tensorboard"), (lambda: meta.WandB(experiment(), "run"), "wandb")],
    ids=["tensorboard", "wandb"],
)
def test_without_the_package_the_error_says_what_to_install(
    make: Any, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blurc.guards.packages.find_spec", lambda name: None)
    (found,) = refused(make)
    assert found.code == "E921"
    assert found.help == f"pip install 'blurc[{extra}]'"


class Noted:
    def __init__(self, fails: bool = False):
        self.told: list[str] = []
        self.fails = fails

    def begin(self, done: int, steps: int, objective: Any) -> None:
        self.told.append("begin")

    def line(self, line: Any) -> None:
        self.told.append("line")

    def end(self) -> None:
        self.told.append("end")
        if self.fails:
            raise OSError("the disk is full")


def test_every_watch_is_told_the_end_even_if_another_fails() -> None:
    watches = [Noted(), Noted(fails=True)]
    together = Together(watches)
    together.begin(0, 1, OBJECTIVE)
    together.line(line(0))
    with pytest.raises(OSError, match="disk"):
        together.end()
    assert [watch.told for watch in watches] == [["begin", "line", "end"]] * 2
