"""`blurc bench --device gpu`, with small sizes and on a CPU: that it is ready, not how fast anything is."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import pytest
from click.testing import CliRunner

from blurc.bench import gpu, graphs, run
from blurc.bench.processes import in_process
from blurc.bench.timing import Loop, Timings
from blurc.cli import cli

pytestmark = pytest.mark.usefixtures("compiled_fast")
SMALL = gpu.Table(
    trained=(gpu.Trained((6, 3), 4, 2, (2,)),),
    precisions=("TF32",),
    evolved=(8, 10),
    populations=(2,),
    batches=2,
    questions=128,
    unrolled=((6, 3), 2),
    neurons=20,
)


@pytest.fixture(autouse=True)
def _nothing_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes half a second among everything that tests have imported."""
    monkeypatch.setattr(gpu.gc, "collect", lambda: 0)


def here(function: Callable[..., Any], *args: Any, cores: int) -> Any:
    return function(*args)


def test_every_part_is_measured_in_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "in_process", here)
    monkeypatch.setattr(graphs, "BATCH", 2)
    monkeypatch.setattr(graphs, "STEPS", 1)
    seen: list[str] = []
    kept: list[tuple[int, list[str]]] = []
    rows, left = gpu.run(True, seen.append, lambda rows, left: kept.append((len(rows), list(left))), SMALL)
    assert left == {}
    assert len(seen) == 5
    assert [parts for _, parts in kept] == [seen[1:], seen[2:], seen[3:], seen[4:], []]
    assert kept[-1][0] == len(rows) - 1, "the last row is the time of them all"
    assert all(row.value > 0 for row in rows)
    ratios = {row.name for row in rows if row.unit == "x"}
    assert ratios >= {"backprop / hand", "blur k=2 / products k=2", "einsum k=2 / blur k=2", "2 genomes, GPU / CPU"}
    assert {"convolutions", "sparse"} <= {row.group for row in rows}
    assert [row.unit for row in rows if row.group.startswith("first calls")] == ["s"] * 3


def failing(error: Exception) -> Callable[[], Any]:
    def part() -> Any:
        raise error

    return part


def test_what_fails_or_finds_no_time_is_named_and_the_rest_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {
        "large": failing(jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: 80 GB\nmore")),
        "process": failing(ChildProcessError("it ended")),
        "bare": failing(EOFError()),
        "small": lambda: iter(["row"]),
    }
    monkeypatch.setattr(gpu, "_parts", lambda table, rounds: iter(parts.items()))
    rows, left = gpu.run(True, str, lambda *_: None, SMALL)
    assert rows[0] == "row"
    assert left == {
        "large": "JaxRuntimeError: RESOURCE_EXHAUSTED: 80 GB",
        "process": "ChildProcessError: it ended",
        "bare": "EOFError: ",
    }
    assert gpu.run(True, str, lambda *_: None, SMALL, limit=0)[1].keys() == parts.keys()


def test_what_was_measured_is_kept_when_the_rest_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = run.Row("step", "a / b", 1.5, "x", (1.4, 1.6))

    def interrupted() -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(gpu, "check", lambda: None)
    monkeypatch.setattr(
        gpu, "_parts", lambda table, rounds: iter([("one", lambda: iter([measured])), ("two", interrupted)])
    )
    path = tmp_path / "gpu.json"
    assert CliRunner().invoke(cli, ["bench", "--device", "gpu", "--json", str(path)]).exit_code != 0
    found = json.loads(path.read_text())
    assert [row["name"] for row in found["rows"]] == ["a / b"]
    assert found["left_out"] == {"two": "not reached"}


def test_what_is_measured_on_the_cpu_has_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAX_PLATFORMS", "none")
    monkeypatch.delenv("JAX_NUM_CPU_DEVICES", raising=False)
    assert in_process(os.getenv, "JAX_NUM_CPU_DEVICES", cores=3) == "3"
    assert (os.environ["JAX_PLATFORMS"], os.getenv("JAX_NUM_CPU_DEVICES")) == ("none", None)
    with pytest.raises(ChildProcessError, match="exit code 7"):
        in_process(os._exit, 7)
    assert pickle.loads(pickle.dumps((gpu.on_cpu, gpu.FULL))) == (gpu.on_cpu, gpu.FULL)


def test_each_precision_is_that_of_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[str] = []

    def alternate(programs: Mapping[str, Loop], **how: Any) -> Timings:
        found.extend(str(jax.make_jaxpr(program.train)(program.state)) for program in programs.values())
        return Timings(dict.fromkeys(programs, (1.0,)))

    monkeypatch.setattr(gpu, "alternate", alternate)
    for precision in gpu.FULL.precisions:
        found.clear()
        list(gpu._training(gpu.Trained((6, 3), 4, 2, ()), precision, 1))
        assert len(found) == 2
        assert all(("Precision.HIGHEST" in program) == (precision == "float32") for program in found)
    parts = [what for what, _ in gpu._parts(gpu.FULL, 1)]
    assert {what.rsplit(", ")[-1] for what in parts if what.startswith("training")} == {"TF32", "float32"}


@pytest.mark.skipif(jax.default_backend() == "gpu", reason="there is a GPU")
def test_without_a_gpu_there_is_a_diagnostic() -> None:
    result = CliRunner().invoke(cli, ["bench", "--device", "gpu"])
    assert result.exit_code == 1
    assert "E927" in result.output
