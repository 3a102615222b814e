"""A task: a problem that every episode learns from scratch, sampled on the device.

`task` makes one from a `TaskChoice`. A `LoadedTask` is a JAX pytree whose leaves are its examples: pass it to a jitted
function as an argument, so that the examples are on the device once instead of a constant in each program.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from blurc.diagnostics import BlurError, Diagnostic
from blurc.guards import LATER, check_room, typed
from blurc.runtime import map_tree
from blurc.tasks import augment, examples, few_shot, misfits, omniglot, plane
from blurc.tasks.choice import Augment, TaskChoice
from blurc.tasks.chosen import chosen
from blurc.tasks.dataset import retargeted
from blurc.tasks.environments.environment import Environment
from blurc.tasks.environments.make import is_world, own_world, world
from blurc.tasks.environments.world import World
from blurc.tasks.families import component, family, sinusoid, teacher
from blurc.tasks.hashed import hashed
from blurc.tasks.objective import LOSS, SCORE, Objective, TargetKind
from blurc.tasks.own import choosing
from blurc.tasks.own.protocol import Task
from blurc.tasks.own.source import OwnSource
from blurc.tasks.recorded.file import load as recordings
from blurc.tasks.recorded.recordings import Recordings
from blurc.tasks.sets import load
from blurc.tasks.source import Batches, Drawn, Source


class Episode(NamedTuple):
    """Batches to learn, xs [steps, batch, inputs] and ys [steps, batch, outputs]; then others to predict, x and y.

    With time, all have an axis of it before the last, and masks [steps, batch, time] and mask [query, time] are 1 where
    an answer is asked; None if all are.
    """

    xs: jax.Array
    ys: jax.Array
    x: jax.Array
    y: jax.Array
    masks: jax.Array | None = None
    mask: jax.Array | None = None

    @property
    def batches(self) -> Batches:
        return Batches(self.xs, self.ys, self.masks)


# The user's own, by name. What is neither a task nor an environment is said with the place that names it.
OwnTasks: TypeAlias = Mapping[str, Annotated[Task | Environment, LATER]]
NO_TASKS: OwnTasks = {}
RESCALING = ("resize", "scale", "shift", "center")


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["source"],
    meta_fields=["name", "outputs", "augment", "target", "own", "rescaled"],
)
@dataclass(frozen=True, eq=False)
class LoadedTask:
    """A problem to learn, made by `task`. Classes are one-hot over all `outputs`, at least as many as classes. If
    `target` says so, the targets are the inputs as they are in the episode, or the next ones. own: the score of a task
    of the user's own. rescaled: the keys of the choice that changed the numbers of the data."""

    name: str
    outputs: int
    augment: Augment
    source: Source | OwnSource
    target: str = "data"
    own: Objective | None = None
    rescaled: tuple[str, ...] = ()

    @property
    def inputs(self) -> int:
        return augment.width(self.augment, self.source.features)

    @property
    def time(self) -> int:
        """The steps of an example, if it is a sequence; else 0."""
        return self.source.time

    @property
    def is_masked(self) -> bool:
        """Whether only some answers of a sequence are asked."""
        drawn = jax.eval_shape(lambda key: self.episode(key, steps=1, batch=1, query=1), jax.random.key(0))
        return drawn.masks is not None

    @property
    def kind(self) -> TargetKind:
        return self.source.targets if self.target == "data" else "values"

    @property
    def classes(self) -> int | None:
        return self.source.outputs if self.kind == "classes" else None

    @property
    def loss(self) -> Objective:
        """What is descended, unless somebody chooses otherwise."""
        return self.own or LOSS[self.kind]

    @property
    def score(self) -> Objective:
        """What is shown, unless somebody chooses otherwise."""
        return self.own or SCORE[self.kind]

    @cached_property
    def digest(self) -> str:
        """A hash of the examples, or of what makes them."""
        return self.source.fingerprint if isinstance(self.source, OwnSource) else hashed(self)

    @typed
    def episode(self, key: jax.Array, *, steps: int, batch: int, query: int, test: bool = False) -> Episode:
        """One variation of the task, a function of the key.

        No example occurs twice among those to learn or those to predict, unless the episode is longer than the set.

        Args:
            key: a JAX random key.
            steps: batches to learn.
            batch: examples per batch.
            query: examples to predict.
            test: query test examples rather than the held-out sixth of the training examples.

        Raises:
            BlurError: E812 if a size is less than 1.
        """
        sizes = {"steps": steps, "batch": batch, "query": query}
        if wrong := [f"`{name}` is {size}" for name, size in sizes.items() if size < 1]:
            message = f"no episode: {' and '.join(wrong)}, expected at least 1"
            raise BlurError(Diagnostic("E812", message, help="write 1 or more"))
        each = max(1, self.time) * (self.source.features + self.inputs + self.outputs)
        what = f"an episode of {steps:,} batches of {batch:,}, and {query:,} to predict,"
        check_room((steps * batch + query) * each, what, "write fewer: the whole episode is in memory at once")
        return _episode(self.source, key, self.augment, self.outputs, self.target, steps, batch, query, test)


