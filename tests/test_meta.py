"""Meta-learning: objectives, methods, episodes, runs that go on after any interruption, and what becomes of divergence.

The networks are tiny; what genomes are worth is measured elsewhere.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner, Result

import blurc
from blurc import genome as genome_files
from blurc import meta, unroll
from blurc.cli import cli
from blurc.diagnostics import BlurError, Diagnostic, Source
from blurc.meta import best, checkpoint, curriculum, persistent, running, schema
from blurc.meta import setup as setups
from blurc.meta import step as steps
from blurc.meta.curriculum import PATIENCE, WINDOW, Record
from blurc.meta.episode import Feedback, Judge, judged
from blurc.meta.experiment import Cma, Curriculum, Experiment, Gradient, Inner, Pes
from blurc.meta.folder import Folder
from blurc.meta.methods import Method, make
from blurc.meta.methods.pes import PesMethod
from blurc.meta.objective import OBJECTIVES
from blurc.meta.setup import Setup
from blurc.tasks import TaskChoice
from blurc.tasks.task import task

# A layer that learns by the delta rule. Where `blast` is positive, w leaves the finite numbers at the first step.
SPEC = """
genome delta {
  state act, err
  synapse w ~ normal(spread)
  learn rate ~ uniform(0.05, 0.4), spread = 0.5, blast = -1

  sense    { act <- input }
  forward  { act <- incoming(w * pre.act) }
  feedback { err <- softmax(act) - target }
  update   { w <- w - rate * batch_mean(pre.act * post.err) + exp(1000 * blast) }
  readout act
}

network tiny uses delta {
  input  x[2]
  output class[2]
  x -> class
}
"""
RANDOM_BLAST = SPEC.replace("blast = -1", "blast ~ normal(1)")
EXPERIMENT = """
name: tiny
spec: tiny.blur
tasks: [center_circle, moons]
inner: {steps: 5, batch: 4, query: 8, judge_every: 2}
checkpoint_every: 3
evaluation: {steps: [2], seeds: 1, batch: 4}
"""
METHODS = {
    "gradient": "{name: gradient, steps: 11, rate: 0.01}\nreplicas: 2\njitter: 0.01",
    "cma": "{name: cma, steps: 11, population: 4}",
    "pes": "{name: pes, steps: 11, population: 4, truncation: 2}",
}


pytestmark = pytest.mark.usefixtures("compiled_fast")


class Killed(Exception):
    """In the place of SIGKILL."""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.blur").write_text(SPEC)


@pytest.fixture(scope="module")
def ready() -> Callable[..., Setup]:
    """Of an experiment, as `setup` makes it; equal experiments on the same spec share what they compile."""
    made: dict[Any, Setup] = {}

    def found(experiment: Experiment, data_dir: Any = None) -> Setup:
        path = Path(experiment.network.spec)
        text = schema.dump(replace(experiment, network=replace(experiment.network, spec=""), write=""))
        key = (text, path.read_text() if path.exists() else str(path))
        if key not in made:
            made[key] = setups.setup(experiment, data_dir)
        return made[key]

    return found


@pytest.fixture
def shared(ready: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs share their compiled programs."""
    monkeypatch.setattr(running, "setup", ready)


@pytest.fixture(scope="module")
def net() -> blurc.Net:
    return blurc.compile(SPEC)


def experiment(method: str = METHODS["gradient"], more: str = "", **overrides: str) -> Experiment:
    text = re.sub("inner:.*judge_every: 2", lambda m: m[0].replace(", judge_every: 2", ""), EXPERIMENT)
    text = text if "pes" in method else EXPERIMENT
    given = {key.replace("__", "."): value for key, value in overrides.items()}
    return schema.parse(Source("e.yaml", f"{text}method: {method}\n{more}"), given)


def refused(call: Callable[[], object]) -> list[Diagnostic]:
    with pytest.raises(BlurError) as caught:
        call()
    return list(caught.value.diagnostics)


def codes(call: Callable[[], object]) -> list[str]:
    return [d.code for d in refused(call)]


def equal(one: Any, other: Any) -> bool:
    return bool(
        jax.tree.all(jax.tree.map(lambda a, b: np.array_equal(np.asarray(a), np.asarray(b)), one, other))
    )


# ---------------------------------------------------------------- objectives


def test_a_loss_is_minimised() -> None:
    costs = OBJECTIVES["cross_entropy"].costs(jnp.asarray([0.3, 0.7]))
    assert costs[0] < costs[1]


def test_a_score_is_maximised() -> None:
    costs = OBJECTIVES["accuracy"].costs(jnp.asarray([0.3, 0.7]))
    assert costs[0] > costs[1]


@pytest.mark.parametrize("name", OBJECTIVES)
def test_costs_are_values_again_in_natural_units(name: str) -> None:
    values = jnp.asarray([0.25, 0.5])
    assert equal(OBJECTIVES[name].natural(OBJECTIVES[name].costs(values)), values)


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_costs_infinitely_much(name: str, value: float) -> None:
    assert OBJECTIVES[name].costs(jnp.asarray([value])) == jnp.inf


