"""How many candidates are computed side by side where the experiment does not say."""

from __future__ import annotations

import jax
import pytest
from tiny import METHODS, experiment

import blurc
from blurc.bench import meta, specs
from blurc.bench.timing import compiled_bytes
from blurc.guards import most_in
from blurc.meta import Cma, Experiment, Inner, Network, TaskChoice
from blurc.meta.run.memory import of_candidate
from blurc.meta.run.setup import Setup, setup
from blurc.meta.search import many
from blurc.meta.search.many import fitting

MANY = 4096


def test_what_fits_into_a_quarter_of_a_device_is_computed_in_blocks_of_one_length(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert most_in(4_800_000, 1000) == most_in(4_600_000, 1000) == 1024, "machines of one kind agree"
    monkeypatch.setattr(many, "of_device", lambda: 4_800_000)
    assert fitting(MANY, 1000) == 1024
    assert fitting(1100, 1000) == 550
    assert fitting(7, 1000) == 7
    assert fitting(7, 10**9) == 1, "one candidate is tried even if it may not fit"


def found(chunk: str = "") -> Setup:
    return setup(experiment(METHODS["cma"], f"chunk: {chunk}" if chunk else "", method__population=str(MANY)))


def test_a_search_on_a_gpu_computes_as_many_candidates_side_by_side_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(many, "of_device", lambda: 200 * found().candidate_bytes)
    assert found().width == 32, "the power of two below a quarter of 200"
    assert found("0").width == MANY
    assert found("5").width == 5


def test_on_a_cpu_they_take_turns() -> None:
    assert found().width == 1


@pytest.mark.slow  # seconds of compiling
@pytest.mark.parametrize(("sizes", "low", "high"), [((64, 32, 10), 0.75, 1.43), ((2, 1000, 2), 0.35, 1)])
def test_the_memory_of_a_candidate_is_about_what_xla_plans(sizes: tuple[int, ...], low: float, high: float) -> None:
    """Of wide layers it counts too little, which `most_in` allows for."""
    count = 8
    e = Experiment("", Network(""), (TaskChoice("digits"),), Inner(20, meta.BATCH, 128), Cma())
    counted = of_candidate(e, blurc.compile(specs.blur(sizes, meta.CHANNELS)).plan, meta.BATCH, 20)
    programs = meta.generations(sizes, count, blur=(0,), by_hand=(), batches=20, questions=128)
    program = programs[f"blur, chunk {count}"]
    shared = 20 * meta.BATCH * 4 * (sizes[0] + sizes[-1])
    taken = (compiled_bytes(program.func, *program.args) - shared) / count
    assert low * taken < counted < high * taken
