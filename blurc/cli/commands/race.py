"""`blurc race`: a genome against tuned optimizers, in the same network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from blurc import evaluation, pictures, tasks
from blurc.cli.shared import scores
from blurc.cli.shared.options import (
    batch_option,
    check_truncate,
    form,
    json_option,
    metric_option,
    picture_option,
    seed_option,
    seeds_option,
    steps_option,
    truncate_option,
)
from blurc.cli.shared.output import check_writable, write, write_json
from blurc.cli.shared.subjects import Choice, compiled, network_choice
from blurc.cli.shared.task_option import data_dir_option, parse, task_option
from blurc.cli.shared.terminal import STDOUT, console, print_table
from blurc.diagnostics import counted

if TYPE_CHECKING:
    from rich.console import Console

    from blurc.evaluation import Race, Summary
    from blurc.tasks import Objective


@click.command("race")
@network_choice("blurc race")
@task_option
@steps_option
@seeds_option
@batch_option
@click.option(
    "--rounds", type=click.IntRange(min=1),
    help="Updates of the optimizers on every batch.  [default: as many as the rule makes]",
)  # fmt: skip
@truncate_option
@seed_option("The first seed.")
@data_dir_option
@metric_option
@json_option
@picture_option("Draw the scores against the number of steps.")
def command(
    choice: Choice, task: str, steps: tuple[int, ...], seeds: int, batch: int, rounds: int | None, truncate: int,
    seed: int, data_dir: Path | None, metric: str, json: str | None, output: Path | None,
) -> None:  # fmt: skip
    """Race a genome against the best that optimizers can do in one network of SPEC.

    The optimizers are SGD, Adam, Lion and Muon. They train the same wiring with ReLU, He initialisation, batch norm and
    standardised inputs, on the same batches, with as many updates on each as the rule makes. Of sequences they train
    the network's own cell, a GRU or an LSTM, by backpropagation through time. For every number of steps, trials on
    other seeds and on held-out training examples choose the learning rate, its schedule, the momentum and other
    settings. This takes minutes, mostly for compiling.
    """
    check_writable([json, output])
    chosen = parse(task)

    net, values = compiled(choice)
    name = choice.genome_file.name if choice.genome_file else ""
    errors = console(STDOUT)
    learned = tasks.task(chosen, data_dir)
    check_truncate(truncate, learned.time, learned.name)
    if doubt := evaluation.doubt(net, learned, batch):
        click.echo(doubt, err=True)
    found = evaluation.races.race(
        net,
        values,
        learned,
        name=name,
        steps=steps,
        batch=batch,
        seeds=seeds,
        metric=metric,
        seed=seed,
        rounds=rounds,
        truncate=truncate,
        watch=lambda what: errors.print(f"racing: {what}", markup=False),
    )
    _print(found, console(json))
    if json:
        write_json(json, {**found.to_json(), "seed": seed})
    if output:
        write(output, _drawn(found, form(output)))


def _print(race: Race, out: Console) -> None:
    from rich.markup import escape

    rule, strongest = race.entries[:2]
    table = scores.table([""], race.steps)
    for entry in race.entries:
        style = "bold" if entry is rule else ""
        table.add_row(
            escape(entry.name), *(found.show(race.metric) for found in evaluation.summaries(entry.scores)), style=style
        )
    table.add_row("lead", *(_lead(found, race.metric) for found in race.lead(strongest)))
    print_table(out, table)
    legend = scores.legend(race.seeds, [(race.task, race.metric, "")])
    told = [f"{race.network} on {race.task}, batches of {race.batch}: {legend}"]
    difference = "minus the strongest" if race.metric.greater_is_better else "subtracted from the strongest"
    told.append(f"lead: {rule.name} {difference}, mean of paired differences ± standard error")
    if race.fresh:
        told.append(f"{rule.name}: fresh meta-parameters for each seed, which add to the spread")
    told.append(f"optimizers: {_updates(race)}; the strongest, chosen by trials on held-out examples:")
    for steps, chosen in zip(race.steps, strongest.chosen, strict=True):
        told.append(f"  {counted(steps, 'step')}: {chosen.tried}, best of {chosen.trials}")
    for line in told:
        out.print(line, markup=False, soft_wrap=True)


def _lead(found: Summary, metric: Objective) -> str:
    if found.diverged == found.seeds:
        return ""
    sign = "+" if found.mean >= 0 else ""
    if found.seeds - found.diverged == 1:
        return f"{sign}{tasks.number(found.mean, metric.unit)}"
    return f"{sign}{tasks.mean_and_spread(found.mean, found.error, metric.unit)}"


def _updates(race: Race) -> str:
    return f"{counted(race.rounds, 'update')} on each batch"


def _drawn(race: Race, form: str) -> bytes:
    lines = [evaluation.heat.line(entry.name, entry.scores, race.steps) for entry in race.entries]
    title = f"{race.network} on {race.task}; optimizers: {_updates(race)}"
    what = f"{race.metric.title} on test examples"
    figure = evaluation.heat.curves(lines, title, "step", what, race.metric.percent)
    return pictures.figures.to_bytes(figure, form)
