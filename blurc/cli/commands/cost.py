"""`blurc cost`: what a network will take, before anything is compiled."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from blurc.bench import DEVICES, Device, Divided, Search, this_cpu
from blurc.cli.shared.options import at_least_one, batch_option, json_option, shard_option
from blurc.cli.shared.output import check_writable, write_json
from blurc.cli.shared.subjects import Choice, network_choice
from blurc.cli.shared.terminal import console, print_table, say, tell
from blurc.diagnostics import counted
from blurc.guards import amount, available, room_on_device
from blurc.plan import Cost, Plan, cost_of, plan_of
from blurc.runtime import check_plan
from blurc.storage import limits
from blurc.training import check_divisible

CPU = "cpu"
MOST_DOUBLED = 12  # times, of the parts of a network: thousands of devices


@click.command("cost")
@network_choice("blurc cost", genome=False)
@batch_option
@at_least_one("--steps", 100, "Steps of a training program, and of a meta-gradient.")
@click.option(
    "--device", type=click.Choice([CPU, *DEVICES]), default=CPU, show_default=True,
    help="Where it will run: this CPU, which is measured, or a device as its data sheet says.",
)  # fmt: skip
@click.option(
    "--candidates", type=click.IntRange(1, limits.MOST), help="Genomes of a search that each train SPEC by --steps."
)
@click.option("--devices", type=click.IntRange(1, limits.MOST), help="Devices that share the candidates.  [default: 1]")
@shard_option
@json_option
def command(
    choice: Choice, batch: int, steps: int, device: str, candidates: int | None, devices: int | None,
    shard: dict[str, int], json: str | None,
) -> None:  # fmt: skip
    """Say what SPEC will take: arithmetic, memory and time.

    Counted from the plan, without compiling. Exits with 1 if a step does not fit into the memory of the device or,
    on this machine, into what is free.
    """
    if devices and not candidates:
        raise click.UsageError("`--devices` share `--candidates`: say how many. One network is divided by `--shard`")
    if shard and candidates:
        raise click.UsageError("a search divides its candidates, not their networks: leave `--shard` out")
    check_writable([json])
    check_divisible(batch, shard.get("data", 1))
    model, _ = choice.select()
    plan = plan_of(model)
    cost, on = cost_of(plan, batch), this_cpu(available()) if device == CPU else DEVICES[device]
    search = Search(cost, steps, candidates, devices or 1, on) if candidates else None
    parts = Divided(plan, batch, shard.get("data", 1), shard.get("model", 1), on) if shard else None
    _print(plan, cost, steps, on, json)
    out = console(json)
    if search:
        _print_search(search, out)
    if parts:
        _print_divided(parts, out)
    if json:
        write_json(json, {**_plain(plan, cost, steps, on), "search": _search(search), "divided": _divided(parts)})
    _check_fits(parts or Divided(plan, batch, 1, 1, on))


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


def _print_search(search: Search, out: Console) -> None:
    tell(out, f"{counted(search.count, 'candidate')} on {counted(search.devices, 'device')}: {search.each:,} on each")
    tell(out, f"  side by side: {search.side_by_side:,}, of {amount(search.candidate)} each, without questions")
    tell(out, f"  to train them: at least {_time(search.seconds)}")
    tell(out, f"  results, through process 0: {amount(search.exchanged)}")


def _print_divided(parts: Divided, out: Console) -> None:
    tell(out, f"divided by {parts.data} x {parts.model}: {amount(parts.step)} of a device for a step")
    tell(out, f"  its arithmetic and memory: at least {_time(parts.seconds)}")
    taken = "" if parts.sending is None else f", at least {_time(parts.sending)}"
    tell(out, f"  sent by a device: {amount(parts.sent)}{taken}")


def _search(search: Search | None) -> dict[str, Any] | None:
    names = ("count", "devices", "steps", "each", "candidate", "side_by_side", "seconds", "exchanged")
    return search and {name: getattr(search, name) for name in names}


def _divided(parts: Divided | None) -> dict[str, Any] | None:
    return parts and {name: getattr(parts, name) for name in ("data", "model", "step", "seconds", "sent", "sending")}


def _check_fits(parts: Divided) -> None:
    """Raises `BlurError` (E919), with the largest batch that fits, or into how many parts the network would."""
    here = parts.device not in DEVICES.values()
    memory, where = (
        (room_on_device(parts.data * parts.model), "there is room for")
        if here
        else (parts.device.memory, f"{parts.device.name} has")
    )
    if memory is None:
        return
    what = f"a step with {counted(parts.batch, 'example')}"
    shard = "" if here else _wide_enough(parts, memory)  # the devices of a CPU share its memory
    wide = f"not even a batch of 1 fits: divide the network, `--shard {shard}`" if shard else ""

    def need(of: Cost) -> float:
        return replace(parts, batch=of.batch).step

    check_plan(parts.plan, parts.batch, need, what, memory, where=where, instead=wide, multiple=parts.data)


def _wide_enough(parts: Divided, memory: float) -> str:
    """The least of some divisions by which a device holds its part; "" if none is enough."""
    for model in (parts.model * 2**n for n in range(MOST_DOUBLED)):
        if replace(parts, model=model).step <= memory:
            return f"data={parts.data},model={model}" if parts.data > 1 else f"model={model}"
    return ""


def _count(number: float) -> str:
    for unit in ("", "k", "M", "G", "T", "P"):
        if number < 1000:
            return f"{number:.3g} {unit}".rstrip()
        number /= 1000
    return f"{number:,.3g} E"


def _time(seconds: float) -> str:
    for unit in ("s", "ms"):
        if seconds >= 1:
            return f"{seconds:,.3g} {unit}"
        seconds *= 1000
    return f"{seconds:.3g} µs"
