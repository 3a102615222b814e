"""Symbolic searches: their runs, what they leave behind, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import codes, experiment, lines, made, refused

import blurc
from blurc import genome as genome_files
from blurc import meta
from blurc.meta.experiment.experiment import Experiment
from blurc.meta.internals import found_rules
from blurc.meta.run import best
from blurc.meta.run import setup as setups
from blurc.meta.run.folder import Folder
from blurc.meta.run.found import best_rule
from blurc.meta.run.step import meta_step, start
from blurc.meta.search import interpreted
from blurc.meta.search.episode import Drawn, Feedback
from blurc.meta.search.interpreted import InterpretedJudge
from blurc.meta.search.methods.symbolic import Candidates, survivors

pytestmark = pytest.mark.usefixtures("compiled_fast")


@pytest.fixture(autouse=True)
def without_bias(here: None) -> None:
    """One projection makes half the program that two would."""
    path = Path("tiny.blur")
    path.write_text(path.read_text().replace("output class[2]", "output class[2] { bias = off }"))


METHOD = "{{name: symbolic, search: [{}], steps: 7, population: 16, length: 9, tune: 1{}}}"


def small(search: str = "update", more: str = "") -> Experiment:
    return experiment(METHOD.format(search, more), inner__judge_every="0", seed="3")


def files(folder: str) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(Path(folder, "rules").glob("*.blur"))}


def test_a_search_that_is_cut_off_ends_with_the_same_bits(shared: None, stopped: Callable[..., None]) -> None:
    meta.run(small(), "whole")
    stopped(small(), 1)
    for moment in ("in a line", 3, "before a checkpoint", 5):
        stopped(small(), moment, resume=True)
    meta.run(small(), "run", resume=True)
    assert made("run") == made("whole")
    assert files("run") == files("whole")
    assert [line["step"] for line in lines("run")] == [*range(7)]


def test_it_writes_a_front_of_rules_that_compile_and_are_worth_what_it_says(shared: None) -> None:
    e = small()
    result = meta.run(e, "run")
    found = found_rules(Path("run"))
    assert [one.length for one in found] == sorted({one.length for one in found})
    assert {one.file for one in found} == set(files("run"))
    ready = setups.setup(e)
    for one in found:
        assert one.value is not None
        net = blurc.compile(Path("run", one.file), network="tiny", genome=one.rule)
        cost = best.worth(ready, net, net.init_genome(jax.random.key(0)), e.inner.steps)
        assert ready.judge.objective.natural(cost) == pytest.approx(one.value)
    assert result.value == max(one.value or 0 for one in found)
    file = genome_files.read("run/genome.yaml")
    assert file.spec in files("run")
    assert f"genome {file.rule} " in Path("run", file.spec).read_text()


def test_a_finished_search_is_evaluated_and_reported(shared: None) -> None:
    meta.run(small(), "run")
    (row, *_) = meta.finish("run")
    assert row.genome == "tiny"
    page = Path("run/report.html").read_text()
    for one in found_rules(Path("run")):
        assert one.file in page
    assert "Rules found" in page


def test_what_went_in_is_kept_where_nothing_better_was_found(shared: None) -> None:
    e = experiment(METHOD.format("update", "").replace("steps: 7", "steps: 1"), inner__judge_every="0")
    Path("tiny.blur").write_text(Path("tiny.blur").read_text().replace("~ uniform(0.05, 0.4)", "= 0.5"))
    result = meta.run(e, "run")
    assert result.value >= result.start


def test_a_rule_that_stays_as_it_was_has_seen_no_meta_steps(shared: None) -> None:
    ready, place = setups.setup(small()), Folder(Path("run"))
    place.path.mkdir()
    start = best.nothing(ready, ready.method.init(None))._replace(start=np.asarray(-0.75))
    file = best_rule(ready, place, start, 7, finished=False)
    assert (file.rule, file.found["meta-steps"], file.found["accuracy"]) == ("delta", 0, 0.75)


def test_every_candidate_of_a_search_is_another(shared: None) -> None:
    ready = setups.setup(small())
    state = ready.method.init(None)
    candidates = ready.method.ask(state, jax.random.key(0))
    marks = [ready.space.fingerprint(t) for t in ready.method.trees(candidates)]  # type: ignore[union-attr]
    assert len(marks) == len(set(marks)) == 16
    assert (ready.method.lengths(candidates) <= 9).all()  # type: ignore[union-attr]


def test_survivors_are_of_the_front_first_and_then_the_cheapest() -> None:
    costs, lengths = np.asarray([1.0, 2.0, 3.0, 9.0, np.inf]), np.asarray([5, 5, 5, 1, 1])
    assert survivors(costs, lengths, 3).tolist() == [0, 3, 1]
    assert survivors(costs, lengths, 4, fronts_alone=True).tolist() == [0, 3, 1, 4]


def test_a_divergence_is_replayed_in_the_equation_of_its_rule(shared: None) -> None:
    meta.run(experiment(METHOD.format("update", ""), inner__judge_every="0", inner__steps="40"), "run")
    assert Path("run/divergences.jsonl").exists()
    found = meta.replay("run")
    assert found.code == "E905"
    assert found.span
    assert "w <- w + " in found.span.source.line(found.span.line)


def test_a_divergence_is_recorded_with_the_constants_that_were_tuned(
    shared: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuned = InterpretedJudge.tuned

    def diverging(judge: InterpretedJudge, candidates: Candidates, drawn: Drawn, key: jax.Array) -> Feedback:
        found = tuned(judge, candidates, drawn, key)
        constants = found.tuned._replace(values=candidates.values + 1)
        return found._replace(finite=jnp.zeros_like(found.finite), tuned=constants)

    monkeypatch.setattr(InterpretedJudge, "tuned", diverging)
    ready = setups.setup(small())
    carry = start(ready)
    asked = ready.method.ask(carry.method, ready.key(setups.CANDIDATES, 0))
    _, _, lost = meta_step(ready, carry, 0)
    assert len(lost) == 16
    for one in lost:
        np.testing.assert_array_equal(one.genome.values, asked.values[one.candidate] + 1)


def test_tables_that_are_forgotten_are_made_again(shared: None, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = setups.setup(small())
    judge, candidates = ready.judge, ready.method.ask(ready.method.init(None), jax.random.key(0))
    assert isinstance(judge, InterpretedJudge)
    monkeypatch.setattr(interpreted, "REMEMBERED", 3)
    before, again = judge._encoded(candidates), judge._encoded(candidates)
    assert len(judge._tables) == 3
    for name, table in before.items():
        np.testing.assert_array_equal(again[name], table)


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("{name: symbolic}", "E606"),
        (METHOD.format("", ""), "E612"),
        (METHOD.format("update", ", functions: [log]"), "E612"),
        (METHOD.format("update", ", operators: [x]"), "E612"),
        (METHOD.format("update", ", leafs: {}"), "E607"),
        (METHOD.format("update", "") + "\nreplicas: 2", "E613"),
        (METHOD.format("update", "") + "\ncurriculum: {add: 1, every: 2, until: 9}", "E613"),
    ],
)
def test_an_experiment_that_cannot_be_is_refused_when_it_is_read(method: str, code: str) -> None:
    assert codes(lambda: experiment(method)) == [code]


@pytest.mark.parametrize(
    ("search", "more", "words"),
    [
        ("backward", "", "assigns nothing in a phase `backward`"),
        ("update", ", leaves: {update: [pre.nothing]}", "the leaf `pre.nothing` does not fit w of update"),
        ("update", ", leaves: {forward: [act]}", "`search` does not search"),
    ],
)
def test_what_the_rule_does_not_have_is_refused_before_the_run(search: str, more: str, words: str) -> None:
    (found,) = refused(lambda: meta.run(small(search, more), "run"))
    assert found.code == "E613"
    assert words in found.message
    assert not Path("run").exists()


def test_a_length_that_no_candidate_can_have_is_refused() -> None:
    method = METHOD.format("forward, update", "").replace("length: 9", "length: 1")
    (found,) = refused(lambda: meta.run(experiment(method), "run"))
    assert (found.code, found.help) == ("E613", "write `length: 2`, or more")


def test_the_front_is_listed_as_it_is_written(shared: None) -> None:
    meta.run(small(), "run")
    listed = json.loads(Path("run/front.json").read_text())["rules"]
    for one in listed:
        first = one["equations"][0].removeprefix("update: ")
        assert first in Path("run", one["file"]).read_text()
