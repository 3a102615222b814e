"""A run: meta-steps one after the other, what they leave in the run folder, and how a run that was cut off goes on.

Everything that a meta-step depends on is the experiment, the number of the step and the `Carry`; so a run that resumes
from a checkpoint makes the same bits as one that was never interrupted, on the same platform.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any, Protocol, cast

import jax
import numpy as np

from blurc import genome as genomes
from blurc.api import Net
from blurc.diagnostics import BlurError, Diagnostic, Source
from blurc.meta.experiment import schema
from blurc.meta.experiment.experiment import Evaluation, Experiment, Gradient
from blurc.meta.run import checkpoint
from blurc.meta.run.best import is_due, updated
from blurc.meta.run.folder import CHECKPOINT, DIVERGENCES, EXPERIMENT, METRICS, SPEC, START, Folder, versions
from blurc.meta.run.setup import Setup, setup
from blurc.meta.run.step import Carry, Lost, Metrics, believed, meta_step, start
from blurc.runtime import map_tree

MOST_RECORDED = 20  # divergences


@dataclass(frozen=True)
class Result:
    """value: the objective of the genome, the best of all judgements on the same 16 episodes or more, which no search
    sees (`best.py`); NaN where no genome was finite in them. diverged: of all `candidates` so far."""

    folder: Path
    genome: genomes.GenomeFile
    value: float
    steps: int
    diverged: int
    candidates: int


class Watch(Protocol):
    """Who wants to know how it goes."""

    def begin(self, done: int, steps: int, objective: str) -> None: ...

    def line(self, line: Metrics) -> None: ...


class Silence:
    def begin(self, done: int, steps: int, objective: str) -> None: ...

    def line(self, line: Metrics) -> None: ...


def run(
    experiment: Experiment,
    folder: str | Path | None = None,
    *,
    resume: bool = False,
    data_dir: str | Path | None = None,
    watch: Watch | None = None,
) -> Result:
    """Runs an experiment into a folder. Nothing is written before the experiment is known to compile.

    Args:
        experiment: what to run.
        folder: where to; by default the folder that the experiment names.
        resume: go on from the checkpoint of that folder.
        data_dir: where to look first for data files.
        watch: is told how it goes.

    Returns:
        The best genome, and how it was found.

    Raises:
        BlurError: E612 and E613 for the experiment, E615 to E618 for the folder.
    """
    experiment = _as_read(experiment)
    ready = setup(experiment, data_dir)
    place = Folder(Path(folder or experiment.write or f"runs/{experiment.name}"))
    files = _files(ready)
    text = schema.dump(_pinned(experiment, ready, place))
    fresh = Progress(0, 0, start(ready), {})
    if not resume:
        place.make(files)
    with place.locked():
        if resume:
            fresh = _resumed(place, ready, fresh, files)
            place.write(EXPERIMENT, text)  # it may have more steps now
        else:
            place.create(text, files)
        return _Run(ready, place, watch or Silence()).go(fresh)


def _as_read(experiment: Experiment) -> Experiment:
    """As if it came from a file, which is checked, and means the same from any folder."""
    read = schema.parse(Source("experiment.yaml", schema.dump(experiment)))
    pairs = zip(read.tasks, experiment.tasks, strict=True)
    return replace(read, tasks=tuple(replace(task, where=given.where) for task, given in pairs))


def _pinned(e: Experiment, ready: Setup, folder: Folder) -> Experiment:
    """The experiment of the run folder: it repeats this run, or says why it cannot."""
    e = resolved(e, ready.net)
    network = replace(e.network, hash=genomes.spec_hash(ready.net))
    return replace(e, write=str(folder.path), network=network, start=e.start and START)


def resolved(e: Experiment, net: Net) -> Experiment:
    """With what it leaves to its spec: network, rule and parameters. One that network and rule share by name, with a
    value each, cannot be written down, and need not: nobody gave it."""
    of_network, of_rule = dict(net.model.network.params), dict(net.model.genome.params)
    parameters = {n: v for n, v in (of_network | of_rule).items() if of_network.get(n, v) == v}
    network = replace(e.network, network=net.plan.name, rule=net.plan.genome, parameters=parameters)
    return replace(e, network=network)


def _files(ready: Setup) -> dict[str, str]:
    """Copies of what the run comes from, by their names in its folder."""
    found: dict[str, str] = {}
    for name, text in ready.net.sources.texts:
        path = PurePath(name)
        inside = path.name if path.is_absolute() or ".." in path.parts else path.as_posix()
        while f"{SPEC}/{inside}" in found:
            inside = f"other/{inside}"
        found[f"{SPEC}/{inside}"] = text
    if ready.experiment.start:
        found[START] = genomes.dump(genomes.read(ready.experiment.start))
    return found


@dataclass(frozen=True)
class Progress:
    """steps: done. diverged: candidates so far. lengths: of the logs then."""

    steps: int
    diverged: int
    carry: Carry
    lengths: Mapping[str, int]


@dataclass(frozen=True)
class _Run:
    setup: Setup
    folder: Folder
    watch: Watch

    def go(self, now: Progress) -> Result:
        choice, every = self.setup.experiment.method, self.setup.experiment.checkpoint_every
        self.watch.begin(now.steps, choice.steps, choice.objective)
        try:
            while now.steps < choice.steps:
                now = self._advanced(now)
                if now.steps % every == 0 or now.steps == choice.steps:
                    self._save(now)
        except KeyboardInterrupt:
            if now.steps:
                self._save(now)
            raise
        return self._result(now)

    def _advanced(self, now: Progress) -> Progress:
        carry, line, lost = meta_step(self.setup, now.carry, now.steps)
        room = MOST_RECORDED - self.folder.lines(DIVERGENCES) if lost else 0
        self._record(now.steps, lost[: max(0, room)])
        self.folder.append(METRICS, line)
        self.watch.line(line)
        return Progress(now.steps + 1, now.diverged + line["diverged"], carry, self.folder.lengths())

    def _record(self, step: int, lost: Sequence[Lost]) -> None:
        """The first genomes that diverged, for `replay`."""
        for one in lost:
            line: dict[str, Any] = {"step": step, "candidate": one.candidate, "genome": _plain(one.genome)}
            if one.earlier:
                line["earlier"] = [*map(_plain, one.earlier)]
            self.folder.append(DIVERGENCES, line)

    def _save(self, now: Progress) -> None:
        """The checkpoint last: what is not in it yet is made again."""
        about = {
            "step": now.steps,
            "diverged": now.diverged,
            **_identity(self.setup),
            "lengths": dict(now.lengths),
        }
        self._write_genome(now)
        checkpoint.save(self.folder.path / CHECKPOINT, now.carry, about)

    def _write_genome(self, now: Progress) -> genomes.GenomeFile:
        e, best = self.setup.experiment, now.carry.best
        values, after = self._kept(now)
        judged = {"unroll": int(best.unroll), e.method.objective: self._value(now)} if best.known else {}
        found = {
            "experiment": e.name,
            "method": type(e.method).__name__.lower(),
            "meta-steps": after,
            **judged,
            "seed": e.seed,
        }
        genome = genomes.describe(self.setup.net, values, name=e.name, found=found)
        self.folder.write("genome.yaml", genomes.dump(genome))
        return genome

    def _kept(self, now: Progress) -> tuple[Any, int]:
        """The best genome so far, and after how many meta-steps; before any was judged, what the method believes in, or
        the start, where that left the finite numbers."""
        best, believes = now.carry.best, believed(self.setup, now.carry)
        if best.known or not all(np.isfinite(x).all() for x in jax.tree.leaves(believes)):
            return best.genome, int(best.step)
        return believes, now.steps

    def _value(self, now: Progress) -> float:
        best = now.carry.best
        return self.setup.judge.objective.natural(float(best.cost)) if best.known else math.nan

    def _result(self, now: Progress) -> Result:
        """What the method believes in at the end is judged as well, and not kept: a run may get more steps."""
        last = now.steps - 1
        if not is_due(self.setup, last):
            best, _ = updated(self.setup, now.carry.best, now.carry.method, last)
            now = replace(now, carry=now.carry._replace(best=best))
        genome, value = self._write_genome(now), self._value(now)
        candidates = now.steps * self._population()
        shown = {
            "value": value if math.isfinite(value) else None,
            "steps": now.steps,
            "diverged": now.diverged,
            "candidates": candidates,
        }
        self.folder.write("result.json", json.dumps(shown) + "\n")
        return Result(self.folder.path, genome, value, now.steps, now.diverged, candidates)

    def _population(self) -> int:
        """Candidates of a meta-step."""
        e = self.setup.experiment
        return e.replicas if isinstance(e.method, Gradient) else e.method.population


def _plain(genome: Any) -> Any:
    return map_tree(lambda x: _spelt(np.asarray(x, float).tolist()), genome)


def _spelt(value: Any) -> Any:
    """JSON has no numbers that are not finite: they are the texts "nan", "inf" and "-inf"."""
    if isinstance(value, list):
        return [*map(_spelt, cast("list[Any]", value))]
    return value if math.isfinite(value) else str(value)


# ------------------------------------------------------------------ going on


def _resumed(folder: Folder, ready: Setup, fresh: Progress, files: Mapping[str, str]) -> Progress:
    """The logs lose what they have beyond the checkpoint. A run that was cut off before its first checkpoint begins
    again."""
    path = folder.path / CHECKPOINT
    if folder.is_unfinished(files):
        folder.begin_again(files)
        return fresh
    if not path.exists():
        there = schema.parse(Source(str(folder.path / EXPERIMENT), folder.read(EXPERIMENT)))
        if _essence(there) != _essence(resolved(ready.experiment, ready.net)):
            raise _other(folder, f"`{folder.path / EXPERIMENT}` is another experiment")
        folder.begin_again(files)
        return fresh
    about = checkpoint.about(path)
    _check_same(folder, about, _identity(ready))
    carry = checkpoint.load(path, fresh.carry)
    folder.cut(about["lengths"])
    return Progress(about["step"], about["diverged"], carry, about["lengths"])


def _essence(e: Experiment) -> str:
    """What the bits of a meta-step depend on: not on where a run is written, when it is saved or how it is judged, and
    on the number of steps only where a rate falls with it. Files that it names count by what is in them. e: resolved,
    for an experiment says the same whether it writes a default down or not."""
    method = e.method if isinstance(e.method, Gradient) and e.method.decay else replace(e.method, steps=1)
    network = replace(e.network, spec="", hash="")
    start = e.start and hashlib.sha256(genomes.dump(genomes.read(e.start)).encode()).hexdigest()
    plain = replace(e, method=method, network=network, start=start, write="", checkpoint_every=1)
    return schema.dump(replace(plain, evaluation=Evaluation()))


def _identity(ready: Setup) -> dict[str, Any]:
    """What the bits of a run depend on."""
    essence = _essence(resolved(ready.experiment, ready.net))
    return {
        "experiment": hashlib.sha256(essence.encode()).hexdigest(),
        "spec": genomes.spec_hash(ready.net),
        "versions": versions(),
    }


def _check_same(folder: Folder, there: Any, here: dict[str, Any]) -> None:
    """Raises `BlurError` (E617)."""
    path = folder.path / CHECKPOINT
    if there["experiment"] != here["experiment"]:
        raise _other(folder, f"`{path}` is of another experiment")
    pairs = [(n, there["versions"].get(n), v) for n, v in here["versions"].items()]
    if changed := [f"{n} {was} there, {now} here" for n, was, now in pairs if was != now]:
        message = f"`{path}` was made with other versions: {'; '.join(changed)}"
        help = "resume with the same versions, or begin again from its genome.yaml (`start:`)"
        raise BlurError(Diagnostic("E617", message, help=help))
    if there["spec"] != here["spec"]:
        message = f"the spec is not the one that `{path}` was made with"
        help = "undo the change, or begin again from its genome.yaml (`start:`)"
        raise BlurError(Diagnostic("E617", message, help=help))


def _other(folder: Folder, message: str) -> BlurError:
    help = f"resume what began it: blurc meta {folder.path / EXPERIMENT} --resume"
    return BlurError(Diagnostic("E617", message, help=help))
