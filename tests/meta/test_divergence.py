"""Curriculum, restarts, and what becomes of genomes that leave the finite numbers."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest
from tiny import RANDOM_BLAST, SPEC, codes, equal, every_search, experiment, lines, lost_replicas

import blurc
from blurc import meta
from blurc.meta.experiment.experiment import Curriculum, Experiment, Inner
from blurc.meta.run import loop
from blurc.meta.run import step as steps
from blurc.meta.search import curriculum
from blurc.meta.search.curriculum import PATIENCE, WINDOW, Record

pytestmark = pytest.mark.usefixtures("compiled_fast")


def test_episodes_get_longer_until_they_are_long_enough() -> None:
    e = replace(experiment(), inner=Inner(10), curriculum=Curriculum(5, 100, 22))
    assert [curriculum.unroll(e, step) for step in (0, 99, 100, 199, 200, 300, 10**6)] == [10, 10, 15, 15, 20, 22, 22]
    assert [step for step in range(1000) if curriculum.lengthened(e, step)] == [100, 200, 300]


def test_without_curriculum_all_episodes_are_as_long() -> None:
    e = experiment()
    assert {curriculum.unroll(e, step) for step in range(100)} == {5}
    assert not any(curriculum.lengthened(e, step) for step in range(100))


def record(*costs: list[float]) -> Record:
    return Record(np.asarray(costs).T)


def test_the_best_replica_has_the_smallest_mean() -> None:
    assert record([3, 3], [0, 4], [1, 9]).best() == 1


def test_the_best_replica_diverged_the_least_often() -> None:
    assert record([0, np.inf, np.inf], [9, 9, np.inf], [7, np.inf, 9]).best() == 2


def test_a_mean_is_of_what_is_finite() -> None:
    found = record([1, np.inf, 5], [np.inf] * 3)
    assert (found.mean(0), found.mean(1)) == (3.0, np.inf)


def test_a_record_forgets() -> None:
    found = Record.empty(1)
    for i in range(WINDOW + 5):
        found = found.with_(np.asarray([float(i)]))
    assert found.costs[:, 0].tolist() == list(range(5, WINDOW + 5))


def test_a_replica_is_lost_that_only_diverges() -> None:
    now_and_then = [np.inf] * (PATIENCE - 1)
    found = record([np.inf] * PATIENCE, [*now_and_then, 1.0], [1.0] * PATIENCE)
    assert found.lost().tolist() == [True, False, False]
    assert not Record(found.costs[1:]).lost().any()


def test_what_diverges_is_counted_and_started_again(exploding: Experiment) -> None:
    result = meta.run(exploding, "run")
    lost = lost_replicas(exploding)
    assert 0 < len(lost) < 4
    before, after = lines("run")[:PATIENCE], lines("run")[PATIENCE:]
    assert [line["diverged"] for line in before] == [len(lost)] * PATIENCE
    assert all([v is None for v in line["values"]] == [i in lost for i in range(4)] for line in before)
    assert [line["diverged"] for line in after] == [0, 0]
    assert result.diverged == len(lost) * PATIENCE


def test_what_overflows_unseen_has_diverged_too(shared: None) -> None:
    """`u` is infinite after a step, and no prediction is any the worse for it."""
    unseen = SPEC.replace("synapse w", "synapse u ~ zeros, w").replace(
        "+ exp(1000 * blast)", "/ (1 + u); u <- exp(-1000 * blast)"
    )
    net = blurc.compile(unseen)
    state = net.init(jax.random.key(0), genome := net.init_genome(jax.random.key(0)))
    x, y = np.ones((1, 4, 2), np.float32), np.eye(2, dtype=np.float32)[None, [0, 1, 0, 1]]
    after, _ = net.train(genome, state, x, y)
    assert np.isinf(after.synapses["x->class"]["u"]).all()
    assert np.isfinite(net.predict(genome, after, x[0])).all()
    Path("tiny.blur").write_text(unseen)
    meta.run(experiment("cma", method__steps="1"), "run")
    assert lines("run")[0]["diverged"] == lines("run")[0]["candidates"]


def test_values_are_the_best_of_what_did_not_diverge(exploding: Experiment) -> None:
    meta.run(exploding, "run")
    for line in lines("run"):
        assert line["value"] == min(v for v in line["values"] if v is not None)


def test_the_best_goes_on_in_the_place_of_the_lost(exploding: Experiment) -> None:
    ready = loop.setup(exploding)
    carry = steps.start(ready)
    for step in range(PATIENCE):
        carry, _, _ = steps.meta_step(ready, carry, step)
    best = steps.believed(ready, carry)
    genomes = ready.method.genomes(carry.method)
    for i in lost_replicas(exploding):
        near = jax.tree.map(lambda x, y, i=i: abs(x[i] - y) < 10 * exploding.jitter, genomes, best)
        assert all(near.values())


def test_until_then_a_lost_genome_stays_as_it_is(exploding: Experiment) -> None:
    ready = loop.setup(exploding)
    carry = steps.start(ready)
    before = ready.method.genomes(carry.method)
    carry, _, _ = steps.meta_step(ready, carry, 0)
    changed = before["rate"] != ready.method.genomes(carry.method)["rate"]
    assert changed.tolist() == [i not in lost_replicas(exploding) for i in range(4)]


def test_the_best_is_copied_to_all_where_episodes_get_longer(shared: None) -> None:
    e = experiment(
        "{name: gradient, steps: 4, rate: 0.01}\nreplicas: 3\njitter: 1.0e-5",
        "curriculum: {add: 1, every: 3, until: 6}",
    )
    ready = loop.setup(e)
    carry = steps.start(ready)
    for step in range(3):
        carry, line, _ = steps.meta_step(ready, carry, step)
        assert line["unroll"] == 5
        assert np.ptp(line["values"]) > 1e-3
    carry, line, _ = steps.meta_step(ready, carry, 3)
    assert line["unroll"] == 6
    assert 0 < np.ptp(line["values"]) < 1e-4


@every_search
def test_where_all_diverge_fresh_genomes_are_tried(method: str, shared: None) -> None:
    """And a run comes to its end, with no value."""
    Path("tiny.blur").write_text(SPEC.replace("blast = -1", "blast = 1"))
    e = experiment(method, method__steps="12")
    result = meta.run(e, "run")
    assert np.isnan(result.value)
    assert [line["value"] for line in lines("run")] == [None] * 12
    assert json.loads(Path("run/result.json").read_text())["value"] is None
    assert np.isfinite(result.genome.values["rate"]).all()


def test_fresh_genomes_are_others(shared: None) -> None:
    Path("tiny.blur").write_text(SPEC.replace("blast = -1", "blast = 1"))
    ready = loop.setup(experiment())
    carry = steps.start(ready)
    before = ready.method.genomes(carry.method)["rate"]
    for step in range(PATIENCE):
        assert equal(ready.method.genomes(carry.method)["rate"], before)
        carry, _, _ = steps.meta_step(ready, carry, step)
    after = ready.method.genomes(carry.method)["rate"]
    assert not set(after.tolist()) & set(before.tolist())


# -------------------------------------------------------------------- replay


def test_a_replay_names_what_broke_where_and_when(exploding: Experiment) -> None:
    meta.run(exploding, "run")
    found = meta.replay("run")
    assert found.code == "E905"
    assert "at step 1: `w` of `x->class` in update is not finite" in found.message
    assert found.span
    assert RANDOM_BLAST.split("\n")[found.span.line - 1].strip().startswith("update")
    assert f"meta-step 0, candidate {lost_replicas(exploding)[0]}, task" in found.notes[0]


def test_a_replay_is_of_the_recorded_divergence(exploding: Experiment) -> None:
    meta.run(exploding, "run")
    recorded = [json.loads(line) for line in Path("run/divergences.jsonl").read_text().splitlines()]
    assert len(recorded) == min(20, sum(line["diverged"] for line in lines("run")))
    last = recorded[-1]
    where = f"meta-step {last['step']}, candidate {last['candidate']},"
    assert where in meta.replay("run", len(recorded) - 1).notes[0]


def test_more_divergences_at_once_than_are_recorded(shared: None) -> None:
    Path("tiny.blur").write_text(SPEC.replace("blast = -1", "blast = 1"))
    meta.run(experiment("{name: cma, steps: 1, population: 30}"), "run")
    assert len(Path("run/divergences.jsonl").read_text().splitlines()) == 20


def test_a_replay_of_pes_goes_through_the_pieces_before(shared: None) -> None:
    """The step at which it broke is counted from the beginning of the episode."""
    Path("tiny.blur").write_text(SPEC.replace("exp(1000 * blast)", "exp(30 * blast) * w ^ 3").replace("= -1", "= 0"))
    e = experiment("{name: pes, steps: 12, population: 4, truncation: 2, sigma: 0.1}", inner__steps="8")
    meta.run(e, "run")
    recorded = [json.loads(line) for line in Path("run/divergences.jsonl").read_text().splitlines()]
    number, late = next((i, r) for i, r in enumerate(recorded) if "earlier" in r)
    assert len(late["earlier"]) == late["step"] % 4
    found = meta.replay("run", number)
    (at,) = re.findall(r"at step (\d+): `\w+` of", found.message)
    assert (int(at) - 1) // 2 == late["step"] % 4
    assert len({(r["step"] // 4, r["candidate"]) for r in recorded}) == len(recorded)


def test_no_divergence_no_replay(shared: None) -> None:
    meta.run(experiment(), "run")
    assert codes(lambda: meta.replay("run")) == ["E619"]
    assert codes(lambda: meta.replay("none")) == ["E615"]
