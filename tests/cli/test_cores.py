"""`blurc meta` on CPUs: which devices there are."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import jax
import pytest

from blurc import meta
from blurc.cli.shared import cores
from blurc.meta.run.memory import of_candidate


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cores.DEVICES, "")  # so that it is as before afterwards
    monkeypatch.delenv(cores.DEVICES)
    monkeypatch.setenv("XLA_FLAGS", "")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores are not asked there")
def test_each_core_of_the_process_is_a_device() -> None:
    assert cores.each_a_device()
    assert os.environ[cores.DEVICES] == str(len(os.sched_getaffinity(0)))


@pytest.mark.parametrize(("name", "value"), [(cores.DEVICES, "3"), ("XLA_FLAGS", f"--{cores.FLAG}=3")])
def test_what_the_user_has_chosen_stays(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert not cores.each_a_device(), "and is not lowered later"
    assert os.environ.get(cores.DEVICES, "3") == "3"


CMA = meta.Cma(population=6)
BANDIT = (meta.TaskChoice("bandit"),)


@pytest.mark.parametrize(
    ("given", "devices"),
    [
        ({}, 1),
        ({"replicas": 3}, 3),
        ({"method": CMA}, 6),
        ({"method": CMA, "chunk": 2}, 3),
        ({"method": CMA, "chunk": 0}, 1),
        ({"method": CMA, "tasks": BANDIT}, 1),
    ],
)
def test_devices_share_candidates_where_this_leaves_the_bits(given: dict[str, Any], devices: int) -> None:
    plain = meta.Experiment("shared", meta.Network("networks/xor.blur"), (meta.TaskChoice("xor"),))
    assert meta.internals.most_devices(replace(plain, **given), None) == devices


@pytest.mark.parametrize(
    ("candidates", "chunk", "devices"), [(2.5, None, 2), (2.5, 2, 1), (0.5, None, 1), (9, None, 6)]
)
def test_candidates_computed_at_a_time_fit_into_memory(candidates: float, chunk: int | None, devices: int) -> None:
    network = meta.Network("networks/xor.blur", rule="backprop", parameters={"hidden": 4000})
    e = meta.Experiment("wide", network, (meta.TaskChoice("xor"),), method=CMA, chunk=chunk)
    plan = meta.internals.compiled(network).plan
    memory = int(2 * candidates * of_candidate(e, plan, e.inner.batch, e.inner.steps))
    assert meta.internals.most_devices(e, memory) == devices


@pytest.mark.parametrize(("devices", "expected"), [("8", [4]), ("4", [])])
def test_no_device_is_without_a_candidate(monkeypatch: pytest.MonkeyPatch, devices: str, expected: list[int]) -> None:
    updated: list[int] = []
    monkeypatch.setenv(cores.DEVICES, devices)
    monkeypatch.setattr(jax.config, "update", lambda name, value: updated.append(value))
    cores.no_more_than(4)
    assert updated == expected
