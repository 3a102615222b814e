"""Episodes: what a genome is judged by, one by one, many at once, and in pieces."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import METHODS, SPEC, experiment

import blurc
from blurc import meta
from blurc.meta.experiment.experiment import Inner
from blurc.meta.run import persistent
from blurc.meta.run.setup import Setup
from blurc.meta.search.episode import Drawn, Judge, judged
from blurc.runtime import unroll
from blurc.tasks import OBJECTIVES, Episode, TaskChoice
from blurc.tasks.task import task

pytestmark = pytest.mark.usefixtures("compiled_fast")


def plain(net: blurc.Net, every: int, genome: Any, key: jax.Array, episode: Any) -> jax.Array:
    """`judged` step by step."""
    state = net.init(jax.random.split(key)[0], genome, batch=episode.xs.shape[1])
    total, values = len(episode.xs), []
    for done, (x, y) in enumerate(zip(episode.xs, episode.ys, strict=True), 1):
        state, _ = net.step(genome, state, x, y)
        if (total - done) % every == 0 and done >= every:
            outputs = net.predict(genome, state, episode.x)
            values.append(OBJECTIVES["cross_entropy"].score(outputs, episode.y))
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
def test_candidates_are_judged_alike_side_by_side_and_in_turn(together: Any, net: blurc.Net, chunk: int) -> None:
    in_turn = Judge(net, OBJECTIVES["cross_entropy"], Inner(5), chunk).values(*judged_together(net))
    np.testing.assert_allclose(in_turn.values, together, rtol=1e-5)
    assert len(set(together.tolist())) == 5


@pytest.fixture(scope="module")
def together(net: blurc.Net) -> jax.Array:
    return Judge(net, OBJECTIVES["cross_entropy"], Inner(5)).values(*judged_together(net)).values


def judged_together(net: blurc.Net) -> tuple[Any, Drawn]:
    """5 candidates, and 2 episodes for each."""
    candidates = jax.tree.map(
        lambda *x: jnp.stack(x), *(net.init_genome(k) for k in jax.random.split(jax.random.key(0), 5))
    )
    keys = jax.random.split(jax.random.key(1))
    made = [task(TaskChoice("moons")).episode(key, steps=5, batch=4, query=8) for key in keys]
    return candidates, Drawn(keys, jax.tree.map(lambda *x: jnp.stack(x), *made), jnp.zeros(2, int))


ON_FOUR = """
import sys, json, jax
sys.path.insert(0, {tests!r})
import blurc, test_episodes, tiny
from blurc.meta.search.episode import Judge
from blurc.meta.experiment.experiment import Inner
from blurc.tasks import OBJECTIVES
net = blurc.compile(tiny.SPEC)
judge = Judge(net, OBJECTIVES["cross_entropy"], Inner(5))
run = jax.jit(judge.values).lower(*test_episodes.judged_together(net)).compile()
found = run(*test_episodes.judged_together(net))
print(json.dumps([jax.device_count(), "num_partitions=4" in run.as_text(), found.values.tolist()]))
"""


def on_four_devices(script: str) -> str:
    devices = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count=4"
    environment = {**os.environ, "XLA_FLAGS": devices, "JAX_PLATFORMS": "cpu"}
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
import tiny
from blurc import meta
for method in tiny.METHODS.values():
    result = meta.run(tiny.experiment(method))
    print(result.value)
    result.folder.rename(result.folder.with_name(method[7:10]))
"""


@pytest.mark.slow  # 20 s; the one before is fast
def test_runs_on_several_devices_learn_the_same(shared: None) -> None:
    found = [float(line) for line in on_four_devices(RUNS_ON_FOUR).split()]
    here = [meta.run(experiment(m), f"runs/{name}1").value for name, m in METHODS.items()]
    np.testing.assert_allclose(found, here, rtol=1e-3)


# ---------------------------------------------------------------------- pes


def test_pieces_go_on_with_their_networks(ready: Callable[..., Setup]) -> None:
    """Of 5 steps in pieces of 2: the third has one. With particles that never moved it is one long episode."""
    one = ready(experiment("{name: pes, population: 2, truncation: 2, sigma: 1e-12}"))
    assert one.pieces == 3
    genomes = jax.tree.map(lambda x: jnp.concatenate([x, x]), one.start())
    going = persistent.start(one)
    for step in range(3, 6):
        found, going = persistent.piece(one, genomes, going, step)
    assert persistent.episode_of(one, 5) == 1
    expected = one.judge.values(genomes, one.episodes(1, 5))
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-5)


def test_first_synapses_are_of_the_perturbed_genome(ready: Callable[..., Setup]) -> None:
    """`spread` bears on nothing else."""
    one = ready(experiment("{name: pes, population: 2, truncation: 2}"))
    genomes = jax.tree.map(lambda x: jnp.concatenate([x, x]), one.start())
    genomes["spread"] = jnp.asarray([0.1, 2.0])
    found, _ = persistent.piece(one, genomes, persistent.start(one), 0)
    assert found.values[0] != found.values[1]


# --------------------------------------------------------------------- time


def test_an_episode_of_sequences_is_judged_by_what_is_asked() -> None:
    """The objective of the answers under the mask, by hand; what is not asked may be NaN."""
    net = blurc.compile(SPEC.replace("act, err", "act persistent, err").replace("act <- inc", "act <- act + inc"))
    keys = iter(jax.random.split(jax.random.key(4), 9))
    xs, x = (jax.random.normal(next(keys), (*lead, 3, 2)) for lead in ((2, 4), (8,)))
    ys, y = (jax.nn.one_hot(jax.random.randint(next(keys), (*lead, 3), 0, 2), 2) for lead in ((2, 4), (8,)))
    mask = (jnp.arange(3) == 2) * jnp.ones((8, 1))
    episode = Episode(xs, ys, x, jnp.where(mask[..., None] > 0, y, jnp.nan), None, mask)
    genome, key = net.init_genome(next(keys)), next(keys)
    found = judged(net, OBJECTIVES["cross_entropy"], Inner(2), genome, key, episode)

    state = net.init(jax.random.split(key)[0], genome, batch=4)
    for batch, answers in zip(xs, ys, strict=True):
        state = state._replace(neurons=jax.tree.map(jnp.zeros_like, state.neurons))
        state, _ = net.train(genome, state, batch.swapaxes(0, 1), answers.swapaxes(0, 1))
    rest = net.init(key, genome, batch=8)._replace(synapses=state.synapses)
    _, outs = net.run(genome, rest, x.swapaxes(0, 1))
    expected = OBJECTIVES["cross_entropy"].score(jnp.asarray(outs)[2], y[:, 2])
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_pieces_of_an_episode_of_sequences_end_like_the_whole(ready: Callable[..., Setup]) -> None:
    """Each piece of PES goes on from the synapses that the one before has left."""
    Path("tiny.blur").write_text(SPEC.replace("act, err", "act persistent, err").replace("class[2]", "class[1]"))
    tasks = "[{data: adding, parameters: {length: 3}}]"
    one = ready(experiment("{name: pes, population: 2, truncation: 2}", tasks=tasks, inner__steps="4"))
    genomes = jax.tree.map(lambda x: jnp.concatenate([x, 2 * x]), one.start())
    found, going = persistent.piece(one, genomes, persistent.start(one), 0)
    assert (found.values[0] != found.values[1]).all()
    found, _ = persistent.piece(one, genomes, going, 1)
    expected = one.judge.values(genomes, one.episodes(0, 4))
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-5)