def test_accuracy_is_the_share_of_hits() -> None:
    outputs = jnp.asarray([[0.1, 0.2], [3.0, 0.0], [0.0, 5.0], [1.0, 2.0]])
    assert OBJECTIVES["accuracy"].of(outputs, jax.nn.one_hot(jnp.asarray([1, 0, 0, 1]), 2)) == 0.75


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_outputs_that_are_not_finite_have_no_accuracy(bad: float) -> None:
    outputs = jnp.asarray([[0.1, bad], [3.0, 0.0]])
    assert jnp.isnan(OBJECTIVES["accuracy"].of(outputs, jax.nn.one_hot(jnp.asarray([1, 0]), 2)))


# ------------------------------------------------------------------- methods

TABLE = {
    "gradient": Gradient(rate=0.05),
    "cma": Cma(population=8, sigma=0.3),
    "pes": Pes(population=16, sigma=0.05, truncation=1, rate=0.05),
}
GENOMES = {"a": jnp.asarray([[1.0, -2.0, 0.5]]), "b": {"x->y": jnp.asarray([3.0])}}
every_method = pytest.mark.parametrize("method", [make(c, 1) for c in TABLE.values()], ids=list(TABLE))


def squares(genome: Any) -> jax.Array:
    return sum(((x - 1) ** 2).sum() for x in jax.tree.leaves(genome))  # type: ignore[return-value]


slopes = jax.jit(jax.vmap(jax.value_and_grad(squares)))


def feedback(candidates: Any, bad: int | None = None) -> Feedback:
    values, gradients = slopes(candidates)
    if bad is not None:
        values = values.at[bad].set(jnp.nan)
        gradients = jax.tree.map(lambda g: g.at[bad].set(jnp.nan), gradients)
    return Feedback(values, jnp.isfinite(values), gradients)


def told(method: Method, state: Any, number: int, bad: int | None = None) -> Any:
    if isinstance(method, PesMethod):
        state = method.begun(state)
    candidates = method.ask(state, jax.random.key(number))
    found = feedback(candidates, bad)
    return method.tell(state, candidates, OBJECTIVES["cross_entropy"].costs(found.values), found)


@every_method
def test_a_method_finds_the_bottom_of_a_bowl(method: Method) -> None:
    state = method.init(GENOMES)
    for number in range(100):
        state = told(method, state, number)
    (found,) = jax.vmap(squares)(method.genomes(state))
    assert found < 0.05 < jax.vmap(squares)(GENOMES)[0]


@every_method
def test_candidates_are_genomes_with_a_leading_axis(method: Method) -> None:
    candidates = method.ask(method.init(GENOMES), jax.random.key(0))
    count = getattr(getattr(method, "choice"), "population", 1)  # noqa: B009 - not of the protocol
    assert candidates["a"].shape == (count, 3)
    assert candidates["b"]["x->y"].shape == (count,)
    assert candidates["a"].dtype == GENOMES["a"].dtype


@every_method
def test_the_same_state_and_key_give_the_same_candidates(method: Method) -> None:
    before = told(method, method.init(GENOMES), 0)
    asked = method.ask(before, jax.random.key(5))
    told(method, told(method, before, 1), 2)
    assert equal(method.ask(before, jax.random.key(5)), asked)


@every_method
def test_a_state_comes_from_what_was_told_alone(method: Method) -> None:
    """Told on two ways, and back on the first: nothing of the other is left."""
    fresh = make(getattr(method, "choice"), 1)  # noqa: B009
    start = method.init(GENOMES)
    one, other = told(method, start, 0), told(method, start, 0, bad=0)
    method.ask(other, jax.random.key(1))
    after, expected = told(method, one, 1), told(fresh, told(fresh, fresh.init(GENOMES), 0), 1)
    assert equal(method.genomes(after), fresh.genomes(expected))


@every_method
def test_a_state_survives_a_checkpoint(method: Method) -> None:
    state = told(method, method.init(GENOMES), 0)
    checkpoint.save(Path("c.npz"), state, {})
    loaded = checkpoint.load(Path("c.npz"), method.init(GENOMES))
    assert equal(told(method, loaded, 1), told(method, state, 1))


@every_method
def test_a_candidate_that_is_lost_breaks_nothing(method: Method) -> None:
    state = told(method, method.init(GENOMES), 0, bad=0)
    state = told(method, state, 1)
    for leaf in jax.tree.leaves((method.genomes(state), method.ask(state, jax.random.key(2)))):
        assert np.isfinite(leaf).all()


@every_method
def test_a_replaced_genome_is_searched_from(method: Method) -> None:
    others = jax.tree.map(lambda x: x + 7, GENOMES)
    state = method.replaced(told(method, method.init(GENOMES), 0), others, jnp.asarray([True]))
    assert equal(method.genomes(state), others)


def test_the_gradient_of_a_lost_replica_is_dropped() -> None:
    method = make(Gradient(rate=0.1), 0)
    start = method.init(jax.tree.map(lambda x: jnp.concatenate([x, x]), GENOMES))
    after = told(method, start, 0, bad=1)
    first, second = (jax.tree.map(lambda x, i=i: x[i], after) for i in range(2))
    assert equal(second, jax.tree.map(lambda x: x[1], start))
    assert not equal(first, jax.tree.map(lambda x: x[0], start))


def test_a_gradient_is_clipped() -> None:
    """Adam forgets a common factor, but a clipped gradient is small against those before."""
    method = make(Gradient(rate=0.1, clip=1e-3), 0)
    state = method.init(GENOMES)
    moment = method.tell(state, GENOMES, OBJECTIVES["cross_entropy"].costs(jnp.ones(1)), feedback(GENOMES))
    norm = jnp.sqrt(sum((x**2).sum() for x in jax.tree.leaves(moment.optimizer[1][0].mu)))
    np.testing.assert_allclose(norm, 0.1 * 1e-3, rtol=1e-5)


