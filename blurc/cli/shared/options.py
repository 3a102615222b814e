"""Options shared by several commands."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from blurc.model import ParamValue
from blurc.storage import limits

if TYPE_CHECKING:
    from blurc.training import Probe

    ParamType = click.ParamType[Any]
else:
    ParamType = click.ParamType  # not generic before click 8.4

T = TypeVar("T")
Option = Callable[[Any], Any]  # a decorator
NAME = re.compile(r"[A-Za-z_]\w*")
WHOLE = re.compile(r"[+-]?\d{1,1000}")
SEED = click.IntRange(0, 2**32 - 1)


class Setting(ParamType):
    """`hidden=128`, `rate=0.5`, `phi=relu`."""

    name = "k=v"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):  # converted already
            return value
        name, equals, written = (part.strip() for part in value.partition("="))
        found = _value(written)
        if not equals or not NAME.fullmatch(name) or found is None:
            self.fail(f"{value!r}: write NAME=VALUE, with a number or the name of a function", param, ctx)
        return name, found


def _value(written: str) -> ParamValue | None:
    if WHOLE.fullmatch(written):
        return int(written)
    if NAME.fullmatch(written) and written.lower() not in ("inf", "infinity", "nan"):
        return written
    try:
        number = float(written)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _probe(ctx: click.Context, param: click.Parameter, value: str | None) -> Probe | None:
    from blurc.training import PROBES, Probe

    if value is None:
        return None
    population, _, by = value.partition(":")
    if not population or by not in ("", *PROBES):
        raise click.BadParameter(f"{value!r}: write a population, and how: `h:{PROBES[-1]}`", ctx, param)
    return Probe(population, by or PROBES[0])


def set_once(ctx: click.Context, param: click.Parameter, value: Sequence[tuple[str, T]]) -> dict[str, T]:
    names = [name for name, _ in value]
    if twice := next((n for n in names if names.count(n) > 1), None):
        raise click.BadParameter(f"{twice} is set twice", ctx, param)
    return dict(value)


class OutputFile(ParamType):
    """A file to write, whose suffix must be one of these."""

    name = "file"

    def __init__(self, *suffixes: str):
        self.suffixes = suffixes

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if (path := Path(value)).suffix.lower() not in self.suffixes:
            *most, last = self.suffixes
            expected = f"{', '.join(most)} or {last}" if most else last
            self.fail(f"{value}: expected a name ending in {expected}", param, ctx)
        return path


def form(path: Path) -> str:
    """The format that a file's suffix chooses."""
    return path.suffix.lower().removeprefix(".")


def _steps(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, ...]:
    parts = [part.strip() for part in value.split(",")]
    if not all(part.isdecimal() and len(part) < 11 and 0 < int(part) < 2**31 for part in parts):
        raise click.BadParameter(f"{value!r}: write whole numbers of at least 1, such as 10,20,50", ctx, param)
    return tuple(sorted({int(part) for part in parts}))


def _shard(ctx: click.Context, param: click.Parameter, value: str | None) -> dict[str, int]:
    """`data=4,model=2`"""
    found: dict[str, int] = {}
    for part in (value or "").split(",") if value is not None else ():
        name, _, size = (text.strip() for text in part.partition("="))
        if name not in ("data", "model") or name in found or not (size.isdecimal() and 0 < int(size) < 2**16):
            raise click.BadParameter(f"{value!r}: write into how many parts, such as data=4,model=2", ctx, param)
        found[name] = int(size)
    return found


def at_least_one(name: str, default: int, help: str | None = None) -> Option:
    return click.option(name, type=click.IntRange(1, limits.MOST), default=default, show_default=True, help=help)


def seed_option(help: str) -> Option:
    return click.option("--seed", type=SEED, default=0, show_default=True, help=help)


def picture_option(help: str) -> Option:
    return click.option("-o", "--output", type=OutputFile(".svg", ".png"), metavar="F.svg|png", help=help)


truncate_option = click.option(
    "--truncate", type=click.IntRange(0, limits.MOST), default=0, metavar="K",
    help="Of backpropagation through time: cut gradients, and change weights, every K steps of a sequence.  [default: "
    "never]",
)  # fmt: skip


def check_truncate(truncate: int, time: int, data: str) -> None:
    if truncate and not time:
        raise click.UsageError(f"--truncate is for sequences, and the examples of {data} are not sequences")


shard_option = click.option(
    "--shard", callback=_shard, metavar="data=N,model=M",
    help="Divide one network over N x M devices: examples by N, neurons and synapses by M, along the axes that send "
    "least.",
)  # fmt: skip
set_option = click.option(
    "--set", "parameters", type=Setting(), multiple=True, callback=set_once,
    help="Set a parameter of the network or its genome. May be repeated.",
)  # fmt: skip
metric_option = click.option(
    "--metric", default="", metavar="NAME",
    help="What to measure: accuracy, cross_entropy, mse, mae, r2, ..  [default: that of the targets]",
)  # fmt: skip
probe_option = click.option(
    "--probe", metavar="POPULATION[:ridge|knn]", callback=_probe,
    help="Let a readout of this population answer, in the place of the outputs.",
)  # fmt: skip
json_option = click.option(
    "--json", metavar="FILE", help="Write the result as JSON to FILE, or to stdout (`-`), which then has nothing else."
)
steps_option = click.option(
    "--steps", default="10,20,50,100", show_default=True, metavar="N,..", callback=_steps,
    help="Score after these numbers of steps.",
)  # fmt: skip
seeds_option = at_least_one("--seeds", 5, "Number of starts and episodes to average over.")
batch_option = at_least_one("--batch", 128, "Examples per step.")
