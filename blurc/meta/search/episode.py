"""An episode trains a fresh network under a genome, then tests it, or compares its activity on the way with a
recording. This is the pure function that is optimised.

    value = judged(net, objective, inner, genome, key, episode)

is differentiable in the genome. `Judge` runs it for many genomes in one program, [candidates] x [episodes]. All of them
get the same initial states and batches, so differences come from the genomes, not from the episodes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from blurc.api import Net
from blurc.meta.experiment.experiment import Inner
from blurc.meta.processes.processes import ALONE, Processes
from blurc.meta.search import many
from blurc.meta.search.combine import Combine, combine
from blurc.meta.search.differentiate import Mode, value_and_gradient
from blurc.runtime import GenomeValues, State, map_tree, unroll
from blurc.tasks import Batches, Episode, Lifetime, Objective, Replay
from blurc.training import (
    Held,
    Probe,
    activity,
    agreement,
    answers,
    asking_key,
    begun,
    finite,
    learn,
    predict,
    replayed,
)


class Feedback(NamedTuple):
    """values, finite: [candidates]. each: the value of each episode, [candidates, episodes]. gradients: of what they
    cost, shaped like the candidates; None if not requested. tuned: what a symbolic search learns from them, else None.
    """

    values: jax.Array
    finite: jax.Array
    each: jax.Array
    gradients: Any = None
    tuned: Any = None


class Drawn(NamedTuple):
    """The episodes of a meta-step, all with a leading axis [episodes]: their random keys, their examples (or, in
    environments, lifetimes, or replays of recordings), and the numbers of their tasks."""

    keys: jax.Array
    episodes: Episode | Lifetime | Replay
    tasks: jax.Array


def stacked(parts: Sequence[Drawn]) -> Drawn:
    return jax.tree.map(lambda *arrays: jnp.concatenate(arrays), *parts)


def judged(
    net: Net, objective: Objective, inner: Inner, genome: GenomeValues, key: jax.Array, episode: Episode
) -> jax.Array:
    """The objective on the episode's query, averaged over all evaluations (`Inner.judge_every`)."""
    start_key, noise_key = jax.random.split(key)
    state = net.init(start_key, genome, batch=episode.xs.shape[1])

    if inner.online:
        return on_line(net, objective, genome, state, episode, noise_key)[1]

    def part(state: State, now: tuple[Batches, jax.Array]) -> tuple[State, jax.Array]:
        state, _ = learn(net, genome, state, *now, recompute=True)
        return state, asked(net, objective, inner, genome, state, episode, now[1])

    every, rest, keys = _pieces(inner, noise_key, episode)
    batches = episode.batches
    if rest:
        state, _ = learn(net, genome, state, map_tree(lambda a: a[:rest], batches), keys[0], recompute=True)
        batches, keys = map_tree(lambda a: a[rest:], batches), keys[1:]
    if len(keys) == 1:
        return part(state, (batches, keys[0]))[1]
    stacked = map_tree(lambda a: a.reshape(len(keys), every, *a.shape[1:]), batches)
    return jax.lax.scan(jax.checkpoint(part, prevent_cse=False), state, (stacked, keys))[1].mean()


def on_line(
    net: Net, objective: Objective, genome: GenomeValues, state: State, episode: Episode, noise: jax.Array
) -> tuple[State, jax.Array]:
    """The state after all batches, and the objective of the answers that were given just before each was learned."""

    def step(state: State, now: tuple[Batches, jax.Array]) -> tuple[State, jax.Array]:
        batch, key = now
        answer = predict(net, genome, state, batch.xs, asking_key(key, 0))
        return learn(net, genome, state, map_tree(lambda a: a[None], batch), key)[0], answer

    keys = jax.random.split(noise, len(episode.xs))
    state, outputs = unroll.scan(step, state, (episode.batches, keys), recompute=True)
    value = objective.score(outputs.reshape(episode.ys.shape), episode.ys, episode.masks)
    return state, jnp.where(finite(state), value, jnp.nan)


def compared(
    net: Net, objective: Objective, genome: GenomeValues, state: State, replay: Replay, key: jax.Array,
    recompute: bool = False,
) -> tuple[State, jax.Array]:  # fmt: skip
    """The state after all steps of a recording, and how the activity on the way agrees with it."""
    state, seen = replayed(net, genome, state, replay.shown, key, recompute)
    return state, agreement(objective, seen, replay.shown)


