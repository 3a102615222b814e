"""`blurc meta`: learns a genome, as described by an experiment file."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

from blurc import evaluation, language, meta, tasks
from blurc.cli.shared import cores, scores
from blurc.cli.shared.options import json_option, set_once
from blurc.cli.shared.output import check_writable, write_json
from blurc.cli.shared.processes import At, joined, processes_options
from blurc.cli.shared.rules import print_rules
from blurc.cli.shared.task_option import data_dir_option
from blurc.cli.shared.terminal import coloured, console, print_table, say, tell
from blurc.diagnostics import BlurError, Diagnostic, counted
from blurc.guards import has_package, of_machine
from blurc.storage import read_file

if TYPE_CHECKING:
    from rich.console import Console

    from blurc.evaluation import Race, Row
    from blurc.meta import Experiment, Follower, Processes, Result


def _override(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in value]
    for text, (name, equals, _) in zip(value, pairs, strict=True):
        if not name.strip() or not equals:
            raise click.BadParameter(f"{text!r}: write KEY=VALUE, such as method.steps=100", ctx, param)
    return set_once(ctx, param, [(name.strip(), written.strip()) for name, _, written in pairs])


LOGS: Mapping[str, Callable[[Experiment, Path], Follower]] = {
    "tensorboard": lambda experiment, folder: meta.TensorBoard(folder / "tensorboard"),
    "wandb": lambda experiment, folder: meta.WandB(experiment, folder),
}


@click.command("meta")
@click.argument("experiment", type=click.Path(path_type=Path))
@click.option(
    "--set", "overrides", multiple=True, callback=_override, metavar="KEY=VALUE",
    help="Override a value in the file: --set method.steps=100. May be repeated.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="DIR",
    help="The run folder. Default: the experiment's `write`, or runs/NAME.",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Continue from the checkpoint in the run folder.")
@click.option(
    "--replay", type=click.IntRange(min=0), metavar="N",
    help="Only explain where recorded divergence N of the run, counted from 0, began.",
)  # fmt: skip
@click.option(
    "--log", "logged", type=click.Choice([*LOGS]), multiple=True,
    help="Also log every meta-step for TensorBoard or, offline, for Weights & Biases. May be repeated.",
)  # fmt: skip
@data_dir_option
@json_option
@processes_options
@click.pass_obj
def command(
    cores_are_devices: bool | None,  # None: not called by `main`
    experiment: Path, overrides: dict[str, str], output: Path | None, resume: bool, replay: int | None,
    logged: tuple[str, ...], data_dir: Path | None, json: str | None, at: At | None,
) -> None:  # fmt: skip
    """Learn a genome, as described by the file EXPERIMENT.

    Writes metrics, checkpoints, the best genome (genome.yaml), its scores on test examples and report.html to the
    run folder. --resume continues an interrupted run, with bit-identical results. Without matplotlib (pip install
    'blurc[pictures]') there is no report; `blurc report` writes it later.

    Several processes share a run if each is started with the same command, under SLURM, Kubernetes or Open MPI with
    --distributed, elsewhere with --coordinator, --processes and --process.
    """
    if resume and replay is not None:
        raise click.UsageError("--resume continues a run, --replay explains one: use one or the other")
    if at and replay is not None:
        raise click.UsageError("--replay explains a run in one process: leave --distributed and the like out")
    with joined(at) as processes:
        if processes.index:
            resolved = meta.read(experiment, overrides)
            meta.run(resolved, output, data_dir=data_dir, processes=processes)
        else:
            _learn(experiment, overrides, output, resume, replay, logged, data_dir, json, processes, cores_are_devices)


def _learn(
    experiment: Path, overrides: dict[str, str], output: Path | None, resume: bool, replay: int | None,
    logged: tuple[str, ...], data_dir: Path | None, json: str | None, processes: Processes,
    cores_are_devices: bool | None,
) -> None:  # fmt: skip
    """All of it, in the process that writes."""
    check_writable([json])
    _check_no_spec(experiment)

    resolved = meta.read(experiment, overrides)
    if cores_are_devices and processes.count == 1:
        cores.no_more_than(meta.internals.most_devices(resolved, of_machine()))
    folder = output or _own_folder(experiment, overrides, resume or replay is not None)
    folder = folder or Path(resolved.write or f"runs/{resolved.name}")
    if replay is not None:
        click.echo(coloured(meta.replay(folder, replay, data_dir=data_dir)))
        return
    logs = [LOGS[name](resolved, folder) for name in dict.fromkeys(logged)]
    for doubt in meta.internals.check(resolved, data_dir):
        click.echo(doubt, err=True)
    out = console(json)
    if resume:
        _tell_changes(folder, resolved)
    with _resumable(folder, resume):
        watch = [meta.follow(resolved, out), *logs]
        result = meta.run(resolved, folder, resume=resume, data_dir=data_dir, watch=watch, processes=processes)
        if result.diverged and math.isfinite(result.value):
            say(_where(result), json)  # with a command, which stays whole
        rows, races = meta.internals.evaluated(folder, data_dir=data_dir, watch=lambda what: tell(out, what))
    _print([*_raced(rows, races)], resolved, out)
    print_rules(out, meta.internals.found_rules(folder), result.objective)
    if json:
        write_json(json, _data(result, rows, resolved))
    if math.isnan(result.value):
        raise BlurError(_no_genome(result, resolved, data_dir))
    if isinstance(resolved.method, meta.Gradient) and resolved.method.l1:
        _print_sparse(folder, out)
    tell(out, _start(result))
    if isinstance(resolved.method, meta.Gradient):
        why = "as the experiment says" if resolved.method.mode else "by cost"
        taken = resolved.method.mode or meta.internals.mode(folder)
        tell(out, f"gradients in {taken} mode, {why}")
    objective = result.objective.replace("_", " ")
    mean = "on its worst task in" if resolved.over_tasks == "worst" else "the mean of"
    what = f"{objective} of the genome {result.value:.4g}, {mean} {_judged(resolved)}"
    files = [meta.internals.GENOME, *([meta.internals.REPORT] if has_package("matplotlib") else [])]
    tell(out, f"{folder}: {', '.join(files)}; {what}")


def _own_folder(file: Path, overrides: dict[str, str], again: bool) -> Path | None:
    """The folder of the file, if that is the run to resume or replay: the folder may have been moved or copied since,
    and the file's `write` would lead to another run."""
    own = again and "write" not in overrides and meta.internals.is_of_run(file)
    return file.parent if own else None