def test_a_decaying_rate_is_zero_in_the_end() -> None:
    method = make(Gradient(rate=0.1, steps=3, decay=True), 0)
    state = method.init(GENOMES)
    for number in range(3):
        before, state = state, told(method, state, number)
        assert not equal(method.genomes(state), method.genomes(before))
    assert equal(method.genomes(told(method, state, 3)), method.genomes(state))


def test_lost_candidates_rank_last() -> None:
    """As if they cost more than all others, however much that is."""
    told_inf, told_more = (
        make(Cma(population=4), 0).tell(make(Cma(population=4), 0).init(GENOMES), None, costs, None)  # type: ignore[arg-type]
        for costs in (jnp.asarray([2e30, jnp.inf, 1.0, 0.0]), jnp.asarray([2e30, 3e30, 1.0, 0.0]))
    )
    key = jax.random.key(0)
    assert equal(
        make(Cma(population=4), 0).ask(told_inf, key), make(Cma(population=4), 0).ask(told_more, key)
    )


def test_cma_is_a_function_of_its_seed() -> None:
    asked = [
        make(Cma(population=4), s).ask(make(Cma(), s).init(GENOMES), jax.random.key(0)) for s in (1, 1, 2)
    ]
    assert equal(asked[0], asked[1])
    assert not equal(asked[0], asked[2])


def test_cma_leaves_the_random_state_of_numpy_alone() -> None:
    before = np.random.get_state()[1].copy()  # type: ignore[union-attr]
    method = make(Cma(population=4), 0)
    told(method, method.init(GENOMES), 0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_pes_sees_how_earlier_pieces_bear_on_later_ones() -> None:
    """A sum that every piece adds the parameter to: after three pieces its slope is 3, of which evolution in single
    pieces would see 1."""
    method = PesMethod(Pes(population=40_000, sigma=0.1))
    state = method.begun(method.init({"a": jnp.zeros((1, 1))}))
    sums = jnp.zeros(40_000)
    for number in range(3):
        candidates = method.ask(state, jax.random.key(number))
        sums = sums + candidates["a"][:, 0]
        summed = state.summed + candidates["a"][:20_000] - state.mean["a"]
        slope = method._gradient(summed, *jnp.split(sums, 2))
        state = state._replace(summed=summed)
    assert slope == pytest.approx(3.0, rel=0.05)


def test_pairs_come_in_opposite_directions() -> None:
    method = PesMethod(Pes(population=6))
    up, down = jnp.split(method.ask(method.init(GENOMES), jax.random.key(0))["a"], 2)
    np.testing.assert_allclose((up + down) / 2, jnp.broadcast_to(GENOMES["a"], (3, 3)), atol=1e-6)


def test_a_pair_of_which_one_is_lost_is_left_out() -> None:
    method = PesMethod(Pes(sigma=1.0))
    summed = jnp.asarray([[1.0], [5.0]])
    one = method._gradient(summed[:1], jnp.asarray([3.0]), jnp.asarray([1.0]))
    both = method._gradient(summed, jnp.asarray([3.0, 9.0]), jnp.asarray([1.0, jnp.inf]))
    assert equal(one, both)


def test_pes_drops_a_gradient_that_overflows() -> None:
    method = PesMethod(Pes(population=2))
    state = method.init(GENOMES)
    candidates = method.ask(state, jax.random.key(0))
    after = method.tell(state, candidates, jnp.asarray([3e38, 0.0]), None)  # type: ignore[arg-type]
    assert equal((after.mean, after.optimizer), (state.mean, state.optimizer))


# ------------------------------------------------------------------ episodes


def plain(net: blurc.Net, every: int, genome: Any, key: jax.Array, episode: Any) -> jax.Array:
    """`judged` step by step."""
    state = net.init(jax.random.split(key)[0], genome, batch=episode.xs.shape[1])
    total, values = len(episode.xs), []
    for done, (x, y) in enumerate(zip(episode.xs, episode.ys, strict=True), 1):
        state, _ = net.step(genome, state, x, y)
        if (total - done) % every == 0 and done >= every:
            outputs = net.predict(genome, state, episode.x)
            values.append(OBJECTIVES["cross_entropy"].of(outputs, episode.y))
    return jnp.stack(values).mean()


@pytest.mark.parametrize("every", [pytest.param(0, marks=pytest.mark.slow), 3])
def test_an_episode_is_judged_as_step_by_step(net: blurc.Net, every: int) -> None:
    """In value and gradient. Of 7 steps, the one that is over comes first, and nothing is asked after it."""
    episode = task(TaskChoice("center_circle")).episode(jax.random.key(1), steps=7, batch=4, query=8)
    genome, key = net.init_genome(jax.random.key(2)), jax.random.key(3)
    inner = Inner(steps=7, judge_every=every)
    whole = partial(judged, net, OBJECTIVES["cross_entropy"], inner, key=key, episode=episode)
    by_step = partial(plain, net, every or 7, key=key, episode=episode)
    (value, gradient), (by_hand, slope) = (jax.jit(jax.value_and_grad(f))(genome) for f in (whole, by_step))
    np.testing.assert_allclose(value, by_hand, rtol=1e-6)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-7), gradient, slope)


