"""The best genome of a run: what it is judged on, what it competes with, and how several tasks become one number."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import EXPERIMENT, METHODS, believing, equal, every_search, experiment, lines, made, refused

from blurc import meta
from blurc.diagnostics import Source
from blurc.meta.experiment import schema
from blurc.meta.experiment.experiment import Experiment
from blurc.meta.run import best, loop
from blurc.meta.run.setup import Setup
from blurc.meta.search.combine import combine

pytestmark = pytest.mark.usefixtures("compiled_fast")


def test_the_best_is_kept_where_a_search_gets_worse(ready: Callable[..., Setup]) -> None:
    one = ready(experiment())
    begun = best.nothing(one, believing(one, [0.2, 0.2]))
    good, found = best.updated(one, begun, believing(one, [-1.0, 0.2]), 49)
    kept, worse = best.updated(one, good, believing(one, [-1.0, -0.5]), 99)
    assert not begun.known
    assert float(good.genome["rate"]) == np.float32(0.2)
    assert (float(good.cost), int(good.step), int(good.unroll)) == (found.cost, 50, 5)
    assert worse.cost > found.cost
    assert equal(kept, good)


@pytest.fixture
def longer(ready: Callable[..., Setup]) -> Setup:
    """Episodes of 5 steps, and of 6 from meta-step 60."""
    return ready(experiment(more="curriculum: {add: 1, every: 60, until: 6}"))


@pytest.fixture
def lost_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a search starts from diverges in every episode."""
    start = Setup.start
    monkeypatch.setattr(Setup, "start", lambda self: {**start(self), "rate": start(self)["rate"] * np.nan})


def best_of(one: Setup, rate: float) -> best.Best:
    """Judged on episodes of 5 steps."""
    state = believing(one, [rate, rate])
    return best.updated(one, best.nothing(one, state), state, 49)[0]


@pytest.mark.usefixtures("lost_start")
@pytest.mark.parametrize(("before", "now", "step"), [(0.2, -1.0, 50), (-1.0, 0.2, 100)])
def test_where_episodes_get_longer_the_better_on_these_is_the_best(
    before: float, now: float, step: int, longer: Setup
) -> None:
    found, _ = best.updated(longer, best_of(longer, before), believing(longer, [now, now]), 99)
    assert float(found.genome["rate"]) == np.float32(0.2)
    assert (int(found.unroll), int(found.step)) == (6, step)
    one = jax.tree.map(lambda x: x[None], found.genome)
    assert [float(found.cost)] == best.trials(longer, one, 6).tolist()


@pytest.mark.usefixtures("lost_start")
def test_a_best_that_diverges_on_longer_episodes_loses_to_any_that_does_not(longer: Setup) -> None:
    short = best_of(longer, 0.2)
    short = short._replace(genome={**short.genome, "rate": np.float32(np.nan)})
    found, _ = best.updated(longer, short, believing(longer, [-1.0, -1.0]), 99)
    assert (float(found.genome["rate"]), int(found.unroll)) == (-1, 6)


@pytest.mark.usefixtures("lost_start")
def test_where_all_diverge_on_longer_episodes_the_best_is_that_of_shorter(longer: Setup) -> None:
    short = best_of(longer, 0.2)
    short = short._replace(genome={**short.genome, "rate": np.float32(np.nan)})
    diverged = jax.tree.map(lambda x: x * np.nan, believing(longer, [0.2, 0.2]))
    found, _ = best.updated(longer, short, diverged, 99)
    assert (found.cost, int(found.unroll), int(found.step)) == (short.cost, 5, 50)


def test_trials_are_others_than_those_of_the_search_and_always_the_same(ready: Callable[..., Setup]) -> None:
    one = ready(experiment())
    genomes = believing(one, [0.1, 0.3]).genomes
    costs = best.trials(one, genomes, 5)
    assert equal(best.trials(one, genomes, 5), costs)
    seen = {one.episodes(step, 5).episodes.xs.tobytes() for step in range(best.TRIALS)}
    tried = {best.trial(one, number, 5).episodes.xs.tobytes() for number in range(best.TRIALS)}
    assert len(tried) == best.TRIALS
    assert not seen & tried


