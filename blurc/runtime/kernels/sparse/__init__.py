"""Sparse projections: the synapses are `[*dims, 1, S]`, in the order of the sites.

masked.py      as a dense matrix with zeros
gather.py      for every neuron, the list of those it is connected to
segments.py    synapse by synapse, added up where they end
trilinear.py   what the last two share: the layout of dims, derivatives

Which of them a projection takes is for `passes/sparse_form.py` to say. The work and the memory of the last two grow
with the number of synapses; none of them makes arrays of synapses x batch.
"""

from __future__ import annotations

from blurc.model import Edges, Form, Shape, Sparse
from blurc.runtime.kernels.sparse.gather import Gather
from blurc.runtime.kernels.sparse.masked import Masked
from blurc.runtime.kernels.sparse.segments import Segments

FORMS: dict[Form, type[Gather | Masked | Segments]] = {
    "masked": Masked,
    "gather": Gather,
    "segments": Segments,
}


def sparse(
    form: Form | None, topology: Sparse | Edges, pre: Shape, post: Shape
) -> Masked | Gather | Segments:
    """The kernel of a sparse projection between populations of these shapes."""
    assert form is not None, "passes/sparse_form.py gives every sparse projection its form"
    return FORMS[form](topology, pre, post)


__all__ = ["Gather", "Masked", "Segments", "sparse"]