def test_recomputation_changes_no_value_and_no_gradient(net: blurc.Net) -> None:
    episode = task(TaskChoice("moons")).episode(jax.random.key(1), steps=7, batch=4, query=1)
    genome = net.init_genome(jax.random.key(2))
    state = net.init(jax.random.key(3), genome, batch=4)

    def total(genome: Any, recompute: bool) -> Any:
        after, outs = net.train(genome, state, episode.xs, episode.ys, recompute=recompute)
        return (outs**2).mean() + after.synapses["x->class"]["w"].sum(), (after, outs)

    both = (jax.jit(jax.value_and_grad(partial(total, recompute=r), has_aux=True)) for r in (True, False))
    ((_, after), slope), ((_, plainly), expected) = (one(genome) for one in both)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-6), after, plainly)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-7), slope, expected)


@pytest.mark.parametrize("count", [1, 3, 4, 7, 9, 11])
def test_any_number_of_steps_can_be_recomputed(count: int) -> None:
    def total(w: jax.Array, recompute: bool) -> Any:
        body = lambda x, now: (jnp.sin(w * x) + now, x * now)  # noqa: E731
        last, outs = unroll.scan(body, w, jnp.arange(float(count)), recompute=recompute)
        return last + outs.sum(), outs

    slopes = [jax.grad(partial(total, recompute=r), has_aux=True)(jnp.asarray(0.7)) for r in (True, False)]
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-5), *slopes)


def scratch(program: Any, *arguments: Any) -> int:
    """Bytes that a program takes besides its arguments and results. It is compiled, and not run."""
    return jax.jit(program).lower(*arguments).compile().memory_analysis().temp_size_in_bytes


def test_the_memory_of_a_gradient_grows_with_the_square_root_of_the_steps() -> None:
    start = jnp.ones((200, 100))

    def slope(count: int, recompute: bool) -> int:
        def total(w: jax.Array) -> jax.Array:
            body = lambda x, _: (jnp.tanh(x * w), None)  # noqa: E731
            return unroll.scan(body, start, jnp.zeros(count), recompute=recompute)[0].sum()

        return scratch(jax.grad(total), jnp.ones(100))

    assert slope(900, True) < 4 * slope(100, True) < slope(900, False)


@pytest.mark.slow  # 20 s; the one before is fast
def test_two_hundred_steps_of_mnist_fit_in_two_gigabytes() -> None:
    net = blurc.compile("networks/mnist.blur", network="mnist", genome="blur")
    genome = net.init_genome(jax.random.key(0))
    state = net.init(jax.random.key(1), genome, batch=128)

    def taken(count: int) -> int:
        def total(genome: Any, xs: Any, ys: Any) -> Any:
            after, _ = net.train(genome, state, xs, ys, recompute=True)
            return net.predict(genome, after, xs[0]).mean()

        shapes = [jax.ShapeDtypeStruct((count, 128, n), jnp.float32) for n in (784, 10)]
        return scratch(jax.grad(total), genome, *shapes)

    assert taken(200) < min(2 * 2**30, 3 * taken(50))


@pytest.mark.parametrize("chunk", [1, 2])
def test_candidates_are_judged_alike_side_by_side_and_in_turn(
    together: Any, net: blurc.Net, chunk: int
) -> None:
    in_turn = Judge(net, OBJECTIVES["cross_entropy"], Inner(5), chunk).values(*judged_together(net))
    np.testing.assert_allclose(in_turn.values, together, rtol=1e-5)
    assert len(set(together.tolist())) == 5


@pytest.fixture(scope="module")
def together(net: blurc.Net) -> jax.Array:
    return Judge(net, OBJECTIVES["cross_entropy"], Inner(5)).values(*judged_together(net)).values


def judged_together(net: blurc.Net) -> tuple[Any, jax.Array, Any]:
    """5 candidates, and 2 episodes for each."""
    candidates = jax.tree.map(
        lambda *x: jnp.stack(x), *(net.init_genome(k) for k in jax.random.split(jax.random.key(0), 5))
    )
    keys = jax.random.split(jax.random.key(1))
    made = [task(TaskChoice("moons")).episode(key, steps=5, batch=4, query=8) for key in keys]
    return candidates, keys, jax.tree.map(lambda *x: jnp.stack(x), *made)


ON_FOUR = """
import sys, json, jax
sys.path.insert(0, {tests!r})
import blurc, test_meta
from blurc.meta.episode import Judge
from blurc.meta.experiment import Inner
from blurc.meta.objective import OBJECTIVES
net = blurc.compile(test_meta.SPEC)
judge = Judge(net, OBJECTIVES["cross_entropy"], Inner(5))
run = judge.values.lower(*test_meta.judged_together(net)).compile()
found = run(*test_meta.judged_together(net))
print(json.dumps([jax.device_count(), "num_partitions=4" in run.as_text(), found.values.tolist()]))
"""


