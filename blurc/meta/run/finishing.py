"""After a run: evaluate its genome on test examples and write the report, both from the run folder alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from blurc import genome as genomes
from blurc.api import Net
from blurc.diagnostics import BlurError, counted
from blurc.evaluation import Race, Row, check_fits, doubt, label, race, scores, summaries, where
from blurc.genome import GenomeFile
from blurc.guards import has_package, typed
from blurc.meta import report
from blurc.meta.experiment import schema
from blurc.meta.experiment.experiment import Evaluation, Experiment, Symbolic
from blurc.meta.run import on_recordings
from blurc.meta.run.compiling import compiled
from blurc.meta.run.folder import EXPERIMENT, GENOME, Folder
from blurc.meta.run.lessons import Lesson, lessons, under_rule
from blurc.storage import read_file
from blurc.tasks import NO_TASKS, AnyTask, LoadedTask, OwnTasks, TaskChoice, World, any_task, told_at


def check(experiment: Experiment, data_dir: str | Path | None = None, own: OwnTasks = NO_TASKS) -> list[str]:
    """Checks before a long run that its evaluation can work: the networks compile, the tasks load, and at least one
    fits. Returns warnings, such as of a rule that normalises over few examples. Raises `BlurError`."""
    problems, doubts, later = list[BlurError](), list[str](), list[str]()
    inner, loaded = experiment.inner, dict[int, AnyTask]()

    def load(choice: TaskChoice) -> AnyTask:
        if id(choice) not in loaded:
            with told_at(choice.where):
                loaded[id(choice)] = any_task(choice, data_dir, own)
        return loaded[id(choice)]

    pairs = [*_pairs(experiment)]
    for net, _, choice in pairs:
        one = load(choice)
        try:
            with told_at(choice.where):
                check_fits(net, one, inner.probe)
                on_recordings.check_evaluation(experiment.evaluation, one)
        except BlurError as error:
            problems.append(error)
        else:
            later += doubt(net, one, experiment.evaluation.batch).splitlines()
    if len(problems) == len(pairs):
        raise problems[0]
    net = compiled(experiment.network)
    theirs = lessons(experiment, net)
    for choice in experiment.tasks:
        of = theirs.get(choice.name or choice.data) or Lesson(net, inner.batch)
        asked = of.batch if inner.online else inner.query
        doubts += doubt(of.net, load(choice), of.batch, asked).splitlines()
    return [*dict.fromkeys(doubts or later)]


@typed
def finish(
    folder: str | Path,
    *,
    data_dir: str | Path | None = None,
    watch: Callable[[str], None] = lambda what: None,
    tasks: OwnTasks = NO_TASKS,
) -> list[Row]:
    """Evaluates a run's genome as its experiment asks (evaluation.json), and writes report.html, if
    matplotlib is installed.

    Args:
        folder: the run folder.
        data_dir: where to look first for data files.
        watch: called with what starts next, and with the scores as each evaluation ends.
        tasks: tasks and environments of your own, as `run` had them.

    Returns:
        The scores, one row per network and task.

    Raises:
        BlurError: if the folder, its files or the data cannot be read, or if no task can be evaluated; the report is
            written nevertheless.
    """
    left_out = list[BlurError]()
    rows, _ = evaluated(folder, data_dir, watch, tasks, left_out)
    if not rows:
        raise left_out[0]
    return rows


def evaluated(
    folder: str | Path, data_dir: str | Path | None, watch: Callable[[str], None], own: OwnTasks = NO_TASKS,
    left_out: list[BlurError] | None = None,
) -> tuple[list[Row], list[Race]]:  # fmt: skip
    """`finish`, which also returns the races that the rows come from. left_out: gets why tasks have no scores."""
    place = Folder(Path(folder))
    experiment = schema.read(place.path / EXPERIMENT)
    with place.locked():
        return _evaluated(place, experiment, data_dir, watch, own, [] if left_out is None else left_out)


def _evaluated(
    place: Folder, experiment: Experiment, data_dir: str | Path | None, watch: Callable[[str], None], own: OwnTasks,
    left_out: list[BlurError],
) -> tuple[list[Row], list[Race]]:  # fmt: skip
    genome = genomes.read(place.path / GENOME)
    e, rows, races = experiment.evaluation, list[Row](), list[Race]()
    for net, named, choice in _pairs(_under_its_rule(experiment, place, genome)):
        one = any_task(choice, data_dir, own)
        watch(f"{one.name} in {named}")
        try:
            how = {"query": experiment.inner.query if isinstance(one, World) else None, "probe": experiment.inner.probe}
            row, raced = _judged(e, genome, net, named, one, how, lambda what: watch(f"  {what}"))
        except BlurError as error:
            watch(f"  left out: {error.diagnostics[0].message}")
            left_out.append(error)
            continue
        watch(f"  {_told(row, e.steps)}")
        rows.append(row)
        races += raced
    of = {name: hashlib.sha256(read_file(place.path / name)).hexdigest() for name in (EXPERIMENT, GENOME)}
    evaluation = {
        "of": of,
        "rows": [row.to_json(e.steps) for row in rows],
        "races": [{**found, "learners": found["learners"][1:]} for found in (r.to_json() for r in races)],
    }
    place.write("evaluation.json", json.dumps(evaluation, indent=1, allow_nan=False) + "\n")
    if has_package("matplotlib"):
        watch("the report")
        report.write(place.path)
    else:
        watch(f"no report, which needs matplotlib: pip install 'blurc[pictures]', then blurc report {place.path}")
    return rows, races


def _told(row: Row, steps: Sequence[int]) -> str:
    """`80.3 ± 1.6 after 5 steps, 85.5 ± 1.8 after 10`"""
    pairs = zip(summaries(row.scores), steps, strict=True)
    (value, step), *others = pairs
    first = f"{value.show(row.metric)} after {counted(step, 'step')}"
    return ", ".join((first, *(f"{value.show(row.metric)} after {step:,}" for value, step in others)))


def _judged(
    e: Evaluation, genome: GenomeFile, net: Net, named: str, one: AnyTask, how: Mapping[str, Any],
    watch: Callable[[str], None],
) -> tuple[Row, list[Race]]:  # fmt: skip
    """The genome's scores, and the race they come from, if any. Raises `BlurError`."""
    check_fits(net, one, how["probe"])
    genomes.check_rule(genome, net.model, net.sources)
    raced = _raced(e, genome, net, named, one, watch) if e.race else []
    if raced:
        found = raced[0].entries[0].scores
    else:
        found = scores(net, genome.values, one, steps=e.steps, batch=e.batch, seeds=e.seeds, **how)
    return Row(genome.name, one.name, named, found, one.score, where=where(one)), raced


