"""Runs: they go on after any interruption to the same bits, and their folders repeat them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import (
    EXPERIMENT,
    METHODS,
    RANDOM_BLAST,
    SPEC,
    believing,
    equal,
    every_search,
    experiment,
    lines,
    made,
    refused,
)

import blurc
from blurc import genome as genome_files
from blurc import meta
from blurc.meta.experiment import schema
from blurc.meta.run import best, loop, replaying
from blurc.meta.run import setup as setups
from blurc.meta.run import step as steps
from blurc.meta.run.setup import Setup
from blurc.meta.search.curriculum import PATIENCE

pytestmark = pytest.mark.usefixtures("compiled_fast")


@every_search
def test_a_run_that_is_cut_off_ends_with_the_same_bits(method: str, shared: None, stopped: Callable[..., None]) -> None:
    e = experiment(method)
    meta.run(e, "whole")
    stopped(e, 1)
    for moment in ("in a line", 4, "before a checkpoint", 7, 8):
        stopped(e, moment, resume=True)
    meta.run(e, "run", resume=True)
    assert made("run") == made("whole")
    assert [line["step"] for line in lines("run")] == [*range(11)]


KILLED = """
import sys, time
sys.path.insert(0, {tests!r})
import tiny
from blurc import meta
class Slowly(tiny.Stopping):
    def line(self, line):
        time.sleep(0.03)
