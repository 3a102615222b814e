"""Truncated episodes, for PES: every candidate keeps training its own networks from one meta-step to the next."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from blurc.meta.experiment.experiment import Pes
from blurc.meta.run.setup import Setup
from blurc.meta.search.episode import Drawn, Feedback
from blurc.meta.search.methods.flat import genomes, vector
from blurc.meta.search.methods.pes import PesMethod, PesState
from blurc.runtime import map_tree
from blurc.tasks import Batches, Episode


class Going(NamedTuple):
    """networks: `State`s, or lives in environments, [population, tasks per step]. trail: the genome each candidate used
    in each piece of this episode, [pieces, population, n]. lost: which candidates diverged in it, [population]."""

    networks: Any
    trail: jax.Array
    lost: jax.Array


def start(ready: Setup) -> Any:
    """The carry before the first episode; empty for other methods."""
    choice = ready.experiment.method
    if not isinstance(choice, Pes):
        return ()
    genome = map_tree(lambda x: x[0], ready.start())
    return _fresh(ready, genomes(jnp.tile(vector(genome), (choice.population, 1)), genome), 0)


def episode_of(ready: Setup, step: int) -> int:
    """The number of the episode that a meta-step belongs to."""
    return step // ready.pieces


def begun(ready: Setup, state: PesState, step: int) -> PesState:
    """The state with its accumulated perturbations reset if an episode starts here."""
    method = ready.method
    assert isinstance(method, PesMethod)
    return state if step % ready.pieces else method.begun(state)


def piece(ready: Setup, candidates: Any, going: Going, step: int) -> tuple[Feedback, Going]:
    """The values after the next piece of the episode, and the new carry."""
    choice, number = ready.experiment.method, step % ready.pieces
    assert isinstance(choice, Pes)
    if number == 0:  # only now: the initial synapses may depend on the perturbed genome
        going = _fresh(ready, candidates, episode_of(ready, step))
    drawn = ready.stacked(episode_of(ready, step), ready.experiment.inner.steps)
    first = number * choice.truncation
    keys = jax.vmap(partial(noise, first))(drawn.keys)
    drawn = drawn._replace(keys=keys, episodes=ready.judge.cut(drawn.episodes, first, choice.truncation))
    networks, values, each = _programs(ready)[1]((candidates, going.networks), drawn)
    finite = jnp.isfinite(values)
    trail = going.trail.at[number].set(jax.vmap(vector)(candidates))
    return Feedback(values, finite, each), Going(networks, trail, going.lost | ~finite)


def parts(
    choice: Pes, genomes: list[Any], key: jax.Array, episode: Episode
) -> Iterator[tuple[Any, Batches, jax.Array]]:
    """What one network was trained with, piece by piece: genome, batches, noise key."""
    for number, genome in enumerate(genomes):
        first, end = number * choice.truncation, (number + 1) * choice.truncation
        yield genome, map_tree(lambda a, first=first, end=end: a[first:end], episode.batches), noise(first, key)


def _start_key(key: jax.Array) -> jax.Array:
    """The key for the initial synapses, from that of the episode."""
    return jax.random.split(key)[0]


def noise(first: int, key: jax.Array) -> jax.Array:
    """The noise key of the piece that starts at step `first`. Not folded into the episode's own key: splitting it and
    folding in 0 would use it twice."""
    return jax.random.fold_in(jax.random.split(key)[1], first)


def _fresh(ready: Setup, candidates: Any, number: int) -> Going:
    """The carry at the start of an episode."""
    vectors = jax.vmap(vector)(candidates)
    drawn = ready.stacked(number, ready.experiment.inner.steps)
    trail = jnp.zeros((ready.pieces, *vectors.shape), vectors.dtype)
    return Going(_programs(ready)[0](candidates, drawn), trail, jnp.zeros(len(vectors), bool))


@lru_cache(maxsize=4)
def _programs(ready: Setup) -> tuple[Any, Any]:
    """(candidates, drawn) -> networks; ((candidates, networks), drawn) -> networks, values, and those of episodes."""
    judge = ready.judge

    def fresh(genome: Any, drawn: Drawn) -> Any:
        keys = jax.vmap(_start_key)(drawn.keys)
        return jax.vmap(partial(judge.begun, genome))(keys, drawn.episodes)

    def one(candidate: Any, drawn: Drawn) -> tuple[Any, jax.Array, jax.Array]:
        genome, states = candidate
        learning: Any = jax.vmap(partial(judge.continued, genome))
        states, each = learning(states, drawn.keys, drawn.episodes)
        return states, judge.combine(each, drawn.tasks), each

    return judge.mapped(fresh), judge.mapped(one)