@contextmanager
def _resumable(folder: Path, resume: bool) -> Generator[None]:
    try:
        yield
    except KeyboardInterrupt:
        if os.path.exists(folder / meta.internals.CHECKPOINT):
            goes_on = "the same command continues" if resume else "add --resume to continue"
            click.echo(f"progress is saved in `{folder}`: {goes_on}", err=True)
        elif os.path.exists(folder / meta.internals.EXPERIMENT):
            again = "the same command begins" if resume else "add --resume to begin"
            click.echo(f"no meta-step is saved in `{folder}` yet: {again} again there", err=True)
        raise


def _tell_changes(folder: Path, resolved: Experiment) -> None:
    """Says what differs from the experiment in the run folder: it is easy to forget a --set when resuming. An
    unreadable file is left for the run itself to reject."""
    now = meta.internals.resolved(resolved, meta.internals.compiled(resolved.network))
    path = folder / meta.internals.EXPERIMENT
    with suppress(OSError, UnicodeDecodeError, yaml.YAMLError):
        for change in meta.internals.changes(read_file(path).decode(), now):
            click.echo(f"changed from `{path}`: {change}", err=True)


def _check_no_spec(path: Path) -> None:
    """Raises `BlurError` (E605) if the file is a spec, which the other commands take."""
    if path.suffix == ".blur" and language.resolve_import(str(path), None):
        task = path.stem if path.stem in tasks.names() else "digits"
        lines = (f"name: {path.stem}", f"spec: {path}", f"tasks: [{task}]", "rule: blur")
        help = "\n           ".join(("write a file such as mine.yaml, and pass that:", *lines))
        raise BlurError(Diagnostic("E605", f"`{path}` is a spec, not an experiment", help=help))