# Takes the source rather than the task, whose name would make it a different program.
@partial(jax.jit, static_argnums=range(2, 9))
def _episode(
    source: Source | OwnSource, key: jax.Array, change: Augment, outputs: int, target: str, steps: int, batch: int,
    query: int, test: bool,
) -> Episode:  # fmt: skip
    draw_key, input_key, label_key = jax.random.split(key, 3)
    if isinstance(source, OwnSource):
        drawn = source.drawn(draw_key, steps, batch, query)
    else:
        drawn = source.draw(draw_key, steps * batch, query, test)
    done = jnp.arange(steps * batch) // batch
    found = varied(drawn, change, input_key, label_key, outputs, target, done, jnp.asarray(steps))
    x, y, x_query, y_query, mask, mask_query = found
    xs, ys, masks = map_tree(lambda a: a.reshape(steps, batch, *a.shape[1:]), (x, y, mask))
    return Episode(xs, ys, x_query, y_query, masks, mask_query)


def varied(
    drawn: Drawn, change: Augment, input_key: jax.Array, label_key: jax.Array, outputs: int, target: str,
    done: jax.Array, asked_after: jax.Array,
) -> Drawn:  # fmt: skip
    """The examples in one variation, with their targets [.., outputs]. done: the steps before each that is learned,
    [count]. asked_after: those before the others are asked."""
    features = drawn.x.shape[-1]
    inputs = augment.inputs(change, input_key, features)
    turned = augment.drifted(change, input_key, augment.width(change, features))
    drawn = drawn._replace(x=turned(inputs(drawn.x), done), x_query=turned(inputs(drawn.x_query), asked_after))
    if target == "inputs":
        return drawn._replace(y=drawn.x, y_query=drawn.x_query)
    if target == "next":
        (y, mask), (y_query, mask_query) = _next(drawn.x), _next(drawn.x_query)
        return drawn._replace(y=y, y_query=y_query, mask=mask, mask_query=mask_query)
    if jnp.issubdtype(drawn.y.dtype, jnp.floating):
        return drawn
    first, later = augment.labels(change, label_key, outputs), augment.relabelled(change, label_key, outputs)
    before = (done < change.relabel_at).reshape(-1, *(1,) * (drawn.y.ndim - 1))
    y = jnp.where(before, first(drawn.y), later(drawn.y))
    y_query = jnp.where(asked_after < change.relabel_at, first(drawn.y_query), later(drawn.y_query))
    y, y_query = (jax.nn.one_hot(label, outputs) for label in (y, y_query))
    return drawn._replace(y=y, y_query=y_query)


def turned(task: LoadedTask, key: jax.Array, x: jax.Array, steps: int) -> jax.Array:
    """Inputs of the variation that a key gives, as they drift in so many steps more, or fewer."""
    _, input_key, _ = jax.random.split(key, 3)
    return augment.drifted(task.augment, input_key, task.inputs)(x, jnp.asarray(steps))


