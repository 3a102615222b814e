"""The cost of other topologies than dense.

Convolutions against handwritten ones, sparse projections against dense ones of the same size, and the step time of
sparse networks by number of synapses.
"""

from __future__ import annotations

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

import blurc
from blurc.bench import handwritten, specs
from blurc.bench.rows import Row, row
from blurc.bench.timing import Loop, alternate

BATCH = 128
STEPS = 4  # per timed training scan
CONV_TO_HAND = 1.1
DENSITIES = (0.003, 0.01, 0.03, 0.1, 0.3)
SQUARE = 1024  # neurons on both sides when comparing densities
NEURONS = (1_000, 10_000, 100_000)  # with FAN_IN synapses each
FAN_IN = 10
FEW = 8  # examples per step in the large sparse networks


def convolution(rounds: int) -> Iterator[Row]:
    """A training step of the same convolutional network, compiled and handwritten."""
    draw = np.random.default_rng(0)
    xs = jnp.asarray(draw.standard_normal((STEPS, BATCH, 28, 28, 1), np.float32))
    ys = jax.nn.one_hot(draw.integers(0, 10, (STEPS, BATCH)), 10)
    timings = alternate(
        {
            "hand": Loop(
                lambda p: handwritten.train(p, xs, ys, predict=handwritten.convolutions),
                handwritten.init_convolutions(jax.random.key(0)),
            ),
            "backprop": specs.trained(specs.CONVOLUTIONS, xs, ys),
        },
        rounds=rounds,
        sample_seconds=0.1,
    )
    for name in timings.samples:
        yield row("convolutions", f"{name}, time of a step", timings.time(name).scaled(1000 / STEPS), "ms")
    yield row("convolutions", "backprop / hand", timings.ratio("backprop", "hand"), "x", bound=CONV_TO_HAND)


def sparse(rounds: int) -> Iterator[Row]:
    for density in DENSITIES:
        yield from _density(density, rounds)
    for n in NEURONS:
        xs, ys = _data(n, FEW)
        step = {"step": specs.trained(specs.sparse(f"sparse(fan_in = {FAN_IN})"), xs, ys, n=n)}
        time = alternate(step, rounds=rounds, sample_seconds=0.05).time("step")
        name = f"{n:,} neurons with {FAN_IN} synapses each, batch {FEW}, time of a step"
        yield row("sparse", name, time.scaled(1000 / STEPS), "ms")


def _density(density: float, rounds: int) -> Iterator[Row]:
    """The sparse step over the dense one of the same size: in the form that blurc chooses, and masked."""
    xs, ys = _data(SQUARE, BATCH)
    chosen = f"sparse(p = {density})"
    candidates = {
        "dense": specs.trained(specs.sparse("dense"), xs, ys, n=SQUARE),
        "sparse": specs.trained(specs.sparse(chosen), xs, ys, n=SQUARE),
        "masked": specs.trained(specs.sparse(f"sparse(p = {density}, form = masked)"), xs, ys, n=SQUARE),
    }
    timings = alternate(candidates, rounds=rounds, sample_seconds=0.05)
    form = blurc.compile(specs.sparse(chosen), n=SQUARE).plan.projection("x->h").form
    name = f"{SQUARE} to {SQUARE}, density {density:g}"
    yield row("sparse", f"{name}: {form} / dense", timings.ratio("sparse", "dense"), "x")
    yield row("sparse", f"{name}: {form} / masked", timings.ratio("sparse", "masked"), "x")


def _data(n: int, batch: int) -> tuple[jax.Array, jax.Array]:
    draw = np.random.default_rng(0)
    xs = draw.standard_normal((STEPS, batch, n), np.float32)
    return jnp.asarray(xs), jnp.asarray(draw.standard_normal((STEPS, batch, 1), np.float32))
