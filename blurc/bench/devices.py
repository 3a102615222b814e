"""How fast a device can be at best, for a lower bound on the time of a step: its arithmetic, and its memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from blurc.plan import Cost


@dataclass(frozen=True)
class Device:
    """A machine as a roofline sees it (Williams, Waterman and Patterson, CACM 2009).

    Attributes:
        name: for tables.
        flops: additions and multiplications in a second, of products in the precision that JAX uses by default.
        bandwidth: bytes in a second, to and from its memory.
        memory: bytes; None: not known.
        source: where these come from.
        link: bytes in a second that it can send to others of its kind beside it; None: not known.
    """

    name: str
    flops: float
    bandwidth: float
    memory: float | None
    source: str
    link: float | None = None

    def seconds(self, cost: Cost) -> float:
        """The least that a step takes: products and memory at full speed, and at the same time."""
        return max(cost.flops / self.flops, cost.moved / self.bandwidth)

    def is_bound_by(self, cost: Cost) -> str:
        return "arithmetic" if cost.flops / self.flops > cost.moved / self.bandwidth else "memory"


# From the data sheets of NVIDIA (SXM, dense TF32, NVLink) and Google (bfloat16 with float32 sums, JAX's default there;
# links to other chips of a pod).
DEVICES: Mapping[str, Device] = {
    "h100": Device("H100", 494.7e12, 3.35e12, 80e9, "data sheet, TF32", 450e9),
    "h200": Device("H200", 494.7e12, 4.8e12, 141e9, "data sheet, TF32", 450e9),
    "tpu-v5e": Device("TPU v5e", 197e12, 0.819e12, 16e9, "data sheet, bfloat16", 200e9),
}
SIZE = 1024  # of the matrices that are multiplied
COPIED = 2**24  # numbers that are copied: more than caches hold
ROUNDS = 5


def this_cpu(memory: float | None) -> Device:
    """This machine, measured: the best of a few products of matrices and copies of an array. Takes a quarter second."""
    a = np.ones((SIZE, SIZE), np.float32)
    source = np.ones(COPIED, np.float32)
    target = np.empty_like(source)
    flops = 2 * SIZE**3 / _best(lambda: a @ a)
    bandwidth = 2 * source.nbytes / _best(lambda: np.copyto(target, source))
    return Device("this CPU", flops, bandwidth, memory, "measured now")


def _best(run: Callable[[], object]) -> float:
    seconds = list[float]()
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
