"""Random numbers of NumPy, apart for every purpose.

`default_rng(seed)` and `default_rng([seed, 0])` are the same stream, so numbers in a list do not keep purposes apart.
"""

from __future__ import annotations

import zlib

import numpy as np


def generator(purpose: str, seed: int, *counts: int) -> np.random.Generator:
    """A stream of its own for each purpose, seed and counts."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(zlib.crc32(purpose.encode()), *counts)))
