"""A gradient of five meta-parameters through many steps of learning: by a search, and by hand with `jax.checkpoint`.

By hand are a perceptron with the rule `specs.FIVE`, two products with synapses for the update of a layer where the rule
has three, and a scan of scans whose inner one is computed again, which keeps about the square root of the steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

import blurc
from blurc.bench import meta, specs
from blurc.bench.handwritten import Params, perceptron
from blurc.meta import internals
from blurc.runtime import map_tree
from blurc.tasks import Episode

BATCH = 32
Genome = Mapping[str, jax.Array]


class Asked(NamedTuple):
    """The same gradient, by two programs."""

    blurc: Callable[[], Any]
    hand: Callable[[], Genome]


def programs(sizes: Sequence[int], steps: int, questions: int) -> Asked:
    net = blurc.compile(specs.five(sizes))
    genome = {**net.init_genome(jax.random.key(0)), "decay": jnp.float32(1e-4), "hebb": jnp.float32(1e-3)}
    episode = meta.episode(sizes, steps, questions, BATCH)
    keys = jax.random.split(jax.random.key(1), 1)
    one = partial(map_tree, lambda x: x[None])
    drawn = internals.Drawn(keys, one(episode), jnp.zeros(1, int))
    judge = meta.judge(net, "cross_entropy")
    state = net.init(jax.random.split(keys[0])[0], genome, batch=BATCH)  # as the search makes it
    return Asked(partial(judge.gradients, one(genome), drawn), partial(by_hand, genome, params_of(net, state), episode))


def params_of(net: Any, state: Any) -> Params:
    layers = [(p.name, f"unit->{p.target}") for p in net.plan.projections if not p.unit]
    return [(state.synapses[name]["w"], state.synapses[bias]["w"][0]) for name, bias in layers]


def difference(asked: Asked) -> float:
    """Of the two gradients, relative to the largest number in them."""
    ours, theirs = asked.blurc().gradients, asked.hand()
    apart = max(float(abs(ours[name][0] - theirs[name])) for name in theirs)
    return apart / max(float(abs(x)) for x in theirs.values())


@jax.jit
@jax.grad
def by_hand(genome: Genome, params: Params, episode: Episode) -> jax.Array:
    steps = len(episode.xs)
    inner = max(n for n in range(1, math.isqrt(steps) + 1) if steps % n == 0)
    pieces = map_tree(lambda x: x.reshape(-1, inner, *x.shape[1:]), (episode.xs, episode.ys))

    @jax.checkpoint
    def piece(params: Params, batches: Any) -> tuple[Params, None]:
        return jax.lax.scan(lambda p, xy: (_step(genome, p, *xy), None), params, batches)

    params, _ = jax.lax.scan(piece, params, pieces)
    return -jnp.mean(jnp.sum(episode.y * jax.nn.log_softmax(perceptron(params, episode.x)), axis=-1))


def _step(genome: Genome, params: Params, x: jax.Array, y: jax.Array) -> Params:
    acts = [x]
    for w, b in params[:-1]:
        acts.append(jnp.tanh(acts[-1] @ w + b))
    acts.append(perceptron(params[-1:], acts[-1]))
    errors = [jax.nn.softmax(acts[-1]) - y]
    for (w, _), act in zip(reversed(params[1:]), reversed(acts[1:-1]), strict=True):
        errors.insert(0, (1 - act**2) * (errors[0] @ w.T))
    return [_updated(genome, *layer) for layer in zip(params, acts[:-1], acts[1:], errors, strict=True)]


def _updated(
    genome: Genome, layer: tuple[jax.Array, jax.Array], pre: jax.Array, act: jax.Array, error: jax.Array
) -> tuple[jax.Array, jax.Array]:
    w, b = layer
    pull = genome["eta"] * error + genome["hebb"] * act
    even = genome["even"] * error
    change = (pre.T @ pull + (pre**2).T @ even) / len(pre)
    return _changed(genome, w, change), _changed(genome, b, (pull + even).mean(axis=0))


def _changed(genome: Genome, p: jax.Array, change: jax.Array) -> jax.Array:
    return p - change - genome["decay"] * p - genome["cube"] * p**3