# ---------------------------------------------------------------- results


def _where(result: Result) -> str:
    look = f"blurc meta {result.folder / meta.internals.EXPERIMENT} --replay 0"
    of = counted(result.candidates, "candidate")
    return f"{result.diverged:,} of {of} diverged; to see where the first one did: {look}"


def _print_sparse(folder: Path, out: Console) -> None:
    rule = meta.internals.sparse_rule(folder)
    tell(out, f"the rule without the terms that became 0:\n\n{rule}\n" if rule else "no term of the rule became 0")


def _start(result: Result) -> str:
    if result.genome.found["meta-steps"] == 0:
        return f"no genome was better than the start, which is what {meta.internals.GENOME} holds"
    return (
        f"the start: {result.start:.4g} on the same episodes" if math.isfinite(result.start) else "the start diverged"
    )


def _judged(experiment: Experiment) -> str:
    judging = experiment.validation or experiment.tasks
    count = max(meta.internals.TRIALS, len(judging))
    if any(task.record for task in judging):
        return f"{count} replays of recordings"
    return f"{count} episodes not used in the search"


def _no_genome(result: Result, experiment: Experiment, data_dir: Path | None) -> Diagnostic:
    method, file = experiment.method, result.folder / meta.internals.GENOME
    told = (_where(result),) if result.diverged else ()
    if result.objective == tasks.OBJECTIVES["return"].name and result.diverged:
        first = meta.replay(result.folder, data_dir=data_dir)  # it may be the environment's fault, not the rule's
        message = f"no finite genome was found: the one in `{file}` diverges in some of {_judged(experiment)}"
        return Diagnostic("E905", message, first.span, (f"the first time, {first.message}", *told), first.help)
    if isinstance(method, meta.Symbolic):
        help = "try shorter episodes (`inner.steps`), more candidates (`--set method.population=..`), or `functions` "
        help += "that are bounded, such as tanh"
    else:
        key, size = ("sigma", method.sigma) if isinstance(method, meta.Cma) else ("rate", method.rate)
        more = ", `replicas` with `jitter`" if isinstance(method, meta.Gradient) else ""
        help = f"try smaller steps (`--set method.{key}={size / 10:g}`){more}, shorter episodes (`inner.steps`), or a "
        help += "`start` from a genome that stays finite"
    return Diagnostic(
        "E905",
        f"no finite genome was found: the one in `{file}` diverges in some of {_judged(experiment)}",
        notes=told,
        help=help,
    )


def _raced(rows: Iterable[Row], races: Iterable[Race]) -> Iterator[Row]:
    """The rows, each followed by those of the optimizers if there was a race."""
    optimizers = {(race.task, race.network): race.entries[1:] for race in races}
    for row in rows:
        yield row
        for entry in optimizers.get((row.task, row.network), ()):
            yield evaluation.Row(entry.name, row.task, row.network, entry.scores, row.metric, where=row.where)


def _print(rows: Sequence[Row], experiment: Experiment, out: Console) -> None:
    from rich.markup import escape

    table = scores.table(["", "task", "network"], experiment.evaluation.steps)
    for row in rows:
        names = (escape(name) for name in (row.genome, row.task, row.network))
        table.add_row(*names, *(found.show(row.metric) for found in evaluation.summaries(row.scores)))
    print_table(out, table)
    if rows:
        out.print(scores.legend(experiment.evaluation.seeds, ((row.task, row.metric, row.where) for row in rows)))


def _data(result: Result, rows: list[Row], experiment: Experiment) -> dict[str, Any]:
    steps = experiment.evaluation.steps
    return {
        "experiment": experiment.name,
        "folder": str(result.folder),
        "objective": result.objective,
        "value": result.value,
        "diverged": result.diverged,
        "rows": [{"task": r.task, "network": r.network, "results": evaluation.to_json(steps, r.scores)} for r in rows],
    }
