"""An episode trains a fresh network under a genome, then tests it. This is the pure function that is optimised.

    value = judged(net, objective, inner, genome, key, episode)

is differentiable in the genome. `Judge` runs it for many genomes in one program, [candidates] x [episodes]. All of them
get the same initial states and batches, so differences come from the genomes, not from the episodes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from blurc.api import Net
from blurc.meta.experiment.experiment import Inner
from blurc.meta.search import many
from blurc.meta.search.objective import Objective
from blurc.runtime import GenomeValues, State, stack_trees
from blurc.tasks import Episode
from blurc.training import asking_key, finite, predict


class Feedback(NamedTuple):
    """values, finite: [candidates]. gradients: of the values, shaped like the candidates; None if not requested."""

    values: jax.Array
    finite: jax.Array
    gradients: Any = None


def judged(
    net: Net, objective: Objective, inner: Inner, genome: GenomeValues, key: jax.Array, episode: Episode
) -> jax.Array:
    """The objective on the episode's query, averaged over all evaluations (`Inner.judge_every`)."""
    start_key, noise_key = jax.random.split(key)
    state = net.init(start_key, genome, batch=episode.xs.shape[1])

    def learn(state: State, xs: Any, ys: Any, key: jax.Array) -> State:
        return net.train(genome, state, xs, ys, key=key, recompute=True)[0]

    def part(state: State, batches: tuple[Any, Any, jax.Array]) -> tuple[State, jax.Array]:
        state = learn(state, *batches)
        return state, asked(net, objective, genome, state, episode, batches[2])

    first, *parts = segments(inner, noise_key, episode)
    if parts and len(first[0]) < len(parts[0][0]):
        state = learn(state, *first)
    else:
        parts = [first, *parts]
    if len(parts) == 1:
        return part(state, parts[0])[1]
    stacked = stack_trees(parts)
    return jax.lax.scan(jax.checkpoint(part, prevent_cse=False), state, stacked)[1].mean()


def segments(inner: Inner, key: jax.Array, episode: Episode) -> list[tuple[jax.Array, jax.Array, jax.Array]]:
    """The batches between evaluations, each with its noise key. The first segment takes the remainder."""
    steps = len(episode.xs)
    every = min(inner.judge_every or steps, steps)
    ends = range(steps % every or every, steps + 1, every)
    starts = [0, *ends[:-1]]
    keys = jax.random.split(key, len(ends))
    return [(episode.xs[a:b], episode.ys[a:b], k) for a, b, k in zip(starts, ends, keys, strict=True)]


def asked(
    net: Net, objective: Objective, genome: GenomeValues, state: State, episode: Episode, noise: jax.Array
) -> jax.Array:
    """The current objective, or NaN if any learned value is not finite: a network can predict well for a few more
    steps, as long as it does not read what overflowed.

    The query is split into batches of the training size if it divides evenly: batch statistics then match those of
    training, and a batch stays in cache."""
    count, batch = len(episode.x), episode.xs.shape[1]
    size = batch if count % batch == 0 else count
    batches = episode.x.reshape(-1, size, *episode.x.shape[1:])
    keys = jax.vmap(partial(asking_key, noise))(jnp.arange(len(batches)))
    outputs = jax.vmap(partial(predict, net, genome, state))(batches, keys)
    value = objective.of(outputs.reshape(count, -1), episode.y)
    return jnp.where(finite(state), value, jnp.nan)


@dataclass(frozen=True, eq=False)
class Judge:
    """Programs that evaluate candidates: genome pytrees with a leading axis [candidates]. chunk: see `many`."""

    net: Net
    objective: Objective
    inner: Inner
    chunk: int = 0

    def one(self, genome: GenomeValues, keys: jax.Array, episodes: Episode) -> jax.Array:
        """keys: [episodes]; episodes: leading axis [episodes]."""
        value = partial(judged, self.net, self.objective, self.inner, genome)
        return jax.vmap(value)(keys, episodes).mean()

    @cached_property
    def values(self) -> Callable[..., Feedback]:
        """(candidates, keys, episodes) -> Feedback."""

        def run(candidates: Any, keys: jax.Array, episodes: Episode) -> Feedback:
            values = many.over(self.one, candidates, (keys, episodes), chunk=self.chunk)
            return Feedback(values, jnp.isfinite(values))

        return jax.jit(run)

    @cached_property
    def gradients(self) -> Callable[..., Feedback]:
        """(candidates, keys, episodes) -> Feedback."""

        def run(candidates: Any, keys: jax.Array, episodes: Episode) -> Feedback:
            one = jax.value_and_grad(self.one)
            values, gradients = many.over(one, candidates, (keys, episodes), chunk=self.chunk)
            return Feedback(values, jnp.isfinite(values) & many.finite(gradients), gradients)

        return jax.jit(run)
