"""`blurc race`: a genome against SGD, momentum and Adam, in the same network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blurc import evaluation, tasks
from blurc.cli.shared import scores
from blurc.cli.shared.options import (
    Choice,
    genome_option,
    json_option,
    network_option,
    rule_option,
    set_option,
    spec_argument,
)
from blurc.cli.shared.output import check_writable, write, write_json
from blurc.cli.shared.subjects import (
    at_least_one,
    batch_option,
    compiled,
    form,
    one_network,
    picture,
    seed_option,
    seeds_option,
    steps_option,
)
from blurc.cli.shared.task_option import data_dir_option, parse, task_option
from blurc.cli.shared.terminal import STDOUT, console, print_table
from blurc.model import ParamValue

if TYPE_CHECKING:
    from rich.console import Console

    from blurc.evaluation import Entry, Race


@click.command("race")
@spec_argument
@genome_option
@task_option
@network_option
@rule_option
@set_option
@steps_option
@seeds_option
@batch_option
@at_least_one("--rounds", 1, "Updates of SGD, momentum and Adam on every batch before the next.")
@click.option(
    "--normalize", is_flag=True, help="Normalize hidden activity over the batch for SGD, momentum and Adam."
)
@seed_option
@data_dir_option
@json_option
@click.option(
    "-o", "output", type=click.Path(path_type=Path), callback=picture, metavar="F.svg|png",
    help="Draw the accuracies against the number of steps.",
)  # fmt: skip
def command(
    spec: str, genome: Path | None, task: str, network: str | None, rule: str | None,
    parameters: Mapping[str, ParamValue], steps: tuple[int, ...], seeds: int, batch: int, rounds: int,
    normalize: bool, seed: int, data_dir: Path | None, json: str | None, output: Path | None,
) -> None:  # fmt: skip
    """Race a genome against SGD, momentum and Adam in one network of SPEC.

    All learn the same batches from the same starts. Each optimizer has, for every number of steps, the best learning
    rate of a grid, chosen on other seeds and on held-out training examples. Where the rule goes through every batch
    several times (`swift`: 4), --rounds lets them do so as well; where it normalizes activity over the batch
    (`blur_bounded`), --normalize.
    """
    place, which = one_network(spec, network, "blurc race")
    check_writable([json, output])
    chosen = parse(task)

    choice = Choice(place, which, rule, genome, parameters)
    net, values = compiled(choice)
    name = choice.genome_file.name if choice.genome_file else ""
    errors = console(STDOUT)
    found = evaluation.races.race(
        net,
        values,
        tasks.task(chosen, data_dir),
        name=name,
        steps=steps,
        batch=batch,
        seeds=seeds,
        seed=seed,
        rounds=rounds,
        normalize=normalize,
        watch=lambda what: errors.print(f"racing: {what}", markup=False),
    )
    _print(found, console(json))
    if json:
        write_json(json, {**found.to_json(), "seed": seed})
    if output:
        write(output, _drawn(found, form(output)))


def _print(race: Race, out: Console) -> None:
    from rich.markup import escape

    table = scores.table([""], race.steps)
    for entry in race.entries:
        style = "bold" if entry is race.entries[0] else ""
        table.add_row(escape(entry.name), *map(str, evaluation.summaries(entry.accuracies)), style=style)
    print_table(out, table)
    what = f"{race.network} on {race.task}, batches of {race.batch}"
    out.print(f"{what}: {scores.legend(race.seeds)}", markup=False, soft_wrap=True)
    if race.fresh:
        told = f"{race.entries[0].name}: fresh meta-parameters with every seed; the spread holds their differences"
        out.print(told, markup=False, soft_wrap=True)
    out.print(f"SGD, momentum and Adam: {_terms(race)}", markup=False, soft_wrap=True)
    for entry in race.entries:
        if entry.trials:
            out.print(_rates(entry), markup=False, soft_wrap=True)


def _terms(race: Race) -> str:
    """What SGD, momentum and Adam may do."""
    several = f"{race.rounds} updates on each batch before the next"
    rounds = "1 update on each batch" if race.rounds == 1 else several
    return rounds + (", hidden activity normalized over the batch" if race.normalize else "")


def _rates(entry: Entry) -> str:
    chosen, tried = (", ".join(f"{rate:g}" for rate in rates) for rates in (entry.rates, entry.trials))
    edge = "; a better one may lie beyond the grid" if entry.at_an_edge else ""
    return f"{entry.name}: learning rate {chosen}, the best on held-out training examples of {tried}{edge}"


def _drawn(race: Race, form: str) -> bytes:
    values = {entry.name: entry.accuracies for entry in race.entries}
    title = f"{race.network} on {race.task}"
    if race.rounds > 1 or race.normalize:
        title += f"; SGD, momentum and Adam: {_terms(race)}"
    return evaluation.heat.lines(values, race.steps, form, title, "accuracy on test examples")
