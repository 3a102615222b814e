"""A task: a problem that every episode learns from scratch, sampled on the device.

`task` makes one from a `TaskChoice`. A `LoadedTask` is a JAX pytree whose leaves are its examples: pass it to a jitted
function as an argument, so that the examples are on the device once instead of a constant in each program.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from blurc.diagnostics import BlurError, Diagnostic, suggest
from blurc.guards import check_room, typed
from blurc.runtime import map_tree
from blurc.tasks import augment, component, examples, omniglot, plane, sinusoid, teacher
from blurc.tasks.choice import Augment, TaskChoice
from blurc.tasks.dataset import retargeted
from blurc.tasks.environments import of_gymnax
from blurc.tasks.environments.make import is_world, misplaced, world, world_names
from blurc.tasks.environments.world import World
from blurc.tasks.objective import LOSS, SCORE, Objective, TargetKind
from blurc.tasks.sets import load, names
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


@partial(
    jax.tree_util.register_dataclass, data_fields=["source"], meta_fields=["name", "outputs", "augment", "mirrored"]
)
@dataclass(frozen=True, eq=False)
class LoadedTask:
    """A problem to learn, made by `task`. Classes are one-hot over all `outputs`, at least as many as classes. If
    `mirrored`, the targets are the inputs, as they are in the episode."""

    name: str
    outputs: int
    augment: Augment
    source: Source
    mirrored: bool = False

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
        drawn = jax.eval_shape(lambda key: self.source.draw(key, 1, 1, False), jax.random.key(0))
        return drawn.mask is not None

    @property
    def kind(self) -> TargetKind:
        return "values" if self.mirrored else self.source.targets

    @property
    def classes(self) -> int | None:
        return self.source.outputs if self.kind == "classes" else None

    @property
    def loss(self) -> Objective:
        """What is descended, unless somebody chooses otherwise."""
        return LOSS[self.kind]

    @property
    def score(self) -> Objective:
        """What is shown, unless somebody chooses otherwise."""
        return SCORE[self.kind]

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
        return _episode(self.source, key, self.augment, self.outputs, self.mirrored, steps, batch, query, test)


# Takes the source rather than the task, whose name would make it a different program.
@partial(jax.jit, static_argnums=range(2, 9))
def _episode(
    source: Source, key: jax.Array, change: Augment, outputs: int, mirrored: bool, steps: int, batch: int, query: int,
    test: bool,
) -> Episode:  # fmt: skip
    draw_key, input_key, label_key = jax.random.split(key, 3)
    drawn = source.draw(draw_key, steps * batch, query, test)
    x, y, x_query, y_query, mask, mask_query = varied(drawn, change, input_key, label_key, outputs, mirrored)
    xs, ys, masks = map_tree(lambda a: a.reshape(steps, batch, *a.shape[1:]), (x, y, mask))
    return Episode(xs, ys, x_query, y_query, masks, mask_query)


def varied(
    drawn: Drawn, change: Augment, input_key: jax.Array, label_key: jax.Array, outputs: int, mirrored: bool
) -> Drawn:
    """The examples in one variation, with their targets [.., outputs]."""
    inputs = augment.inputs(change, input_key, drawn.x.shape[-1])
    drawn = drawn._replace(x=inputs(drawn.x), x_query=inputs(drawn.x_query))
    if mirrored:
        return drawn._replace(y=drawn.x, y_query=drawn.x_query)
    if jnp.issubdtype(drawn.y.dtype, jnp.floating):
        return drawn
    labels = augment.labels(change, label_key, outputs)
    y, y_query = (jax.nn.one_hot(labels(label), outputs) for label in (drawn.y, drawn.y_query))
    return drawn._replace(y=y, y_query=y_query)


@typed
def task(choice: TaskChoice, data_dir: str | Path | None = None) -> LoadedTask:
    """Loads and preprocesses the data.

    Args:
        choice: which data, and how to prepare them.
        data_dir: where to look first for data files.

    Raises:
        BlurError: E8xx if the data cannot be had or do not fit the choice.
    """
    if complaints := [*_complaints(choice)]:
        raise BlurError([Diagnostic("E811", what, help=help) for what, help in complaints])
    source = _source(choice, None if data_dir is None else Path(os.path.expanduser(data_dir)))
    name = choice.name or choice.data
    if choice.target == "inputs":
        return LoadedTask(name, augment.width(choice.augment, source.features), choice.augment, source, mirrored=True)
    if choice.outputs and source.targets != "classes":
        message = f"`outputs` is for classes, but the targets of {choice.data} are numbers, {source.outputs} of them"
        raise BlurError(Diagnostic("E811", message, help="leave it out"))
    if choice.outputs and choice.outputs < source.outputs:
        message = f"`outputs` is {choice.outputs}, but {choice.data} has {source.outputs} classes"
        raise BlurError(Diagnostic("E811", message, help=f"write at least {source.outputs}, or leave it out"))
    return LoadedTask(name, choice.outputs or source.outputs, choice.augment, source)


AnyTask: TypeAlias = LoadedTask | World


def any_task(choice: TaskChoice, data_dir: str | Path | None = None) -> AnyTask:
    """As `task`, but it may be an environment. Raises `BlurError`."""
    return world(choice) if is_world(choice.data) else task(choice, data_dir)


def task_names() -> dict[str, str]:
    """The names that make a task, besides FILE.npz: name -> one line. A function hides a data set of the same name."""
    more = {family.NAME: family.DESCRIPTION for family in (omniglot, sinusoid, component)}
    return {**names(), **more, **teacher.NAMES, **plane.names()}


def _source(choice: TaskChoice, data_dir: Path | None) -> Source:
    if choice.data in plane.names():
        return plane.make(choice.data, choice.center)
    if choice.data == sinusoid.NAME:
        return sinusoid.Sinusoid()
    if choice.data == component.NAME:
        return component.Cloud()
    if choice.data in teacher.NAMES:
        return teacher.make(choice.data)
    if choice.alphabet:
        return examples.make(omniglot.alphabet(choice.alphabet, data_dir), choice)
    if choice.data == omniglot.NAME:
        return omniglot.make(choice, data_dir)
    loaded = load(choice.data, data_dir=data_dir, time=choice.time)
    return examples.make(retargeted(loaded, choice.target) if loaded.time else loaded, choice)


def _complaints(choice: TaskChoice) -> Iterator[tuple[str, str | None]]:
    """What is wrong with a choice whatever the data contain, and the help for it."""
    if is_world(choice.data):
        message = f"`{choice.data}` is an environment, which gives rewards and has no examples"
        raise BlurError(Diagnostic("E811", message, help="use it with `blurc meta` and `blurc eval`"))
    if choice.data not in task_names() and not choice.data.lower().endswith(".npz"):
        raise BlurError(_unknown(choice.data))
    yield from _sizes(choice)
    yield from _misplaced(choice)
    yield from misplaced(choice)
    if len(set(choice.classes)) < len(choice.classes):
        yield f"`classes` lists a class twice: {list(choice.classes)}", "list each class once"
    if len(choice.classes) == 1 or choice.ways < 2:
        yield "a task needs at least two classes", None


def _sizes(choice: TaskChoice) -> Iterator[tuple[str, str | None]]:
    least = {
        "crop": choice.crop,
        "resize": choice.resize,
        "outputs": choice.outputs,
        "augment.project": choice.augment.project,
        "augment.brightness": choice.augment.brightness,
        "weight": choice.weight,
    }
    for name, value in least.items():
        if not (value >= 0 and math.isfinite(value)):
            yield f"`{name}` is {value}", "write 0 or more"


def _misplaced(choice: TaskChoice) -> Iterator[tuple[str, str | None]]:
    """Fields that do not apply to this kind of data."""
    has_numbers = choice.data in (sinusoid.NAME, component.NAME, *teacher.NAMES)
    is_function = has_numbers or choice.data in plane.names()
    if choice.time and (is_function or choice.data == omniglot.NAME):
        yield f"`time` is for data sets, not for {choice.data}", "leave it out"
    has_episodes = choice.data == omniglot.NAME and not choice.alphabet
    if choice.alphabet and choice.data != omniglot.NAME:
        yield f"`alphabet` is for omniglot, not for {choice.data}", "leave it out"
    if choice.ways != TaskChoice.ways and choice.data != omniglot.NAME:
        yield f"`ways` is for omniglot, not for {choice.data}", "leave it out, or give `classes`"
    elif choice.ways != TaskChoice.ways and choice.alphabet:
        yield ("`ways` does not apply to an alphabet, which has all its characters", "leave it out, or give `classes`")
    if choice.classes and (is_function or has_episodes):
        help = "leave it out" if is_function else "leave it out, or give `ways`, or add an `alphabet`"
        yield f"`classes` is for data sets with labels, not for {choice.data}", help
    for name in ("crop", "resize"):
        if is_function and getattr(choice, name):
            yield f"`{name}` is for images, not for {choice.data}", "leave it out"
    numbers = f"the targets of {choice.data} are numbers"
    if choice.target == "inputs":
        numbers = "with `target: inputs` they are numbers"
    elif not has_numbers:
        return
    for name, given in {"outputs": choice.outputs, "augment.permute_labels": choice.augment.permute_labels}.items():
        if given:
            yield f"`{name}` is for classes, but {numbers}", "leave it out"
    if choice.center and has_numbers:
        yield f"`center` is for data sets and 2-D functions, not for {choice.data}", "leave it out"


def _unknown(name: str) -> Diagnostic:
    known = task_names()
    fixed = [n for n in known if not n.startswith(plane.PREFIX)]
    notes = (
        f"the tasks are {', '.join(fixed)}, and any FILE.npz with arrays x and y",
        f"`{plane.PREFIX}xor`, and so on, is rotated and shifted in each episode",
        f"environments are {', '.join(world_names())}, and those of gymnax: `{of_gymnax.GYMNAX}CartPole-v1`",
    )
    known |= world_names()
    help = suggest(name.lower(), known, "give one of these names, or the path of an .npz file")
    return Diagnostic("E810", f"unknown task `{name}`", notes=notes, help=help)
