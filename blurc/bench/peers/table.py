"""The table of `blurc bench --peers`: whether the results are the same, then times by turns within one run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np

from blurc.bench import meta
from blurc.bench.peers import cell, generation, gradient, spiking
from blurc.bench.rows import Report, Row, exact, row
from blurc.bench.step_times import name
from blurc.bench.timing import Timings, alternate
from blurc.guards import check_package
from blurc.meta import Inner

INNER = Inner(meta.BATCHES, meta.BATCH, meta.QUESTIONS)


@dataclass(frozen=True)
class Sizes:
    """evolved, population, inner: of a generation. unrolled: network, steps and questions of a gradient. cells:
    network, steps and batch of VSML. neurons, steps: of networks in Brian2, and their synapses for each neuron."""

    evolved: tuple[int, ...] = meta.EVOLVED
    population: int = meta.POPULATION
    inner: Inner = INNER
    unrolled: tuple[tuple[int, ...], int, int] = ((64, 64, 10), 200, 128)
    cells: tuple[tuple[int, ...], int, int] = ((32, 32, 10), 20, 32)
    neurons: tuple[int, ...] = (1_000, 10_000)
    steps: int = 2_000  # so that what Brian2 prepares in each run is a small part
    fan_in: int = spiking.FAN_IN


FULL = Sizes()


def check() -> None:
    """Raises `BlurError` (E921) where a package is missing."""
    check_package("evosax", "`--peers` needs")
    spiking.brian()


def run(quick: bool, report: Report, sizes: Sizes = FULL) -> list[Row]:
    rounds = 3 if quick else 9
    rows: list[Row] = []
    report("a generation of CMA-ES, and evosax's")
    rows += cma(sizes, 1 if quick else 5)
    report("a gradient through many steps, and by hand")
    rows += unrolled(sizes, rounds)
    report("the LSTMs of VSML, and by hand")
    rows += cells(sizes, rounds)
    for n in sizes.neurons:
        report(f"{n:,} spiking neurons, and in Brian2")
        rows += spikes(sizes, n, rounds)
    return rows


def cma(sizes: Sizes, rounds: int) -> Iterator[Row]:
    group = f"generation of CMA-ES, {sizes.population} genomes, {name(sizes.evolved)}"
    share = generation.other_answers(sizes.evolved, sizes.inner)
    yield exact(group, "questions answered differently by hand", 100 * share, "%")
    programs = generation.programs(sizes.evolved, sizes.population, sizes.inner)
    yield from _times(group, alternate(programs, rounds=rounds, sample_seconds=0.0, warmup=1), "s", 1)


def unrolled(sizes: Sizes, rounds: int) -> Iterator[Row]:
    of, steps, questions = sizes.unrolled
    group = f"gradient of 5 meta-parameters through {steps} steps, {name(of)}"
    asked = gradient.programs(of, steps, questions)
    yield exact(group, "difference of the gradients, relative", gradient.difference(asked), "")
    timings = alternate(asked._asdict(), rounds=rounds, sample_seconds=0.1, warmup=1)
    yield from _times(group, timings, "ms", 1000)


def cells(sizes: Sizes, rounds: int) -> Iterator[Row]:
    of, steps, batch = sizes.cells
    group = f"VSML, {name(of)}, batch {batch}, {steps} steps"
    programs = cell.programs(of, steps, batch)
    ours, theirs = (programs[program]()[1] for program in ("blurc", "hand"))
    yield exact(group, "largest difference of the answers", float(jnp.abs(ours - theirs).max()), "")
    timings = alternate(programs, rounds=rounds, sample_seconds=0.1, warmup=1)
    yield from _times(group, timings, "ms", 1000 / steps, " of a step")


def spikes(sizes: Sizes, n: int, rounds: int) -> Iterator[Row]:
    group = f"{n:,} spiking neurons, {sizes.fan_in} synapses each"
    network = spiking.Spiking(n, sizes.steps, sizes.fan_in)
    brian = {f"Brian2, {target}": network.in_brian(target) for target in ("numpy", "cython")}
    programs: dict[str, Callable[[], Any]] = {"blurc": network.compiled(), **brian}
    found = {program: partial(_counted, run) for program, run in programs.items()}
    first = {program: run() for program, run in found.items()}
    for program in brian:
        apart = np.abs(first[program] - first["blurc"]).sum()
        yield exact(group, f"spikes of {first['blurc'].sum():,.0f} that {program} has elsewhere", float(apart), "")
    timings = alternate(found, rounds=rounds, sample_seconds=0.0, warmup=1)
    yield from _times(group, timings, "ms", 1000 / sizes.steps, " of a step")


def _counted(run: Callable[[], Any]) -> np.ndarray:
    found = run()
    return np.asarray(found[1] if isinstance(found, tuple) else found)


def _times(group: str, timings: Timings, unit: str, scale: float, of: str = "") -> Iterator[Row]:
    for program in timings.samples:
        yield row(group, f"{program}, time{of}", timings.time(program).scaled(scale), unit)
    for program in timings.samples:
        if program != "blurc":
            yield row(group, f"{program} / blurc", timings.ratio(program, "blurc"), "x", bound=1.0, sense=">=")
