"""The cost of other topologies than dense, of inputs by ids, and of channels per example.

Convolutions against handwritten ones, sparse projections against dense ones of the same size, the step time of sparse
networks by number of synapses, that of a recommender by number of users and items, and that of e-prop by batch.
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
IDS = (1_000, 100_000)  # users, and as many items
MANY_TO_FEW_IDS = 2.0
ID_STEPS = 100  # per timed training scan
SPIKING = {"inputs": 100, "hidden": 200}
BATCHES = (1, 8, 64)


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
        yield large(n, rounds)


def large(n: int, rounds: int) -> Row:
    """A step of `n` neurons with few synapses each."""
    xs, ys = _data(n, FEW)
    step = {"step": specs.trained(specs.sparse(f"sparse(fan_in = {FAN_IN})"), xs, ys, n=n)}
    time = alternate(step, rounds=rounds, sample_seconds=0.05).time("step")
    name = f"{n:,} neurons with {FAN_IN} synapses each, batch {FEW}, time of a step"
    return row("sparse", name, time.scaled(1000 / STEPS), "ms")


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


def ids(rounds: int) -> Iterator[Row]:
    """A training step of the library's recommender, which costs by the rows it sees."""
    candidates = {str(n): specs.trained("networks/ratings.blur", *_ratings(n), users=n, items=n) for n in IDS}
    timings = alternate(candidates, rounds=rounds, sample_seconds=0.1)
    for n in IDS:
        name = f"{n:,} users and items, embeddings of 8, batch {BATCH}, time of a step"
        yield row("ids", name, timings.time(str(n)).scaled(1000 / ID_STEPS), "ms")
    few, many = map(str, IDS)
    yield row("ids", f"{IDS[1]:,} / {IDS[0]:,} ids", timings.ratio(many, few), "x", bound=MANY_TO_FEW_IDS)


def per_example(rounds: int) -> Iterator[Row]:
    """A training step of e-prop, which keeps a trace for every synapse and example."""
    draw = np.random.default_rng(0)
    candidates: dict[str, Loop] = {}
    for batch in BATCHES:
        spikes = jnp.asarray(draw.random((STEPS, batch, SPIKING["inputs"])) < 0.1, jnp.float32)
        targets = jnp.asarray(draw.standard_normal((STEPS, batch, 1), np.float32))
        candidates[str(batch)] = specs.trained("networks/spiking.blur", spikes, targets, **SPIKING)
    timings = alternate(candidates, rounds=rounds, sample_seconds=0.05)
    for batch in BATCHES:
        name = f"e-prop 100-200-1, recurrent, batch {batch}, time of a step"
        yield row("per example", name, timings.time(str(batch)).scaled(1000 / STEPS), "ms")


def _ratings(n: int) -> tuple[dict[str, jax.Array], jax.Array]:
    draw = np.random.default_rng(0)
    xs = {name: jnp.asarray(draw.integers(0, n, (ID_STEPS, BATCH))) for name in ("user", "item")}
    return xs, jnp.asarray(draw.standard_normal((ID_STEPS, BATCH, 1), np.float32))


def _data(n: int, batch: int) -> tuple[jax.Array, jax.Array]:
    draw = np.random.default_rng(0)
    xs = draw.standard_normal((STEPS, batch, n), np.float32)
    return jnp.asarray(xs), jnp.asarray(draw.standard_normal((STEPS, batch, 1), np.float32))
