"""`python docs/sparse_forms.py [SIZES]`: the cost of each form of sparse product, and which one blurc chooses.

A step is one weighted sum to each side and one outer product, each reading the one before, between two populations of n
neurons. It prints milliseconds, medians over rounds in which the forms take turns.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jax

from blurc.bench.timing import alternate
from blurc.model import Form, Sparse
from blurc.plan import sparse_form
from blurc.runtime import FORMS, sparse

SIZES = (256, 1024, 4096)
DENSITIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5)
BATCHES = (32, 128)
MOST = 2**26  # larger products are not timed


@dataclass(frozen=True)
class Row:
    n: int
    density: float
    batch: int
    chosen: Form
    milliseconds: Mapping[Form, float]

    @property
    def loss(self) -> float:
        """How much longer the chosen form takes than the fastest."""
        return self.milliseconds[self.chosen] / min(self.milliseconds.values())

    def __str__(self) -> str:
        times = (f"{self.milliseconds[f]:9.3f}" if f in self.milliseconds else f"{'-':>9}" for f in FORMS)
        return f"{self.n:6} {self.density:8} {self.batch:6} {' '.join(times)}  {self.chosen:9}{self.loss:6.2f}"


def measure(n: int, density: float, batch: int, rounds: int = 7) -> Row:
    topology, shape = Sparse(p=density, fan_in=None), (n,)
    chosen, _ = sparse_form(topology, shape, shape)
    assert chosen is not None
    heavy = density * n * n * batch > MOST
    forms: list[Form] = [form for form in FORMS if not heavy or form in (chosen, "masked")]
    steps = {form: _step(form, topology, shape, batch) for form in forms}
    timings = alternate(steps, rounds=rounds, sample_seconds=0.005)
    return Row(n, density, batch, chosen, {form: 1e3 * timings.time(form).median for form in forms})


def _step(form: Form, topology: Sparse, shape: tuple[int], batch: int) -> Callable[[], Any]:
    kernel = sparse(form, topology, shape, shape)
    keys = jax.random.split(jax.random.key(0))
    synapse = jax.random.normal(keys[0], (1, kernel.count))
    neuron = jax.random.normal(keys[1], (batch, *shape))

    @jax.jit
    def step(synapse: jax.Array, pre: jax.Array) -> jax.Array:
        post = kernel.to_post(synapse, pre, False)
        back = kernel.to_pre(synapse, post, False)
        return synapse + kernel.outer(back, post)

    return lambda: step(synapse, neuron)


def rows(sizes: tuple[int, ...] = SIZES) -> Iterator[Row]:
    for n, batch, density in itertools.product(sizes, BATCHES, DENSITIES):
        yield measure(n, density, batch)


def main() -> None:
    print(f"{'n':>6} {'density':>8} {'batch':>6} {' '.join(f'{form:>9}' for form in FORMS)}  chosen, over the fastest")
    for row in rows(tuple(map(int, sys.argv[1:])) or SIZES):
        print(row, flush=True)


if __name__ == "__main__":
    main()