def _raced(
    e: Evaluation, genome: GenomeFile, net: Net, named: str, one: AnyTask, watch: Callable[[str], None]
) -> list[Race]:
    """One race; none, with a message, if the network cannot be raced."""
    if not isinstance(one, LoadedTask):
        has = "this task only gives rewards" if isinstance(one, World) else "this one has recorded activity"
        watch(f"there is no race in {one.name}: optimizers need examples, and {has}")
        return []
    counts: dict[str, Any] = {"steps": e.steps, "batch": e.batch, "seeds": e.seeds}
    try:
        found = race(net, genome.values, one, name=genome.name, watch=watch, **counts)
    except BlurError as error:
        if error.diagnostics[0].code != "E720":
            raise
        watch(error.diagnostics[0].message)
        return []
    return [replace(found, network=named)]


def _pairs(experiment: Experiment) -> Iterator[tuple[Net, str, TaskChoice]]:
    """Networks, labels and tasks. A network without a rule gets the experiment's rule and parameters."""
    own = compiled(experiment.network)
    alone = [(experiment.network, own)]
    spec, evaluation = Path(experiment.network.spec), experiment.evaluation
    several = [(n, compiled(under_rule(n, own), [spec])) for n in evaluation.networks]
    theirs = {} if evaluation.networks else lessons(experiment, own)
    for network, net in several or alone:
        for choice in evaluation.tasks or experiment.tasks:
            name = choice.name or choice.data
            lesson, setting = theirs.get(name), experiment.by_task.get(name)
            of = setting.network if setting and setting.network and lesson else network
            learner = lesson.net if lesson else net
            yield learner, label(learner, of.parameters), choice


def _under_its_rule(e: Experiment, place: Folder, genome: GenomeFile) -> Experiment:
    """The experiment with the rule of its genome, which a symbolic search has found."""
    if not (isinstance(e.method, Symbolic) and (place.path / genome.spec).is_file()):
        return e
    own = replace(e.network, spec=str(place.path / genome.spec), rule=genome.rule, hash="")
    return replace(e, network=own)
