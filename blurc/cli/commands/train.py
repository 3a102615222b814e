"""`blurc train`: trains a network on a data set, and compares it with SGD and Adam in the same wiring."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import blurc
from blurc import tasks, training
from blurc.cli.shared import hints
from blurc.cli.shared.options import (
    OutputFile,
    at_least_one,
    check_truncate,
    form,
    json_option,
    metric_option,
    seed_option,
    truncate_option,
)
from blurc.cli.shared.output import check_writable, write, write_json
from blurc.cli.shared.progress import watch
from blurc.cli.shared.subjects import Choice, network_choice
from blurc.cli.shared.task_option import data_dir_option
from blurc.cli.shared.terminal import console, print_table, say, show
from blurc.diagnostics import BlurError, Diagnostic

if TYPE_CHECKING:
    from blurc.api import Net
    from blurc.artifact import Loaded
    from blurc.runtime import GenomeValues
    from blurc.tasks import Dataset, Objective
    from blurc.training import Run, Settings, Watch

IN_TIME = (
    "Adam through time: the same cell from the same start, by backpropagation through time; GRU and LSTM: with "
    "hidden layers of the same sizes; gradients clipped, a rate that falls to 0"
)
PRACTICE = (
    "SGD and Adam: the same wiring with ReLU, He initialisation, normalization, standardised inputs and a rate that "
    "falls to 0"
)


@dataclass(frozen=True)
class Outputs:
    curves: tuple[Path, ...]
    save: Path | None
    json: str | None
    no_baselines: bool


@click.command("train")
@click.option(
    "--data", default="digits", show_default=True, metavar="NAME|FILE.npz",
    help="A built-in data set (digits, xor, mnist, fashion-mnist, kmnist, emnist), or a file with arrays x and y.",
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
@at_least_one("--steps", 2000, "Batches to learn.")
@at_least_one("--batch", 32, "Examples, or sequences, per step.")
@seed_option("Seed for synapses and batches.")
@network_choice("blurc train")
@click.option("--no-baselines", is_flag=True, help="Skip SGD and Adam, or backpropagation through time.")
@truncate_option
@click.option(
    "--curve", "curves", multiple=True, type=OutputFile(".png", ".svg", ".jsonl"), metavar="F.png|svg|jsonl",
    help="Write the learning curves. May be repeated.",
)  # fmt: skip
@click.option(
    "--save", type=OutputFile(".npz"), metavar="F.npz",
    help="Write the trained synapses, as arrays named PROJECTION/CHANNEL.",
)  # fmt: skip
@metric_option
@json_option
@click.pass_context
def command(
    ctx: click.Context, choice: Choice, data: str, target: str, time: bool, data_dir: Path | None, steps: int,
    batch: int, seed: int, metric: str, truncate: int,
    **options: Any,
) -> None:  # fmt: skip
    """Train one network of SPEC, or the artifact F.blurx.

    Shows test scores during training, and compares the result with what SGD and Adam make of the same wiring on the
    same batches: with ReLU, He initialisation, normalization, standardised inputs and a rate that falls to 0. Sequences
    are compared with backpropagation through time: by Adam, of the same cell, a GRU and an LSTM. If
    training diverges, names the line of the spec where a number became infinite or NaN.
    """
    outputs = Outputs(**options)
    check_writable([*outputs.curves, outputs.save, outputs.json])
    loaded = choice.spec.suffix == ".blurx"
    if loaded and (choice.network or choice.rule or choice.parameters):
        raise click.UsageError(
            "--network, --rule and --set choose what to compile, but an artifact is already compiled"
        )

    net, values = _artifact(choice) if loaded else _compiled(choice)
    found = _dataset(data, data_dir, time, training.step_inputs(net.signature))
    check_truncate(truncate, found.time, found.name)
    dataset = training.fitted(tasks.retargeted(found, target), net.signature)
    results = Results(net, dataset, training.Settings(steps, batch, seed, metric, truncate), outputs, [], [])
    results.train(values)
    results.write()
    ctx.exit(1 if results.diagnostics else 0)


def _compiled(choice: Choice) -> tuple[Net | Loaded, GenomeValues | None]:
    file = choice.genome_file
    return choice.compile(), file.values if file else None


def _artifact(choice: Choice) -> tuple[Net | Loaded, GenomeValues | None]:
    net = blurc.load(choice.spec)
    if (file := choice.genome_file) is None:
        return net, net.genome
    blurc.genome.compare_rule(file, net.manifest.rule, net.manifest.rule_hash)
    return net, file.values


def _dataset(name: str, data_dir: Path | None, time: bool, inputs: int | None) -> Dataset:
    """Raises `BlurError` (E801) for a task, which generates its examples or episodes on the fly."""
    if name not in tasks.names() and name in tasks.task_names():
        help = f"use it with `blurc eval`, `race` or `meta`: `blurc eval RULE --task {name} --network SPEC`"
        raise BlurError(Diagnostic("E801", f"`{name}` is a task, not a data set to train on", help=help))
    return tasks.load(name, data_dir=data_dir, time=time, inputs=inputs)


# ---------------------------------------------------------------- training


@dataclass
class Results:
    """The results of `blurc train`, and where to write them."""

    net: Net | Loaded
    data: Dataset
    settings: Settings
    outputs: Outputs
    runs: list[Run]
    diagnostics: list[Diagnostic]

    @property
    def measure(self) -> Objective:
        return self.settings.measure(self.data)

    @property
    def names(self) -> tuple[str, str]:
        """The network and its rule."""
        if isinstance(self.net, blurc.Net):
            return self.net.plan.name, self.net.plan.genome
        manifest: Any = getattr(self.net, "manifest")  # noqa: B009  # of a loaded artifact
        return manifest.network, manifest.rule

    @property
    def title(self) -> str:
        network, rule = self.names
        return f"{network} with {rule} on {self.data.name}"

    def train(self, genome: GenomeValues | None) -> None:
        out = console(self.outputs.json)
        compared, why = (None, "") if self.outputs.no_baselines else self._compared()
        out.print(f"{self.title}: {self.data.description}", markup=False)
        with watch(out, self.measure) as watching:
            run = training.train(self.net, genome, self.data, self.settings, watching, self.names[1])
            self.runs.append(run)
            if run.broken:
                self.diagnostics.append(_divergence(self.net, run))
            elif compared:
                self.runs += compared(run, watching)
        _print_table(self, out)
        for hint in hints.of(self.net, genome, self.data):
            say(hint, self.outputs.json)
        show(self.diagnostics)
        if why:
            left = "GRU, LSTM and Adam through time" if self.data.time else "SGD and Adam"
            say(f"{left} are left out: {why}", self.outputs.json)

    def _compared(self) -> tuple[Callable[[Run, Watch], Iterator[Run]] | None, str]:
        """What runs the baselines, after the run of the rule, or why there are none."""
        data, settings = self.data, self.settings
        try:
            if data.time:
                cell = training.recurrent_network(self.net)
                return lambda run, watch: training.baselines_in_time(cell, run.carry[0], data, settings, watch), ""
            wiring = training.relu_network(self.net)
            return lambda run, watch: training.baselines(wiring, data, settings, watch), ""
        except training.LeftOut as why:
            return None, str(why)

    def write(self) -> None:
        for path in self.outputs.curves:
            write(path, training.curve.render(self.runs, self.measure, self.title, form(path)))
        if self.outputs.save:
            write(self.outputs.save, _synapses(self.runs[0]))
        if self.outputs.json:
            write_json(self.outputs.json, _data(self))


def _divergence(net: Net | Loaded, run: Run) -> Diagnostic:
    assert run.broken
    (genome, state, key), first = run.broken.carry, run.broken.first
    found = training.diverge.find(net, genome, state, run.broken.batches, first, training.noise_keys(key)[1])
    if found:
        return found.diagnostic()
    steps = f"between steps {first} and {first + len(run.broken.batches.xs)}"
    return Diagnostic(
        "E905",
        f"training diverged {steps}",
        notes=("the replay, which rounds differently, stayed finite",),
        help="lower the rates (`--set`, or a genome)",
    )


# ---------------------------------------------------------------- results


def _print_table(results: Results, out: Any) -> None:
    from rich import box
    from rich.table import Table

    measure = results.measure
    table = Table("", box=box.SIMPLE_HEAD)
    scores = (f"test {measure.title}", f"train {measure.title}")
    for title in (*scores, "learning rate", "steps", "seconds"):
        table.add_column(title, justify="right")
    for run in results.runs:
        rate = "in the rule" if run.rate is None else f"{run.rate:g}"
        scores = (measure.show(run.test), measure.show(run.train))
        style = "bold" if run is results.runs[0] else ""
        table.add_row(run.name, *scores, rate, f"{results.settings.steps:,}", f"{run.seconds:.2f}", style=style)
    print_table(out, table)
    out.print("seconds: training only, without compiling, scoring and trials")
    if len(results.runs) > 1:
        out.print(IN_TIME if results.data.time else PRACTICE, soft_wrap=True)
    for run in results.runs:
        if run.rates:
            tried = ", ".join(f"{rate:g}" for rate in sorted(run.rates))
            beyond = "; better rates may lie beyond" if run.rate in (min(run.rates), max(run.rates)) else ""
            out.print(f"{run.name}: best on a held-out tenth of the training examples, out of {tried}{beyond}")


def _data(results: Results) -> dict[str, Any]:
    network, rule = results.names
    return {
        "network": network,
        "rule": rule,
        "data": results.data.name,
        "metric": results.measure.title,
        "steps": results.settings.steps,
        "batch": results.settings.batch,
        "seed": results.settings.seed,
        "runs": [_run(run) for run in results.runs],
        "diagnostics": [d.to_json() for d in results.diagnostics],
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "name": run.name,
        "test": run.test,
        "train": run.train,
        "seconds": run.seconds,
        "compile_seconds": run.compile_seconds,
        "learning_rate": run.rate,
        "tried": [{"learning_rate": rate, "held_out": score} for rate, score in run.rates.items()],
        "curve": [{"step": p.step, "test": p.score, "seconds": p.seconds} for p in run.points],
    }


def _synapses(run: Run) -> bytes:
    import numpy as np

    _, state, _ = run.carry
    arrays = {
        f"{of}/{name}": np.asarray(value) for of, named in state.synapses.items() for name, value in named.items()
    }
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()
