"""The summary that `blurc compile` prints: the size of a network and how long each stage took."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import blurc
from blurc import plan as plans
from blurc.cli.shared import stages
from blurc.cli.shared.subjects import Choice
from blurc.cli.shared.terminal import print_table
from blurc.diagnostics import counted

if TYPE_CHECKING:
    from rich.console import Console

    from blurc.api import Net
    from blurc.model import Model
    from blurc.plan import Projection

T = TypeVar("T")


@dataclass
class Stopwatch:
    """Seconds per stage, in the order they ran."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])

    def watch(self, stage: str, value: Any, seconds: float) -> None:
        self.seconds[stage] = seconds

    def time(self, stage: str, run: Callable[[], T]) -> T:
        start = time.perf_counter()
        value = run()
        self.seconds[stage] = time.perf_counter() - start
        return value


def build(choice: Choice, batch: int) -> tuple[blurc.Net, dict[str, Any]]:
    """The compiled network and its summary as plain data. Compiles one step for this machine."""
    clock = Stopwatch()
    model, sources = clock.time("check", choice.select)
    plan = plans.plan_of(model, clock.watch)
    program = clock.time("trace", lambda: stages.traced(plan, "step", batch))
    lowered = clock.time("lower", program.lower)
    executable = clock.time("xla", lowered.compile)
    net = blurc.Net(plan, model, sources, [])
    return net, {**_of_model(model), **_of_plan(net), **_of_step(executable, batch), "seconds": clock.seconds}


def _of_model(model: Model) -> dict[str, Any]:
    return {
        "network": model.network.name,
        "rule": model.genome.name,
        "parameters": {"network": dict(model.network.params), "rule": dict(model.genome.params)},
        "populations": [
            {"name": p.name, "role": p.role, "shape": list(p.shape), "size": p.size}
            for p in model.network.populations
            if p.role != "unit"
        ],
    }


def _of_plan(net: Net) -> dict[str, Any]:
    plan, counts = net.plan, dict[str, int]()
    for v in plan.channels:
        counts[v.of] = counts.get(v.of, 0) + math.prod(v.dims) * math.prod(plan.projection(v.of).shape)
    return {
        "projections": [_of_projection(p, counts.get(p.name, 0)) for p in plan.projections],
        "synapse_values": sum(counts.values()),
        "meta_parameters": {v.name: list(v.dims) for v in plan.metas},
        "operations": {"step": len(plan.step.ops), "predict": len(plan.predict.ops)},
        "dropped": list(plan.dropped),
    }


def _of_projection(p: Projection, values: int) -> dict[str, Any]:
    """One projection. `shape` is the shape of its synapse arrays, empty if it has none."""
    return {
        "name": p.name,
        "source": p.source,
        "target": p.target,
        "n_pre": p.n_pre,
        "n_post": p.n_post,
        "topology": str(p.topology),
        "delay": p.delay,
        "plastic": p.plastic,
        "unit": p.unit,
        "shape": list(p.shape),
        "values": values,
    }


def _of_step(executable: Any, batch: int) -> dict[str, Any]:
    """XLA's flop count for a step, which not every platform provides."""
    costs: Mapping[str, Any] = executable.cost_analysis() or {}
    return {"batch": batch, "flops_per_step": costs.get("flops")}


def print_summary(summary: dict[str, Any], out: Console) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    out.print(f"[bold]{summary['network']}[/] with the rule [bold]{summary['rule']}[/]{_settings(summary)}")
    table = Table("population", "role", "shape", box=box.SIMPLE_HEAD)
    for p in summary["populations"]:
        table.add_row(p["name"], p["role"], escape(str(p["shape"])))
    print_table(out, table)
    facts = Table.grid("", "", padding=(0, 3, 0, 1))
    for name, value in _facts(summary):
        facts.add_row(name, escape(value))
    print_table(out, facts)


def _settings(summary: dict[str, Any]) -> str:
    shown = {**summary["parameters"]["network"], **summary["parameters"]["rule"]}
    return f" ({', '.join(f'{name} = {value}' for name, value in shown.items())})" if shown else ""


def _facts(s: dict[str, Any]) -> list[tuple[str, str]]:
    metas = ", ".join(f"{name}{dims or ''}" for name, dims in s["meta_parameters"].items())
    flops = s["flops_per_step"]
    milliseconds = [f"{stage} {1000 * seconds:.0f} ms" for stage, seconds in s["seconds"].items()]
    values = counted(s["synapse_values"], "value")
    return [
        ("synapses", f"{values} in {counted(len(s['projections']), 'projection')}, with biases"),
        ("meta-parameters", metas or "none"),
        ("operations", f"{s['operations']['step']} in a step, {s['operations']['predict']} in a prediction"),
        *([("dropped", "; ".join(s["dropped"]))] if s["dropped"] else []),
        *([("work", f"{flops:,.0f} flops a step, batch {s['batch']}")] if flops else []),
        ("time", ", ".join(milliseconds)),
    ]
