"""`blurc bench --device gpu`, with small sizes and on a CPU: that it is ready, not how fast anything is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import pytest
from click.testing import CliRunner

from blurc.bench import gpu
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
    with_convolutions=False,
)


def here(function: Callable[..., Any], *args: Any, cores: int) -> Any:
    return function(*args)


def test_every_part_is_measured_in_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "in_process", here)
    seen: list[str] = []
    rows, left = gpu.run(True, seen.append, SMALL)
    assert left == {}
    assert len(seen) == 4
    assert all(row.value > 0 for row in rows)
    ratios = {row.name for row in rows if row.unit == "x"}
    assert ratios >= {"backprop / hand", "blur k=2 / products k=2", "einsum k=2 / blur k=2", "2 genomes, GPU / CPU"}
    assert [row.unit for row in rows if row.group.startswith("first calls")] == ["s"] * 3


def test_what_does_not_fit_into_time_or_memory_is_said_and_the_rest_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> Any:
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: 80 GB\nmore")

    parts = [("large", fails), ("small", lambda: iter(["row"]))]
    monkeypatch.setattr(gpu, "_parts", lambda table, rounds: iter(parts))
    assert gpu.run(True, str, SMALL) == (["row"], {"large": "RESOURCE_EXHAUSTED: 80 GB"})
    assert gpu.run(True, str, SMALL, limit=0)[1].keys() == {"large", "small"}


def test_both_precisions_are_measured() -> None:
    parts = [what for what, _ in gpu._parts(gpu.FULL, 1)]
    assert {what.rsplit(", ")[-1] for what in parts if what.startswith("training")} == {"TF32", "float32"}


@pytest.mark.skipif(jax.default_backend() == "gpu", reason="there is a GPU")
def test_without_a_gpu_there_is_a_diagnostic() -> None:
    result = CliRunner().invoke(cli, ["bench", "--device", "gpu"])
    assert result.exit_code == 1
    assert "E927" in result.output
