"""The table of `blurc bench --device gpu`: ratios to programs by hand, and to the CPU of the same machine.

It is meant to take less than eight minutes: most of that is compiling, which has rows of its own, and no part begins
after `LIMIT`. Data are drawn on the device, and every call waits for its results. Products are in TF32, as JAX
multiplies on GPUs unless told otherwise, and then in float32.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import jax

from blurc.bench import graphs, meta
from blurc.bench.processes import in_process
from blurc.bench.rows import Report, Row, exact, row
from blurc.bench.step_times import BACKPROP_TO_HAND, BLUR_TO_PRODUCTS, candidates, name
from blurc.bench.timing import Timings, alternate
from blurc.diagnostics import BlurError, Diagnostic
from blurc.guards import count_cores

LIMIT = 360.0  # seconds after which no part begins
GPU_TO_CPU = 100.0  # candidates a second, in the largest population
PRECISIONS = {"TF32": "tensorfloat32", "float32": "float32"}

Part = tuple[str, Callable[[], Iterator[Row]]]
Keep = Callable[[list[Row], dict[str, str]], None]  # the rows so far, and the parts without them


@dataclass(frozen=True)
class Trained:
    """steps: in one call. einsum: whether also by `einsum.py`, whose matrices are of the size of the inputs squared."""

    sizes: tuple[int, ...]
    batch: int
    steps: int
    channels: tuple[int, ...] = (2, 4)
    einsum: bool = True
    bound: float | None = None  # of `blur` over its products

    @property
    def title(self) -> str:
        return f"{name(self.sizes)}, batch {self.batch:,}"


@dataclass(frozen=True)
class Table:
    """What is measured.

    Attributes:
        trained: networks that are trained.
        precisions: of their products; the einsum formulation is measured in the first only.
        evolved: the network of a generation of genomes.
        populations: sizes of a generation, smallest first; the smallest is also measured on the CPU.
        batches, questions: of an episode of the generation.
        unrolled: the network and the steps of a gradient.
        neurons: of a sparse network.
    """

    trained: tuple[Trained, ...] = (
        Trained((784, 512, 10), 128, 100),
        Trained((784, 512, 10), 8192, 20, bound=BLUR_TO_PRODUCTS),
        Trained((8192, 8192, 10), 1024, 4, einsum=False),
    )
    precisions: tuple[str, ...] = tuple(PRECISIONS)
    evolved: tuple[int, ...] = meta.EVOLVED
    populations: tuple[int, ...] = (80, 4096)
    batches: int = meta.BATCHES
    questions: int = meta.QUESTIONS
    unrolled: tuple[tuple[int, ...], int] = (meta.LONG, meta.UNROLL)
    neurons: int = 100_000


FULL = Table()


def check() -> None:
    """Raises `BlurError` (E927) if JAX has no GPU."""
    if jax.default_backend() != "gpu":
        message = f"JAX has no GPU here, only: {jax.default_backend()}"
        help = "on a machine with one, install JAX for it: `pip install 'jax[cuda13]'`, and leave JAX_PLATFORMS unset"
        raise BlurError(Diagnostic("E927", message, help=help))


def run(
    quick: bool, report: Report, keep: Keep, table: Table = FULL, limit: float = LIMIT
) -> tuple[list[Row], dict[str, str]]:
    """The rows, and why parts were left out. The most important parts come first, and `keep` is called after each."""
    rows: list[Row] = []
    parts = list(_parts(table, 3 if quick else 9))
    left = {what: "not reached" for what, _ in parts}
    began = time.monotonic()
    for what, part in parts:
        if time.monotonic() - began >= limit:
            left[what] = f"{limit:g} seconds had passed"
            continue
        report(what)
        try:
            rows += part()
            del left[what]
        except Exception as error:  # one part may lack memory or fail otherwise: time on a GPU is short, so go on
            left[what] = _why(error)
        keep(rows, left)
        gc.collect()  # programs and what they hold refer to each other
    rows.append(exact("all parts", "time, with compiling", time.monotonic() - began, "s"))
    return rows, left


def _why(error: Exception) -> str:
    first, *_ = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {first}"


def _parts(table: Table, rounds: int) -> Iterator[Part]:
    first, *others = table.precisions
    for one in table.trained:
        yield f"training {one.title}, {first}", partial(_training, one, first, rounds)
    yield "generations of genomes", partial(_generations, table, rounds)
    yield "a gradient through many steps", partial(_gradient, *table.unrolled, rounds)
    yield "a sparse network", partial(_sparse, table.neurons, rounds)
    yield "convolutions", partial(graphs.convolution, rounds)
    for precision in others:
        for one in table.trained:
            yield (
                f"training {one.title}, {precision}",
                partial(_training, replace(one, einsum=False), precision, rounds),
            )


def _training(of: Trained, precision: str, rounds: int) -> Iterator[Row]:
    with jax.default_matmul_precision(PRECISIONS[precision]):
        programs = candidates(of.sizes, *_data(of), of.channels, of.einsum)
        timings = alternate(programs, rounds=rounds, sample_seconds=0.05)
    group = f"{of.title}, {precision}"
    for program in programs:
        yield row(group, f"{program}, time of a step", timings.time(program).scaled(1000 / of.steps), "ms")
    yield row(group, "backprop / hand", timings.ratio("backprop", "hand"), "x", bound=BACKPROP_TO_HAND)
    for k in of.channels:
        blur, bare = f"blur k={k}", f"products k={k}"
        yield row(group, f"{blur} / {bare}", timings.ratio(blur, bare), "x", bound=of.bound)
        if of.einsum:
            yield row(group, f"einsum k={k} / {blur}", timings.ratio(f"einsum k={k}", blur), "x")
    yield _compiling(group, timings)


def _data(of: Trained) -> tuple[jax.Array, jax.Array]:
    """Drawn on the device: a gigabyte takes seconds to draw elsewhere and to send."""
    xs = jax.random.normal(jax.random.key(0), (of.steps, of.batch, of.sizes[0]))
    labels = jax.random.randint(jax.random.key(1), (of.steps, of.batch), 0, of.sizes[-1])
    return xs, jax.nn.one_hot(labels, of.sizes[-1])


def _generations(table: Table, rounds: int) -> Iterator[Row]:
    group = f"generations, {name(table.evolved)}"
    cpu = in_process(on_cpu, table, rounds, cores=count_cores())
    yield exact(group, "CPU, one at a time on each core", cpu, "candidates/s")
    for population in table.populations:
        smallest, largest = population == table.populations[0], population == table.populations[-1]
        chunk = meta.beside(table.evolved, population, table.batches, table.questions)
        programs = meta.generations(
            table.evolved, population, (chunk, 1) if smallest else (chunk,), (0,) if smallest else (),
            table.batches, table.questions,
        )  # fmt: skip
        timings = alternate(programs, rounds=rounds, sample_seconds=0.0, warmup=1)
        for program in programs:
            speed = population / timings.time(program).median
            yield exact(group, f"{population:,} genomes, {program}", speed, "candidates/s")
        ratio = population / timings.time(f"blur, chunk {chunk}").median / cpu
        bound = GPU_TO_CPU if largest else None
        yield exact(group, f"{population:,} genomes, GPU / CPU", ratio, "x", bound=bound, sense=">=")
        yield _compiling(f"{group}, {population:,} genomes", timings)


def on_cpu(table: Table, rounds: int) -> float:
    """Candidates a second of the smallest population, as a search computes them on CPUs."""
    population = table.populations[0]
    programs = meta.generations(table.evolved, population, (1,), (), table.batches, table.questions)
    timings = alternate(programs, rounds=min(rounds, 3), sample_seconds=0.0, warmup=1)
    return population / timings.time("blur, chunk 1").median


def _gradient(sizes: Sequence[int], steps: int, rounds: int) -> Iterator[Row]:
    timings = alternate({"blur": meta.gradient(sizes, steps)}, rounds=rounds, sample_seconds=0.0, warmup=1)
    group = f"gradient through {steps} steps, {name(sizes)}"
    yield row(group, f"blur k={meta.CHANNELS}, time", timings.time("blur"), "s")
    yield _compiling(group, timings)


def _sparse(neurons: int, rounds: int) -> Iterator[Row]:
    yield graphs.large(neurons, rounds)


def _compiling(what: str, timings: Timings) -> Row:
    return exact("first calls, which compile, counted nowhere else", what, sum(timings.first.values()), "s")
