"""One variation of a task as a data set, for what trains on data sets."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import jax
import numpy as np

from blurc.diagnostics import counted
from blurc.runtime import fold
from blurc.tasks.dataset import Dataset
from blurc.tasks.families.familiarity import Familiarity
from blurc.tasks.task import LoadedTask


def as_data(task: LoadedTask, *, steps: int, batch: int, query: int, seed: int) -> Dataset:
    """What an episode learns, in its order, as the training examples, and what it is asked as the test examples.

    Args:
        task: the task.
        steps: batches to learn.
        batch: examples per batch.
        query: test examples.
        seed: of the variation and of its examples.

    Returns:
        The whole episode, in memory at once; its `trial` is another episode, without test examples.

    Raises:
        BlurError: E812 if a number is less than 1, E815 if a task of the user's own fails, E919 if the episode does not
            fit into memory.
    """
    key = fold(jax.random.key(seed, impl="threefry2x32"), "task")
    sizes = {"steps": steps, "batch": batch, "query": query}
    # Another key, as what is generated gives the same questions whether they are a test or not.
    trial = partial(_of_episode, task, fold(key, "trial"), **sizes, test=False)
    return replace(_of_episode(task, key, **sizes, test=True), trial=trial)


def _of_episode(task: LoadedTask, key: jax.Array, *, steps: int, batch: int, query: int, test: bool) -> Dataset:
    e = task.episode(key, steps=steps, batch=batch, query=query, test=test)

    def in_turn(a: jax.Array) -> np.ndarray:
        """[steps, batch, ..] -> [examples, ..]"""
        return np.asarray(a, np.float32).reshape(-1, *a.shape[2:])

    x, y = np.asarray(e.x, np.float32), np.asarray(e.y, np.float32)
    masks = None if e.masks is None else in_turn(e.masks)
    batches = counted(steps, "batch", "batches")
    mask = None if e.mask is None else np.asarray(e.mask, np.float32)
    return Dataset(
        task.name, in_turn(e.xs), in_turn(e.ys), x, y, task.classes and task.outputs,
        description=f"{batches} of {batch:,} of one variation, and {query:,} other examples of it to test on",
        source="drawn", time=task.time, mask_train=masks, mask_test=mask,
        targets=task.kind, score=task.own, in_order=True,
        changes=task.augment.changes or isinstance(task.source, Familiarity),
    )  # fmt: skip
