"""`blurc cost`: what a network will take, before anything is compiled."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click
from rich.table import Table

from blurc.bench import DEVICES, Device, this_cpu
from blurc.cli.shared.options import at_least_one, batch_option, json_option
from blurc.cli.shared.output import check_writable, write_json
from blurc.cli.shared.subjects import Choice, network_choice
from blurc.cli.shared.terminal import console, print_table, say, tell
from blurc.diagnostics import counted
from blurc.guards import amount, available
from blurc.plan import Cost, Plan, cost_of, plan_of
from blurc.runtime import check_plan

CPU = "cpu"


@click.command("cost")
@network_choice("blurc cost", genome=False)
@batch_option
@at_least_one("--steps", 100, "Steps of a training program, and of a meta-gradient.")
@click.option(
    "--device", type=click.Choice([CPU, *DEVICES]), default=CPU, show_default=True,
    help="Where it will run: this CPU, which is measured, or a device as its data sheet says.",
)  # fmt: skip
@json_option
def command(choice: Choice, batch: int, steps: int, device: str, json: str | None) -> None:
    """Say what SPEC will take: arithmetic, memory and time.

    Counted from the plan, without compiling. Exits with 1 if a step does not fit into the memory of the device.
    """
    check_writable([json])
    model, _ = choice.select()
    plan = plan_of(model)
    cost, on = cost_of(plan, batch), this_cpu(available()) if device == CPU else DEVICES[device]
    _print(plan, cost, steps, on, json)
    if json:
        write_json(json, _plain(plan, cost, steps, on))
    _check_fits(plan, cost, on)


def _print(plan: Plan, cost: Cost, steps: int, device: Device, json: str | None) -> None:
    out = console(json)
    say(f"{plan.name} with {plan.genome}, {counted(cost.batch, 'example')} a step", json)
    table = Table("", "flops", "moved")
    for column in table.columns[1:]:
        column.justify = "right"
    for part in cost.parts:
        table.add_row(part.of or "numbers", _count(part.flops), amount(part.moved))
    table.add_section()
    table.add_row("a step", _count(cost.flops), amount(cost.moved))
    print_table(out, table)
    tell(out, f"memory: {amount(cost.state)} of state, {amount(cost.step)} for a step")
    recomputed, kept = (amount(cost.gradient(steps, recompute)) for recompute in (True, False))
    tell(out, f"{counted(steps, 'step')} in one program: {amount(cost.train(steps))}")
    tell(out, f"a gradient through them: {recomputed} with recompute, {kept} without")
    seconds, bound, speed = device.seconds(cost), device.is_bound_by(cost), f"{_count(device.flops)}flop/s"
    tell(out, f"a step on {device.name}: at least {_time(seconds)}, as its {bound} allows")
    tell(out, f"  {speed}, {amount(device.bandwidth)}/s ({device.source})")


def _plain(plan: Plan, cost: Cost, steps: int, device: Device) -> dict[str, Any]:
    return {
        "network": plan.name,
        "rule": plan.genome,
        **asdict(cost),
        "flops": cost.flops,
        "moved": cost.moved,
        "step": cost.step,
        "steps": steps,
        "train": cost.train(steps),
        "gradient": {"recompute": cost.gradient(steps), "plain": cost.gradient(steps, recompute=False)},
        "device": asdict(device),
        "seconds": device.seconds(cost),
    }


def _check_fits(plan: Plan, cost: Cost, device: Device) -> None:
    """Raises `BlurError` (E919), with the largest batch that fits."""
    what = f"a step with {counted(cost.batch, 'example')}"
    check_plan(plan, cost.batch, lambda of: of.step, what, device.memory, where=f"{device.name} has")


def _count(number: float) -> str:
    for unit in ("", "k", "M", "G"):
        if number < 1000:
            return f"{number:.3g} {unit}".rstrip()
        number /= 1000
    return f"{number:,.3g} T"


def _time(seconds: float) -> str:
    for unit in ("s", "ms"):
        if seconds >= 1:
            return f"{seconds:,.3g} {unit}"
        seconds *= 1000
    return f"{seconds:.3g} µs"
