"""What `blurc train` makes of a data set: the runs, their table, and the files."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import blurc
from blurc import tasks, training
from blurc.cli.shared import hints
from blurc.cli.shared.options import form
from blurc.cli.shared.output import write, write_json
from blurc.cli.shared.progress import watch
from blurc.cli.shared.resuming import Resuming
from blurc.cli.shared.terminal import console, print_table, say, show, tell
from blurc.diagnostics import Diagnostic

if TYPE_CHECKING:
    from blurc.api import Net
    from blurc.artifact import Loaded
    from blurc.runtime import GenomeValues, Sharding
    from blurc.tasks import Dataset, Objective
    from blurc.training import KeptTraining, Probe, Run, Settings, Watch

IN_TIME = (
    "Adam through time: the same cell from the same start, by backpropagation through time; GRU and LSTM: with "
    "hidden layers of the same sizes; gradients clipped, a rate that falls to 0"
)
PRACTICE = (
    "SGD and Adam: the same wiring with ReLU, He initialisation, normalization, {inputs} and a rate that falls to 0"
)


def names(net: Net | Loaded) -> tuple[str, str]:
    """The network and its rule."""
    if isinstance(net, blurc.Net):
        return net.plan.name, net.plan.genome
    manifest: Any = getattr(net, "manifest")  # noqa: B009  # of a loaded artifact
    return manifest.network, manifest.rule


@dataclass(frozen=True)
class Outputs:
    curves: tuple[Path, ...]
    save: Path | None
    json: str | None
    no_baselines: bool

    def write(self, drawn: Callable[[str], bytes], data: Callable[[], dict[str, Any]]) -> None:
        """drawn: the curves in a form, "svg" for example. data: all results, for JSON."""
        for path in self.curves:
            write(path, drawn(form(path)))
        if self.json:
            write_json(self.json, data())


@dataclass
class Results:
    """The results of `blurc train`, and where to write them."""

    net: Net | Loaded
    data: Dataset
    settings: Settings
    outputs: Outputs
    resuming: Resuming
    probe: Probe | None = None
    shard: Mapping[str, int] = field(default_factory=dict[str, int])
    runs: list[Run] = field(default_factory=list["Run"])
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])

    @cached_property
    def measure(self) -> Objective:
        return self.settings.measure(self.data)

    @property
    def title(self) -> str:
        network, rule = names(self.net)
        return f"{network} with {rule} on {self.data.name}"

    def train(self, genome: GenomeValues | None) -> None:
        out = console(self.outputs.json)
        compared, why = (None, "") if self.outputs.no_baselines else self._compared()
        at = self._places()
        training.check_training(self.net, self.data, self.settings, at)
        if compared and not self.data.time:
            training.check_baselines(self.net, self.data, self.settings)
        keeper = self._keeper(genome)
        out.print(f"{self.title}: {self.data.description}", markup=False)
        for hint in hints.of(self.net, genome, self.data):
            say(hint, self.outputs.json)
        if at:
            tell(out, f"divided by {', '.join(f'{n} = {size}' for n, size in at.mesh.shape.items())}: {at}")
        with self.resuming.told(keeper, self.outputs.json), watch(out, self.measure, self.settings.asked) as watching:
            run = training.train(
                self.net, genome, self.data, self.settings, watching, names(self.net)[1], self.probe, at, keeper
            )
            self.runs.append(run)
            if run.broken:
                self.diagnostics.append(_divergence(self.net, run))
            elif compared:
                self.runs += compared(run, watching)
        _print_table(self, out)
        show(self.diagnostics)
        if why:
            left = "GRU, LSTM and Adam through time" if self.data.time else "SGD and Adam"
            say(f"{left} are left out: {why}", self.outputs.json)
        if self.outputs.save:
            write(self.outputs.save, _synapses(run))
        self.outputs.write(self._drawn, partial(_data, self))

    def _places(self) -> Sharding | None:
        if not self.shard:
            return None
        assert isinstance(self.net, blurc.Net), "the command refuses artifacts"
        return training.places(self.net, self.shard, self.settings.batch)

    def _keeper(self, genome: GenomeValues | None) -> KeptTraining | None:
        s, shard = self.settings, ",".join(f"{name}={parts}" for name, parts in self.shard.items())
        options = {
            "--steps": s.steps, "--batch": s.batch, "--seed": s.seed, "--metric": s.metric, "--online": s.online,
            "--probe": self.probe or "", "--shard": shard,
        }  # fmt: skip
        found = self.resuming.checkpoint(self.net, genome, self.data.name, self.data.digest, options)
        return training.KeptTraining(found, s.rhythm(self.data, saved=True)[0], s.steps) if found else None

    def _compared(self) -> tuple[Callable[[Run, Watch], Iterator[Run]] | None, str]:
        """What runs the baselines, after the run of the rule, or why there are none."""
        data, settings = self.data, self.settings
        if self.probe and sum(map(math.prod, self.net.signature.outputs.values())) != math.prod(data.output_shape):
            return None, f"the outputs of `{self.net.signature.name}` are not those of {data.name}"
        if data.kind not in training.LOSSES:
            return None, f"{data.name} has no targets that they could learn from"
        try:
            if data.time:
                cell = training.recurrent_network(self.net)
                return lambda run, watch: training.baselines_in_time(cell, run.carry[0], data, settings, watch), ""
            wiring = training.relu_network(self.net)
            return lambda run, watch: training.baselines(wiring, data, settings, watch), ""
        except training.LeftOut as why:
            return None, str(why)

    def _drawn(self, form: str) -> bytes:
        return training.curve.render(self.runs, self.measure, self.title, form, self.settings.asked)


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

    measure, settings = results.measure, results.settings
    table = Table("", box=box.SIMPLE_HEAD)
    asked = (*(["online"] if settings.online else []), "test", *([] if results.data.changes else ["train"]))
    for title in (*(f"{what} {measure.title}" for what in asked), "learning rate", "steps", "seconds"):
        table.add_column(title, justify="right")
    for run in results.runs:
        rate = "in the rule" if run.rate is None else f"{run.rate:g}"
        scores = (measure.show(getattr(run, what)) for what in asked)
        style = "bold" if run is results.runs[0] else ""
        table.add_row(run.name, *scores, rate, f"{settings.steps:,}", f"{run.seconds:.2f}", style=style)
    print_table(out, table)
    counted = "training and the answers on the way" if settings.online else "training only"
    out.print(f"seconds: {counted}, without compiling, scoring and trials")
    if settings.online:
        out.print("online: of the answers to all batches, each asked just before it is learned", soft_wrap=True)
    if results.probe:
        what = f"{results.runs[0].name}: a readout of `{results.probe.population}`, by {results.probe.by}, answers"
        out.print(f"{what}, fitted to training examples", markup=False, soft_wrap=True)
    if results.data.score:
        out.print(f"{measure.title}: {measure.direction}", markup=False)
    if len(results.runs) > 1:
        by_ids = results.data.x_train.dtype.kind == "i"
        inputs = "embeddings of ids" if by_ids else "standardised inputs"
        out.print(IN_TIME if results.data.time else PRACTICE.format(inputs=inputs), soft_wrap=True)
        if results.data.score:
            loss = tasks.LOSS[results.data.kind].title
            out.print(f"they descend the {loss}; their rates are chosen by the {measure.title}", soft_wrap=True)
    for run in results.runs:
        if run.rates:
            tried = ", ".join(f"{rate:g}" for rate in sorted(run.rates))
            beyond = "; better rates may lie beyond" if run.rate in (min(run.rates), max(run.rates)) else ""
            out.print(f"{run.name}: best {_where(results)}, out of {tried}{beyond}", markup=False)


def _where(results: Results) -> str:
    """Where rates were chosen."""
    online = results.settings.online
    if results.data.trial:
        return f"{'online ' if online else ''}in another episode of {results.data.name}"
    return f"{'online on nine tenths' if online else 'on a held-out tenth'} of the training examples"


def _data(results: Results) -> dict[str, Any]:
    network, rule = names(results.net)
    return {
        "network": network,
        "rule": rule,
        "data": results.data.name,
        "metric": results.measure.title,
        "steps": results.settings.steps,
        "batch": results.settings.batch,
        "seed": results.settings.seed,
        "online": results.settings.online,
        "runs": [_run(run, results.settings.asked) for run in results.runs],
        "diagnostics": [d.to_json() for d in results.diagnostics],
    }


def _run(run: Run, asked: str) -> dict[str, Any]:
    return {
        "name": run.name,
        "test": run.test,
        "train": run.train,
        **({"online": run.online} if asked == "online" else {}),
        "seconds": run.seconds,
        "compile_seconds": run.compile_seconds,
        "learning_rate": run.rate,
        "tried": [{"learning_rate": rate, "held_out": score} for rate, score in run.rates.items()],
        "curve": [{"step": p.step, asked: p.score, "seconds": p.seconds} for p in run.points],
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
