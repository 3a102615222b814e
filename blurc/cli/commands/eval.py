"""`blurc eval`: how well genomes train networks, as a table by genome, task, network and number of steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blurc import evaluation, meta, pictures
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
    from blurc.evaluation import Online, Row, heat
    from blurc.meta import Experiment
    from blurc.runtime import GenomeValues
    from blurc.tasks import AnyTask, Objective, TaskChoice
    from blurc.training import Probe


ONLINE = "of answers given just before each batch is learned"


@click.command("eval")
@click.argument("genomes", nargs=-1, required=True, metavar="GENOME...")
@tasks_option
@click.option(
    "--network", "networks", multiple=True, metavar=WIRING,
    help=f"The network to train: {WIRING_HELP} May be repeated.",
)  # fmt: skip
@click.option(
    "--experiment", type=click.Path(path_type=Path), metavar="E.yaml",
    help="Read tasks and networks that are not given here from this experiment; a task with a network of its own "
    "(`by_task`) is measured in that.",
)  # fmt: skip
@set_option
@steps_option
@seeds_option
@batch_option
@seed_option("The first seed.")
@data_dir_option
@metric_option
@probe_option
@click.option(
    "--online",
    is_flag=True,
    help="Ask every batch just before it is learned, instead of test examples: scores are of the answers since the "
    "number of steps before, and a picture shows their curve.",
)
@json_option
@picture_option("Draw the table as a heat map, or with --online the curves.")
def command(
    genomes: tuple[str, ...], tasks: tuple[str, ...], networks: tuple[str, ...], experiment: Path | None,
    parameters: Mapping[str, ParamValue], steps: tuple[int, ...], seeds: int, batch: int, seed: int,
    data_dir: Path | None, metric: str, probe: Probe | None, online: bool, json: str | None, output: Path | None,
) -> None:  # fmt: skip
    """Measure how well GENOMEs train networks.

    A GENOME is a genome file, or the name of a rule with fresh meta-parameters for each seed. Each one trains each
    network on each task, from fresh synapses for each seed. Scores are those of the task on test examples: the accuracy
    of classes, the mean squared error of numbers, or the `--metric` given. With --probe a readout of a population
    answers, fitted to the examples that were learned: for rules that learn without targets.
    """
    if online and probe:
        raise click.UsageError("--online asks for the network's own answers, and --probe gives others: leave one out")
    check_writable([json, output])
    chosen, wirings, own = _what(tasks, networks, parameters, meta.read(experiment) if experiment else None)

    pairs = _pairs(genomes, wirings, own)
    protocol = Protocol(steps, seeds, batch, seed, online)
    loaded = [(one.name or one.data, data.any_task(one, data_dir)) for one in chosen]
    learners = [(theirs.get(name, pair), task) for pair, theirs in pairs for name, task in loaded]
    rows = protocol.measure(learners, metric, probe, console(STDOUT))
    _print(rows, protocol, console(json))
    if json:
        write_json(json, _data(rows, protocol))
    if output:
        write(output, drawn(rows, protocol, form(output)))


def _what(
    tasks: tuple[str, ...],
    networks: tuple[str, ...],
    parameters: Mapping[str, ParamValue],
    experiment: Experiment | None,
) -> tuple[tuple[TaskChoice, ...], tuple[Choice, ...], dict[str, Choice]]:
    """Tasks, networks, and those that only one task has, by its name (`by_task`)."""
    chosen, wirings = choices(tasks), tuple(wiring(text, parameters) for text in networks)
    own: dict[str, Choice] = {}
    if experiment:
        judged = experiment.evaluation
        chosen = chosen or judged.tasks or experiment.tasks
        if not (wirings or judged.networks):
            theirs = ((name, setting.network) for name, setting in experiment.by_task.items())
            own = {name: wiring_of(network, parameters) for name, network in theirs if network}
        wirings = wirings or tuple(wiring_of(n, parameters) for n in judged.networks or (experiment.network,))
    if not (chosen and wirings):
        raise click.UsageError("give --task and --network, or --experiment")
    return chosen, wirings, own


@dataclass(frozen=True)
class Pair:
    """A genome on a network, and what they are called."""

    genome: str
    network: str
    net: Net
    values: GenomeValues | None  # None: fresh ones for each seed


def _pairs(
    genomes: Sequence[str], wirings: Sequence[Choice], own: Mapping[str, Choice]
) -> Iterator[tuple[Pair, dict[str, Pair]]]:
    """Every genome on every network, and on those that only one task has, by its name."""
    names = [_name(genome) for genome in genomes]
    shown = [g if names.count(name) > 1 else name for g, name in zip(genomes, names, strict=True)]
    for genome, name in zip(genomes, shown, strict=True):
        theirs = {task: _pair(genome, name, wired) for task, wired in own.items()}
        yield from ((_pair(genome, name, wired), theirs) for wired in wirings)


def _pair(genome: str, shown: str, wired: Choice) -> Pair:
    net, values = compiled(with_genome(wired, genome))
    return Pair(shown, evaluation.label(net, wired.parameters), net, values)


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
    online: bool = False

    def measure(
        self, learners: Sequence[tuple[Pair, AnyTask]], metric: str, probe: Probe | None, out: Console
    ) -> list[Row]:
        for pair, task in learners:  # fail before the slow part
            evaluation.check_fits(pair.net, task, probe)
            if isinstance(task, data.Recordings):
                evaluation.check_batch(self.batch, task.name)
            data.objective_of(task, metric, task.score)
            if self.online:
                evaluation.check_online(task)
        rows: list[Row] = []
        for pair, task in learners:
            if doubt := evaluation.doubt(pair.net, task, self.batch):
                click.echo(doubt, err=True)
            if isinstance(task, data.LoadedTask) and (late := data.too_late(task.augment, max(self.steps))):
                click.echo(late, err=True)
            out.print(f"measuring: {pair.genome} on {task.name} in {pair.network}", markup=False)
            found, online = self._scores(pair, task, metric, probe, _told(pair, task, self.batch, out))
            fresh = evaluation.fresh_each_seed(pair.net, pair.values)
            measured = data.objective_of(task, metric, task.score)
            where = evaluation.where(task)
            row = evaluation.Row(pair.genome, task.name, pair.network, found, measured, fresh, online, where)
            rows.append(row)
        return rows

    def _scores(
        self, pair: Pair, task: AnyTask, metric: str, probe: Probe | None, lost: Callable[[int, int], None]
    ) -> tuple[Any, Online | None]:
        how: dict[str, Any] = {
            "metric": metric, "batch": self.batch, "seeds": self.seeds, "seed": self.seed, "lost": lost,
        }  # fmt: skip
        if self.online:
            online = evaluation.online(pair.net, pair.values, task, steps=max(self.steps), **how)
            return online.scores(self.steps), online
        return evaluation.scores(pair.net, pair.values, task, steps=self.steps, probe=probe, **how), None


def _told(pair: Pair, task: AnyTask, batch: int, out: Console) -> Callable[[int, int], None]:
    """Of the first seed in an environment also the reason: it may be the environment's."""
    explained = list[str]()

    def told(seed: int, step: int) -> None:
        out.print(f"  seed {seed} diverged at step {step:,}", markup=False)
        if isinstance(task, data.World) and not explained:
            why = evaluation.why_lost(pair.net, pair.values, task, seed=seed, step=step, batch=batch)
            explained.append(why.message if why else "living again, which rounds differently, it stayed finite")
            out.print(f"    {explained[0]}", markup=False, soft_wrap=True)

    return told


