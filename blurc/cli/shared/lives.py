"""What `blurc train` makes of an environment: the returns of lifetimes, their table, and the files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import blurc
from blurc import evaluation, pictures, training
from blurc.cli.shared.resuming import Resuming
from blurc.cli.shared.runs import Outputs, names
from blurc.cli.shared.terminal import console, print_table, say, show
from blurc.diagnostics import Diagnostic, counted

if TYPE_CHECKING:
    from rich.console import Console

    from blurc.api import Net
    from blurc.artifact import Loaded
    from blurc.evaluation import Lives
    from blurc.runtime import GenomeValues
    from blurc.tasks import World
    from blurc.training import KeptLifetimes


@dataclass
class LiveResults:
    """The results, and where to write them. seeds: one lifetime each."""

    net: Net | Loaded
    world: World
    steps: int
    batch: int
    seeds: range
    metric: str
    outputs: Outputs
    resuming: Resuming
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])

    def train(self, genome: GenomeValues | None) -> None:
        evaluation.check_fits(self.net, self.world)
        out, rule, kept = console(self.outputs.json), names(self.net)[1], self._kept(genome)
        out.print(f"{self.title}: {self._described()}", markup=False, soft_wrap=True)
        if doubt := evaluation.doubt_of_rewards(self.net, rule, self.world):
            say(doubt, self.outputs.json)
        with self.resuming.told(kept, self.outputs.json):
            lives = evaluation.lives(
                self.net, genome, self.world, name=rule, steps=self.steps, batch=self.batch, seeds=self.seeds,
                metric=self.metric, alone=self.outputs.no_baselines, watch=lambda what: out.print(f"living: {what}"),
                kept=kept,
            )  # fmt: skip
        _print_table(lives, len(self.seeds), out)
        if isinstance(self.net, blurc.Net) and evaluation.fresh_each_seed(self.net, genome):
            say(f"{rule}: fresh meta-parameters for each lifetime, which add to the spread", self.outputs.json)
        for seed, step in lives.lost:
            say(f"seed {seed} diverged at step {step:,}", self.outputs.json)
        self.diagnostics += [lives.diagnostic] if lives.diagnostic else []
        show(self.diagnostics)
        self.outputs.write(partial(self._drawn, lives), partial(self._data, lives))

    def _kept(self, genome: GenomeValues | None) -> KeptLifetimes | None:
        options = {"--steps": self.steps, "--batch": self.batch, "--metric": self.metric}
        found = self.resuming.checkpoint(self.net, genome, self.world.name, self.world.digest, options)
        rows = 1 if self.outputs.no_baselines else 2  # and the frozen network
        return training.KeptLifetimes(found, rows * len(self.seeds)) if found else None

    @property
    def title(self) -> str:
        network, rule = names(self.net)
        return f"{network} with {rule} in {self.world.name}"

    def _described(self) -> str:
        lives = counted(len(self.seeds), "lifetime")
        copies = "" if self.batch == 1 else f", in {self.batch:,} copies of the environment each"
        return f"{lives} of {counted(self.steps, 'step')}{copies}, each with new synapses"

    def _drawn(self, lives: Lives, form: str) -> bytes:
        if form == "jsonl":
            return "".join(f"{line}\n" for line in _lines(lives)).encode()
        lines = [evaluation.heat.line(name, found, lives.ends) for name, found in lives.rows.items()]
        y = f"{lives.metric.title} per episode"
        return pictures.figures.to_bytes(evaluation.heat.curves(lines, self.title, "step", y, percent=False), form)

    def _data(self, lives: Lives) -> dict[str, Any]:
        network, rule = names(self.net)
        return {
            "network": network,
            "rule": rule,
            "environment": self.world.name,
            "metric": lives.metric.title,
            "steps": self.steps,
            "batch": self.batch,
            "seed": self.seeds.start,
            "seeds": len(self.seeds),
            "rows": lives.to_json(),
            "diagnostics": [d.to_json() for d in self.diagnostics],
        }


def _lines(lives: Lives) -> Iterator[str]:
    """One line per part: {"run": "policy_gradient", "step": 200, "return": 0.4, "deviation": 0.1}."""
    for row in lives.to_json():
        for at in row["results"]:
            shown = {lives.metric.title: at["mean"], "deviation": at["spread"]}
            yield json.dumps({"run": row["name"], "step": at["steps"], **shown}, ensure_ascii=False)


def _print_table(lives: Lives, seeds: int, out: Console) -> None:
    from rich import box
    from rich.table import Table

    table = Table("", box=box.SIMPLE_HEAD)
    starts = (1, *(end + 1 for end in lives.ends[:-1]))
    shown = sorted({0, len(lives.ends) // 2, len(lives.ends) - 1})
    for part in shown:
        table.add_column(f"steps {starts[part]:,} to {lives.ends[part]:,}", justify="right")
    for i, (name, scores) in enumerate(lives.rows.items()):
        found = evaluation.summaries(scores)
        table.add_row(name, *(found[part].show(lives.metric) for part in shown), style="" if i else "bold")
    print_table(out, table)
    of = "1 lifetime" if seeds == 1 else f"mean ± standard deviation of {seeds:,} lifetimes"
    told = f"{lives.metric.title} of the episodes that end in these steps (or, if none ends, of those still running)"
    out.print(f"{told}, {of}", soft_wrap=True)
    if len(lives.rows) > 1:
        out.print(
            f"{evaluation.FROZEN}: the network as it was drawn, in the same lifetimes, without learning", soft_wrap=True
        )
