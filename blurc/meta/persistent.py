"""Episodes in pieces, for PES: every candidate goes on with its own networks from one meta-step to the next."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp

from blurc.meta.episode import Feedback, asked
from blurc.meta.experiment import Pes
from blurc.meta.methods.flat import genomes, vector
from blurc.meta.methods.pes import PesMethod, PesState
from blurc.meta.setup import Setup
from blurc.tasks.task import Episode


def start(ready: Setup) -> Any:
    """What is carried, before the first episode: networks [population, tasks per step]. Nothing for other methods."""
    choice = ready.experiment.method
    if not isinstance(choice, Pes):
        return ()
    genome = jax.tree.map(lambda x: x[0], ready.start())
    candidates = genomes(jnp.tile(vector(genome), (choice.population, 1)), genome)
    return _programs(ready)[0](candidates, ready.episodes(0, choice.truncation)[1])


def pieces(ready: Setup) -> int:
    """Of an episode."""
    choice = ready.experiment.method
    return ready.experiment.inner.steps // choice.truncation if isinstance(choice, Pes) else 1


def episode_of(ready: Setup, step: int) -> int:
    """The number of the episode that a meta-step belongs to."""
    return step // pieces(ready)


def begun(ready: Setup, state: PesState, inner: Any, step: int) -> tuple[PesState, Any]:
    """With fresh networks, where an episode begins."""
    if step % pieces(ready):
        return state, inner
    method = ready.method
    assert isinstance(method, PesMethod)
    count = method.choice.population
    candidates = genomes(jnp.tile(vector(state.mean), (count, 1)), state.mean)
    keys = ready.episodes(episode_of(ready, step), ready.experiment.inner.steps)[1]
    return method.begun(state), _programs(ready)[0](candidates, keys)


def piece(ready: Setup, candidates: Any, inner: Any, step: int) -> tuple[Feedback, Any]:
    """The values after the next piece of the episode, and the networks then."""
    choice = ready.experiment.method
    assert isinstance(choice, Pes)
    episodes, keys = ready.episodes(episode_of(ready, step), ready.experiment.inner.steps)
    first = step % pieces(ready) * choice.truncation
    part = jax.tree.map(lambda a: a[:, first : first + choice.truncation], (episodes.xs, episodes.ys))
    now = jax.vmap(lambda key: jax.random.fold_in(key, first))(keys)
    inner, values = _programs(ready)[1](candidates, inner, now, Episode(*part, episodes.x, episodes.y))
    return Feedback(values, jnp.isfinite(values)), inner


@lru_cache(maxsize=4)
def _programs(ready: Setup) -> tuple[Any, Any]:
    """(candidates, keys) -> networks; (candidates, networks, keys, episodes) -> networks and values."""
    net, objective, batch = ready.net, ready.judge.objective, ready.experiment.inner.batch

    def fresh(genome: Any, key: jax.Array) -> Any:
        return net.init(jax.random.split(key)[0], genome, batch=batch)

    def learned(genome: Any, state: Any, key: jax.Array, episode: Episode) -> tuple[Any, jax.Array]:
        state, _ = net.train(genome, state, episode.xs, episode.ys, key=key)
        return state, asked(net, objective, genome, state, episode)

    def go_on(candidates: Any, states: Any, keys: jax.Array, episodes: Episode) -> tuple[Any, jax.Array]:
        over_episodes = jax.vmap(learned, in_axes=(None, 0, 0, 0))
        states, values = jax.vmap(over_episodes, in_axes=(0, 0, None, None))(
            candidates, states, keys, episodes
        )
        return states, values.mean(axis=1)

    begin = jax.vmap(jax.vmap(fresh, in_axes=(None, 0)), in_axes=(0, None))
    return jax.jit(begin), jax.jit(go_on)
