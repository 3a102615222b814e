"""`blurc train`: trains a network, and compares it: on data with optimizers, in environments with itself, frozen."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

import blurc
from blurc import evaluation, tasks, training
from blurc.cli.shared.lives import LiveResults
from blurc.cli.shared.options import (
    OutputFile,
    at_least_one,
    check_truncate,
    json_option,
    metric_option,
    probe_option,
    seed_option,
    shard_option,
    truncate_option,
)
from blurc.cli.shared.output import check_writable
from blurc.cli.shared.resuming import Resuming, checkpoint_option, resume_option
from blurc.cli.shared.runs import Outputs, Results
from blurc.cli.shared.subjects import Choice, network_choice
from blurc.cli.shared.task_option import HELP, METAVAR, data_dir_option, parse
from blurc.diagnostics import BlurError, Diagnostic
from blurc.storage import limits

if TYPE_CHECKING:
    from blurc.api import Net
    from blurc.artifact import Loaded
    from blurc.runtime import GenomeValues
    from blurc.tasks import Dataset, LoadedTask

BATCH, LIVES = 32, 10
OF_DATA = {"data": "", "target": ":target=inputs", "time": ":time"}  # how a task says the same
NOT_ALIVE = ("save", "truncate", "online", "probe", "shard")


@click.command("train")
@click.option(
    "--data", default="digits", show_default=True, metavar="NAME|FILE.npz",
    help="A built-in data set (digits, xor, mnist, fashion-mnist, kmnist, emnist), or a file with arrays x and y.",
)  # fmt: skip
@click.option(
    "--task", metavar=METAVAR,
    help=f"Instead of --data, one variation of a task, or an environment such as maze. {HELP}",
)  # fmt: skip
@click.option(
    "--target", type=click.Choice(tasks.TARGETS), default="data", show_default=True,
    help="What to learn: the labels or targets of the data, the inputs themselves, or, of sequences, at every step the "
    "input of the next one.",
)  # fmt: skip
@click.option(
    "--time", is_flag=True,
    help="Examples are sequences along their first axis. Not needed where a mask, or the network's inputs, say so.",
)  # fmt: skip
@data_dir_option
@at_least_one("--steps", 2000, "Batches to learn; in environments steps of a lifetime.")
@click.option(
    "--batch", type=click.IntRange(1, limits.MOST),
    help="Examples, or sequences, per step; copies of an environment, which share the synapses.  [default: 32; 1 in "
    "environments and with --online]",
)  # fmt: skip
@click.option(
    "--online", is_flag=True,
    help="Ask every batch just before it is learned, and show these scores along the way.",
)  # fmt: skip
@seed_option("Seed for synapses and batches; of the first lifetime.")
@click.option("--seeds", type=click.IntRange(1, limits.MOST), help="Lifetimes in an environment.  [default: 10]")
@network_choice("blurc train")
@click.option(
    "--no-baselines", is_flag=True,
    help="Skip what the rule is compared with: SGD and Adam, backpropagation through time, or, in environments, the "
    "frozen network and random actions.",
)  # fmt: skip
@truncate_option
@click.option(
    "--curve", "curves", multiple=True, type=OutputFile(".png", ".svg", ".jsonl"), metavar="F.png|svg|jsonl",
    help="Write the learning curves. May be repeated.",
)  # fmt: skip
@click.option(
    "--save", type=OutputFile(".npz"), metavar="F.npz",
    help="Write the trained synapses, as arrays named PROJECTION/CHANNEL.",
)  # fmt: skip
@checkpoint_option
@resume_option
@shard_option
@metric_option
@probe_option
@json_option
@click.pass_context
def command(
    ctx: click.Context, choice: Choice, data: str, task: str | None, target: str, time: bool, data_dir: Path | None,
    steps: int, batch: int | None, online: bool, seed: int, seeds: int | None, metric: str, truncate: int,
    probe: training.Probe | None, shard: dict[str, int],
    checkpoint: Path | None, resume: bool, **options: Any,
) -> None:  # fmt: skip
    """Train one network of SPEC, or the artifact F.blurx.

    On data and tasks: shows test scores during training, and compares the result with what SGD and Adam make of the
    same wiring on the same batches: with ReLU, He initialisation, normalization, standardised inputs and a rate that
    falls to 0. Sequences are compared with backpropagation through time: by Adam, of the same cell, a GRU and an LSTM.

    In an environment (--task maze): shows the return over several lifetimes, and compares it with the same network
    without plasticity, and with random actions.

    --checkpoint saves progress, of lifetimes those that are over; --resume continues, with bit-identical results.

    If training diverges, names the line of the spec where a number became infinite or NaN.
    """
    outputs = Outputs(**options)
    check_writable([*outputs.curves, outputs.save, outputs.json, checkpoint], read=data)
    resuming = Resuming(checkpoint, resume)
    loaded = choice.spec.suffix == ".blurx"
    if loaded:
        _refuse_to_compile(choice, shard)
    given = [name for name in ctx.params if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT]
    chosen = _chosen(task, data_dir, given, online)
    if online and probe:
        raise click.UsageError("--online asks the outputs in every step: leave --probe out")
    if isinstance(chosen, tasks.World):
        _refuse(given, NOT_ALIVE, "is for data")
    else:
        _refuse(given, ["seeds"], "is for environments: `blurc eval` measures on data over several seeds")
    net, values = _artifact(choice) if loaded else _compiled(choice)
    if isinstance(chosen, tasks.World):
        lives = range(seed, seed + (seeds or LIVES))
        results = LiveResults(net, chosen, steps, batch or 1, lives, metric, outputs, resuming)
    else:
        settings = training.Settings(steps, batch or (1 if online else BATCH), seed, metric, truncate, online)
        if chosen:
            found = _of_task(net, chosen, settings, probe)
        else:
            found = _dataset(net, tasks.retargeted(_loaded(net, data, data_dir, time), target), probe)
        check_truncate(truncate, found.time, found.name)
        results = Results(net, found, settings, outputs, resuming, probe, shard)
    results.train(values)
    ctx.exit(1 if results.diagnostics else 0)


def _refuse_to_compile(choice: Choice, shard: dict[str, int]) -> None:
    if choice.network or choice.rule or choice.parameters:
        raise click.UsageError(
            "--network, --rule and --set choose what to compile, but an artifact is already compiled"
        )
    if shard:
        raise click.UsageError("--shard divides what is compiled, but an artifact is already compiled")


def _refuse(given: Iterable[str], names: Iterable[str], why: str) -> None:
    for name in names:
        if name in given:
            raise click.UsageError(f"--{name} {why}")


def _chosen(
    task: str | None, data_dir: Path | None, given: Iterable[str], online: bool
) -> LoadedTask | tasks.World | None:
    if task is None:
        return None
    for name, how in OF_DATA.items():
        if name in given:
            instead = f": write it into the task, `--task digits{how}`" if how else ": give one of the two"
            raise click.UsageError(f"--{name} is not for tasks{instead}")
    choice = parse(task)
    found = tasks.any_task(choice, data_dir)
    if isinstance(found, tasks.Recordings):
        raise BlurError(tasks.no_examples(choice))
    if not online and (change := tasks.changing(choice)):
        raise click.UsageError(f"{change.why}, and the same test examples are asked along the way: add --online")
    return found


def _compiled(choice: Choice) -> tuple[Net | Loaded, GenomeValues | None]:
    file = choice.genome_file
    return choice.compile(), file.values if file else None


def _artifact(choice: Choice) -> tuple[Net | Loaded, GenomeValues | None]:
    net = blurc.load(choice.spec)
    if (file := choice.genome_file) is None:
        return net, net.genome
    blurc.genome.compare_rule(file, net.manifest.rule, net.manifest.rule_hash)
    return net, file.values


def _loaded(net: Net | Loaded, name: str, data_dir: Path | None, time: bool) -> Dataset:
    """Raises `BlurError` (E801) for a task, which generates its examples or episodes on the fly."""
    if name not in tasks.names() and (name in tasks.task_names() or tasks.is_world(name) or tasks.named(name)):
        raise BlurError(Diagnostic("E801", f"`{name}` is a task, not a data set", help=f"write `--task {name}`"))
    return tasks.load(name, data_dir=data_dir, time=time, inputs=training.step_inputs(net.signature))


def _dataset(net: Net | Loaded, found: Dataset, probe: training.Probe | None) -> Dataset:
    if probe:
        training.check_probe(net, probe, found.name, found.time > 0)
    return training.fitted(found, net.signature, probe is not None)


def _of_task(net: Net | Loaded, task: LoadedTask, settings: training.Settings, probe: training.Probe | None) -> Dataset:
    evaluation.check_fits(net, task, probe)
    if late := tasks.too_late(task.augment, settings.steps):
        click.echo(late, err=True)
    query = evaluation.scoring.queries(task)
    return tasks.as_data(task, steps=settings.steps, batch=settings.batch, query=query, seed=settings.seed)
