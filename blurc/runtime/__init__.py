"""From a plan to programs: the first room that imports JAX.

lower.py       lowers the operations of a plan to JAX
kernels/       products with synapses, a file for each kind of topology
initial.py     draws start values
stacking.py    the arrays of equal layers as one
trees.py       pytrees of arrays, mapped with their types kept
unroll.py      a scan whose gradient keeps about sqrt(T) states
entries.py     `init`, `step`, `predict`, `train` and `trace` as traced functions
program.py     the same, with checks of the arguments
signature.py   checks the shapes that callers pass
bags.py        .. and ids
sharding.py    where the arrays of a network lie on many devices
room.py        refuses what a plan says will not fit into memory
versions.py    what exact results depend on, besides what is computed
finite.py      .. and, where asked for, that they are finite
arguments.py   checks the arrays, numbers and random keys that callers pass
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.runtime import lower, unroll
    from blurc.runtime.arguments import ArraysLike, GenomeValues, Readout, is_array
    from blurc.runtime.entries import Entries, Fed, State
    from blurc.runtime.initial import draw
    from blurc.runtime.kernels import kernel
    from blurc.runtime.kernels.dense import DenseKernel
    from blurc.runtime.kernels.sparse import FORMS, sparse
    from blurc.runtime.lower import Inputs, dtype, fold
    from blurc.runtime.program import Calls, Compiled, Program, jitted
    from blurc.runtime.room import check_plan, largest_batch
    from blurc.runtime.sharding import Sharding
    from blurc.runtime.signature import Signature
    from blurc.runtime.trees import map_pair, map_tree, stack_trees
    from blurc.runtime.versions import versions

__all__ = [
    "FORMS",
    "ArraysLike",
    "Calls",
    "Compiled",
    "DenseKernel",
    "Entries",
    "Fed",
    "GenomeValues",
    "Inputs",
    "Program",
    "Readout",
    "Sharding",
    "Signature",
    "State",
    "check_plan",
    "draw",
    "dtype",
    "fold",
    "is_array",
    "jitted",
    "kernel",
    "largest_batch",
    "lower",
    "map_pair",
    "map_tree",
    "sparse",
    "stack_trees",
    "unroll",
    "versions",
]

face(__name__)
