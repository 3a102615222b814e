"""The cost of meta-learning: a generation of genomes against the einsum formulation, the memory of a long gradient,
and meta-steps per second.

A generation is that of section 4.4 of the paper: each genome trains a fresh network of 196-512-10 on 15 batches and is
scored by its accuracy on 2,560 other examples. Both sides run everything in one program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import blurc
from blurc.bench import einsum, specs
from blurc.bench.rows import Row, exact, row
from blurc.bench.timing import Spread, alternate, compiled_bytes
from blurc.meta import Augment, Cma, Experiment, Gradient, Inner, Network, TaskChoice, internals
from blurc.runtime import map_tree
from blurc.tasks import OBJECTIVES, Episode

BATCH = 128
EVOLVED, POPULATION, CHANNELS = (196, 512, 10), 80, 2
BATCHES, QUESTIONS = 15, 20 * BATCH
LONG, UNROLL = (784, 256, 128, 10), 200
REDUCED = (100, 64, 32, 10)
FEW, MANY_STEPS = (64, 64, 10), 1000
UNROLLED, META_STEPS = 10, 10  # meta-steps per sample

EINSUM_TO_BLUR = 3.0
GRADIENT_MIB = 2 * 1024

Generation = partial[Any]


def rows(rounds: int) -> Iterator[Row]:
    yield from generation(rounds)
    yield from memory()
    yield from modes(rounds)
    yield from speed(rounds)


def generation(rounds: int, sizes: Sequence[int] = EVOLVED, population: int = POPULATION) -> Iterator[Row]:
    timings = alternate(generations(sizes, population), rounds=rounds, sample_seconds=0.0, warmup=1)
    group = f"generation of {population}, {'-'.join(map(str, sizes))}"
    for name in timings.samples:
        yield row(group, f"{name}, time of a generation", timings.time(name), "s")

    def fastest(program: str) -> str:
        names = [name for name in timings.samples if name.startswith(program)]
        return min(names, key=lambda name: timings.time(name).median)

    ratio = timings.ratio(fastest("einsum"), fastest("blur"))
    yield row(group, "einsum / blur, the fastest of each", ratio, "x", bound=EINSUM_TO_BLUR, sense=">=")


def generations(
    sizes: Sequence[int], population: int, blur: Sequence[int] = (1, 4, 8, 0), by_hand: Sequence[int] = (1, 4, 0),
    batches: int = BATCHES, questions: int = QUESTIONS,
) -> dict[str, Generation]:  # fmt: skip
    """The same generation, run with different numbers of genomes side by side (0: all)."""
    net = blurc.compile(specs.blur(sizes, CHANNELS))
    genomes = jax.vmap(net.init_genome)(jax.random.split(jax.random.key(0), population))
    episodes = map_tree(lambda x: x[None], episode(sizes, batches, questions))
    keys = jax.random.split(jax.random.key(1), 1)
    drawn = internals.Drawn(keys, episodes, jnp.zeros(1, int))
    found: dict[str, Generation] = {}
    for chunk in _chunks(blur, population):
        found[f"blur, chunk {chunk}"] = partial(judge(net, "accuracy", chunk).values, genomes, drawn)
    for chunk in _chunks(by_hand, population):
        found[f"einsum, chunk {chunk}"] = partial(by_einsum(sizes, chunk), genomes, keys[0], episodes)
    return found


def _chunks(sizes: Sequence[int], population: int) -> list[int]:
    return sorted({min(size or population, population) for size in sizes})


def by_einsum(sizes: Sequence[int], chunk: int) -> Callable[..., jax.Array]:
    """`Judge.values` with `einsum.py`: (genomes, key, episodes) -> accuracies."""

    def one(key: jax.Array, episode: Episode, genome: Any) -> jax.Array:
        synapses, _ = einsum.train(genome, einsum.init(key, sizes, CHANNELS), episode.xs, episode.ys)
        # Batch by batch: larger batches than in training fall out of the cache.
        batches = episode.x.reshape(-1, min(BATCH, len(episode.x)), sizes[0])
        outputs = jax.vmap(partial(einsum.predict, genome, synapses))(batches)
        return jnp.asarray(OBJECTIVES["accuracy"].score(outputs.reshape(episode.y.shape), episode.y))

    def run(genomes: Any, key: jax.Array, episodes: Episode) -> jax.Array:
        episode = map_tree(lambda x: x[0], episodes)
        size = None if chunk == 1 else chunk
        return jax.lax.map(partial(one, key, episode), genomes, batch_size=size)

    return jax.jit(run)


def judge(net: Any, objective: str, chunk: int = 0) -> internals.Judge:
    return internals.Judge(net, OBJECTIVES[objective], Inner(), chunk)


def episode(sizes: Sequence[int], steps: int, query: int, batch: int = BATCH) -> Episode:
    draw = np.random.default_rng(0)

    def examples(*shape: int) -> tuple[jax.Array, jax.Array]:
        labels = draw.integers(0, sizes[-1], shape)
        x = draw.standard_normal((*shape, sizes[0]), np.float32)
        return jnp.asarray(x), jax.nn.one_hot(labels, sizes[-1])

    return Episode(*examples(steps, batch), *examples(query))


def memory(sizes: Sequence[int] = LONG, steps: int = UNROLL) -> Iterator[Row]:
    """XLA's memory plan for the gradient of one genome, including its data."""
    size = gradient_bytes(sizes, steps) / 2**20
    name = f"gradient through {steps} steps, blur k={CHANNELS}, XLA program"
    yield exact(f"memory, {'-'.join(map(str, sizes))}", name, size, "MiB", bound=GRADIENT_MIB)


