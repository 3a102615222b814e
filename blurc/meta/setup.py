"""What an experiment makes of its names: a compiled network, tasks on the device, genomes to start from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from blurc import api
from blurc import genome as genomes
from blurc.diagnostics import BlurError, Diagnostic
from blurc.meta import curriculum, evaluate
from blurc.meta.episode import Judge
from blurc.meta.experiment import Experiment, Network
from blurc.meta.methods import Method, make
from blurc.meta.objective import OBJECTIVES
from blurc.program import Net
from blurc.tasks.task import Episode, Task, task

START, EPISODES, JITTER, CANDIDATES, RESTART = range(5)  # what random keys are for


@dataclass(frozen=True, eq=False)
class Setup:
    experiment: Experiment
    net: Net
    tasks: tuple[Task, ...]

    @cached_property
    def judge(self) -> Judge:
        e = self.experiment
        return Judge(self.net, OBJECTIVES[e.method.objective], e.inner, e.chunk)

    @cached_property
    def method(self) -> Method:
        return make(self.experiment.method, self.experiment.seed)

    def key(self, purpose: int, *counts: int) -> jax.Array:
        """A function of the seed and the counts alone: nothing random is carried along."""
        key = jax.random.fold_in(jax.random.key(self.experiment.seed, impl="threefry2x32"), purpose)
        for count in counts:
            key = jax.random.fold_in(key, count)
        return key

    def start(self) -> Any:
        """The first genomes, [replicas]."""
        e = self.experiment
        if e.start:
            given = dict(genomes.read(e.start).values)
            self.net.signature.check_genome(given)
            fresh = [given] * e.replicas
        else:
            fresh = [self.net.init_genome(self.key(START, i)) for i in range(e.replicas)]
        stacked = jax.tree.map(lambda *x: jnp.stack(x), *fresh)
        return self.jittered(stacked, np.arange(e.replicas) > 0, 0)

    def jittered(self, stacked: Any, which: Any, step: int) -> Any:
        """With noise on the genomes of `which`, a boolean [replicas]."""
        leaves, structure = jax.tree.flatten(stacked)
        keys = jax.random.split(self.key(JITTER, step), len(leaves))
        size = self.experiment.jitter

        def noisy(x: jax.Array, key: jax.Array) -> jax.Array:
            mask = jnp.asarray(which).reshape((-1, *(1,) * (x.ndim - 1)))
            return jnp.where(mask, x + size * jax.random.normal(key, x.shape, x.dtype), x)

        return structure.unflatten(map(noisy, leaves, keys)) if size else stacked

    def drawn(self, number: int) -> list[Task]:
        """The tasks of an episode, by their weights."""
        weights = np.asarray([choice.weight for choice in self.experiment.tasks])
        draw = np.random.default_rng([self.experiment.seed, number])
        chosen = draw.choice(len(weights), self.experiment.tasks_per_step, p=weights / weights.sum())
        return [self.tasks[i] for i in chosen]

    def episodes(self, number: int, steps: int) -> tuple[Episode, jax.Array]:
        """The episodes that all candidates of a meta-step go through, and the keys of their starts."""
        inner = self.experiment.inner
        drawn = self.drawn(number)
        keys = jax.random.split(self.key(EPISODES, number), 2 * len(drawn))
        made = [
            t.episode(key, steps=steps, batch=inner.batch, query=inner.query)
            for t, key in zip(drawn, keys, strict=False)
        ]
        return jax.tree.map(lambda *x: jnp.stack(x), *made), keys[len(drawn) :]

    def unroll(self, step: int) -> int:
        return curriculum.unroll(self.experiment, step)


def setup(experiment: Experiment, data_dir: str | Path | None = None) -> Setup:
    """Compiles and loads what the experiment names. Raises `BlurError` with whatever is wrong with it."""
    net = compiled(experiment.network)
    tasks = tuple(task(choice, data_dir) for choice in experiment.tasks)
    for one in tasks:
        evaluate.check_fits(net, one)
    if not net.plan.metas:
        message = f"the rule `{net.plan.genome}` has no meta-parameters: there is nothing to learn"
        raise BlurError(Diagnostic("E613", message, help="declare one in the rule: `learn rate = 0.1`"))
    return Setup(experiment, net, tasks)


def compiled(network: Network) -> Net:
    return api.compile(network.spec, network=network.network, genome=network.rule, **dict(network.parameters))
