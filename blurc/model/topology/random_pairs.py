"""Draws the pairs of a sparse projection.

RandomState's streams are frozen forever (NEP 19), unlike Generator's, so a seed gives the same synapses with every
NumPy version. Numbers are drawn in one sequence, so the result does not depend on block sizes.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from blurc.model.topology.topology import Indices, Listed


@lru_cache(maxsize=64)
def random_pairs(p: float | None, fan_in: int | None, seed: int, n_pre: int, n_post: int) -> Listed:
    """Sorted by postsynaptic, then presynaptic neuron."""
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
    """Each of the numbers below `total` with probability p. The gaps between chosen numbers are drawn from a geometric
    distribution, so the cost depends on how many are chosen, not on the total."""
    mean = p * total
    block = int(mean + 4 * math.sqrt(mean)) + 16  # usually enough
    with np.errstate(divide="ignore"):
        scale = np.log1p(-p)  # minus infinity if p is 1
    found: list[Indices] = []
    last = -1
    while last < total:
        gaps = np.minimum(np.floor(np.log1p(-random.random_sample(block)) / scale), total)
        found.append(last + np.cumsum(gaps.astype(np.int64) + 1))
        last = int(found[-1][-1])
    numbers = np.concatenate(found)
    return numbers[numbers < total]


def _choices(random: np.random.RandomState, n: int, k: int, rows: int) -> Indices:
    """k distinct numbers below n in each row, sorted; every choice is equally likely."""
    if 2 * k > n:
        return np.sort(np.argsort(random.random_sample((rows, n)), axis=1)[:, :k], axis=1)
    drawn = np.sort(random.randint(n, size=(rows, k), dtype=np.int64), axis=1)
    while True:
        # Redraw duplicates within a row. All numbers are treated alike, so this stays fair.
        again = np.zeros(drawn.shape, bool)
        again[:, 1:] = drawn[:, 1:] == drawn[:, :-1]
        if not again.any():
            return drawn
        drawn[again] = random.randint(n, size=int(again.sum()), dtype=np.int64)
        touched = again.any(axis=1)
        drawn[touched] = np.sort(drawn[touched], axis=1)