def gradient_bytes(sizes: Sequence[int], steps: int) -> int:
    program = gradient(sizes, steps)
    return compiled_bytes(program.func, *program.args)


def gradient(sizes: Sequence[int], steps: int) -> partial[Any]:
    """The gradient of one genome through so many steps."""
    net = blurc.compile(specs.blur(sizes, CHANNELS))
    episodes = map_tree(lambda x: x[None], episode(sizes, steps, BATCH))
    genomes = map_tree(lambda x: x[None], net.init_genome(jax.random.key(0)))
    keys = jax.random.split(jax.random.key(1), 1)
    drawn = internals.Drawn(keys, episodes, jnp.zeros(1, int))
    return partial(judge(net, "cross_entropy").gradients, genomes, drawn)


def beside(sizes: Sequence[int], population: int, batches: int = BATCHES, questions: int = QUESTIONS) -> int:
    """How many genomes of a generation a search computes side by side on this device."""
    inner = Inner(batches, BATCH, questions)
    tasks = (TaskChoice("digits", augment=Augment(project=sizes[0])),)
    e = Experiment("bench", Network(specs.blur(sizes, CHANNELS)), tasks, inner, Cma(population=population))
    return internals.setup(e).width


def modes(rounds: int, sizes: Sequence[int] = FEW, steps: int = MANY_STEPS) -> Iterator[Row]:
    """The gradient of five meta-parameters through a long episode, in forward and in reverse mode."""
    net = blurc.compile(specs.five(sizes))
    episodes = map_tree(lambda x: x[None], episode(sizes, steps, BATCH, batch=32))
    genomes = map_tree(lambda x: x[None], net.init_genome(jax.random.key(0)))
    drawn = internals.Drawn(jax.random.split(jax.random.key(1), 1), episodes, jnp.zeros(1, int))
    group = f"gradient of 5 meta-parameters through {steps:,} steps, {'-'.join(map(str, sizes))}"
    ways: dict[str, Any] = {
        mode: partial(replace(judge(net, "cross_entropy"), mode=mode).gradients, genomes, drawn)
        for mode in ("forward", "reverse")
    }
    for mode, way in ways.items():
        size = compiled_bytes(way.func, *way.args) / 2**20
        yield exact(group, f"{mode} mode, XLA program with its data", size, "MiB")
    timings = alternate(ways, rounds=rounds, sample_seconds=0.0, warmup=1)
    yield row(group, "reverse / forward, time", timings.ratio("reverse", "forward"), "x")


def speed(rounds: int) -> Iterator[Row]:
    """Whole meta-steps of a run with one genome: sampling an episode, the gradient, Adam, recording."""
    timings = alternate({"meta": MetaSteps(REDUCED)}, rounds=rounds, sample_seconds=0.0)
    rates = Spread.of([META_STEPS / seconds for seconds in timings.samples["meta"]])
    yield row(
        f"meta-training, {'-'.join(map(str, REDUCED))}",
        f"{UNROLLED} unrolled steps, meta-steps per second",
        rates,
        "1/s",
    )


class MetaSteps:
    """Runs some more meta-steps with each call, on digits projected to the number of inputs."""

    def __init__(self, sizes: Sequence[int]) -> None:
        network = Network(specs.blur(sizes, CHANNELS))
        task = TaskChoice("digits", augment=Augment(project=sizes[0]))
        experiment = Experiment("bench", network, (task,), Inner(UNROLLED, BATCH, BATCH), Gradient())
        self.setup = internals.setup(experiment)
        self.carry = internals.start(self.setup)
        self.step = 0

    def __call__(self) -> Any:
        for _ in range(META_STEPS):
            self.carry, *_ = internals.meta_step(self.setup, self.carry, self.step)
            self.step += 1
        return self.carry.method
