"""One example at a time: episodes with batches of one, judged while they learn, and labels that change on the way."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import METHODS, experiment, refused

import blurc
from blurc import meta
from blurc.meta.experiment.experiment import Experiment, Inner
from blurc.meta.run import setup as setups
from blurc.meta.search.differentiate import value_and_gradient
from blurc.meta.search.episode import judged
from blurc.tasks import OBJECTIVES, Augment, TaskChoice
from blurc.tasks.endless import Stream
from blurc.tasks.task import LoadedTask, task

pytestmark = pytest.mark.usefixtures("compiled_fast")

LOSS = OBJECTIVES["cross_entropy"]
SEARCHED = "{name: symbolic, search: [update], steps: 2, population: 8, length: 7, tune: 1}"


def alone(method: str) -> Experiment:
    more = {} if "pes" in method else {"inner__judge_every": "0"}
    more["tasks.1.augment.drift"] = "0.1"
    return experiment(method, method__steps="2", inner__batch="1", inner__online="true", **more)


@pytest.mark.parametrize("method", [*METHODS.values(), pytest.param(SEARCHED, marks=pytest.mark.slow)])  # 25 s
def test_every_method_searches_with_batches_of_one(method: str) -> None:
    result = meta.run(alone(method), "run")
    assert np.isfinite(result.value)


def test_each_batch_is_asked_before_it_is_learned(net: blurc.Net) -> None:
    episode = task(TaskChoice("moons")).episode(jax.random.key(1), steps=6, batch=1, query=1)
    genome, key = net.init_genome(jax.random.key(2)), jax.random.key(3)

    def by_hand(genome: dict[str, jax.Array]) -> jax.Array:
        state, answers = net.init(jax.random.split(key)[0], genome, batch=1), list[jax.Array]()
        for x, y in zip(episode.xs, episode.ys, strict=True):
            answers.append(net.predict(genome, state, x))  # type: ignore[arg-type]
            state, _ = net.step(genome, state, x, y)
        return LOSS.score(jnp.stack(answers), episode.ys)  # type: ignore[return-value]

    whole = partial(judged, net, LOSS, Inner(online=True), key=key, episode=episode)
    value, slope = jax.jit(jax.value_and_grad(by_hand))(genome)
    for mode in ("forward", "reverse"):
        way = value_and_gradient(lambda g: (whole(g), ()), mode)
        (found, _), gradient = jax.jit(way)(genome)
        np.testing.assert_allclose(found, value, rtol=1e-6)
        jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-7), gradient, slope)


def relabelled(at: int) -> LoadedTask:
    return task(TaskChoice("digits", augment=Augment(relabel_at=at)))


def order(x: jax.Array, y: jax.Array) -> dict[int, int]:
    """The output of each class of `digits`, by its own first example."""
    digits = task(TaskChoice("digits")).source
    rows = np.asarray(digits.x).reshape(len(digits.x), -1)  # type: ignore[attr-defined]
    known = {row.tobytes(): int(label) for row, label in zip(rows, np.asarray(digits.y), strict=True)}  # type: ignore[attr-defined]
    pairs = zip(np.asarray(x).reshape(-1, 64), np.asarray(y).reshape(-1, 10).argmax(axis=1), strict=True)
    return {known[a.tobytes()]: int(b) for a, b in pairs}


def test_labels_change_in_the_middle_and_the_query_goes_by_the_new_ones() -> None:
    one, key = relabelled(30), jax.random.key(4)
    episode = one.episode(key, steps=60, batch=4, query=64)
    early, late = (order(episode.xs[part], episode.ys[part]) for part in (slice(30), slice(30, None)))
    assert early == {n: n for n in range(10)}
    assert late != early
    assert sorted(late.values()) == [*range(10)]
    assert order(episode.x, episode.y) == late
    before = one.episode(key, steps=20, batch=4, query=64)
    assert order(before.x, before.y) == early


def test_a_stream_relabels_at_the_same_step() -> None:
    stream = Stream(relabelled(30), jax.random.key(4), 4, test=False)
    parts = [batches for _, batches in stream.pieces(10, 60)]
    early = order(jnp.stack([p.xs for p in parts[:3]]), jnp.stack([p.ys for p in parts[:3]]))
    late = order(jnp.stack([p.xs for p in parts[3:]]), jnp.stack([p.ys for p in parts[3:]]))
    assert early == {n: n for n in range(10)}
    for done, expected in ((20, early), (30, late), (60, late)):
        x, y, _ = stream.questions(64, done)
        assert order(x, y) == expected


def test_numbers_have_no_labels_to_change() -> None:
    Path("e.yaml").write_text(
        "name: e\nspec: tiny.blur\ntasks: [{data: sinusoid, augment: {relabel_at: 3}}]\n", encoding="utf-8"
    )
    (found,) = refused(lambda: setups.setup(meta.read("e.yaml")))
    assert found.message == "`augment.relabel_at` is for classes, but the targets of sinusoid are numbers"


def test_what_is_judged_online_has_no_other_judgement() -> None:
    (found,) = refused(lambda: experiment("gradient", inner__online="true"))
    assert found.message.startswith("`inner.online` judges every batch before it is learned")
    assert found.help == "leave one of them out"
