"""Chooses how a sparse projection is computed: as a dense matrix with zeros, by lists or by segments
(`kernels/sparse`). It only uses sizes, so that a plan does not depend on the machine.

The costs are nanoseconds for one step: a weighted sum to each side and an outer product. They were fitted by hand to
the output of `docs/sparse_forms.py` on two cores of a 2.8 GHz Xeon: squares of 256 to 4096 neurons, densities
0.001 to 0.5, batches of 32 and 128. Of the 42 rows 36 timed all three forms; these numbers choose the fastest in 32 of
them, and the worst choice takes 1.4 times as long. Not measured: 4096 neurons with a batch of 128 above a density of
0.01. The machine was overloaded severalfold at the time: times varied severalfold between rows, only the order within a
row is reliable, and the numbers were not tested on other rows.

Lists win below a density of about 3 %, the matrix above; segments if there are few synapses, or if a few neurons have
most of them, as lists are processed entry by entry (that and ENTRY are estimates; no graph with hubs was timed).

Known inefficiency: the batch size is not known here. A batch of 8 would need several times that density to favour the
matrix, one of 512 a little over half of it.
"""

from __future__ import annotations

import math

from blurc import model
from blurc.diagnostics import counted
from blurc.model import Edges, Form, Shape, Sparse, Topology

BATCH = 64  # the expected size
MATRIX = 10.0  # ns per pair of neurons: writing zeros, reading back
DENSE = 0.05  # ns per pair and example
PLACED = 10.0  # ns per synapse: into the matrix and back
LISTED = 6.0  # ns per synapse and example
LISTS = 200_000.0  # ns for having lists at all
ENTRY = 400.0  # ns per entry of the longest lists
ADDED = 8.5  # ns per synapse and example
MOST = 2**26  # largest matrix, in pairs of neurons: 256 MB per channel


def sparse_form(topology: Topology, pre: Shape, post: Shape) -> tuple[Form | None, str]:
    """The form of a projection between populations of these shapes, and why; None if it is not sparse."""
    if not isinstance(topology, Sparse | Edges):
        return None, ""
    if topology.form is not None:
        return topology.form, "as the spec says"
    count, longest = _measures(topology, pre, post)
    return choose(math.prod(pre), math.prod(post), count, longest)


def choose(n_pre: int, n_post: int, count: int, longest: int) -> tuple[Form, str]:
    """`longest`: the most synapses of one presynaptic plus the most of one postsynaptic neuron."""
    pairs = n_pre * n_post
    costs: dict[Form, float] = {
        "gather": LISTS + LISTED * BATCH * count + ENTRY * longest,
        "segments": ADDED * BATCH * count,
    }
    if pairs <= MOST:
        costs["masked"] = (MATRIX + DENSE * BATCH) * pairs + PLACED * count
    best = min(costs, key=lambda form: costs[form])
    others = [f"{form} {_times(cost, costs[best])}" for form, cost in costs.items() if form != best]
    size = f"{counted(count, 'synapse')}, {count / pairs:.2g} of all pairs"
    return best, f"{size}; estimated {' and '.join(others)} as long"


def _times(cost: float, best: float) -> str:
    ratio = cost / max(best, 1.0)
    return f"{ratio:,.0f} times" if ratio >= 10 else f"{ratio:.2g} times"


def _measures(topology: Sparse | Edges, pre: Shape, post: Shape) -> tuple[int, int]:
    """The number of synapses, and the length of the longest lists."""
    import numpy as np

    found = model.sites(topology, pre, post)
    return len(found.pre), sum(int(np.bincount(ends).max(initial=0)) for ends in (found.pre, found.post))