def _print(rows: Sequence[Row], protocol: Protocol, out: Console) -> None:
    from rich.markup import escape

    table = scores.table(["genome", "task", "network"], protocol.steps, since=protocol.online)
    for row in rows:
        names = (escape(name) for name in (row.genome, row.task, row.network))
        table.add_row(*names, *(found.show(row.metric) for found in evaluation.summaries(row.scores)))
    print_table(out, table)
    measured = ((row.task, row.metric, ONLINE if protocol.online else row.where) for row in rows)
    out.print(scores.legend(protocol.seeds, measured), soft_wrap=True)
    if fresh := ", ".join(dict.fromkeys(row.genome for row in rows if row.fresh)):
        told = f"{fresh}: fresh meta-parameters for each seed, which add to the spread"
        out.print(told, markup=False, soft_wrap=True)


def _data(rows: Sequence[Row], protocol: Protocol) -> dict[str, Any]:
    return {**asdict(protocol), "rows": [row.to_json(protocol.steps) for row in rows]}


def drawn(rows: Sequence[Row], protocol: Protocol, form: str) -> bytes:
    """A heat map for each metric, or the curves. What all rows have in common goes into the title."""
    names = [(row.genome, row.task, row.network) for row in rows]
    common = [len(set(column)) == 1 for column in zip(*names, strict=True)]
    title = " · ".join(n for n, same in zip(names[0], common, strict=True) if same)
    if protocol.online:
        return _curves(rows, common, title, form)
    panels = [
        _panel([row for row in rows if row.metric == metric], metric, common, protocol)
        for metric in dict.fromkeys(row.metric for row in rows)
    ]
    return evaluation.heat.render(panels, form, title)


def _curves(rows: Sequence[Row], common: Sequence[bool], title: str, form: str) -> bytes:
    """An axis for each metric."""
    lines: dict[Objective, list[heat.Line]] = {}
    for row in rows:
        assert row.online
        ends = row.online.ends
        line = evaluation.heat.line(_label(row, common) or row.genome, row.online.scores(ends), ends)
        lines.setdefault(row.metric, []).append(line)
    groups = [evaluation.heat.Curves(of, f"{m.title} before learning", m.percent) for m, of in lines.items()]
    return pictures.figures.to_bytes(evaluation.heat.side_by_side(groups, title, "step"), form)


def _label(row: Row, common: Sequence[bool]) -> str:
    names = (row.genome, row.task, row.network)
    return " · ".join(n for n, same in zip(names, common, strict=True) if not same)


def _panel(rows: Sequence[Row], metric: Objective, common: Sequence[bool], protocol: Protocol) -> heat.Panel:
    import numpy as np

    labels = [_label(row, common) for row in rows]
    found = [evaluation.summaries(row.scores) for row in rows]
    return evaluation.heat.Panel(
        f"{metric.shown_as}, by number of steps",
        np.asarray([[s.mean for s in row] for row in found]),
        labels if any(labels) else [" "],
        [str(step) for step in protocol.steps],
        [[s.show(metric) for s in row] for row in found],
        shares=metric.percent,
    )
