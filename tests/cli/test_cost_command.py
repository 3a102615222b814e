"""`blurc cost`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import blurc
from blurc.bench import DEVICES
from blurc.cli import cli
from blurc.guards import memory

MNIST = "networks/mnist.blur:mnist"


def run(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["cost", *args])
    return result.exit_code, result.output


def test_it_says_what_net_cost_says(tmp_path: Path) -> None:
    file = tmp_path / "cost.json"
    status, output = run(MNIST, "--batch", "16", "--device", "h100", "--json", str(file))
    found, cost = json.loads(file.read_text()), blurc.compile("networks/mnist.blur", network="mnist").cost(16)
    assert status == 0
    assert (found["flops"], found["moved"], found["step"]) == (cost.flops, cost.moved, cost.step)
    assert found["seconds"] == DEVICES["h100"].seconds(cost)
    assert "a step on H100: at least" in output
    assert "pixels->h1" in output


def test_a_cpu_is_measured() -> None:
    status, output = run("networks/xor.blur")
    assert status == 0
    assert "(measured now)" in output


def test_what_does_not_fit_is_refused_with_the_batch_that_does() -> None:
    status, output = run(MNIST, "--batch", "100000000", "--device", "h100")
    assert status == 1
    assert "E919" in output
    batch = int(output.split("`--batch ")[1].split("`")[0])
    assert run(MNIST, "--batch", str(batch), "--device", "h100")[0] == 0
    assert run(MNIST, "--batch", str(batch + 1), "--device", "h100")[0] == 1


def test_of_this_machine_what_is_free_counts_as_in_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_free", lambda: iter([1_000_000]))
    status, output = run(MNIST, "--batch", "1000")
    assert (status, "there is room for 1 MB" in output) == (1, True)


@pytest.mark.parametrize("wrong", [["--batch", "0"], ["--device", "gpu"], ["--steps", "0"]])
def test_wrong_options_are_wrong_usage(wrong: list[str]) -> None:
    assert run(MNIST, *wrong)[0] == 2


def test_what_does_not_fit_at_all_is_refused_with_the_devices_that_hold_it() -> None:
    wide = (MNIST, "--set", "first=400000", "--set", "second=400000", "--batch", "1", "--device", "h100")
    status, output = run(*wide)
    assert status == 1
    shard = output.split("`--shard ")[1].split("`")[0]
    assert "--shard" not in run(*wide[:-2])[1], "the devices of a CPU share its memory"
    assert run(*wide, "--shard", shard)[0] == 0
    assert run(*wide, "--shard", f"model={int(shard.removeprefix('model=')) // 2}")[0] == 1


def test_candidates_are_shared_by_devices(tmp_path: Path) -> None:
    file = tmp_path / "cost.json"
    search = ("--candidates", "1000", "--devices", "16", "--steps", "15")
    status, output = run(MNIST, "--batch", "16", "--device", "h100", *search, "--json", str(file))
    found = json.loads(file.read_text())
    assert status == 0
    assert "1,000 candidates on 16 devices: 63 on each" in output
    assert found["search"]["seconds"] == pytest.approx(63 * 15 * found["seconds"])
    assert found["search"]["exchanged"] == 9 * 1000 * 17


def test_a_device_of_a_divided_network_has_its_part_and_sends_what_others_read(tmp_path: Path) -> None:
    file = tmp_path / "cost.json"
    assert run(MNIST, "--batch", "64", "--device", "h100", "--shard", "data=4,model=2", "--json", str(file))[0] == 0
    whole, part = (value := json.loads(file.read_text())), value["divided"]
    assert part["step"] < whole["step"] / 2
    assert part["seconds"] < whole["seconds"] / 2
    assert part["sent"] > 2 * whole["state"] / 2 * 3 / 4, "the changes of its synapses, and neurons"


@pytest.mark.parametrize("wrong", [["--devices", "4"], ["--candidates", "4", "--shard", "model=2"]])
def test_options_that_mean_nothing_together_are_wrong_usage(wrong: list[str]) -> None:
    assert run(MNIST, *wrong)[0] == 2


def test_what_training_cannot_divide_is_not_promised(tmp_path: Path) -> None:
    file = tmp_path / "cost.json"
    conv = ("networks/mnist_conv.blur", "--device", "h100", "--json", str(file))
    assert run(*conv, "--shard", "model=4")[0] == 0
    found = json.loads(file.read_text())
    assert found["divided"]["step"] > 0.4 * found["step"], "convolutions are on every device"
    status, output = run(*conv, "--shard", "data=3", "--batch", "128")
    assert status == 1
    assert "E926" in output
