"""The table of `blurc bench`: rows with a measured value, its quartiles and, if it has one, its target.

Parts: step times of training (the programs of a network take turns in one run), compile times, memory, and the cost of
meta-learning (`meta.py`). A step is one step inside a training scan, which is the intended use; single calls of the
same step are also timed, to show the overhead of dispatch.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import blurc
from blurc.bench import einsum, graphs, handwritten, meta, products, specs
from blurc.bench.rows import Row, exact, row
from blurc.bench.timing import Loop, Spread, Timings, alternate, compiled_bytes, peak_bytes

BATCH = 128
STEPS = 10  # per timed training scan
SMALL, ONLINE_STEPS = (100, 64, 32, 10), 1000  # one example at a time
SHALLOW, DEEP = (784, 512, 10), (784, 256, 128, 10)
CHANNELS = (2, 4)
MIB = 1 / 2**20

# The targets: upper (or lower) bounds of ratios.
BACKPROP_TO_HAND = 1.05
BLUR_TO_PRODUCTS = 1.3
BLUR_TO_HAND = {2: 2.7, 4: 5.3}  # at 784-512-10
EINSUM_TO_BLUR: dict[tuple[tuple[int, ...], int], float] = {
    (SHALLOW, 2): 5.0,
    (SHALLOW, 4): 5.0,
    (DEEP, 2): 2.3,
    (DEEP, 4): 5.0,
}
LONG_TO_SHORT_CHAIN = 2.5  # 300 equal layers against 10
LONG_TO_SHORT_COMPILE = 1.1  # equal, within measurement error

Report = Callable[[str], None]
Candidate = Callable[[], Any]


def run(quick: bool, report: Report) -> list[Row]:
    """All rows. `report` is told what is being measured; `quick` takes fewer samples."""
    rows: list[Row] = []
    for sizes in (SHALLOW, DEEP):
        report(f"training {_name(sizes)}, batch {BATCH}")
        rows += training(sizes, rounds=5 if quick else 25)
    report("general")
    rows += general(DEEP, rounds=5 if quick else 25)
    report("compiling")
    rows += compiling(depths=(1, 10) if quick else (1, 10, 100, 300, 1000), rounds=2 if quick else 3)
    report("one example at a time")
    rows += one_at_a_time(rounds=5 if quick else 25)
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
    return rows


def hardware() -> dict[str, Any]:
    """The machine and versions used, and how busy the machine already was."""
    device = jax.devices()[0]
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "device": f"{device.platform}: {device.device_kind}",
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


def _name(sizes: Sequence[int]) -> str:
    return "-".join(map(str, sizes))


# ---------------------------------------------------------------- step times


def training(sizes: Sequence[int], rounds: int) -> Iterator[Row]:
    timings = alternate(candidates(sizes), rounds=rounds, sample_seconds=0.1)
    yield from _times(_name(sizes), timings)
    yield from _ratios(tuple(sizes), timings)


def general(sizes: Sequence[int], rounds: int) -> Iterator[Row]:
    """A training step of the library's `general`, and those of the optimizers that it is raced against."""
    xs, ys = _data(sizes, STEPS)
    key = jax.random.key(0)
    programs: dict[str, Candidate] = {
        "general": specs.trained(specs.general(sizes), xs, ys),
        "hand": Loop(lambda p: handwritten.train(p, xs, ys), handwritten.init(key, sizes)),
        "Muon": Loop(lambda p: handwritten.train_muon(p, xs, ys), handwritten.init_muon(key, sizes)),
    }
    timings = alternate(programs, rounds=rounds, sample_seconds=0.1)
    yield row(_name(sizes), "general, time of a step", timings.time("general").scaled(1000 / STEPS), "ms")
    yield row(_name(sizes), "general / hand", timings.ratio("general", "hand"), "x")
    yield row(_name(sizes), "general / Muon", timings.ratio("general", "Muon"), "x")


def one_at_a_time(rounds: int, sizes: Sequence[int] = SMALL) -> Iterator[Row]:
    """A step of many, each with one example."""
    xs, ys = _data(sizes, ONLINE_STEPS, batch=1)
    programs: dict[str, Candidate] = {
        "backprop": specs.trained(specs.backprop(sizes), xs, ys),
        "hand": Loop(lambda p: handwritten.train(p, xs, ys), handwritten.init(jax.random.key(0), sizes)),
    }
    timings = alternate(programs, rounds=rounds, sample_seconds=0.1)
    group = f"{_name(sizes)}, batch 1, {ONLINE_STEPS:,} steps"
    for name in programs:
        yield row(group, f"{name}, time of a step", timings.time(name).scaled(1000 / ONLINE_STEPS), "ms")
    yield row(group, "backprop / hand", timings.ratio("backprop", "hand"), "x")


