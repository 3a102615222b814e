"""How to compute with the synapses of a sparse projection: as a dense matrix with zeros, by lists or by segments
(`kernels/sparse`). Arithmetic on sizes alone, so that a plan is the same wherever it is made.

The nanoseconds are of one step: a weighted sum to each side and an outer product. They were set by hand to what
`python -m blurc.bench.sparse` printed on two cores of a 2.8 GHz Xeon, squares of 256 to 4096 neurons, densities 0.001
to 0.5, batches of 32 and 128. Of its 42 rows 36 timed all three forms, and with these numbers 32 of the 36 choices are
the fastest, the worst takes 1.4 times as long. Not measured: 4096 neurons with a batch of 128 above a density of 0.01.
The machine had other work at the time, several times what it has cores for: times varied severalfold from row to row,
only the order within a row says much, and the numbers were not tried on rows they were not set to.

Lists win below a density of about 3 %, the matrix above; segments where there are few synapses, or a few neurons have
most of them, for a list is worked through entry by entry (that and ENTRY are estimates; no graph with hubs was timed).

Known inefficiency: the size of the batch is not known here. A batch of 8 would take the matrix only at several times
that density, one of 512 at a little over half of it.
"""

from __future__ import annotations

import math

from blurc import model
from blurc.model import Edges, Form, Shape, Sparse, Topology

BATCH = 64  # what is expected
MATRIX = 10.0  # ns for each pair of neurons: zeros in place, read back
DENSE = 0.05  # ns for each pair and example
PLACED = 10.0  # ns for each synapse that is put into the matrix and read back
LISTED = 6.0  # ns for each synapse and example
LISTS = 200_000.0  # ns for any lists at all
ENTRY = 400.0  # ns for each entry of the longest lists
ADDED = 8.5  # ns for each synapse and example
MOST = 2**26  # pairs of neurons that a matrix is made for: 256 MB a channel


def sparse_form(topology: Topology, pre: Shape, post: Shape) -> tuple[Form | None, str]:
    """The form of a projection between populations of these shapes, and why; None where it is not sparse."""
    if not isinstance(topology, Sparse | Edges):
        return None, ""
    if topology.form is not None:
        return topology.form, "as the spec says"
    count, longest = _measures(topology, pre, post)
    return choose(math.prod(pre), math.prod(post), count, longest)


def choose(n_pre: int, n_post: int, count: int, longest: int) -> tuple[Form, str]:
    """`longest`: the most synapses of one presynaptic and of one postsynaptic neuron, added."""
    pairs = n_pre * n_post
    costs: dict[Form, float] = {
        "gather": LISTS + LISTED * BATCH * count + ENTRY * longest,
        "segments": ADDED * BATCH * count,
    }
    if pairs <= MOST:
        costs["masked"] = (MATRIX + DENSE * BATCH) * pairs + PLACED * count
    best = min(costs, key=lambda form: costs[form])
    others = [f"{form} {_times(cost, costs[best])}" for form, cost in costs.items() if form != best]
    size = f"{count:,} synapses, {count / pairs:.2g} of all pairs"
    return best, f"{size}; by estimate {' and '.join(others)} as long"


def _times(cost: float, best: float) -> str:
    ratio = cost / max(best, 1.0)
    return f"{ratio:,.0f} times" if ratio >= 10 else f"{ratio:.2g} times"


def _measures(topology: Sparse | Edges, pre: Shape, post: Shape) -> tuple[int, int]:
    """How many synapses there are, and how long the longest lists are."""
    import numpy as np

    found = model.sites(topology, pre, post)
    return len(found.pre), sum(int(np.bincount(ends).max(initial=0)) for ends in (found.pre, found.post))
