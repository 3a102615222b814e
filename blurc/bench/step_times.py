"""Step times of training: the programs of a network take turns in one run.

A step is one step inside a training scan, which is the intended use; single calls of the same step are also timed, to
show the overhead of dispatch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from blurc.bench import einsum, handwritten, products, specs
from blurc.bench.rows import Row, row
from blurc.bench.timing import Loop, Timings, alternate

BATCH = 128
STEPS = 10  # per timed training scan
SMALL, ONLINE_STEPS = (100, 64, 32, 10), 1000  # one example at a time
SHALLOW, DEEP = (784, 512, 10), (784, 256, 128, 10)
CHANNELS = (2, 4)

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

Candidate = Callable[[], Any]


def training(sizes: Sequence[int], rounds: int) -> Iterator[Row]:
    xs, ys = data(sizes, STEPS)
    programs = {**candidates(sizes, xs, ys), **single_steps(sizes, xs[0], ys[0])}
    timings = alternate(programs, rounds=rounds, sample_seconds=0.1)
    yield from _times(name(sizes), timings)
    yield from _ratios(tuple(sizes), timings)


def general(sizes: Sequence[int], rounds: int) -> Iterator[Row]:
    """A training step of the library's `general`, and those of the optimizers that it is raced against."""
    xs, ys = data(sizes, STEPS)
    key = jax.random.key(0)
    programs: dict[str, Candidate] = {
        "general": specs.trained(specs.general(sizes), xs, ys),
        "hand": Loop(lambda p: handwritten.train(p, xs, ys), handwritten.init(key, sizes)),
        "Muon": Loop(lambda p: handwritten.train_muon(p, xs, ys), handwritten.init_muon(key, sizes)),
    }
    timings = alternate(programs, rounds=rounds, sample_seconds=0.1)
    yield row(name(sizes), "general, time of a step", timings.time("general").scaled(1000 / STEPS), "ms")
    yield row(name(sizes), "general / hand", timings.ratio("general", "hand"), "x")
    yield row(name(sizes), "general / Muon", timings.ratio("general", "Muon"), "x")


def one_at_a_time(rounds: int, sizes: Sequence[int] = SMALL) -> Iterator[Row]:
    """A step of many, each with one example."""
    xs, ys = data(sizes, ONLINE_STEPS, batch=1)
    programs = by_backpropagation(sizes, xs, ys)
    timings = alternate(programs, rounds=rounds, sample_seconds=0.1)
    group = f"{name(sizes)}, batch 1, {ONLINE_STEPS:,} steps"
    for program in programs:
        yield row(group, f"{program}, time of a step", timings.time(program).scaled(1000 / ONLINE_STEPS), "ms")
    yield row(group, "backprop / hand", timings.ratio("backprop", "hand"), "x")


def candidates(
    sizes: Sequence[int], xs: jax.Array, ys: jax.Array, channels: Sequence[int] = CHANNELS, with_einsum: bool = True
) -> dict[str, Candidate]:
    """The programs on this network. A call makes a step for each leading entry of `xs` and `ys`."""
    key = jax.random.key(0)
    found = by_backpropagation(sizes, xs, ys)
    for k in channels:
        found[f"blur k={k}"] = specs.trained(specs.blur(sizes, k), xs, ys)
        found[f"products k={k}"] = partial(products.run, products.init(key, sizes, k), xs)
        if with_einsum:
            _, genome, _ = specs.start(specs.blur(sizes, k))
            found[f"einsum k={k}"] = Loop(partial(_einsum, genome, xs, ys), einsum.init(key, sizes, k))
    return found


def by_backpropagation(sizes: Sequence[int], xs: jax.Array, ys: jax.Array) -> dict[str, Candidate]:
    return {
        "hand": Loop(lambda p: handwritten.train(p, xs, ys), handwritten.init(jax.random.key(0), sizes)),
        "backprop": specs.trained(specs.backprop(sizes), xs, ys),
    }


def single_steps(sizes: Sequence[int], x: jax.Array, y: jax.Array) -> dict[str, Candidate]:
    """A call makes one step."""
    net, genome, state = specs.start(specs.backprop(sizes))
    params = handwritten.init(jax.random.key(0), sizes)
    return {
        "hand step": Loop(lambda p: handwritten.step(p, x, y, 0.1), params),
        "backprop step": Loop(lambda s: net.step(genome, s, x, y), state),
    }


def _einsum(genome: Any, xs: jax.Array, ys: jax.Array, synapses: Any) -> tuple[Any, Any]:
    return einsum.train(genome, synapses, xs, ys)


def data(sizes: Sequence[int], steps: int, batch: int = BATCH) -> tuple[jax.Array, jax.Array]:
    draw = np.random.default_rng(0)
    xs = draw.standard_normal((steps, batch, sizes[0]), np.float32)
    labels = draw.integers(0, sizes[-1], (steps, batch))
    return jnp.asarray(xs), jax.nn.one_hot(labels, sizes[-1])


def name(sizes: Sequence[int]) -> str:
    return "-".join(map(str, sizes))


def _times(group: str, timings: Timings) -> Iterator[Row]:
    for program in timings.samples:
        steps = 1 if program.endswith(" step") else STEPS
        yield row(group, f"{program}, time of a step", timings.time(program).scaled(1000 / steps), "ms")


def _ratios(sizes: tuple[int, ...], timings: Timings) -> Iterator[Row]:
    def ratio(program: str, base: str, **target: Any) -> Row:
        return row(name(sizes), f"{program} / {base}", timings.ratio(program, base), "x", **target)

    yield ratio("backprop", "hand", bound=BACKPROP_TO_HAND)
    yield ratio("backprop step", "hand step")
    for k in CHANNELS:
        blur = f"blur k={k}"
        yield ratio(blur, f"products k={k}", bound=BLUR_TO_PRODUCTS)
        yield ratio(blur, "hand", bound=BLUR_TO_HAND[k] if sizes == SHALLOW else None)
        yield ratio(f"einsum k={k}", blur, bound=EINSUM_TO_BLUR.get((sizes, k)), sense=">=")
