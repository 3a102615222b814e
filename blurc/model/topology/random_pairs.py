"""The pairs of a sparse projection, drawn.

The streams of RandomState are frozen for good (NEP 19), those of Generator are not: a seed means the same synapses
with every version of NumPy. Numbers are drawn in one sequence, so nothing depends on the sizes of blocks.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from blurc.model.topology.topology import Indices, Listed


@lru_cache(maxsize=64)
def random_pairs(p: float | None, fan_in: int | None, seed: int, n_pre: int, n_post: int) -> Listed:
    """Sorted by postsynaptic, then presynaptic neurons."""
    random = np.random.RandomState(seed)
    if fan_in is not None:
        pre, post = _choices(random, n_pre, fan_in, n_post).ravel(), np.repeat(np.arange(n_post), fan_in)
    else:
        assert p is not None
        pre, post = np.divmod(_chosen(random, p, n_pre * n_post), n_post)
        order = np.argsort(post, kind="stable")  # the presynaptic ones ascend already
        pre, post = pre[order], post[order]
    return pre, post, np.arange(len(pre))


def _chosen(random: np.random.RandomState, p: float, total: int) -> Indices:
    """Of the numbers below `total` each with probability p. How many are left out between two chosen ones has a
    geometric distribution, so that the work grows with what is chosen, not with the total."""
    mean = p * total
    block = int(mean + 4 * math.sqrt(mean)) + 16  # mostly enough
    with np.errstate(divide="ignore"):
        scale = np.log1p(-p)  # minus infinity where p is 1
    found: list[Indices] = []
    last = -1
    while last < total:
        gaps = np.minimum(np.floor(np.log1p(-random.random_sample(block)) / scale), total)
        found.append(last + np.cumsum(gaps.astype(np.int64) + 1))
        last = int(found[-1][-1])
    numbers = np.concatenate(found)
    return numbers[numbers < total]


def _choices(random: np.random.RandomState, n: int, k: int, rows: int) -> Indices:
    """In each row, k different numbers below n, sorted; every choice is equally likely."""
    if 2 * k > n:
        return np.sort(np.argsort(random.random_sample((rows, n)), axis=1)[:, :k], axis=1)
    drawn = np.sort(random.randint(n, size=(rows, k), dtype=np.int64), axis=1)
    while True:
        # What repeats a number of its row is drawn anew. No number is treated otherwise than another, so this
        # stays fair.
        again = np.zeros(drawn.shape, bool)
        again[:, 1:] = drawn[:, 1:] == drawn[:, :-1]
        if not again.any():
            return drawn
        drawn[again] = random.randint(n, size=int(again.sum()), dtype=np.int64)
        touched = again.any(axis=1)
        drawn[touched] = np.sort(drawn[touched], axis=1)
