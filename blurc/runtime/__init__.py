"""From a plan to programs: the first room that imports JAX.

lower.py       the operations of a plan, one by one, in JAX
kernels/       products with synapses, one topology a file
initial.py     start values drawn
stacking.py    the arrays of equal layers as one
unroll.py      a scan whose gradient keeps about sqrt(T) states
entries.py     `init`, `step`, `predict`, `train` and `trace` as traced functions
program.py     the same with checks of what callers pass
signature.py   what callers pass: shapes, and diagnostics where they do not fit
arguments.py   arrays, numbers and random keys among it
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.runtime.arguments import ArraysLike, GenomeValues, Readout, is_array
    from blurc.runtime.entries import Entries, Fed, State
    from blurc.runtime.kernels.dense import Dense
    from blurc.runtime.kernels.sparse import FORMS, sparse
    from blurc.runtime.lower import dtype
    from blurc.runtime.program import Calls, Compiled, Program, jitted
    from blurc.runtime.signature import Signature

__all__ = [
    "FORMS",
    "ArraysLike",
    "Calls",
    "Compiled",
    "Dense",
    "Entries",
    "Fed",
    "GenomeValues",
    "Program",
    "Readout",
    "Signature",
    "State",
    "dtype",
    "is_array",
    "jitted",
    "sparse",
]

face(__name__)
