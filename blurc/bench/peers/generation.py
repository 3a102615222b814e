"""A generation of CMA-ES: of `blurc meta`, and of evosax around an episode by hand.

Lange, "evosax: JAX-based Evolution Strategies" (arXiv:2212.04180). By hand the rule is `einsum.py`. Both train a fresh
network for each of the genomes by the same batches, judge it by its accuracy, and tell CMA-ES. blurc also draws the
episode anew in each generation, which the evosax program does not have to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import jax
import jax.numpy as jnp

from blurc.bench import einsum, meta, specs
from blurc.guards import check_package
from blurc.meta import Augment, Cma, Experiment, Inner, Network, TaskChoice, internals
from blurc.runtime import map_tree

CHANNELS = 2


def ready(sizes: Sequence[int], population: int, inner: Inner) -> internals.Setup:
    tasks = (TaskChoice("digits", augment=Augment(project=sizes[0])),)
    method = Cma(population=population, objective="accuracy")
    return internals.setup(Experiment("bench", Network(specs.blur(sizes, CHANNELS)), tasks, inner, method))


class Ours:
    """A call is a generation."""

    def __init__(self, setup: internals.Setup) -> None:
        self.setup, self.carry, self.step = setup, internals.start(setup), 0

    def __call__(self) -> Any:
        self.carry, *found = internals.meta_step(self.setup, self.carry, self.step)
        self.step += 1
        return found


class ByEvosax:
    """Likewise, with the episodes of the first generation. Raises `BlurError` (E921)."""

    def __init__(self, setup: internals.Setup, sizes: Sequence[int]) -> None:
        check_package("evosax", "the comparison with evosax needs")
        algorithms = import_module("evosax.algorithms")
        e = setup.experiment
        genome = map_tree(lambda x: x[0], setup.start())
        self.episodes: Any = setup.stacked(0, e.inner.steps).episodes
        self.judge = meta.by_einsum(sizes, 1)  # one genome after the other, as is fastest on CPUs
        self.search: Any = algorithms.CMA_ES(population_size=e.candidates, solution=genome)
        self.params = self.search.default_params
        self.key = jax.random.key(0)
        self.state = self.search.init(self.key, genome, self.params)

    def __call__(self) -> Any:
        self.key, asking, episode, telling = jax.random.split(self.key, 4)
        genomes, state = self.search.ask(asking, self.state, self.params)
        values = self.judge(genomes, episode, self.episodes)
        self.state, _ = self.search.tell(telling, genomes, -values, state, self.params)
        return values


def programs(sizes: Sequence[int], population: int, inner: Inner) -> dict[str, Callable[[], Any]]:
    setup = ready(sizes, population, inner)
    return {"blurc": Ours(setup), "evosax": ByEvosax(setup, sizes)}


def other_answers(sizes: Sequence[int], inner: Inner) -> float:
    """The share of the questions of an episode that a network answers differently by hand."""
    setup = ready(sizes, 2, inner)
    net, genome = setup.net, map_tree(lambda x: x[0], setup.start())
    episode: Any = map_tree(lambda x: x[0], setup.stacked(0, inner.steps).episodes)
    state = net.init(jax.random.key(1), genome)
    synapses, _ = einsum.train(genome, squares(net, state), episode.xs, episode.ys)
    after, _ = net.train(genome, state, episode.xs, episode.ys)
    ours, theirs = net.predict(genome, after, episode.x), einsum.predict(genome, synapses, episode.x)
    return float(jnp.mean(jnp.argmax(ours, -1) != jnp.argmax(theirs, -1)))


def squares(net: Any, state: Any) -> list[jax.Array]:
    """The synapses of a chain of layers as `einsum.py` has them; a way back that is not allocated is 0."""
    own = [p for p in net.plan.projections if not p.unit]
    return [_square(state, p.name, f"unit->{p.target}") for p in own]


def _square(state: Any, name: str, bias: str) -> jax.Array:
    w, b = (jnp.moveaxis(state.synapses[of]["w"], 0, -1) for of in (name, bias))
    v = state.synapses[name].get("v")
    back = jnp.zeros_like(w) if v is None else jnp.moveaxis(v, 0, -1)
    return einsum.combine(w, b, jnp.swapaxes(back, 0, 1))
