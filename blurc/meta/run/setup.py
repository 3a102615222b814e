"""Turns an experiment into a compiled network, tasks on the device, and initial genomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from blurc import genome as genomes
from blurc.api import Net
from blurc.diagnostics import BlurError, Diagnostic
from blurc.meta.experiment.experiment import Experiment, Gradient, Pes, Symbolic
from blurc.meta.processes.processes import ALONE, Processes
from blurc.meta.run import lessons, memory, on_recordings, on_worlds
from blurc.meta.run.compiling import compiled
from blurc.meta.run.lessons import Lesson
from blurc.meta.run.loading import check_l1, loaded, space_of
from blurc.meta.run.mode import with_mode
from blurc.meta.run.objective import check_named, with_objective
from blurc.meta.search import curriculum, many
from blurc.meta.search.episode import Drawn, Judge, stacked
from blurc.meta.search.interpreted import InterpretedJudge
from blurc.meta.search.lifetimes import LifetimeJudge
from blurc.meta.search.methods import flat
from blurc.meta.search.methods.make import make
from blurc.meta.search.methods.method import Method
from blurc.meta.search.mixed import Mixed, MixedJudge
from blurc.runtime import map_tree, stack_trees
from blurc.symbolic import Space
from blurc.tasks import (
    NO_TASKS,
    AnyTask,
    Episode,
    Lifetime,
    Objective,
    OwnTasks,
    Recordings,
    Replay,
    TaskChoice,
    World,
    generator,
    python_meaning,
)
from blurc.tasks import named as python_name

OF_OBJECTIVE = "objective"  # in `Setup.data`, beside the numbers of tasks
# What random keys are for. Not 2 to 5, which `evaluation` has for the same seed.
START, EPISODES = 0, 1
JITTER, CANDIDATES, RESTART, TRIAL, LENGTHEN, TUNE = range(6, 12)


@dataclass(frozen=True, eq=False)
class Setup:
    """experiment: with the name of the objective that its tasks suggest, if it gives none, and the mode of gradients.
    objective: that itself. validation: the tasks that decide which genome is best; empty: `tasks` do. space: the rules
    that a symbolic search looks through. lessons: of tasks, by name, that have another network, batch or number of
    steps than the experiment. processes: that share the run. begun_with: the `width` of a run that goes on."""

    experiment: Experiment
    net: Net
    tasks: tuple[AnyTask, ...]
    objective: Objective
    validation: tuple[AnyTask, ...] = ()
    space: Space | None = None
    lessons: Mapping[str, Lesson] = field(default_factory=dict[str, Lesson])
    processes: Processes = ALONE
    begun_with: int | None = None

    @property
    def judging(self) -> tuple[AnyTask, ...]:
        """The tasks that decide which genome is best."""
        return self.validation or self.tasks

    @cached_property
    def worlds(self) -> tuple[World, ...]:
        """All tasks, if they are environments: those of the search, then those that decide."""
        return tuple(one for one in (*self.tasks, *self.validation) if isinstance(one, World))

    @cached_property
    def judge(self) -> Judge:
        e, common = self.experiment, self._common
        if self.worlds:
            return LifetimeJudge(self.net, **common, worlds=self.worlds)
        if self.lessons:
            return MixedJudge(self.net, **common)
        if not (self.space and isinstance(e.method, Symbolic)):
            return Judge(self.net, **common)
        sizes: dict[str, Any] = {"rounds": e.method.tune, "elite": e.method.elite, "most": e.method.judged}
        return InterpretedJudge(self.space.interpreter, **common, space=self.space, fixed=self.own, **sizes)

    @cached_property
    def _judges(self) -> dict[int, Judge]:
        """Of each network alone, by its `id`."""
        nets = {id(net): net for net in (self.net, *(one.net for one in self.lessons.values()))}
        return {at: Judge(net, **self._common) for at, net in nets.items()}

    @property
    def _common(self) -> dict[str, Any]:
        e = self.experiment
        return {
            "objective": self.objective,
            "inner": e.inner,
            "chunk": self.width,
            "processes": self.processes,
            "over_tasks": e.over_tasks,
            "tasks": max(len(self.tasks), len(self.judging)),
            "mode": e.method.mode if isinstance(e.method, Gradient) else "reverse",
        }

    @cached_property
    def own(self) -> Any:
        """The meta-parameters of the rule that a symbolic search starts from, which it leaves as they are."""
        return flat.first(self.start())

    @cached_property
    def width(self) -> int:
        """Candidates computed side by side, which their last bits depend on. A run keeps it, on whatever devices."""
        return self.begun_with or many.width_of(self.experiment.candidates, self._chunk, self.processes)

    def with_width(self, width: int) -> Setup:
        """The same, of a run that was begun with this `width`."""
        return self if self.width == width else replace(self, begun_with=width)

    @property
    def _chunk(self) -> int:
        chosen = self.experiment.chunk
        if chosen is not None:
            return chosen
        # On CPUs side by side was never faster (`blurc bench` measures both), except where a candidate does so little
        # in a step that it cannot keep a core busy.
        if jax.default_backend() == "cpu" and not (self.space or self.worlds):
            return 1
        return many.fitting(self.experiment.candidates, self.candidate_bytes, self.processes)

    @property
    def candidate_bytes(self) -> int:
        """What a candidate takes of the memory of a device, besides what all share."""
        net = self.space.interpreter if self.space else self.net
        return memory.of_largest(self.experiment, net, self.lessons)

    @property
    def at_once(self) -> int:
        """Candidates that the devices of this process compute at the same time."""
        return min(self.experiment.candidates, self.width * jax.local_device_count())

    @cached_property
    def method(self) -> Method:
        return make(self.experiment.method, self.experiment.seed, self.space)

    @cached_property
    def data(self) -> dict[str, str]:
        """A hash of the examples of each task, and of an objective of the user's own."""
        named = [(str(i), t) for i, t in enumerate(self.tasks)]
        named += [(f"validation {i}", t) for i, t in enumerate(self.validation)]
        found = {f"{place}: {t.name}": t.digest for place, t in named}
        if at := python_name(self.experiment.method.objective):
            found[f"{OF_OBJECTIVE}: {at.title}"] = python_meaning(at)
        return found

    def key(self, purpose: int, *counts: int) -> jax.Array:
        """Depends only on the seed, the purpose and the counts: no random state is carried along."""
        key = jax.random.fold_in(jax.random.key(self.experiment.seed, impl="threefry2x32"), purpose)
        for count in counts:
            key = jax.random.fold_in(key, count)
        return key

    def start(self) -> Any:
        """The initial genomes, [replicas]."""
        e = self.experiment
        if e.start:
            file = genomes.read(e.start)
            genomes.check_rule(file, self.net.model, self.net.sources)
            given = dict(file.values)
            self.net.signature.check_genome(given)
            fresh = [given] * e.replicas
        else:
            fresh = [self.net.init_genome(self.key(START, i)) for i in range(e.replicas)]
        genomes.check_size(fresh[0])  # before a search that could not write what it finds
        stacked = stack_trees(fresh)
        return self.jittered(stacked, np.arange(e.replicas) > 0, 0)

    def jittered(self, stacked: Any, which: Any, step: int, purpose: int = JITTER) -> Any:
        """Adds noise to the genomes selected by `which`, a boolean [replicas]."""
        leaves, structure = jax.tree.flatten(stacked)
        keys = jax.random.split(self.key(purpose, step), len(leaves))
        size = self.experiment.jitter

        def noisy(x: jax.Array, key: jax.Array) -> jax.Array:
            mask = jnp.asarray(which).reshape((-1, *(1,) * (x.ndim - 1)))
            return jnp.where(mask, x + size * jax.random.normal(key, x.shape, x.dtype), x)

        return structure.unflatten(map(noisy, leaves, keys)) if size else stacked

    def drawn(self, number: int) -> list[int]:
        """Which tasks the episodes of a meta-step are of, drawn by weight. For the worst of all tasks, each is there
        once before any is drawn."""
        e = self.experiment
        weights = np.asarray([choice.weight for choice in e.tasks])
        first = range(len(weights) if e.over_tasks == "worst" else 0)
        draw = generator("tasks", e.seed, number)
        more = draw.choice(len(weights), e.tasks_per_step - len(first), p=weights / weights.sum())
        return [*first, *more.tolist()]

    def episodes(self, number: int, steps: int) -> Drawn | Mixed:
        """The episodes that all candidates of a meta-step share."""
        return self.together([(self.tasks[i], one) for i, one in self.singly(number, steps)])

    def stacked(self, number: int, steps: int) -> Drawn:
        """The same, of a single network."""
        return stacked([one for _, one in self.singly(number, steps)])

    def singly(self, number: int, steps: int) -> list[tuple[int, Drawn]]:
        """The same one by one, each with the number of its task."""
        drawn = self.drawn(number)
        keys = jax.random.split(self.key(EPISODES, number), 2 * len(drawn))
        pairs = zip(drawn, keys, keys[len(drawn) :], strict=False)
        return [(i, self.single(self.tasks[i], i, key, start, steps)) for i, key, start in pairs]

    def single(self, task: AnyTask, number: int, key: jax.Array, start: jax.Array, steps: int) -> Drawn:
        """One episode of a task. start: the key of what learns it."""
        episode = self.episode(task, key, steps)
        return Drawn(start[None], map_tree(lambda x: x[None], episode), jnp.asarray([number]))

    def together(self, episodes: Sequence[tuple[AnyTask, Drawn]]) -> Drawn | Mixed:
        """Single episodes, as the judge has them."""
        if self.lessons:
            return [(self._judges[id(self.lesson(task).net)], one) for task, one in episodes]
        return stacked([one for _, one in episodes])

    def lesson(self, task: AnyTask) -> Lesson:
        return self.lessons.get(task.name) or Lesson(self.net, self.experiment.inner.batch)

    def episode(self, task: AnyTask, key: jax.Array, steps: int) -> Episode | Lifetime | Replay:
        """One, of one of the tasks."""
        if isinstance(task, Recordings):
            return task.replay(key, steps)
        if isinstance(task, World):
            return task.lifetime(key, steps, self.worlds.index(task))
        of = self.lesson(task)
        return task.episode(key, steps=of.steps or steps, batch=of.batch, query=self.experiment.inner.query)

    def unroll(self, step: int) -> int:
        return curriculum.unroll(self.experiment, step)

    @property
    def pieces(self) -> int:
        """Meta-steps per episode: several with PES, where the last one takes the remainder."""
        e = self.experiment
        return -(-e.inner.steps // e.method.truncation) if isinstance(e.method, Pes) else 1


def setup(
    experiment: Experiment, data_dir: str | Path | None = None, own: OwnTasks = NO_TASKS, processes: Processes = ALONE
) -> Setup:
    """Compiles and loads what the experiment names. own: tasks that it has from Python. Raises `BlurError`."""
    net = compiled(experiment.network)
    e = experiment
    others = lessons.lessons(e, net)

    def made(choice: TaskChoice) -> AnyTask:
        of = others.get(choice.name or choice.data)
        return loaded(of.net if of else net, choice, e.inner.probe, data_dir, own)

    tasks, validation = (tuple(map(made, choices)) for choices in (e.tasks, e.validation))
    on_worlds.check(e, (*tasks, *validation))
    on_recordings.check(e, (*tasks, *validation))
    lessons.check(e, (*tasks, *validation))
    check_named(e, own)
    if not net.plan.metas and not isinstance(e.method, Symbolic):
        message = f"the rule `{net.plan.genome}` has no meta-parameters: there is nothing to learn"
        raise BlurError(Diagnostic("E613", message, help="declare one in the rule: `learn rate = 0.1`"))
    check_l1(e, net)
    e, objective = with_objective(e, (*tasks, *validation))
    e = with_mode(e, net)
    return Setup(e, net, tasks, objective, validation, space_of(net, e), others, processes)
