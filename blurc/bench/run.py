"""The table of `blurc bench`: rows with a measured value, its quartiles and, if it has one, its target.

Parts: step times of training (`step_times.py`), compile times, memory, other topologies (`graphs.py`), and the cost of
meta-learning (`meta.py`).
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp

import blurc
from blurc.bench import cores, einsum, graphs, handwritten, meta, specs, step_times
from blurc.bench.processes import peak_bytes
from blurc.bench.rows import Report, Row, exact, row
from blurc.bench.step_times import BATCH, CHANNELS, DEEP, SHALLOW, STEPS, data, name
from blurc.bench.timing import Spread, compiled_bytes
from blurc.guards import count_cores

MIB = 1 / 2**20

# The targets: upper bounds of ratios.
LONG_TO_SHORT_CHAIN = 2.5  # 300 equal layers against 10
LONG_TO_SHORT_COMPILE = 1.1  # equal, within measurement error


def run(quick: bool, report: Report) -> list[Row]:
    """All rows. `quick` takes fewer samples."""
    rows: list[Row] = []
    for sizes in (SHALLOW, DEEP):
        report(f"training {name(sizes)}, batch {BATCH}")
        rows += step_times.training(sizes, rounds=5 if quick else 25)
    report("general")
    rows += step_times.general(DEEP, rounds=5 if quick else 25)
    report("compiling")
    rows += compiling(depths=(1, 10) if quick else (1, 10, 100, 300, 1000), rounds=2 if quick else 3)
    report("one example at a time")
    rows += step_times.one_at_a_time(rounds=5 if quick else 25)
    report("convolutions")
    rows += graphs.convolution(rounds=5 if quick else 25)
    report("sparse projections")
    rows += graphs.sparse(rounds=3 if quick else 9)
    report("inputs by ids")
    rows += graphs.ids(rounds=5 if quick else 25)
    report("channels per example")
    rows += graphs.per_example(rounds=5 if quick else 25)
    report("memory")
    rows += memory(SHALLOW)
    report("meta-learning")
    rows += meta.rows(rounds=1 if quick else 5)
    report("candidates on all cores")
    rows += cores.rows(rounds=3 if quick else 9)
    return rows


def hardware() -> dict[str, Any]:
    """The machine and versions used, and how busy the machine already was."""
    first, *others = jax.devices()
    return {
        "cpu": _cpu_name(),
        "cores": count_cores(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "device": f"{first.platform}: {first.device_kind}{f', {1 + len(others)} of them' if others else ''}",
        "jax": jax.__version__,
        "blurc": importlib.metadata.version("blurc"),
        "python": platform.python_version(),
    }


def _cpu_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


# ---------------------------------------------------------------- compile times


def compiling(depths: Sequence[int], rounds: int) -> Iterator[Row]:
    """From spec text to a program that can run: blurc's own stages, then JAX and XLA."""
    compile_seconds(1, 1)  # imports and one-time set-up
    taken = {depth: list[tuple[float, float]]() for depth in depths}
    for _ in range(rounds):
        for depth in depths:
            taken[depth].append(compile_seconds(depth, 10))
    for depth in depths:
        layers = f"{depth:,} hidden layers" if depth > 1 else "1 hidden layer"
        yield row("compile", f"{layers}, blurc", Spread.of([own for own, _ in taken[depth]]), "s")
        yield row("compile", f"{layers}, JAX and XLA", Spread.of([xla for _, xla in taken[depth]]), "s")
    if {10, 300} <= set(depths):
        chains = [sum(long) / sum(short) for long, short in zip(taken[300], taken[10], strict=True)]
        yield row("compile", "300 layers / 10 layers", Spread.of(chains), "x", bound=LONG_TO_SHORT_CHAIN)
    pairs = [(sum(compile_seconds(1, 10)), sum(compile_seconds(1, 1000))) for _ in range(2 * rounds)]
    yield row("compile", "10 steps", Spread.of([short for short, _ in pairs]), "s")
    yield row("compile", "1,000 steps", Spread.of([long for _, long in pairs]), "s")
    ratio = Spread.of([long / short for short, long in pairs])
    yield row("compile", "1,000 steps / 10 steps", ratio, "x", bound=LONG_TO_SHORT_COMPILE)


def compile_seconds(depth: int, steps: int) -> tuple[float, float]:
    """The time to compile `train` for these hidden layers and steps: in blurc, and in JAX and XLA."""
    start = time.perf_counter()
    net = blurc.compile(specs.DEEP, depth=depth)
    parsed = time.perf_counter()
    genome = jax.eval_shape(net.init_genome, jax.random.key(0))
    state = jax.eval_shape(net.init, jax.random.key(1), genome)
    xs, ys = (jax.ShapeDtypeStruct((steps, BATCH, n), jnp.float32) for n in (32, 10))
    # A new function each time, to miss JAX's cache.
    jax.jit(lambda *args: net.train(*args)).lower(genome, state, xs, ys).compile()
    return parsed - start, time.perf_counter() - parsed


# ---------------------------------------------------------------- memory


def memory(sizes: Sequence[int]) -> Iterator[Row]:
    """XLA's memory plan for a training program (`memory_analysis`), and the peak size of whole processes."""
    group = f"memory, {name(sizes)}"
    for program, size in program_bytes(sizes).items():
        yield exact(group, f"{program}, XLA program of {STEPS} steps", size * MIB, "MiB")
    base = peak_bytes(_only_jax)
    for program, work in (("hand", _train_by_hand), ("backprop", _train_compiled)):
        size = peak_bytes(work, sizes) - base
        yield exact(group, f"{program}, process above one that only starts JAX", size * MIB, "MiB")


def program_bytes(sizes: Sequence[int]) -> dict[str, int]:
    xs, ys = data(sizes, STEPS)
    key = jax.random.key(0)

    def compiled(spec: str) -> int:
        net, genome, state = specs.start(spec)
        return compiled_bytes(net.train, genome, state, xs, ys)

    found = {"hand": compiled_bytes(handwritten.train, handwritten.init(key, sizes), xs, ys)}
    found["backprop"] = compiled(specs.backprop(sizes))
    for k in CHANNELS:
        _, genome, _ = specs.start(specs.blur(sizes, k))
        found[f"blur k={k}"] = compiled(specs.blur(sizes, k))
        found[f"einsum k={k}"] = compiled_bytes(einsum.train, genome, einsum.init(key, sizes, k), xs, ys)
    return found


# These run in separate processes.


def _only_jax() -> None:
    jax.block_until_ready(jnp.zeros(1) + 1)


def _train_by_hand(sizes: Sequence[int]) -> None:
    xs, ys = data(sizes, STEPS)
    jax.block_until_ready(handwritten.train(handwritten.init(jax.random.key(0), sizes), xs, ys))


def _train_compiled(sizes: Sequence[int]) -> None:
    xs, ys = data(sizes, STEPS)
    jax.block_until_ready(specs.trained(specs.backprop(sizes), xs, ys)())
