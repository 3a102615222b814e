"""Times several callables alternately in one run, so that disturbances affect them all.

Quote ratios before times: on a shared or throttled machine times may drift by half while the ratio of neighbouring
samples holds. A sample is the mean over a few consecutive calls; medians and quartiles are over samples.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax


@dataclass(frozen=True)
class Spread:
    """A median with its quartiles."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Spread:
        if len(samples) == 1:
            return cls(samples[0], samples[0], samples[0])
        low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
        return cls(median, low, high)

    def scaled(self, factor: float) -> Spread:
        return Spread(self.median * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True)
class Timings:
    """Seconds per call of each candidate: one sample per round, in the order they were taken.

    first: how long the first call of each took, which compiles and is not a sample.
    """

    samples: Mapping[str, tuple[float, ...]]
    first: Mapping[str, float] = field(default_factory=dict[str, float])

    def time(self, name: str) -> Spread:
        return Spread.of(self.samples[name])

    def ratio(self, name: str, base: str) -> Spread:
        """`name` over `base`, round by round: samples of a round are close in time, so drift cancels."""
        pairs = zip(self.samples[name], self.samples[base], strict=True)
        return Spread.of([a / b for a, b in pairs])


class Loop:
    """Calls `train(state)` repeatedly on its own result, so that a program may donate its state."""

    def __init__(self, train: Callable[[Any], tuple[Any, Any]], state: Any):
        self.train = train
        self.state = state

    def __call__(self) -> Any:
        self.state, out = self.train(self.state)
        return self.state, out


def alternate(
    candidates: Mapping[str, Callable[[], Any]], *, rounds: int = 30, sample_seconds: float = 0.02, warmup: int = 2
) -> Timings:
    """Times every candidate once per round, each round in another order.

    A sample repeats its candidate for about `sample_seconds`, so that short calls do not mostly measure the clock. It
    waits for the results of each call.
    """
    first = {name: _sample(run, 1) for name, run in candidates.items()}
    calls = {name: _calls(run, sample_seconds, warmup) for name, run in candidates.items()}
    samples: dict[str, list[float]] = {name: [] for name in candidates}
    orders = random.Random(0)
    for _ in range(rounds):
        for name in orders.sample(list(candidates), len(candidates)):
            samples[name].append(_sample(candidates[name], calls[name]))
    return Timings({name: tuple(taken) for name, taken in samples.items()}, first)


def _calls(run: Callable[[], Any], sample_seconds: float, warmup: int) -> int:
    for _ in range(warmup - 1):
        _sample(run, 1)
    return max(1, round(sample_seconds / _sample(run, 1)))


def _sample(run: Callable[[], Any], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        jax.block_until_ready(run())
    return (time.perf_counter() - start) / calls


def compiled_bytes(function: Callable[..., Any], *args: Any) -> int:
    """Arguments, results and temporaries of the XLA program, according to XLA (`memory_analysis`)."""
    memory = jax.jit(function).lower(*args).compile().memory_analysis()
    if memory is None:
        raise NotImplementedError(f"XLA reports no memory use on {jax.default_backend()}")
    sizes = (memory.argument_size_in_bytes, memory.output_size_in_bytes, memory.temp_size_in_bytes)
    return sum(sizes) - memory.alias_size_in_bytes
