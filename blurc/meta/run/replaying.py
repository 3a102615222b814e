"""Finds where a genome diverged, by replaying the episode step by step."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from blurc.diagnostics import BlurError, Diagnostic, counted
from blurc.guards import typed
from blurc.meta.experiment import schema
from blurc.meta.experiment.experiment import Pes
from blurc.meta.run import persistent, replaying_lives
from blurc.meta.run.folder import DIVERGENCES, EXPERIMENT, Folder
from blurc.meta.run.setup import Setup, setup
from blurc.meta.search.episode import segments
from blurc.meta.search.methods.symbolic import Candidates, SymbolicMethod
from blurc.runtime import map_tree
from blurc.tasks import NO_TASKS, OBJECTIVES, Episode, OwnTasks, Replay
from blurc.training import begun, diverge, learn, replayed

# A genome's rates are learned, so only the rule, the search or the objective can change.
OF_RULE = "bound values in the rule (`clip(.., -10, 10)`), or train on shorter episodes (`inner.steps`)"
OF_OWN = "keep what is divided by, and what a root or a logarithm is taken of, above 0: their slopes are finite there"


@typed
def replay(
    folder: str | Path, number: int = 0, *, data_dir: str | Path | None = None, tasks: OwnTasks = NO_TASKS
) -> Diagnostic:
    """Explains a recorded divergence of a run, down to the line of the spec.

    Args:
        folder: the run folder.
        number: which divergence, from 0.
        data_dir: where to look first for data files.
        tasks: tasks and environments of your own, as the run had them.

    Raises:
        BlurError: E615 if there is no run, E619 if it has no such divergence.
    """
    place = Folder(Path(folder))
    lost = _recorded(place, number)
    ready = setup(schema.read(place.path / EXPERIMENT), data_dir, tasks)
    if isinstance(ready.method, SymbolicMethod):
        ready, genomes = _of_rule(ready, ready.method, lost["genome"])
    else:
        genomes = [_genome(one) for one in (*lost.get("earlier", ()), lost["genome"])]
    episode_number = persistent.episode_of(ready, lost["step"])
    whole = ready.experiment.inner.steps if ready.method.wants == "persistent" else ready.unroll(lost["step"])
    drawn = ready.singly(episode_number, whole)
    names = [ready.tasks[i].name for i, _ in drawn]
    for i, one in drawn:
        episode = map_tree(lambda a: a[0], one.episodes)
        learner = replace(ready, net=ready.lesson(ready.tasks[i]).net)
        if found := _divergence(learner, genomes, one.keys[0], episode):
            return _told(found, lost, ready.tasks[i].name)
    message, help = "training stayed finite; the objective or its gradient did not", OF_RULE
    if (mine := ready.objective) != OBJECTIVES.get(mine.name):
        message, help = (
            f"training stayed finite; `{mine.name}`, a function of your own, or its gradient did not",
            OF_OWN,
        )
    return _told(Diagnostic("E905", message, help=help), lost, ", ".join(names))


def _recorded(folder: Folder, number: int) -> dict[str, Any]:
    folder.read(EXPERIMENT)
    count = folder.lines(DIVERGENCES)
    if not 0 <= number < count:
        known = "no divergence"
        if count:
            known = f"{counted(count, 'divergence')}, numbered from 0"
        message = f"`{folder.path}` has recorded {known}; there is no divergence {number}"
        raise BlurError(Diagnostic("E619", message))
    return json.loads(folder.read(DIVERGENCES).splitlines()[number])


def _genome(values: dict[str, Any]) -> Any:
    """Values that are not finite are stored as strings, which NumPy can parse."""

    def read(x: Any) -> jax.Array:
        return jnp.asarray(np.asarray(x, float))

    return jax.tree.map(read, values, is_leaf=lambda x: not isinstance(x, dict))


def _of_rule(ready: Setup, method: SymbolicMethod, rows: dict[str, Any]) -> tuple[Setup, list[Any]]:
    """The setup with the network under a candidate of a symbolic search, and its constants."""
    found = Candidates(np.asarray([rows["symbols"]], np.int32), np.asarray([rows["values"]], np.float32))
    (trees,) = method.trees(found)
    net = method.space.compiled(trees)
    return replace(ready, net=net), [{**net.init_genome(ready.key(0)), **ready.own}]


def _divergence(ready: Setup, genomes: list[Any], key: jax.Array, episode: Any) -> Diagnostic | None:
    if ready.worlds:
        return replaying_lives.divergence(ready, genomes, key, episode, OF_RULE)
    if isinstance(episode, Replay):
        found = _in_recording(ready, genomes, key, episode)
    else:
        found = _in_episode(ready, genomes, key, episode)
    return found and replace(found.diagnostic(), help=OF_RULE)


def _in_episode(ready: Setup, genomes: list[Any], key: jax.Array, episode: Episode) -> diverge.Divergence | None:
    """genomes: one per piece of the episode with PES; otherwise a single one."""
    start_key, noise_key = jax.random.split(key)
    net, done, choice = ready.net, 0, ready.experiment.method
    state = net.init(start_key, genomes[0], batch=episode.xs.shape[1])
    if isinstance(choice, Pes):
        parts = persistent.parts(choice, genomes, key, episode)
    else:
        parts = ((genomes[0], *part) for part in segments(ready.experiment.inner, noise_key, episode))
    for genome, batches, noise in parts:
        if found := diverge.find(net, genome, state, batches, done, noise):
            return found
        state, _ = learn(net, genome, state, batches, noise)
        done += len(batches.xs)
    return None


def _in_recording(ready: Setup, genomes: list[Any], key: jax.Array, replay: Replay) -> diverge.Divergence | None:
    """genomes: as in an episode."""
    start_key, noise_key = jax.random.split(key)
    state = begun(ready.net, genomes[0], start_key, replay)
    choice, steps = ready.experiment.method, len(replay.shown.xs)
    size = choice.truncation if isinstance(choice, Pes) else steps
    for done, genome in zip(range(0, steps, size), genomes, strict=False):
        shown = map_tree(lambda a, done=done: a[done : done + size], replay.shown)
        noise = persistent.noise(done, key) if isinstance(choice, Pes) else noise_key
        if found := diverge.find_in_recording(ready.net, genome, state, shown, done, noise):
            return found
        state, _ = replayed(ready.net, genome, state, shown, noise)
    return None


def _told(diagnostic: Diagnostic, lost: dict[str, Any], task: str) -> Diagnostic:
    where = f"meta-step {lost['step']}, candidate {lost['candidate']}, task {task}"
    notes = (f"in the episode of {where}", *diagnostic.notes)
    return replace(diagnostic, notes=notes, severity="note")