def candidates(sizes: Sequence[int]) -> dict[str, Candidate]:
    """Every program on this network. Those named `.. step` make one step per call, the others `STEPS`."""
    xs, ys = _data(sizes, STEPS)
    key = jax.random.key(0)
    found: dict[str, Candidate] = {
        "hand": Loop(lambda p: handwritten.train(p, xs, ys), handwritten.init(key, sizes)),
        "hand step": Loop(lambda p: handwritten.step(p, xs[0], ys[0], 0.1), handwritten.init(key, sizes)),
        "backprop": specs.trained(specs.backprop(sizes), xs, ys),
        "backprop step": _compiled_step(specs.backprop(sizes), xs[0], ys[0]),
    }
    for k in CHANNELS:
        _, genome, _ = specs.start(specs.blur(sizes, k))
        synapses, layers = einsum.init(key, sizes, k), products.init(key, sizes, k)
        found[f"blur k={k}"] = specs.trained(specs.blur(sizes, k), xs, ys)
        found[f"einsum k={k}"] = Loop(partial(_einsum, genome, xs, ys), synapses)
        found[f"products k={k}"] = partial(products.run, layers, xs)
    return found


def _einsum(genome: Any, xs: jax.Array, ys: jax.Array, synapses: Any) -> tuple[Any, Any]:
    return einsum.train(genome, synapses, xs, ys)


def _compiled_step(spec: str, x: jax.Array, y: jax.Array) -> Loop:
    net, genome, state = specs.start(spec)
    return Loop(lambda s: net.step(genome, s, x, y), state)


def _data(sizes: Sequence[int], steps: int, batch: int = BATCH) -> tuple[jax.Array, jax.Array]:
    draw = np.random.default_rng(0)
    xs = draw.standard_normal((steps, batch, sizes[0]), np.float32)
    labels = draw.integers(0, sizes[-1], (steps, batch))
    return jnp.asarray(xs), jax.nn.one_hot(labels, sizes[-1])


def _times(group: str, timings: Timings) -> Iterator[Row]:
    for name in timings.samples:
        steps = 1 if name.endswith(" step") else STEPS
        yield row(group, f"{name}, time of a step", timings.time(name).scaled(1000 / steps), "ms")


def _ratios(sizes: tuple[int, ...], timings: Timings) -> Iterator[Row]:
    def ratio(name: str, base: str, **target: Any) -> Row:
        return row(_name(sizes), f"{name} / {base}", timings.ratio(name, base), "x", **target)

    yield ratio("backprop", "hand", bound=BACKPROP_TO_HAND)
    yield ratio("backprop step", "hand step")
    for k in CHANNELS:
        blur = f"blur k={k}"
        yield ratio(blur, f"products k={k}", bound=BLUR_TO_PRODUCTS)
        yield ratio(blur, "hand", bound=BLUR_TO_HAND[k] if sizes == SHALLOW else None)
        yield ratio(f"einsum k={k}", blur, bound=EINSUM_TO_BLUR.get((sizes, k)), sense=">=")


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
    group = f"memory, {_name(sizes)}"
    for name, size in program_bytes(sizes).items():
        yield exact(group, f"{name}, XLA program of {STEPS} steps", size * MIB, "MiB")
    base = peak_bytes(_only_jax)
    for name, work in (("hand", _train_by_hand), ("backprop", _train_compiled)):
        size = peak_bytes(work, sizes) - base
        yield exact(group, f"{name}, process above one that only starts JAX", size * MIB, "MiB")


def program_bytes(sizes: Sequence[int]) -> dict[str, int]:
    xs, ys = _data(sizes, STEPS)
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
    xs, ys = _data(sizes, STEPS)
    jax.block_until_ready(handwritten.train(handwritten.init(jax.random.key(0), sizes), xs, ys))


def _train_compiled(sizes: Sequence[int]) -> None:
    xs, ys = _data(sizes, STEPS)
    jax.block_until_ready(specs.trained(specs.backprop(sizes), xs, ys)())
