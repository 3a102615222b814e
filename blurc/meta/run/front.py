"""The Pareto front of a symbolic search: for every length the rule that costs least, unless a shorter one costs less.

Rules enter it by what they cost on the fixed episodes of `best.py`.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from blurc.meta.run.setup import Setup
from blurc.meta.search.methods.symbolic import Candidates, SymbolicMethod


class Front(NamedTuple):
    """found: candidates, that of n symbols at place n - 1. costs: infinite where there is none."""

    found: Candidates
    costs: NDArray[np.float64]


def empty(ready: Setup) -> Front | tuple[()]:
    """Before the first judgement; nothing for other methods."""
    method = ready.method
    if not isinstance(method, SymbolicMethod):
        return ()
    width, sites = method.choice.length, len(method.space.sites)
    shape = (width, sites, width)
    return Front(Candidates(np.full(shape, -1, np.int32), np.zeros(shape, np.float32)), np.full(width, np.inf))


def joined(ready: Setup, front: Any, candidates: Any, costs: NDArray[np.float64]) -> Any:
    """With those of the candidates that are the best of their length so far."""
    method = ready.method
    if not isinstance(method, SymbolicMethod):
        return front
    symbols, values, known = front.found.symbols.copy(), front.found.values.copy(), front.costs.copy()
    for i, length in enumerate(method.lengths(candidates)):
        if costs[i] < known[length - 1]:
            place = length - 1
            symbols[place], values[place], known[place] = candidates.symbols[i], candidates.values[i], costs[i]
    return Front(Candidates(symbols, values), known)


def members(front: Front) -> list[int]:
    """The places of those that cost less than all that are shorter."""
    found: list[int] = []
    least = math.inf
    for place, cost in enumerate(front.costs.tolist()):
        if cost < least:
            least = cost
            found.append(place)
    return found
