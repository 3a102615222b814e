"""Where a genome left the finite numbers: the episode in which it did is gone through again, step by step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from blurc.diagnostics import BlurError, Diagnostic
from blurc.meta import persistent, schema
from blurc.meta.episode import segments
from blurc.meta.folder import Folder
from blurc.meta.setup import Setup, setup
from blurc.tasks.task import Episode
from blurc.training import diverge


def replay(folder: str | Path, number: int = 0, *, data_dir: str | Path | None = None) -> Diagnostic:
    """What happened in a recorded divergence of a run, by the line of the spec. number: which, from 0.

    Raises `BlurError`: E619 where the run recorded no such divergence, E615 where there is no run.
    """
    place = Folder(Path(folder))
    lost = _recorded(place, number)
    ready = setup(schema.read(place.path / "experiment.yaml"), data_dir)
    genome = jax.tree.map(jnp.asarray, lost["genome"], is_leaf=lambda x: not isinstance(x, dict))
    step = lost["step"]
    whole = ready.experiment.inner.steps if ready.method.wants == "persistent" else ready.unroll(step)
    episodes, keys = ready.episodes(persistent.episode_of(ready, step), whole)
    drawn = ready.drawn(persistent.episode_of(ready, step))
    for i, one in enumerate(drawn):
        episode = jax.tree.map(lambda a, i=i: a[i], episodes)
        if found := _in_episode(ready, genome, keys[i], episode):
            return _told(found.diagnostic(), lost, one.name)
    message = "all of its learning is finite: it is the objective, or its gradient, that is not"
    help = "train on shorter episodes, or bound values in the rule: `clip(.., -10, 10)`"
    return _told(Diagnostic("E905", message, help=help), lost, ", ".join(t.name for t in drawn))


def _recorded(folder: Folder, number: int) -> dict[str, Any]:
    folder.read("experiment.yaml")
    there = (folder.path / "divergences.jsonl").exists()
    lines = folder.read("divergences.jsonl").splitlines() if there else []
    if not 0 <= number < len(lines):
        counted = f"{len(lines)} divergences, 0 to {len(lines) - 1}" if lines else "no divergence"
        raise BlurError(
            Diagnostic("E619", f"`{folder.path}` has recorded {counted}; there is no number {number}")
        )
    return json.loads(lines[number])


def _in_episode(ready: Setup, genome: Any, key: jax.Array, episode: Episode) -> diverge.Divergence | None:
    start_key, noise_key = jax.random.split(key)
    net, done = ready.net, 0
    state = net.init(start_key, genome, batch=episode.xs.shape[1])
    for xs, ys, noise in segments(ready.experiment.inner, noise_key, episode):
        if found := diverge.find(net, genome, state, xs, ys, done, noise):
            return found
        state, _ = net.train(genome, state, xs, ys, key=noise)
        done += len(xs)
    return None


def _told(diagnostic: Diagnostic, lost: dict[str, Any], task: str) -> Diagnostic:
    where = f"meta-step {lost['step']}, candidate {lost['candidate']}, task {task}"
    return Diagnostic(
        diagnostic.code,
        diagnostic.message,
        diagnostic.span,
        (f"in the episode of {where}", *diagnostic.notes),
        diagnostic.help,
    )
