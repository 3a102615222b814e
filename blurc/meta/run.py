"""A run: meta-steps one after the other, what they leave in the run folder, and how a run that was cut off goes on.

Everything that a meta-step depends on is the experiment, the number of the step and the `Carry`; so a run that resumes
from a checkpoint makes the same bits as one that was never interrupted, on the same platform.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from blurc import genome as genomes
from blurc.diagnostics import BlurError, Diagnostic
from blurc.meta import checkpoint, curriculum, persistent, schema
from blurc.meta.curriculum import Record
from blurc.meta.episode import Feedback
from blurc.meta.experiment import Experiment
from blurc.meta.folder import Folder, versions
from blurc.meta.setup import Setup, setup

CHECKPOINT = "checkpoint.npz"
MOST_RECORDED = 20  # divergences


class Carry(NamedTuple):
    """method: the state of the search. costs: of the last meta-steps. inner: what PES carries through an episode."""

    method: Any
    costs: Any
    inner: Any


@dataclass(frozen=True)
class Result:
    """value: the objective of the best genome, the mean over the last meta-steps. diverged: of all candidates so far."""

    folder: Path
    genome: genomes.GenomeFile
    value: float
    steps: int
    diverged: int


class Watch(Protocol):
    """Who wants to know how it goes."""

    def begin(self, done: int, steps: int, objective: str) -> None: ...

    def line(self, line: dict[str, Any]) -> None: ...


class Silence:
    def begin(self, done: int, steps: int, objective: str) -> None: ...

    def line(self, line: dict[str, Any]) -> None: ...


def run(
    experiment: Experiment,
    folder: str | Path | None = None,
    *,
    resume: bool = False,
    data_dir: str | Path | None = None,
    watch: Watch | None = None,
) -> Result:
    """Runs an experiment into a folder, by default the one that it names, and returns the best genome.

    resume: go on from the checkpoint of that folder. data_dir: where to look for data first. Raises `BlurError` with
    whatever is wrong: E615 to E618 for the folder; nothing is written before the experiment is known to compile.
    """
    ready = setup(experiment, data_dir)
    place = Folder(Path(folder or experiment.write or f"runs/{experiment.name}"))
    text = schema.dump(experiment)
    carry = _start(ready)
    if resume:
        first, lost, carry = _resumed(place, text, carry)
    else:
        place.create(text)
        first, lost = 0, 0
    return _Run(ready, place, text, watch or Silence(), lost).go(first, carry)


@dataclass
class _Run:
    setup: Setup
    folder: Folder
    text: str
    watch: Watch
    diverged: int

    def go(self, first: int, carry: Carry) -> Result:
        choice = self.setup.experiment.method
        self.watch.begin(first, choice.steps, choice.objective)
        for step in range(first, choice.steps):
            carry, line, lost = meta_step(self.setup, carry, step)
            self.diverged += line["diverged"]
            self._record(step, lost)
            self.folder.append("metrics.jsonl", line)
            self.watch.line(line)
            if (step + 1) % self.setup.experiment.checkpoint_every == 0 or step + 1 == choice.steps:
                self._save(step + 1, carry)
        return self._result(carry)

    def _record(self, step: int, lost: Any) -> None:
        """The first genomes that diverged, for `replay`."""
        for candidate, genome in lost:
            if self.diverged <= MOST_RECORDED:
                plain = jax.tree.map(lambda x: np.asarray(x, float).tolist(), genome)
                self.folder.append(
                    "divergences.jsonl", {"step": step, "candidate": candidate, "genome": plain}
                )

    def _save(self, done: int, carry: Carry) -> None:
        about = {
            "step": done,
            "diverged": self.diverged,
            "experiment": _hash(self.text),
            "versions": versions(),
            "lengths": self.folder.lengths(),
        }
        self.folder.write("genome.yaml", genomes.dump(self._best(done, carry)))
        checkpoint.save(self.folder.path / CHECKPOINT, carry, about)

    def _best(self, done: int, carry: Carry) -> genomes.GenomeFile:
        e = self.setup.experiment
        values, value = best(self.setup, carry)
        found = {
            "experiment": e.name,
            "method": type(e.method).__name__.lower(),
            "meta-steps": done,
            "unroll": self.setup.unroll(max(0, done - 1)),
            e.method.objective: value,
            "seed": e.seed,
        }
        return genomes.describe(self.setup.net, values, name=e.name, found=found)

    def _result(self, carry: Carry) -> Result:
        steps = self.setup.experiment.method.steps
        genome = self._best(steps, carry)
        value = float(best(self.setup, carry)[1])
        result = Result(self.folder.path, genome, value, steps, self.diverged)
        shown = {
            "value": value if math.isfinite(value) else None,
            "steps": steps,
            "diverged": self.diverged,
        }
        self.folder.write("result.json", json.dumps(shown) + "\n")
        return result


def best(ready: Setup, carry: Carry) -> tuple[Any, float]:
    """The best genome that the search believes in, and its objective over the last meta-steps."""
    record = Record(np.asarray(carry.costs))
    stacked, which = ready.method.genomes(carry.method), record.best()
    mean = record.costs.mean(axis=0)[which] if len(record.costs) else math.nan
    one = jax.tree.map(lambda x: np.asarray(x[which]), stacked)
    return one, float(ready.judge.objective.natural(mean))


# ------------------------------------------------------------- one meta-step


def meta_step(ready: Setup, carry: Carry, step: int) -> tuple[Carry, dict[str, Any], list[tuple[int, Any]]]:
    """The carry after a meta-step, its line of metrics, and the candidates that diverged."""
    method, judge = ready.method, ready.judge
    if ready.experiment.curriculum and curriculum.lengthened(ready.experiment, step):
        carry = _best_to_all(ready, carry, step)
    state, inner = carry.method, carry.inner
    if method.wants == "persistent":
        state, inner = persistent.begun(ready, state, inner, step)
    candidates = method.ask(state, ready.key(3, step))
    unroll = ready.unroll(step)
    if method.wants == "persistent":
        feedback, inner = persistent.piece(ready, candidates, inner, step)
    else:
        episodes, keys = ready.episodes(step, unroll)
        see = judge.gradients if method.wants == "gradients" else judge.values
        feedback = see(candidates, keys, episodes)
    values = jnp.where(feedback.finite, feedback.values, jnp.nan)
    costs = judge.objective.costs(values)
    state = method.tell(state, candidates, costs, feedback)
    line = _line(ready, step, unroll, feedback, np.asarray(costs))
    carry = Carry(state, _recorded(ready, carry.costs, np.asarray(costs, float)), inner)
    return _restarted(ready, carry, step), line, [*_lost(candidates, feedback)]


def _recorded(ready: Setup, record: Any, costs: Any) -> Any:
    """Where candidates are replicas, each has a record; else all of them are of the one that is searched from."""
    if ready.method.wants != "gradients":
        sound = costs[np.isfinite(costs)]
        costs = np.asarray([sound.mean() if len(sound) else math.inf])
    return Record(np.asarray(record)).with_(costs).costs


def _line(ready: Setup, step: int, unroll: int, feedback: Feedback, costs: Any) -> dict[str, Any]:
    natural = [float(ready.judge.objective.natural(c)) if math.isfinite(c) else None for c in costs.tolist()]
    known = np.flatnonzero(np.isfinite(costs))
    line = {
        "step": step,
        "unroll": unroll,
        "task": [t.name for t in ready.drawn(persistent.episode_of(ready, step))],
        "value": natural[int(np.argmin(costs))] if len(known) else None,
        "diverged": int(len(costs) - len(known)),
    }
    if ready.method.wants == "gradients":
        return {**line, "values": natural}
    mean = float(ready.judge.objective.natural(costs[known].mean())) if len(known) else None
    return {**line, "mean": mean}


def _lost(candidates: Any, feedback: Feedback) -> Iterator[tuple[int, Any]]:
    for i in np.flatnonzero(~np.asarray(feedback.finite)):
        yield int(i), jax.tree.map(lambda x, i=i: x[i], candidates)


def _best_to_all(ready: Setup, carry: Carry, step: int) -> Carry:
    """At a longer unroll every replica goes on from the best."""
    record = Record(np.asarray(carry.costs))
    others = np.arange(record.costs.shape[1]) != record.best()
    return _replaced(ready, carry, others, step)


def _restarted(ready: Setup, carry: Carry, step: int) -> Carry:
    """Replicas that do nothing but diverge go on from the best; where all do, from fresh genomes."""
    record = Record(np.asarray(carry.costs))
    lost = record.lost()
    if not lost.any():
        return carry
    if not lost.all():
        return _replaced(ready, carry, lost, step)
    fresh = [ready.net.init_genome(ready.key(4, step, i)) for i in range(len(lost))]
    stacked = jax.tree.map(lambda *x: jnp.stack(x), *fresh)
    method = ready.method.replaced(carry.method, stacked, jnp.asarray(lost))
    return Carry(method, record.costs[:0], carry.inner)


def _replaced(ready: Setup, carry: Carry, which: Any, step: int) -> Carry:
    if not which.any():
        return carry
    record = Record(np.asarray(carry.costs))
    chosen = np.where(which, record.best(), np.arange(len(which)))
    copies = jax.tree.map(lambda x: x[chosen], ready.method.genomes(carry.method))
    stacked = ready.jittered(copies, which, step + 1)
    method = ready.method.replaced(carry.method, stacked, jnp.asarray(which))
    return Carry(method, record.forgotten(which).costs, carry.inner)


# -------------------------------------------------------- beginning, going on


def _start(ready: Setup) -> Carry:
    stacked = ready.start()
    state = ready.method.init(stacked)
    count = jax.tree.leaves(ready.method.genomes(state))[0].shape[0]
    return Carry(state, np.empty((0, count)), persistent.start(ready))


def _resumed(folder: Folder, text: str, like: Carry) -> tuple[int, int, Carry]:
    """Steps done, candidates diverged, and the carry. The logs lose what they have beyond the checkpoint."""
    path = folder.path / CHECKPOINT
    about = checkpoint.about(path)
    if about.get("experiment") != _hash(text):
        message = f"`{path}` is of another experiment"
        help = f"resume what began it: blurc meta {folder.path / 'experiment.yaml'} --resume"
        raise BlurError(Diagnostic("E617", message, help=help))
    here, there = versions(), about["versions"]
    if changed := [f"{n} {there.get(n)} there, {v} here" for n, v in here.items() if there.get(n) != v]:
        message = f"`{path}` was made with other versions: {'; '.join(changed)}"
        help = "resume with the same versions, or begin again from its genome.yaml (`start:`)"
        raise BlurError(Diagnostic("E617", message, help=help))
    carry = checkpoint.load(path, like)
    folder.cut(about["lengths"])
    return about["step"], about["diverged"], carry


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