def _pieces(inner: Inner, key: jax.Array, episode: Episode) -> tuple[int, int, jax.Array]:
    """How many steps lie between evaluations, how many before those, and a noise key for each segment."""
    steps = len(episode.xs)
    every = min(inner.judge_every or steps, steps)
    return every, steps % every, jax.random.split(key, -(-steps // every))


def segments(inner: Inner, key: jax.Array, episode: Episode) -> list[tuple[Batches, jax.Array]]:
    """The batches between evaluations, each with its noise key. The first segment takes the remainder."""
    every, rest, keys = _pieces(inner, key, episode)
    ends = range(rest or every, len(episode.xs) + 1, every)
    starts = [0, *ends[:-1]]
    parts = [map_tree(lambda x, a=a, b=b: x[a:b], episode.batches) for a, b in zip(starts, ends, strict=True)]
    return list(zip(parts, keys, strict=True))


def asked(
    net: Net, objective: Objective, inner: Inner, genome: GenomeValues, state: State, episode: Episode, noise: jax.Array
) -> jax.Array:
    """The current objective, or NaN if any learned value is not finite: a network can predict well for a few more
    steps, as long as it does not read what overflowed.

    The query is split into batches of the training size if it divides evenly: batch statistics then match those of
    training, and a batch stays in cache."""
    if inner.probe:
        value = objective.score(_read(net, inner.probe, genome, state, episode, noise), episode.y, episode.mask)
        return jnp.where(finite(state), value, jnp.nan)
    count, batch = len(episode.x), episode.xs.shape[1]
    size = batch if count % batch == 0 else count
    batches = episode.x.reshape(-1, size, *episode.x.shape[1:])
    keys = jax.vmap(partial(asking_key, noise))(jnp.arange(len(batches)))
    outputs = jax.vmap(partial(predict, net, genome, state))(batches, keys)
    value = objective.score(outputs.reshape(episode.y.shape), episode.y, episode.mask)
    return jnp.where(finite(state), value, jnp.nan)


def _read(net: Net, probe: Probe, genome: GenomeValues, state: State, episode: Episode, noise: jax.Array) -> jax.Array:
    """What a readout of the probed population answers to the query."""
    held = partial(activity, net, probe, genome, state)
    batches = jax.vmap(held, (0, None))(episode.xs, asking_key(noise, 0))
    learned = Held(*(a.reshape(-1, a.shape[-1]) for a in (batches, episode.ys)))
    return answers(probe, learned, held(episode.x, asking_key(noise, 1)))


@dataclass(frozen=True, eq=False)
class Judge:
    """Programs that evaluate candidates: genome pytrees with a leading axis [candidates].

    chunk, processes: see `many`. over_tasks, tasks: how the values of that many tasks become one (`combine`).
    mode: how gradients are taken (`differentiate`).
    """

    net: Net
    objective: Objective
    inner: Inner
    chunk: int = 0
    over_tasks: str = "mean"
    tasks: int = 1
    mode: Mode = "reverse"
    processes: Processes = ALONE

    @cached_property
    def combine(self) -> Combine:
        return combine(self.over_tasks, -1 if self.objective.greater_is_better else 1, self.tasks)

    def one(self, genome: GenomeValues, drawn: Drawn) -> tuple[jax.Array, jax.Array]:
        """The value of a genome, and that of each episode."""
        each = jax.vmap(partial(self.value, genome))(drawn.keys, drawn.episodes)
        return self.combine(each, drawn.tasks), each

    def value(self, genome: GenomeValues, key: jax.Array, episode: Any) -> jax.Array:
        """Of one whole episode."""
        if isinstance(episode, Replay):
            start_key, noise_key = jax.random.split(key)
            state = begun(self.net, genome, start_key, episode)
            return compared(self.net, self.objective, genome, state, episode, noise_key, recompute=True)[1]
        return judged(self.net, self.objective, self.inner, genome, key, episode)

    # An episode in pieces, of `persistent`.

    def cut(self, episodes: Any, first: int, count: int) -> Any:
        """`count` steps of episodes, which have a leading axis."""
        if isinstance(episodes, Replay):
            return episodes._replace(shown=map_tree(lambda a: a[:, first : first + count], episodes.shown))
        part: Batches = map_tree(lambda a: a[:, first : first + count], episodes.batches)
        return episodes._replace(**part._asdict())

    def begun(self, genome: GenomeValues, key: jax.Array, episode: Any) -> Any:
        """What lives before the first piece."""
        if isinstance(episode, Replay):
            return begun(self.net, genome, key, episode)
        return self.net.init(key, genome, batch=self.inner.batch)

    def continued(self, genome: GenomeValues, alive: Any, key: jax.Array, piece: Any) -> tuple[Any, jax.Array]:
        """The same after a piece, and the value there."""
        if isinstance(piece, Replay):
            return compared(self.net, self.objective, genome, alive, piece, key)
        if self.inner.online:
            return on_line(self.net, self.objective, genome, alive, piece, key)
        alive, _ = learn(self.net, genome, alive, piece.batches, key)
        return alive, asked(self.net, self.objective, self.inner, genome, alive, piece, key)

    @cached_property
    def values(self) -> Callable[..., Feedback]:
        """(candidates, drawn) -> Feedback."""

        def one(genome: GenomeValues, drawn: Drawn) -> Feedback:
            value, each = self.one(genome, drawn)
            return Feedback(value, jnp.isfinite(value), each)

        return self.mapped(one)

    @cached_property
    def gradients(self) -> Callable[..., Feedback]:
        """(candidates, drawn) -> Feedback."""
        of = value_and_gradient(self.one, self.mode)

        def one(genome: GenomeValues, drawn: Drawn) -> Feedback:
            (value, each), gradient = of(genome, drawn)
            cost = map_tree(lambda slope: self.objective.sign * slope, gradient)
            return Feedback(value, jnp.isfinite(value) & finite(cost), each, cost)

        return self.mapped(one)

    def mapped(self, one: Callable[..., Any]) -> many.Mapped:
        """A function of one candidate, over all of them."""
        return many.mapped(one, chunk=self.chunk, processes=self.processes)
