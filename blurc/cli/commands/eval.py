"""`blurc eval`: how well genomes train networks, as a table by genome, task, network and number of steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blurc import evaluation, meta
from blurc import tasks as data
from blurc.cli.shared import scores
from blurc.cli.shared.options import (
    batch_option,
    form,
    json_option,
    metric_option,
    picture_option,
    probe_option,
    seed_option,
    seeds_option,
    set_option,
    steps_option,
)
from blurc.cli.shared.output import check_writable, write, write_json
from blurc.cli.shared.subjects import WIRING, WIRING_HELP, Choice, compiled, wiring, wiring_of, with_genome
from blurc.cli.shared.task_option import choices, data_dir_option, tasks_option
from blurc.cli.shared.terminal import STDOUT, console, print_table
from blurc.model import ParamValue

if TYPE_CHECKING:
    from rich.console import Console

    from blurc.api import Net
    from blurc.evaluation import Row, heat
    from blurc.meta import Experiment
    from blurc.runtime import GenomeValues
    from blurc.tasks import AnyTask, Objective, TaskChoice
    from blurc.training import Probe


@click.command("eval")
@click.argument("genomes", nargs=-1, required=True, metavar="GENOME...")
@tasks_option
@click.option(
    "--network", "networks", multiple=True, metavar=WIRING,
    help=f"The network to train: {WIRING_HELP} May be repeated.",
)  # fmt: skip
@click.option(
    "--experiment", type=click.Path(path_type=Path), metavar="E.yaml",
    help="Read tasks and networks that are not given here from this experiment.",
)  # fmt: skip
@set_option
@steps_option
@seeds_option
@batch_option
@seed_option("The first seed.")
@data_dir_option
@metric_option
@probe_option
@json_option
@picture_option("Draw the table as a heat map.")
def command(
    genomes: tuple[str, ...], tasks: tuple[str, ...], networks: tuple[str, ...], experiment: Path | None,
    parameters: Mapping[str, ParamValue], steps: tuple[int, ...], seeds: int, batch: int, seed: int,
    data_dir: Path | None, metric: str, probe: Probe | None, json: str | None, output: Path | None,
) -> None:  # fmt: skip
    """Measure how well GENOMEs train networks.

    A GENOME is a genome file, or the name of a rule with fresh meta-parameters for each seed. Each one trains each
    network on each task, from fresh synapses for each seed. Scores are those of the task on test examples: the accuracy
    of classes, the mean squared error of numbers, or the `--metric` given. With --probe a readout of a population
    answers, fitted to the examples that were learned: for rules that learn without targets.
    """
    check_writable([json, output])
    chosen, wirings = _what(tasks, networks, parameters, meta.read(experiment) if experiment else None)

    pairs = _pairs(genomes, wirings)
    protocol = Protocol(steps, seeds, batch, seed)
    loaded = [data.any_task(one, data_dir) for one in chosen]
    rows = protocol.measure(pairs, loaded, metric, probe, console(STDOUT))
    _print(rows, protocol, console(json))
    if json:
        write_json(json, _data(rows, protocol))
    if output:
        write(output, _drawn(rows, protocol, form(output)))


def _what(
    tasks: tuple[str, ...],
    networks: tuple[str, ...],
    parameters: Mapping[str, ParamValue],
    experiment: Experiment | None,
) -> tuple[tuple[TaskChoice, ...], tuple[Choice, ...]]:
    chosen, wirings = choices(tasks), tuple(wiring(text, parameters) for text in networks)
    if experiment:
        judged = experiment.evaluation
        chosen = chosen or judged.tasks or experiment.tasks
        theirs = judged.networks or (experiment.network,)
        wirings = wirings or tuple(wiring_of(network, parameters) for network in theirs)
    if not (chosen and wirings):
        raise click.UsageError("give --task and --network, or --experiment")
    return chosen, wirings


@dataclass(frozen=True)
class Pair:
    """A genome on a network, and what they are called."""

    genome: str
    network: str
    net: Net
    values: GenomeValues | None  # None: fresh ones for each seed


def _pairs(genomes: Sequence[str], wirings: Sequence[Choice]) -> list[Pair]:
    names = [_name(genome) for genome in genomes]
    shown = [g if names.count(name) > 1 else name for g, name in zip(genomes, names, strict=True)]
    found: list[Pair] = []
    for genome, name in zip(genomes, shown, strict=True):
        for wired in wirings:
            net, values = compiled(with_genome(wired, genome))
            found.append(Pair(name, evaluation.label(net, wired.parameters), net, values))
    return found


def _name(genome: str) -> str:
    """The name in the genome file, or the name of the rule."""
    file = with_genome(Choice(Path()), genome).genome_file
    return file.name if file else genome


@dataclass(frozen=True)
class Protocol:
    steps: tuple[int, ...]
    seeds: int
    batch: int
    seed: int

    def measure(
        self, pairs: Sequence[Pair], tasks: Sequence[AnyTask], metric: str, probe: Probe | None, out: Console
    ) -> list[Row]:
        for pair, task in product(pairs, tasks):  # fail before the slow part
            evaluation.check_fits(pair.net, task, probe)
            if isinstance(task, data.Recordings):
                evaluation.check_batch(self.batch, task.name)
            data.chosen(metric, task.kind, task.name, task.score)
        rows: list[Row] = []
        for pair, task in product(pairs, tasks):
            if doubt := evaluation.doubt(pair.net, task, self.batch):
                click.echo(doubt, err=True)
            out.print(f"measuring: {pair.genome} on {task.name} in {pair.network}", markup=False)
            how: dict[str, Any] = {**asdict(self), "metric": metric, "probe": probe, "lost": _told(out)}
            found = evaluation.scores(pair.net, pair.values, task, **how)
            fresh = evaluation.fresh_each_seed(pair.net, pair.values)
            measured = data.chosen(metric, task.kind, task.name, task.score)
            rows.append(evaluation.Row(pair.genome, task.name, pair.network, found, measured, fresh))
        return rows


def _told(out: Console) -> Callable[[int, int], None]:
    return lambda seed, step: out.print(f"  seed {seed} diverged at step {step:,}", markup=False)


def _print(rows: Sequence[Row], protocol: Protocol, out: Console) -> None:
    from rich.markup import escape

    table = scores.table(["genome", "task", "network"], protocol.steps)
    for row in rows:
        names = (escape(name) for name in (row.genome, row.task, row.network))
        table.add_row(*names, *(found.show(row.metric) for found in evaluation.summaries(row.scores)))
    print_table(out, table)
    out.print(scores.legend(protocol.seeds, ((row.task, row.metric) for row in rows)), soft_wrap=True)
    if fresh := ", ".join(dict.fromkeys(row.genome for row in rows if row.fresh)):
        told = f"{fresh}: fresh meta-parameters for each seed, which add to the spread"
        out.print(told, markup=False, soft_wrap=True)


def _data(rows: Sequence[Row], protocol: Protocol) -> dict[str, Any]:
    return {**asdict(protocol), "rows": [row.to_json(protocol.steps) for row in rows]}


def _drawn(rows: Sequence[Row], protocol: Protocol, form: str) -> bytes:
    """A heat map for each metric. What all rows have in common goes into the title."""
    names = [(row.genome, row.task, row.network) for row in rows]
    common = [len(set(column)) == 1 for column in zip(*names, strict=True)]
    title = " · ".join(n for n, same in zip(names[0], common, strict=True) if same)
    panels = [
        _panel([row for row in rows if row.metric == metric], metric, common, protocol)
        for metric in dict.fromkeys(row.metric for row in rows)
    ]
    return evaluation.heat.render(panels, form, title)


def _panel(rows: Sequence[Row], metric: Objective, common: Sequence[bool], protocol: Protocol) -> heat.Panel:
    import numpy as np

    names = [(row.genome, row.task, row.network) for row in rows]
    labels = [" · ".join(n for n, same in zip(row, common, strict=True) if not same) for row in names]
    found = [evaluation.summaries(row.scores) for row in rows]
    return evaluation.heat.Panel(
        f"{metric.shown_as}, by number of steps",
        np.asarray([[s.mean for s in row] for row in found]),
        labels if any(labels) else [" "],
        [str(step) for step in protocol.steps],
        [[s.show(metric) for s in row] for row in found],
        shares=metric.percent,
    )