def test_tasks_share_the_trials_by_their_weights(ready: Callable[..., Setup]) -> None:
    tasks = "tasks: [{data: center_circle, weight: 3}, {data: moons}]\n"
    text = EXPERIMENT.replace("tasks: [center_circle, moons]\n", tasks) + f"method: {METHODS['cma']}"
    one = ready(schema.parse(Source("e.yaml", text)))
    drawn = [task.name for task in best.trial_tasks(one)]
    assert (drawn.count("center_circle"), drawn.count("moons")) == (12, 4)


@every_search
def test_the_result_is_worth_what_it_says(method: str, shared: None) -> None:
    e = experiment(method, method__steps="4")
    result = meta.run(e, "run")
    one = loop.setup(schema.read("run/experiment.yaml"))
    genome = jax.tree.map(lambda x: jnp.asarray(x)[None], dict(result.genome.values))
    (cost,) = best.trials(one, genome, one.unroll(3))
    # another program: they round differently
    assert result.value == pytest.approx(one.judge.objective.natural(cost), rel=1e-6)


def test_what_is_believed_in_is_judged_now_and_then(shared: None) -> None:
    meta.run(experiment("{name: pes, steps: 6, population: 4, truncation: 5}", method__steps="101"), "run")
    assert [line["step"] for line in lines("run") if "judged" in line] == [49, 99]
    assert [line["candidates"] for line in lines("run")] == [4] * 101


# ---------------------------------------------------------------- the start


def test_what_comes_back_is_never_worse_than_what_went_in(shared: None) -> None:
    """A search that leaps far away in every step finds nothing better than its start."""
    result = meta.run(experiment("{name: gradient, steps: 6, rate: 1000}"), "run")
    one = loop.setup(schema.read("run/experiment.yaml"))
    assert equal(dict(result.genome.values), jax.tree.map(lambda x: x[0], one.start()))
    assert result.genome.found["meta-steps"] == 0
    assert result.value == result.start == json.loads(Path("run/result.json").read_text())["start"]


def test_the_start_is_judged_by_the_same_episodes(shared: None) -> None:
    result = meta.run(experiment(method__steps="4"), "run")
    one = loop.setup(schema.read("run/experiment.yaml"))
    costs = best.trials(one, one.start(), 5)
    assert result.start == one.judge.objective.natural(float(costs.min()))


def test_the_start_competes_on_longer_episodes_again(longer: Setup) -> None:
    found, _ = best.updated(longer, best_of(longer, -1.0), believing(longer, [-1.0, -1.0]), 99)
    assert equal(found.genome, best.begun(longer, 6).genome)
    assert (int(found.step), int(found.unroll), float(found.cost)) == (0, 6, float(found.start))


@pytest.mark.usefixtures("lost_start")
def test_a_start_that_diverges_is_worth_nothing(longer: Setup) -> None:
    assert not best.begun(longer, 5).known


# ---------------------------------------------------------------- several tasks


WEIGHED = "tasks: [{data: center_circle, weight: 30}, {data: moons}]"
WORST = "over_tasks: worst\ntasks_per_step: 3\n"


def of(text: str, more: str = "") -> Experiment:
    return schema.parse(Source("e.yaml", f"{text}{more}method: {METHODS['gradient']}"))


@pytest.fixture
def worst() -> Experiment:
    return of(EXPERIMENT.replace("tasks: [center_circle, moons]", WEIGHED), WORST)


def test_the_worst_task_counts_and_alone_has_a_slope() -> None:
    """Of three tasks, where the last has no episode: the first is 2 on average, the second 3."""
    values, tasks = jnp.asarray([1.0, 3.0, 3.0]), jnp.asarray([0, 1, 0])
    value, slope = jax.value_and_grad(combine("worst", 1, 3))(values, tasks)
    assert (float(value), slope.tolist()) == (3.0, [0.0, 1.0, 0.0])
    assert float(combine("worst", -1, 3)(values, tasks)) == 2.0
    assert float(combine("mean", 1, 3)(values, tasks)) == pytest.approx(7 / 3)


