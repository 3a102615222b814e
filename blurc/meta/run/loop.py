"""A run: meta-steps in sequence, and what they write to the run folder.

A meta-step depends only on the experiment, its number and the `Carry`, so on the same platform a resumed run makes the
same bits as one that was never interrupted.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import jax
import numpy as np

from blurc import genome as genomes
from blurc.diagnostics import BlurError
from blurc.guards import typed
from blurc.meta.experiment import schema
from blurc.meta.experiment.experiment import Experiment, Symbolic
from blurc.meta.processes.processes import ALONE, Processes
from blurc.meta.run import checkpoint, room, sharing
from blurc.meta.run.best import Best, begun, is_due, is_judged, updated
from blurc.meta.run.folder import CHECKPOINT, DIVERGENCES, EXPERIMENT, GENOME, METRICS, Folder
from blurc.meta.run.found import best_rule
from blurc.meta.run.pinned import copies, pinned
from blurc.meta.run.result import Result
from blurc.meta.run.resuming import Progress, identity, resumed
from blurc.meta.run.setup import Setup, setup
from blurc.meta.run.step import Lost, believed, meta_step, start
from blurc.meta.search.methods.symbolic import Candidates
from blurc.meta.watch.follower import Follower, Together
from blurc.runtime import map_tree
from blurc.tasks import NO_TASKS, OwnTasks

MOST_RECORDED = 20  # divergences


@typed
def run(
    experiment: Experiment,
    folder: str | Path | None = None,
    *,
    resume: bool = False,
    data_dir: str | Path | None = None,
    watch: Follower | Sequence[Follower] | None = None,
    tasks: OwnTasks = NO_TASKS,
    processes: Processes = ALONE,
) -> Result:
    """Runs an experiment into a folder. Nothing is written before the experiment is known to compile.

    Args:
        experiment: what to run.
        folder: the run folder; by default, the one that the experiment names.
        resume: continue from the checkpoint of that folder.
        data_dir: where to look first for data files.
        watch: who follows the progress, such as `meta.follow(experiment)`; one, or a list of them.
        tasks: tasks and environments of your own, by the names that the experiment has for them (`tasks: [waves]`).
        processes: those that share the run, of `join`. Each of them calls `run` with the same experiment. Process 0
            alone writes the folder, resumes from it, and is watched.

    Returns:
        The best genome, and how it was found.

    Raises:
        BlurError: E612 and E613 for the experiment, E615 to E618 for the folder, E811, E814 and E815 for tasks of your
            own, E919 for what memory cannot hold, E620 and E925 for the processes.
    """
    ready = setup(schema.checked(experiment), data_dir, tasks, processes)
    room.check(ready)
    sharing.check_same(ready)
    place = Folder(Path(folder or ready.experiment.write or f"runs/{ready.experiment.name}"))
    files = copies(ready)
    text = schema.dump(pinned(ready.experiment, ready, place))
    fresh = Progress(0, 0, start(ready), {}, ready.width)
    if processes.index:
        return sharing.follow(ready, fresh, place.path)
    if not resume:
        place.make(files)
    elif not os.path.isdir(place.path):
        place.read(EXPERIMENT)
    with place.locked() as still_locked:
        if resume:
            fresh = resumed(place, ready, fresh, files)
            place.write(EXPERIMENT, text)  # it may have more steps now
        else:
            place.create(text, files)
        together = Together([] if watch is None else watch if isinstance(watch, Sequence) else [watch])
        return Leading(ready.with_width(fresh.width), place, together, still_locked).run(fresh)


@dataclass(frozen=True)
class Leading:
    """A run in the process that writes its folder."""

    setup: Setup
    folder: Folder
    watch: Together
    still_locked: Callable[[], None]

    def run(self, now: Progress) -> Result:
        sharing.begin(self.setup, now)
        result = self._watched(now)
        sharing.end(self.setup, result)
        return result

    def _watched(self, now: Progress) -> Result:
        try:
            self.watch.begin(now.steps, self.setup.experiment.method.steps, self.setup.objective)
            if not now.steps:
                now = replace(now, carry=now.carry._replace(best=begun(self.setup, self.setup.unroll(0))))
            return self._result(self._through(now))
        finally:
            self.watch.end()

    def _through(self, now: Progress) -> Progress:
        """All meta-steps that are left."""
        choice, every = self.setup.experiment.method, self.setup.experiment.checkpoint_every
        try:
            while now.steps < choice.steps:
                now = self._advanced(now)
                if now.steps % every == 0 or now.steps == choice.steps:
                    self._save(now)
        except KeyboardInterrupt:
            if now.steps:
                self._save(now)
            raise
        except BlurError:  # a task of the user's own raised
            if now.steps:
                with suppress(BlurError):  # it may be the folder itself that failed
                    self._save(now)
            raise
        return now

    def _advanced(self, now: Progress) -> Progress:
        carry, line, lost = meta_step(self.setup, now.carry, now.steps)
        self.still_locked()
        more = MOST_RECORDED - self.folder.lines(DIVERGENCES) if lost else 0
        self._record(now.steps, lost[: max(0, more)])
        self.folder.append(METRICS, line)
        self.watch.line(line)
        diverged = now.diverged + line["diverged"]
        return replace(now, steps=now.steps + 1, diverged=diverged, carry=carry, lengths=self.folder.lengths())

    def _record(self, step: int, lost: Sequence[Lost]) -> None:
        """The first genomes that diverged, for `replay`."""
        for one in lost:
            genome = one.genome._asdict() if isinstance(one.genome, Candidates) else one.genome
            line: dict[str, Any] = {"step": step, "candidate": one.candidate, "genome": _plain(genome)}
            if one.earlier:
                line["earlier"] = [*map(_plain, one.earlier)]
            self.folder.append(DIVERGENCES, line)

    def _save(self, now: Progress) -> None:
        """The checkpoint is last: whatever it does not cover is made again."""
        about = {"step": now.steps, "diverged": now.diverged, "width": now.width, "lengths": dict(now.lengths)}
        self.still_locked()
        best = now.carry.best
        # Before the search is judged for the first time, only its start was.
        self._write_genome(now, best if is_judged(self.setup, now.steps) else best._replace(cost=np.asarray(math.inf)))
        self.folder.guarded(
            lambda: checkpoint.save(self.folder.path / CHECKPOINT, now.carry, {**about, **identity(self.setup)})
        )

    def _write_genome(self, now: Progress, best: Best, finished: bool = False) -> genomes.GenomeFile:
        if isinstance(self.setup.experiment.method, Symbolic):
            genome = best_rule(self.setup, self.folder, best, now.steps, finished)
        else:
            genome = self._genome(now, best)
        self.folder.write(GENOME, genomes.dump(genome))
        return genome

    def _genome(self, now: Progress, best: Best) -> genomes.GenomeFile:
        e = self.setup.experiment
        values, after = (best.genome, int(best.step)) if best.known else self._unjudged(now)
        judged = {"unroll": int(best.unroll), self.setup.objective.name: self._natural(best.cost)} if best.known else {}
        found = {
            "experiment": e.name,
            "method": type(e.method).__name__.lower(),
            "meta-steps": after,
            **judged,
            "seed": e.seed,
        }
        return genomes.describe(self.setup.net, values, name=e.name, found=found)

    def _unjudged(self, now: Progress) -> tuple[Any, int]:
        """The genome that the method believes in, or the start if that one is not finite; and after how many
        meta-steps."""
        best, believes = now.carry.best, believed(self.setup, now.carry)
        finite = all(np.isfinite(x).all() for x in jax.tree.leaves(believes))
        return (believes, now.steps) if finite else (best.genome, int(best.step))

    def _natural(self, cost: Any) -> float:
        return self.setup.objective.natural(float(cost)) if math.isfinite(cost) else math.nan

    def _result(self, now: Progress) -> Result:
        """Also judges the last genome, without keeping that judgement: the run may get more steps."""
        best, last = now.carry.best, now.steps - 1
        if not is_due(self.setup, last):
            best, _ = updated(self.setup, best, now.carry.method, last)
        genome, start = self._write_genome(now, best, finished=True), self._natural(best.start)
        value = float(genome.found.get(self.setup.objective.name, math.nan))
        candidates = now.steps * self.setup.experiment.candidates
        shown = {
            "value": value if math.isfinite(value) else None,
            "start": start if math.isfinite(start) else None,
            "steps": now.steps,
            "diverged": now.diverged,
            "candidates": candidates,
        }
        self.folder.write("result.json", json.dumps(shown) + "\n")
        objective = self.setup.objective.name
        return Result(self.folder.path, genome, objective, value, start, now.steps, now.diverged, candidates)


def _plain(genome: Any) -> Any:
    return map_tree(lambda x: _spelt(np.asarray(x, float).tolist()), genome)


def _spelt(value: Any) -> Any:
    """JSON only has finite numbers; the others become the texts "nan", "inf" and "-inf"."""
    if isinstance(value, list):
        return [*map(_spelt, cast("list[Any]", value))]
    return value if math.isfinite(value) else str(value)
