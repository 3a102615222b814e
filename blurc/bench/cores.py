"""The candidates of a search on one core of a CPU, and on all of them, each core a device as in `blurc meta`.

Networks are small, as one candidate of a larger one keeps several cores busy by its products alone.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import jax

from blurc.bench import meta
from blurc.bench.rows import Row, row
from blurc.bench.timing import Timings, alternate
from blurc.guards import count_cores

SMALL, POPULATION = (64, 32, 10), 80
ALL_TO_ONE = 1.7


def rows(rounds: int) -> Iterator[Row]:
    if not hasattr(os, "sched_setaffinity") or jax.default_backend() != "cpu":
        return
    found, cores = times(rounds), count_cores()
    group = f"generation of {POPULATION}, {'-'.join(map(str, SMALL))}, chunk 1"
    for name in found.samples:
        yield row(group, f"{name}, time of a generation", found.time(name), "s")
    target: dict[str, Any] = {"bound": ALL_TO_ONE, "sense": ">="} if cores == 2 else {}
    yield row(group, f"one core / {cores} cores", found.ratio("one core", "all cores"), "x", **target)


def times(rounds: int, sizes: Sequence[int] = SMALL, population: int = POPULATION) -> Timings:
    """Each in a process of its own, which starts with its cores."""
    every = sorted(os.sched_getaffinity(0))
    context = multiprocessing.get_context("spawn")
    asked: dict[str, Any] = {}
    for name, cores in {"one core": every[:1], "all cores": every}.items():
        ours, theirs = context.Pipe()
        context.Process(target=_serve, args=(theirs, cores, sizes, population), daemon=True).start()
        theirs.close()
        asked[name] = ours
    found = alternate({name: partial(_ask, pipe) for name, pipe in asked.items()}, rounds=rounds, sample_seconds=0.5)
    for pipe in asked.values():
        pipe.close()
    return found


def _ask(pipe: Any) -> None:
    pipe.send(None)
    pipe.recv()


def _serve(pipe: Connection, cores: Sequence[int], sizes: Sequence[int], population: int) -> None:
    """Computes a generation whenever it is asked to, until nobody can ask any more."""
    os.sched_setaffinity(0, cores)
    jax.config.update("jax_num_cpu_devices", len(cores))
    run = meta.generations(sizes, population)["blur, chunk 1"]
    try:
        while True:
            pipe.recv()
            pipe.send(jax.block_until_ready(run()) is None)
    except EOFError:
        pass