def test_for_the_worst_of_all_tasks_each_is_in_every_step_and_in_the_trials(
    worst: Experiment, ready: Callable[..., Setup]
) -> None:
    one = ready(worst)
    assert all({0, 1} <= set(one.drawn(step)) for step in range(20))
    assert [task.name for task in best.trial_tasks(one)].count("moons") == best.TRIALS / 2


def test_the_metrics_say_how_each_task_went(shared: None, worst: Experiment) -> None:
    meta.run(worst, "run")
    for line in lines("run"):
        assert list(line["by_task"]) == ["center_circle", "moons"]
        assert line["value"] == pytest.approx(max(line["by_task"].values()), rel=1e-6)


@every_search
def test_by_task_are_the_parts_of_the_mean(method: str, shared: None) -> None:
    """Of the best replica, or of the mean of a population."""
    meta.run(experiment(method, more="tasks_per_step: 4"), "run")
    for line in lines("run"):
        counted = [line["by_task"][name] for name in line["task"]]
        assert np.mean(counted) == pytest.approx(line.get("mean", line["value"]), rel=1e-5)


def test_a_single_task_is_not_told_twice(shared: None) -> None:
    meta.run(of(EXPERIMENT.replace("center_circle, moons", "moons")), "run")
    assert not any("by_task" in line for line in lines("run"))


def test_the_worst_needs_an_episode_of_each_task() -> None:
    (found,) = refused(lambda: of(EXPERIMENT, "over_tasks: worst\n"))
    assert (found.code, found.span and found.span.line) == ("E613", 8)
    assert found.help
    assert of(EXPERIMENT, "over_tasks: worst\ntasks_per_step: 2\n").over_tasks == "worst"
    assert "`tasks_per_step: 2`" in found.help


# ---------------------------------------------------------------- validation


VALIDATION = "validation: [xor, {data: circles, weight: 3}]\n"


def test_tasks_set_apart_decide_which_genome_is_best(shared: None) -> None:
    result = meta.run(of(EXPERIMENT, VALIDATION), "run")
    one = loop.setup(schema.read("run/experiment.yaml"))
    assert [task.name for task in best.trial_tasks(one)] == ["xor"] * 4 + ["circles"] * 12
    genome = jax.tree.map(lambda x: jnp.asarray(x)[None], dict(result.genome.values))
    (cost,) = best.trials(one, genome, 5)
    assert result.value == pytest.approx(cost, rel=1e-6)
    assert {name for line in lines("run") for name in line["task"]} == {"center_circle", "moons"}


def test_a_judgement_says_how_each_task_of_the_validation_went(shared: None) -> None:
    e = of(EXPERIMENT, VALIDATION)
    meta.run(schema.parse(Source("e.yaml", schema.dump(e)), {"method.steps": "50"}), "run")
    (line,) = [line for line in lines("run") if "judged" in line]
    by_task = line["judged_by_task"]
    assert line["judged"] == pytest.approx((by_task["xor"] + 3 * by_task["circles"]) / 4, rel=1e-5)


def test_a_run_with_all_this_goes_on_to_the_same_bits(shared: None, stopped: Callable[..., None]) -> None:
    e = of(EXPERIMENT, VALIDATION + WORST)
    meta.run(e, "whole")
    stopped(e, 4)
    meta.run(e, "run", resume=True)
    assert made("run") == made("whole")


def test_another_validation_is_another_run(shared: None) -> None:
    meta.run(of(EXPERIMENT, VALIDATION), "run")
    (found,) = refused(lambda: meta.run(of(EXPERIMENT), "run", resume=True))
    assert found.code == "E617"


def test_what_is_wrong_with_a_validation_task_is_told_at_its_line() -> None:
    Path("e.yaml").write_text(EXPERIMENT + "validation:\n- moons\n- {data: digits}\n")
    for found in refused(lambda: meta.run(schema.read("e.yaml"), "run")):
        assert found.span is not None
        assert (found.span.source.name, found.span.text) == ("e.yaml", "{data: digits}")
