"""What will not fit into memory is refused before anything is compiled; that is true, and what is proposed fits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import blurc
from blurc import evaluation, meta, tasks, training
from blurc.guards import amount, memory
from blurc.meta.run import room
from blurc.training import Settings, learner_of

SPEC = "network n { input x[200]  hidden h[300]  output y[10]  x -> h -> y }"
BATCH = 4096


pytestmark = pytest.mark.usefixtures("compiled_fast")


@pytest.fixture(scope="module")
def net() -> blurc.Net:
    return blurc.compile(SPEC, genome="blur")


@pytest.fixture(scope="module")
def data() -> tasks.Dataset:
    x, y = np.zeros((5000, 200), np.float32), np.eye(10, dtype=np.float32)[np.zeros(5000, int)]
    return tasks.Dataset("d", x, y, x[:10], y[:10], 10, "", "")


def limit(monkeypatch: pytest.MonkeyPatch, size: float) -> None:
    monkeypatch.setattr(memory, "available", lambda: int(size))
    monkeypatch.setattr(memory, "FREE", memory.FREE.with_name("none"))  # whatever is free on this machine
    monkeypatch.setattr(memory, "OWN", memory.OWN.with_name("none"))


def refused(run: Callable[[], object]) -> str:
    """What is said of it."""
    with pytest.raises(blurc.BlurError) as caught:
        run()
    (found,) = caught.value.diagnostics
    assert found.code == "E919"
    return f"{found.message}\n{found.help}"


def program_bytes(net: blurc.Net, data: tasks.Dataset, settings: Settings) -> float:
    """What XLA says of the program that `blurc train` runs, which keeps the state before it."""
    steps, _ = settings.rhythm(data)
    shapes = (steps, settings.batch)
    batches = tasks.Batches(np.zeros((*shapes, 200), np.float32), np.zeros((*shapes, 10), np.float32))
    genome = net.init_genome(jax.random.key(0))
    state = net.init(jax.random.key(1), genome, batch=settings.batch)
    found: Any = jax.jit(learner_of(net, "").advance).lower((genome, state, jax.random.key(2)), batches).compile()
    said = found.memory_analysis()
    return said.argument_size_in_bytes + said.output_size_in_bytes + said.temp_size_in_bytes


def test_training_is_refused_where_it_is_too_large_and_what_is_proposed_fits(
    net: blurc.Net, data: tasks.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(100, BATCH, 0)
    taken = program_bytes(net, data, settings)
    limit(monkeypatch, 1.3 * taken)
    training.check_training(net, data, settings)
    limit(monkeypatch, taken / 1.3)
    said = refused(lambda: training.check_training(net, data, settings))
    assert "training with batches of 4,096 takes " in said
    (batch,) = map(int, re.findall(r"`--batch (\d+)`", said))
    training.check_training(net, data, replace(settings, batch=batch))
    refused(lambda: training.check_training(net, data, replace(settings, batch=batch + 1)))
    assert program_bytes(net, data, replace(settings, batch=batch)) < taken


def test_a_network_that_fits_no_batch_is_told_so(
    net: blurc.Net, data: tasks.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(monkeypatch, 100_000)
    said = refused(lambda: training.check_training(net, data, Settings(100, 8, 0)))
    assert "not even a batch of 1 fits: use a smaller network" in said
    assert "--shard" not in said, "the devices of a CPU share its memory"


def test_more_examples_than_there_are_is_said_before_memory(
    net: blurc.Net, data: tasks.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(monkeypatch, 100_000)
    with pytest.raises(blurc.BlurError, match="expected 1 to 5000") as caught:
        training.check_training(net, data, Settings(100, 10**9, 0))
    assert [d.code for d in caught.value.diagnostics] == ["E806"]


def test_evaluation_and_races_are_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    net, task = blurc.compile("networks/xor.blur", hidden=5000), tasks.task(tasks.TaskChoice("xor"))
    limit(monkeypatch, 2_000_000)
    for run in (evaluation.scores, evaluation.race):
        said = refused(lambda run=run: run(net, None, task, steps=[1], batch=256, seeds=1))
        assert "learning with batches of 256 takes " in said
        (batch,) = map(int, re.findall(r"use batches of at most (\d+)", said))
        assert net.cost(batch).train(1) <= 2_000_000 < net.cost(batch + 1).train(1)


def test_what_scores_and_optimizers_need_counts_too(net: blurc.Net, monkeypatch: pytest.MonkeyPatch) -> None:
    task = tasks.task(tasks.TaskChoice("xor"))
    wide = blurc.compile("networks/xor.blur", hidden=5000)
    limit(monkeypatch, 4_000_000)
    said = refused(lambda: evaluation.scores(wide, None, task, steps=[1], batch=2, seeds=1))
    assert "asking 1,000 test examples at once takes " in said or "asking 256 test examples at once takes " in said
    (asked,) = map(int, re.findall(r"ask at most (\d+) in all", said))
    evaluation.scoring.planned(wide, task, steps=[1], batch=2, seeds=1, query=asked)
    limit(monkeypatch, 0.8 * training.of_optimizer(wide.plan, 64))
    said = refused(lambda: evaluation.race(wide, None, task, steps=[1], batch=64, query=2, seeds=1))
    assert "the race against optimizers with batches of 64 takes " in said
    (batch,) = map(int, re.findall(r"use batches of at most (\d+)", said))
    assert 0 < batch < 64


def test_only_what_is_free_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 8000 kB\nMemAvailable:    3000 kB\n")
    limit(monkeypatch, 8_000_000)
    monkeypatch.setattr(memory, "FREE", tmp_path / "meminfo")
    assert (memory.of_device(1), memory.room_on_device(1)) == (8_000_000, 1024 * 3000)
    monkeypatch.setattr(memory, "FREE", tmp_path / "none")
    assert memory.room_on_device(1) == 8_000_000


def test_a_search_is_refused_and_told_how_many_candidates_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    spec, size = "networks/xor.blur", 400_000_000

    def asked(**sizes: object) -> None:
        more = "".join(f", {name}: {value}" for name, value in sizes.items())
        Path("e.yaml").write_text(
            f"name: e\nspec: {spec}\nrule: blur\ntasks: [xor]\nmethod: {{name: cma, population: 64, steps: 1}}\n"
            f"parameters: {{hidden: 5000}}\ninner: {{steps: 10, batch: 64}}\n{more.removeprefix(', ')}\n"
        )
        room.check(meta.internals.setup(meta.read("e.yaml")))

    limit(monkeypatch, size)
    said = refused(lambda: asked(chunk=64))
    (chunk,) = map(int, re.findall(r"`chunk: (\d+)`", said))
    each = meta.internals.setup(meta.read("e.yaml")).candidate_bytes
    assert chunk == size // each < 64, "without slack, which is for gradients"
    assert f"takes {amount(64 * each)}, and there is room for {amount(size)}" in said
    asked(chunk=chunk)
    refused(lambda: asked(chunk=chunk + 1))


def test_ids_do_not_count_as_numbers_of_every_example() -> None:
    wide = blurc.compile("network n { input item ids 10000000  output y[2]  item -> y }", genome="backprop")
    cost = wide.cost(4096)
    assert cost.examples == 4 * 4096 * (1 + 2)
    assert cost.working < 2 * cost.state


GROUPS = {
    "second": ("0::/jobs/one\n", "jobs/memory.max"),
    "first": ("5:cpu:/\n4:hugetlb,memory:/jobs/one\n", "memory/jobs/one/memory.limit_in_bytes"),
}


@pytest.fixture
def asked_anew() -> Iterator[None]:
    memory.of_machine.cache_clear()
    yield
    memory.of_machine.cache_clear()


@pytest.mark.parametrize("version", GROUPS)
def test_what_is_free_in_a_container_is_what_it_has_left(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, file = GROUPS[version]
    limit(monkeypatch, 8_000_000)
    (tmp_path / "own").write_text(own)
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    used, cached = ("current", "inactive_file") if version == "second" else ("usage_in_bytes", "total_inactive_file")
    for name, value in ((file, "7000000"), (f"memory.{used}", "4000000"), ("memory.stat", f"x 1\n{cached} 500000\n")):
        (tmp_path / file).with_name(Path(name).name).write_text(value)
    monkeypatch.setattr(memory, "OWN", tmp_path / "own")
    monkeypatch.setattr(memory, "CGROUPS", tmp_path)
    assert memory.room_on_device(1) == 3_500_000
    (tmp_path / "meminfo").write_text("MemAvailable: 1000 kB\n")
    monkeypatch.setattr(memory, "FREE", tmp_path / "meminfo")
    assert memory.room_on_device(1) == 1_024_000, "the machine has less than the container may have"


@pytest.mark.usefixtures("asked_anew")
def test_what_is_asked_for_at_once_may_take_what_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meminfo").write_text("MemAvailable: 100000 kB\n")
    monkeypatch.setattr(memory, "FREE", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "OWN", tmp_path / "none")
    monkeypatch.setattr(memory, "available", memory.of_machine)
    memory.check_room(25_000_000, "this", "")
    said = refused(lambda: memory.check_room(26_000_000, "this", "less"))
    assert said == "this would take 104 MB of memory, and there is room for 102 MB\nless"


@pytest.mark.usefixtures("asked_anew")
@pytest.mark.parametrize("version", GROUPS)
def test_limits_of_control_groups_around_the_process_count(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, file = GROUPS[version]
    (tmp_path / "own").write_text(own)
    for name, value in ((file, "12345678"), ("jobs/one/memory.max", "max")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(value)
    monkeypatch.setattr(memory, "OWN", tmp_path / "own")
    monkeypatch.setattr(memory, "CGROUPS", tmp_path)
    assert memory.of_machine() == 12345678