meta.run(tiny.experiment({method!r}, method__steps="60", checkpoint_every="7"), "run", watch=Slowly(-1))
"""


def killed(method: str, at: int) -> None:
    """A run in another process, that ends with SIGKILL some time after its line `at`."""
    script = KILLED.format(tests=str(Path(__file__).parent), method=method)
    process = subprocess.Popen([sys.executable, "-c", script])
    metrics = Path("run/metrics.jsonl")
    while process.poll() is None and (not metrics.exists() or metrics.read_bytes().count(b"\n") < at):
        time.sleep(0.001)
    time.sleep(0.01 * (os.getpid() % 5))
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def comes_back(method: str, at: int) -> None:
    killed(method, at)
    e = experiment(method, method__steps="60", checkpoint_every="7")
    meta.run(e, "run", resume=True)
    meta.run(e, "whole")
    assert made("run") == made("whole")


def test_a_run_that_is_killed_ends_with_the_same_bits(shared: None) -> None:
    comes_back(METHODS["gradient"], 16)


@pytest.mark.slow  # 20 s; the one before is fast
@pytest.mark.parametrize(("name", "at"), [("gradient", 1), ("gradient", 41), ("cma", 20), ("pes", 30)])
def test_runs_that_are_killed_end_with_the_same_bits(name: str, at: int, shared: None) -> None:
    comes_back(METHODS[name], at)


def test_a_finished_run_resumes_to_the_same_result(shared: None) -> None:
    e = experiment()
    first = meta.run(e, "run")
    before = made("run")
    assert meta.run(e, "run", resume=True).value == first.value
    assert made("run") == before


def test_a_run_is_repeated_from_its_folder(shared: None) -> None:
    meta.run(experiment(), "run")
    meta.run(schema.read("run/experiment.yaml"), "again")
    assert made("again") == made("run")


def test_the_result_is_the_genome_in_the_folder(shared: None) -> None:
    result = meta.run(experiment(), "run")
    written = genome_files.read("run/genome.yaml")
    assert equal(dict(written.values), dict(result.genome.values))
    assert written.found["cross_entropy"] == result.value


def test_a_run_starts_from_a_given_genome(shared: None, net: blurc.Net) -> None:
    given = net.init_genome(jax.random.key(9))
    genome_files.write("start.yaml", genome_files.describe(net, given, name="g"))
    Path("e.yaml").write_text(f"{EXPERIMENT}method: {METHODS['gradient']}\nstart: start.yaml\n")
    start = setups.setup(schema.read("e.yaml", {"replicas": "1"})).start()
    assert equal(start, jax.tree.map(lambda x: jnp.stack([x]), given))


def test_jitter_is_for_all_but_the_first(ready: Callable[..., Setup]) -> None:
    little, much = (ready(experiment(jitter=j)).start() for j in ("0.001", "0.01"))
    changes = jax.tree.map(lambda a, b: np.abs(a - b).tolist(), little, much)
    assert all(a == 0 < b < 0.1 for a, b in changes.values())


# ------------------------------------------------------------ where all diverge


def test_where_all_diverge_the_search_goes_on_from_the_best(shared: None) -> None:
    one = loop.setup(experiment())
    kept, _ = best.updated(one, best.nothing(one, believing(one, [0.2, 0.3])), believing(one, [0.2, 0.2]), 49)
    exploding = jax.tree.map(lambda x: x * np.nan, believing(one, [0.2, 0.3]))
    carry = steps.start(one)._replace(method=exploding, best=kept)
    for step in range(50, 50 + PATIENCE):
        carry, _, _ = steps.meta_step(one, carry, step)
    rates = one.method.genomes(carry.method)["rate"]
    assert rates[0] == np.float32(0.2)
    assert 0 < abs(rates[1] - 0.2) < 0.1


CONSTANT_BLAST = SPEC.replace("~ uniform(0.05, 0.4)", "= 0.1").replace("blast = -1", "blast = 1")
ONE_OF_EACH = [METHODS["gradient"].split("\n")[0], METHODS["cma"], METHODS["pes"]]


@pytest.mark.parametrize("method", ONE_OF_EACH, ids=list(METHODS))
def test_a_search_that_begins_again_tries_others_though_fresh_genomes_are_the_same(
    method: str, ready: Callable[..., Setup]
) -> None:
    Path("tiny.blur").write_text(CONSTANT_BLAST)
    one = ready(experiment(method))
    carry, begun = steps.start(one), list[Any]()
    restarted = list[int]()
    for step in range(2 * 12):
        carry, line, _ = steps.meta_step(one, carry, step)
        if "restarted" in line:
            assert line["restarted"] == [0]
            restarted.append(step)
            begun.append(one.method.genomes(carry.method)["rate"].tolist())
    assert restarted == ([11, 23] if one.pieces == 3 else [9, 19])
    assert all(0 < abs(rate - 0.1) < 0.1 for (rate,) in begun)
    assert begun[0] != begun[1]


def test_a_search_begins_again_near_the_genome_that_it_started_from(shared: None, net: blurc.Net) -> None:
    Path("tiny.blur").write_text(SPEC.replace("blast = -1", "blast ~ normal(0.001)"))
    lost = {**net.init_genome(jax.random.key(9)), "blast": jnp.asarray(5.0), "rate": jnp.asarray(7.0)}
    genome_files.write("start.yaml", genome_files.describe(net, lost, name="g"))
    Path("e.yaml").write_text(f"{EXPERIMENT}method: {METHODS['gradient']}\nstart: start.yaml\n")
    one = loop.setup(schema.read("e.yaml"))
    carry = steps.start(one)
    for step in range(PATIENCE):
        carry, _, _ = steps.meta_step(one, carry, step)
    rates = one.method.genomes(carry.method)["rate"].tolist()
    assert all(0 < abs(rate - 7) < 0.1 for rate in rates)
    assert rates[0] != rates[1]


@pytest.mark.parametrize("method", ONE_OF_EACH[:2], ids=list(METHODS)[:2])
def test_a_run_that_began_again_is_resumed_to_the_same_bits(
    method: str, shared: None, stopped: Callable[..., None]
) -> None:
    Path("tiny.blur").write_text(CONSTANT_BLAST)
    e = experiment(method, method__steps="15")
    meta.run(e, "whole")
    stopped(e, 8)
    stopped(e, 12, resume=True)
    meta.run(e, "run", resume=True)
    assert made("run") == made("whole")
    assert [line["step"] for line in lines("run") if "restarted" in line] == [9]


# --------------------------------------------------- what a run folder holds


TOO_FAR = [
    "{name: cma, sigma: 1.0e+300, steps: 2, population: 4}",
    "{name: gradient, rate: 1.0e+39, steps: 12}",
    "{name: pes, rate: 1.0e+39, steps: 12, population: 4, truncation: 5}",
    "{name: gradient, steps: 2}\nreplicas: 3\njitter: 1.0e+39",
]


@pytest.mark.parametrize("method", TOO_FAR)
def test_a_genome_that_is_not_finite_itself_is_recorded_and_replayed(method: str, shared: None) -> None:
    assert meta.run(experiment(method), "run").diverged
    text = Path("run/divergences.jsonl").read_text()
    first = json.loads(text.splitlines()[0], parse_constant=pytest.fail)["genome"]
    read = {name: float(value) for name, value in replaying._genome(first).items()}
    assert not all(map(np.isfinite, read.values()))
    np.testing.assert_array_equal([*read.values()], [float(value) for value in first.values()])
    assert meta.replay("run").code == "E905"


@every_search
def test_candidates_are_counted(method: str, shared: None) -> None:
    Path("tiny.blur").write_text(CONSTANT_BLAST)
    result = meta.run(experiment(method, method__steps="5"), "run")
    assert result.diverged == result.candidates == sum(line["candidates"] for line in lines("run"))
    assert json.loads(Path("run/result.json").read_text())["candidates"] == result.candidates


def test_a_run_is_repeated_from_its_folder_elsewhere(shared: None, net: blurc.Net) -> None:
    genome_files.write("begin.yaml", genome_files.describe(net, net.init_genome(jax.random.key(9)), name="g"))
    Path("e.yaml").write_text(f"{EXPERIMENT}method: {METHODS['gradient']}\nstart: begin.yaml\n")
    meta.run(schema.read("e.yaml"), "run")
    Path("begin.yaml").unlink()
    Path("run").rename("moved")
    meta.run(schema.read("moved/experiment.yaml"), "again")
    assert made("again") == made("moved")
    assert Path("moved/spec/tiny.blur").read_text() == SPEC


def test_a_run_is_not_repeated_with_another_spec(shared: None) -> None:
    meta.run(experiment(method__steps="2"), "run")
    Path("tiny.blur").write_text(RANDOM_BLAST)
    (found,) = refused(lambda: meta.run(schema.read("run/experiment.yaml"), "again"))
    assert found.code == "E617"
    assert "`hash`" in found.message
    assert not Path("again").exists()


def test_a_run_that_had_not_written_its_experiment_begins(shared: None) -> None:
    e = experiment(method__steps="2")
    meta.run(e, "whole")
    for resume in (True, False):
        Path("run/spec").mkdir(parents=True)
        Path("run/spec/tiny.blur").write_text("genome")
        meta.run(e, "run", resume=resume)
        assert made("run") == made("whole")
        shutil.rmtree("run")


def test_what_is_wrong_with_a_task_is_told_at_its_line(shared: None) -> None:
    listed = "tasks:\n- moons\n- {data: digits}"
    Path("e.yaml").write_text(EXPERIMENT.replace("tasks: [center_circle, moons]", listed))
    for found in refused(lambda: meta.run(schema.read("e.yaml"), "run")):
        assert found.span is not None
        assert (found.span.source.name, found.span.text) == ("e.yaml", "{data: digits}")