def on_four_devices(script: str) -> str:
    environment = {
        **os.environ,
        "XLA_FLAGS": "--xla_force_host_platform_device_count=4",
        "JAX_PLATFORMS": "cpu",
    }
    command = [sys.executable, "-c", script.format(tests=str(Path(__file__).parent))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_several_devices_share_the_candidates(together: Any) -> None:
    """5 of them over 4 devices, which does not come out even."""
    devices, parted, values = json.loads(on_four_devices(ON_FOUR))
    assert (devices, parted) == (4, True)
    np.testing.assert_allclose(values, together, rtol=1e-5)


RUNS_ON_FOUR = """
import sys
sys.path.insert(0, {tests!r})
import test_meta
from blurc import meta
for method in test_meta.METHODS.values():
    result = meta.run(test_meta.experiment(method))
    print(result.value)
    result.folder.rename(result.folder.with_name(method[7:10]))
"""


@pytest.mark.slow  # 20 s; the one before is fast
def test_runs_on_several_devices_learn_the_same(shared: None) -> None:
    found = [float(line) for line in on_four_devices(RUNS_ON_FOUR).split()]
    here = [meta.run(experiment(m), f"runs/{name}1").value for name, m in METHODS.items()]
    np.testing.assert_allclose(found, here, rtol=1e-3)


# ---------------------------------------------------------------------- runs

MADE = ("metrics.jsonl", "genome.yaml", "result.json")
every_search = pytest.mark.parametrize("method", METHODS.values(), ids=list(METHODS))


def made(folder: str | Path) -> list[bytes]:
    return [(Path(folder) / name).read_bytes() for name in MADE]


def lines(folder: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (Path(folder) / "metrics.jsonl").read_text().splitlines()]


class Stopping:
    """Watches, and stops a run after a meta-step."""

    def __init__(self, after: int, by: type[BaseException] = Killed):
        self.after, self.by = after, by

    def begin(self, done: int, steps: int, objective: str) -> None:
        pass

    def line(self, line: dict[str, Any]) -> None:
        if line["step"] == self.after:
            raise self.by


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs what an experiment says into the folder `run`, and is stopped at some moment."""

    def half_a_line(self: Folder, name: str, line: Any) -> None:
        with open(self.path / name, "a") as file:
            file.write('{"step": ')
        raise Killed

    def before_the_checkpoint(*arguments: Any) -> None:
        raise Killed

    def go(e: Experiment, moment: int | str, **options: Any) -> None:
        with monkeypatch.context() as patch:
            if moment == "in a line":
                patch.setattr(Folder, "append", half_a_line)
            if moment == "before a checkpoint":
                patch.setattr(checkpoint, "save", before_the_checkpoint)
            watch = Stopping(moment if isinstance(moment, int) else -1)
            with pytest.raises(Killed):
                meta.run(e, "run", watch=watch, **options)

    return go


@every_search
def test_a_run_that_is_cut_off_ends_with_the_same_bits(
    method: str, shared: None, stopped: Callable[..., None]
) -> None:
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
import test_meta
from blurc import meta
class Slowly(test_meta.Stopping):
    def line(self, line):
        time.sleep(0.03)
meta.run(test_meta.experiment({method!r}, method__steps="60", checkpoint_every="7"), "run", watch=Slowly(-1))
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


# ----------------------------------------------------------- the best of a run


def believing(ready: Setup, rates: list[float]) -> Any:
    """The state of a search that believes in genomes with these rates."""
    state = steps.start(ready).method
    return state._replace(genomes={**state.genomes, "rate": jnp.asarray(rates, jnp.float32)})


def test_the_best_is_kept_where_a_search_gets_worse(ready: Callable[..., Setup]) -> None:
    one = ready(experiment())
    begun = best.nothing(one, believing(one, [0.2, 0.2]))
    good, cost = best.updated(one, begun, believing(one, [-1.0, 0.2]), 49)
    kept, worse = best.updated(one, good, believing(one, [-1.0, -0.5]), 99)
    assert not begun.known
    assert float(good.genome["rate"]) == np.float32(0.2)
    assert (float(good.cost), int(good.step), int(good.unroll)) == (cost, 50, 5)
    assert worse > cost
    assert equal(kept, good)


def test_a_genome_of_longer_episodes_goes_before_a_better_one_of_shorter(ready: Callable[..., Setup]) -> None:
    one = ready(experiment(more="curriculum: {add: 1, every: 60, until: 6}"))
    short, _ = best.updated(
        one, best.nothing(one, believing(one, [0.2, 0.2])), believing(one, [0.2, 0.2]), 49
    )
    long, _ = best.updated(one, short, believing(one, [-1.0, -1.0]), 99)
    assert (int(short.unroll), int(long.unroll)) == (5, 6)
    assert float(long.genome["rate"]) == -1
    diverged = jax.tree.map(lambda x: x * np.nan, believing(one, [0.2, 0.2]))
    assert equal(best.updated(one, short, diverged, 99)[0], short)


def test_trials_are_others_than_those_of_the_search_and_always_the_same(ready: Callable[..., Setup]) -> None:
    one = ready(experiment())
    genomes = believing(one, [0.1, 0.3]).genomes
    costs = best.trials(one, genomes, 5)
    assert equal(best.trials(one, genomes, 5), costs)
    seen = {one.episodes(step, 5)[0].xs.tobytes() for step in range(best.TRIALS)}
    tried = {best.trial(one, number, 5)[1].xs.tobytes() for number in range(best.TRIALS)}
    assert len(tried) == best.TRIALS
    assert not seen & tried


def test_tasks_share_the_trials_by_their_weights(ready: Callable[..., Setup]) -> None:
    tasks = "tasks: [{data: center_circle, weight: 3}, {data: moons}]\n"
    text = EXPERIMENT.replace("tasks: [center_circle, moons]\n", tasks) + f"method: {METHODS['cma']}"
    one = ready(schema.parse(Source("e.yaml", text)))
    drawn = [best.task_of(one, number).name for number in range(best.TRIALS)]
    assert (drawn.count("center_circle"), drawn.count("moons")) == (12, 4)


@every_search
def test_the_result_is_worth_what_it_says(method: str, shared: None) -> None:
    e = experiment(method, method__steps="4")
    result = meta.run(e, "run")
    one = running.setup(schema.read("run/experiment.yaml"))
    genome = jax.tree.map(lambda x: jnp.asarray(x)[None], dict(result.genome.values))
    (cost,) = best.trials(one, genome, one.unroll(3))
    assert result.value == one.judge.objective.natural(cost)


def test_what_is_believed_in_is_judged_now_and_then(shared: None) -> None:
    meta.run(experiment("{name: pes, steps: 6, population: 4, truncation: 5}", method__steps="101"), "run")
    assert [line["step"] for line in lines("run") if "judged" in line] == [49, 99]
    assert [line["candidates"] for line in lines("run")] == [4] * 101


def test_where_all_diverge_the_search_goes_on_from_the_best(shared: None) -> None:
    one = running.setup(experiment())
    kept, _ = best.updated(one, best.nothing(one, believing(one, [0.2, 0.3])), believing(one, [0.2, 0.2]), 49)
    exploding = jax.tree.map(lambda x: x * np.nan, believing(one, [0.2, 0.3]))
    carry = steps.start(one)._replace(method=exploding, best=kept)
    for step in range(50, 50 + PATIENCE):
        carry, _, _ = steps.meta_step(one, carry, step)
    rates = one.method.genomes(carry.method)["rate"]
    assert rates[0] == np.float32(0.2)
    assert 0 < abs(rates[1] - 0.2) < 0.1


# --------------------------------------------------- what a run folder holds


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


# ------------------------------------------------------------ what is refused


def test_a_folder_with_something_in_it_is_left_alone(shared: None) -> None:
    Path("run").mkdir()
    Path("run/mine.txt").write_text("mine")
    assert codes(lambda: meta.run(experiment(), "run")) == ["E615"]
    assert [p.name for p in Path("run").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("found", ["nothing", "an empty folder", "another folder"])
def test_where_nothing_began_nothing_is_resumed(found: str, shared: None) -> None:
    if found != "nothing":
        Path("run").mkdir()
    if found == "another folder":
        Path("run/mine.txt").write_text("mine")
    assert codes(lambda: meta.run(experiment(), "run", resume=True)) == ["E615"]


def test_a_folder_that_cannot_be_made_is_told(shared: None) -> None:
    Path("file").write_text("")
    assert codes(lambda: meta.run(experiment(), "file/run")) == ["E618"]


@pytest.fixture
def begun(stopped: Callable[..., None], shared: None) -> Path:
    """The checkpoint of a run that was stopped after 5 meta-steps, with one at 3."""
    stopped(experiment(), 4)
    return Path("run/checkpoint.npz")


def resumed(e: Experiment | None = None) -> list[Diagnostic]:
    return refused(lambda: meta.run(e or experiment(), "run", resume=True))


@pytest.mark.parametrize("kept", [0, 1, 30, 0.5, 0.99])
def test_a_half_written_checkpoint_is_refused(begun: Path, kept: float) -> None:
    data = begun.read_bytes()
    begun.write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    (found,) = resumed()
    assert (found.code, str(begun) in found.message) == ("E616", True)


def test_no_byte_of_a_checkpoint_changes_unnoticed(begun: Path) -> None:
    """Or it is one that does not matter, as the time in a zip file."""
    data, like = begun.read_bytes(), checkpoint.about(begun)
    for at in range(0, len(data), 41):
        begun.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        try:
            found = checkpoint.about(begun)
        except BlurError as error:
            assert [d.code for d in error.diagnostics] == ["E616"]  # noqa: PT017 - it may be raised, and need not
        else:
            assert found == like


@pytest.mark.parametrize("text", ["text", "npy", "npz", "a pickle"])
def test_a_foreign_checkpoint_is_refused(begun: Path, text: str) -> None:
    with begun.open("wb") as file:
        match text:
            case "text":
                file.write(b"mine")
            case "npy":
                np.save(file, np.ones(3))
            case "npz":
                np.savez(file, w=np.ones(3))
            case _:
                np.save(file, np.asarray([{}], object))
    assert [d.code for d in resumed()] == ["E616"]


def test_a_checkpoint_of_another_experiment_is_refused(begun: Path) -> None:
    (found,) = resumed(experiment(seed="1"))
    assert (found.code, "run/experiment.yaml" in (found.help or "")) == ("E617", True)


def test_a_checkpoint_of_other_versions_is_refused(begun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "versions", lambda: {"jax": "0.0.1"})
    (found,) = resumed()
    assert (found.code, "0.0.1 here" in found.message) == ("E617", True)


def test_a_checkpoint_of_a_spec_that_changed_is_refused(begun: Path) -> None:
    Path("tiny.blur").write_text(SPEC.replace("0.4", "0.3"))
    assert [d.code for d in resumed()] == ["E617"]


def test_a_checkpoint_with_other_arrays_is_refused(begun: Path) -> None:
    about = checkpoint.about(begun)
    checkpoint.save(begun, [np.ones(3)], about)
    assert [d.code for d in resumed()] == ["E617"]


def test_metrics_that_lost_lines_are_refused(begun: Path) -> None:
    Path("run/metrics.jsonl").write_text("")
    assert [d.code for d in resumed()] == ["E616"]


def test_another_experiment_does_not_begin_in_a_folder_without_checkpoint(
    shared: None, stopped: Callable[..., None]
) -> None:
    stopped(experiment(), 1)
    assert [d.code for d in resumed(experiment(seed="1"))] == ["E617"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"spec": "none.blur"}, "E103"),
        ({"network": "smal"}, "E211"),
        ({"tasks": "[digits]"}, "E807"),
        ({"tasks": "[none.npz]"}, "E802"),
        ({"tasks": "[mnis]"}, "E810"),
        ({"tasks": "[{data: moons, ways: 3}]"}, "E811"),
        ({"start": "none.yaml"}, "E601"),
        ({"start": "other.yaml"}, "E902"),
        ({"parameters": "{k: 3}"}, "E210"),
        ({"method.objective": "accuracy"}, "E613"),
        ({"method": "{name: cma}"}, "E613"),
        ({"method": "{name: pes, truncation: 1}", "replicas": "1"}, "E613"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_told_before_anything_is_written(change: dict[str, str], expected: str) -> None:
    Path("e.yaml").write_text(f"{EXPERIMENT}method: {METHODS['gradient']}\n")
    Path("other.yaml").write_text(
        "name: o\nrule: delta\ndtype: float32\nvalues: {rate: [1.0, 2.0], spread: 0.5, blast: 0.0}\n"
    )
    found = refused(lambda: meta.run(schema.read("e.yaml", change), "run"))
    assert {d.code for d in found} == {expected}
    assert not Path("run").exists()


def test_an_experiment_from_python_is_checked_like_a_file() -> None:
    wrong = replace(experiment(), method=Gradient(objective="accurracy"))
    assert codes(lambda: meta.run(wrong, "run")) == ["E612"]


def test_a_rule_without_meta_parameters_has_nothing_to_learn() -> None:
    text = SPEC.replace("learn rate ~ uniform(0.05, 0.4), spread = 0.5, blast = -1\n", "")
    Path("tiny.blur").write_text(text.replace("rate", "0.1").replace("spread", "0.5").replace("blast", "0"))
    assert codes(lambda: meta.run(experiment(), "run")) == ["E613"]


# ---------------------------------------------- curriculum, and what diverges


def test_episodes_get_longer_until_they_are_long_enough() -> None:
    e = replace(experiment(), inner=Inner(10), curriculum=Curriculum(5, 100, 22))
    assert [curriculum.unroll(e, step) for step in (0, 99, 100, 199, 200, 300, 10**6)] == [
        10,
        10,
        15,
        15,
        20,
        22,
        22,
    ]
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
    found = Record()
    for i in range(WINDOW + 5):
        found = found.with_(np.asarray([float(i)]))
    assert found.costs[:, 0].tolist() == list(range(5, WINDOW + 5))


def test_a_replica_is_lost_that_only_diverges() -> None:
    now_and_then = [np.inf] * (PATIENCE - 1)
    found = record([np.inf] * PATIENCE, [*now_and_then, 1.0], [1.0] * PATIENCE)
    assert found.lost().tolist() == [True, False, False]
    assert not Record(found.costs[1:]).lost().any()


@pytest.fixture
def exploding(shared: None) -> Experiment:
    """Of 4 replicas, some leave the finite numbers in every episode."""
    Path("tiny.blur").write_text(RANDOM_BLAST)
    return experiment("{name: gradient, steps: 12, rate: 0.01}\nreplicas: 4", seed="3")


def lost_replicas(e: Experiment) -> list[int]:
    start = setups.setup(e).start()
    return [i for i, blast in enumerate(start["blast"].tolist()) if blast > 0]


def test_what_diverges_is_counted_and_started_again(exploding: Experiment) -> None:
    result = meta.run(exploding, "run")
    lost = lost_replicas(exploding)
    assert 0 < len(lost) < 4
    before, after = lines("run")[:PATIENCE], lines("run")[PATIENCE:]
    assert [line["diverged"] for line in before] == [len(lost)] * PATIENCE
    assert all([v is None for v in line["values"]] == [i in lost for i in range(4)] for line in before)
    assert [line["diverged"] for line in after] == [0, 0]
    assert result.diverged == len(lost) * PATIENCE


def test_values_are_the_best_of_what_did_not_diverge(exploding: Experiment) -> None:
    meta.run(exploding, "run")
    for line in lines("run"):
        assert line["value"] == min(v for v in line["values"] if v is not None)


def test_the_best_goes_on_in_the_place_of_the_lost(exploding: Experiment) -> None:
    ready = running.setup(exploding)
    carry = steps.start(ready)
    for step in range(PATIENCE):
        carry, _, _ = steps.meta_step(ready, carry, step)
    best = steps.believed(ready, carry)
    genomes = ready.method.genomes(carry.method)
    for i in lost_replicas(exploding):
        near = jax.tree.map(lambda x, y, i=i: abs(x[i] - y) < 10 * exploding.jitter, genomes, best)
        assert all(near.values())


def test_until_then_a_lost_genome_stays_as_it_is(exploding: Experiment) -> None:
    ready = running.setup(exploding)
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
    ready = running.setup(e)
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
    ready = running.setup(experiment())
    carry = steps.start(ready)
    before = ready.method.genomes(carry.method)["rate"]
    for step in range(PATIENCE):
        assert equal(ready.method.genomes(carry.method)["rate"], before)
        carry, _, _ = steps.meta_step(ready, carry, step)
    after = ready.method.genomes(carry.method)["rate"]
    assert not set(after.tolist()) & set(before.tolist())


# ---------------------------------------------------------------------- pes


def test_pieces_go_on_with_their_networks(ready: Callable[..., Setup]) -> None:
    """Of 5 steps in pieces of 2: the third has one. With particles that never moved it is one long episode."""
    one = ready(experiment("{name: pes, population: 2, truncation: 2, sigma: 1e-12}"))
    assert one.pieces == 3
    genomes = jax.tree.map(lambda x: jnp.concatenate([x, x]), one.start())
    going = persistent.start(one)
    for step in range(3, 6):
        found, going = persistent.piece(one, genomes, going, step)
    episodes, keys = one.episodes(1, 5)
    assert persistent.episode_of(one, 5) == 1
    expected = one.judge.values(genomes, keys, episodes)
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-5)


def test_first_synapses_are_of_the_perturbed_genome(ready: Callable[..., Setup]) -> None:
    """`spread` bears on nothing else."""
    one = ready(experiment("{name: pes, population: 2, truncation: 2}"))
    genomes = jax.tree.map(lambda x: jnp.concatenate([x, x]), one.start())
    genomes["spread"] = jnp.asarray([0.1, 2.0])
    found, _ = persistent.piece(one, genomes, persistent.start(one), 0)
    assert found.values[0] != found.values[1]


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
    Path("tiny.blur").write_text(
        SPEC.replace("exp(1000 * blast)", "exp(30 * blast) * w ^ 3").replace("= -1", "= 0")
    )
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


# ------------------------------------------------------------------- the command


def command(*args: object) -> Result:
    return CliRunner().invoke(cli, ["meta", *map(str, args)])


@pytest.fixture
def file(shared: None) -> Path:
    path = Path("e.yaml")
    path.write_text(f"{EXPERIMENT}method: {METHODS['gradient']}\n")
    return path


def test_the_command_learns_evaluates_and_reports(file: Path) -> None:
    done = command(file, "--set", "method.steps=2", "--json", "-")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert len(lines("runs/tiny")) == 2
    assert (found["experiment"], found["folder"], found["objective"]) == (
        "tiny",
        "runs/tiny",
        "cross_entropy",
    )
    assert [row["task"] for row in found["rows"]] == ["center_circle", "moons"]
    assert {p.name for p in Path("runs/tiny").iterdir()} >= {
        *MADE,
        "report.html",
        "evaluation.json",
        "versions.json",
    }
    assert command(file, "--set", "method.steps=2").exit_code == 1
    assert command(file, "--set", "method.steps=2", "--replay", 0).exit_code == 1


@pytest.mark.parametrize(
    ("options", "status", "told"),
    [
        (["--set", "method.clp=2"], 1, "did you mean `clip`?"),
        (["--set", "sed=2"], 1, "did you mean `seed`?"),
        (["--set", "method.steps"], 2, "write KEY=VALUE"),
        (["--resume", "--replay", "0"], 2, "give one of them"),
        (["--resume"], 1, "error[E615]"),
        (["--replay", "0"], 1, "error[E615]"),
        (["--replay", "-1"], 2, "-1 is not in the range"),
        (["-o", "e.yaml"], 1, "error[E618]"),
    ],
    ids=str,
)
def test_the_command_refuses(options: list[str], status: int, told: str, file: Path) -> None:
    done = command(file, *options)
    assert (done.exit_code, told in done.output) == (status, True), done.output
    assert not Path("runs").exists()


def test_the_command_without_a_file() -> None:
    done = command("none.yaml")
    assert (done.exit_code, "error[E601]" in done.output) == (1, True)


def test_the_command_replays(exploding: Experiment, file: Path) -> None:
    file.write_text(
        file.read_text().replace("steps: 11, rate: 0.01}\nreplicas: 2", "steps: 1}\nreplicas: 4\nseed: 3")
    )
    meta.run(schema.read(file), "runs/tiny")
    done = command(file, "--replay", 0)
    assert done.exit_code == 0
    assert "`w` of `x->class` in update is not finite" in done.output
    assert "tiny.blur:" in done.output


def test_an_interrupted_command_says_how_to_go_on(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from blurc.cli import meta as module

    with monkeypatch.context() as patch:
        patch.setattr(module, "_watch", lambda out: Interrupting())
        done = command(file)
    assert (done.exit_code, "--resume goes on" in done.output) == (130, True)
    assert meta.run(schema.read(file), "runs/tiny", resume=True).steps == 11
    assert len(lines("runs/tiny")) == 11


class Interrupting(Stopping):
    def __init__(self) -> None:
        super().__init__(4, KeyboardInterrupt)

    def __enter__(self) -> Interrupting:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


def test_the_example_of_the_module_works(shared: None) -> None:
    Path("experiment.yaml").write_text(f"{EXPERIMENT}method: {METHODS['gradient']}\n")
    text = inspect.getdoc(meta) or ""
    (code,) = re.findall(r"^( {4}from blurc import meta\n(?: {4}.*\n|\n)+)", text, re.M)
    found: dict[str, Any] = {}
    exec(inspect.cleandoc(code), found)
    assert isinstance(found["result"].genome, genome_files.GenomeFile)
    assert len(lines("runs/mine")) == 100
