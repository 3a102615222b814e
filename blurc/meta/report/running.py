"""Means over meta-steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WINDOW = 50  # meta-steps


def running_mean(values: Sequence[float] | Floats, window: int = WINDOW) -> Floats:
    """At each meta-step, the mean of the last `window` values that are finite; NaN if none is."""
    found = np.asarray(values, float)
    sound = np.isfinite(found)
    totals, counts = (np.concatenate([[0.0], np.cumsum(x)]) for x in (np.where(sound, found, 0.0), sound))
    ends = np.arange(1, len(found) + 1)
    starts = np.maximum(ends - window, 0)
    return ratio(totals[ends] - totals[starts], counts[ends] - counts[starts])


def binned(values: Floats, size: int) -> Floats:
    """Means over bins of `size`, of the finite values."""
    padded = np.append(values, np.full(-len(values) % size, np.nan)).reshape(-1, size)
    sound = np.isfinite(padded)
    return ratio(np.where(sound, padded, 0.0).sum(axis=1), sound.sum(axis=1))


def ratio(totals: Any, counts: Any) -> Floats:
    """NaN where nothing was counted."""
    with np.errstate(invalid="ignore"):
        return totals / np.where(counts > 0, counts, np.nan)