def _next(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The inputs of the next step, and where there is one."""
    return jnp.roll(x, -1, axis=-2), jnp.ones(x.shape[:-1]).at[..., -1].set(0)


@typed
def task(choice: TaskChoice, data_dir: str | Path | None = None, tasks: OwnTasks = NO_TASKS) -> LoadedTask:
    """Loads and preprocesses the data, or finds a task of the user's own.

    Args:
        choice: which data, and how to prepare them; or `FILE.py:NAME`, and then the file is run.
        data_dir: where to look first for data files.
        tasks: the user's own, by the names that `choice.data` may have.

    Raises:
        BlurError: E8xx if the data cannot be had or do not fit the choice, or if the user's own task fails.
    """
    found = _loaded(choice, data_dir, tasks)
    if choice.augment.drift and found.inputs < 2:
        message = f"`augment.drift` turns pairs of inputs, and {found.name} has only one input"
        raise BlurError(Diagnostic("E811", message, help="leave it out"))
    return found


def _loaded(choice: TaskChoice, data_dir: str | Path | None, tasks: Mapping[str, Task | Environment]) -> LoadedTask:
    _check_new(tasks)
    if choosing.is_own(choice, tasks):
        own, score = choosing.make(choice, tasks)
        return LoadedTask(choice.name or choice.data, own.outputs, choice.augment, own, own=score)
    if complaints := [*misfits.of(choice)]:
        raise BlurError([Diagnostic("E811", what, help=help) for what, help in complaints])
    source = _source(choice, None if data_dir is None else Path(os.path.expanduser(data_dir)))
    name = choice.name or choice.data
    rescaled = tuple(key for key in RESCALING if key in choice.given)
    if choice.target == "next" and not source.time:
        message = f"`target: next` is for sequences, and the examples of {choice.data} are not sequences"
        raise BlurError(Diagnostic("E811", message, help="write `target: inputs`, or leave it out"))
    if choice.target != "data":
        width = augment.width(choice.augment, source.features)
        return LoadedTask(name, width, choice.augment, source, choice.target, rescaled=rescaled)
    if choice.outputs and source.targets != "classes":
        message = f"`outputs` is for classes, but the targets of {choice.data} are numbers, {source.outputs} of them"
        raise BlurError(Diagnostic("E811", message, help="leave it out"))
    if choice.outputs and choice.outputs < source.outputs:
        message = f"`outputs` is {choice.outputs}, but {choice.data} has {source.outputs} classes"
        raise BlurError(Diagnostic("E811", message, help=f"write at least {source.outputs}, or leave it out"))
    return LoadedTask(name, choice.outputs or source.outputs, choice.augment, source, rescaled=rescaled)


AnyTask: TypeAlias = LoadedTask | World | Recordings


def objective_of(task: AnyTask, name: str, default: Objective) -> Objective:
    """The objective called `name`, if it suits the task and, as a function of the user's own, survives a try on some of
    its targets; without a name the default. Raises `BlurError` (E813 to E815)."""
    few = None if isinstance(task, World) else partial(_few, task)
    return chosen(name, task.kind, task.name, default, few)


def _few(task: LoadedTask | Recordings, count: int = 6) -> tuple[jax.Array, jax.Array | None]:
    """Some answers [count, .., n], and which of their numbers count."""
    if isinstance(task, Recordings):
        recorded = jnp.concatenate([*task.whole.shown.recorded.values()], axis=-1)
        rows = recorded.reshape(-1, recorded.shape[-1])[:count]
        return rows, jnp.ones_like(rows)
    return task.episode(jax.random.key(0, impl="threefry2x32"), steps=1, batch=1, query=count).y, None


def any_task(choice: TaskChoice, data_dir: str | Path | None = None, tasks: OwnTasks = NO_TASKS) -> AnyTask:
    """As `task`, but it may be an environment, or recorded activity. Raises `BlurError`."""
    if choice.record:
        return recordings(choice)
    if is_world(choice.data):
        return world(choice)
    own = choosing.environment(choice, tasks) if choosing.is_own(choice, tasks) else None
    return task(choice, data_dir, tasks) if own is None else own_world(*own, choice)


def _check_new(tasks: OwnTasks) -> None:
    if hidden := [name for name in tasks if name in misfits.task_names()]:
        message = f"`{hidden[0]}` is the name of a task that blurc has"
        raise BlurError(Diagnostic("E811", message, help="call your own task something else"))


def _source(choice: TaskChoice, data_dir: Path | None) -> Source:
    if choice.data in plane.names():
        return plane.make(choice.data, choice.center)
    if choice.data == sinusoid.NAME:
        return sinusoid.Sinusoid()
    if choice.data == component.NAME:
        return component.Cloud()
    if choice.data in teacher.NAMES:
        return teacher.make(choice.data)
    if choice.data in family.NAMES:
        return family.make(choice)
    if choice.alphabet:
        return examples.make(omniglot.alphabet(choice.alphabet, data_dir), choice)
    if choice.data == omniglot.NAME:
        return omniglot.make(choice, data_dir)
    data = load(choice.data, data_dir=data_dir, time=choice.time)
    if choice.shots:
        return few_shot.of_data(data, choice)
    return examples.make(retargeted(data, choice.target) if data.time else data, choice)
