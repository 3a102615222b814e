"""Sparse projections: synapses are `[*dims, 1, S]`, in the order of the sites.

masked.py      as a dense matrix with zeros
gather.py      for every neuron, a list of its connections
segments.py    synapse by synapse, summed at the target
trilinear.py   shared by the last two: the layout of dims, derivatives

`passes/sparse_form.py` chooses between them. The work and memory of the last two grow with the number of synapses; none
of them makes arrays of synapses x batch.
"""

from __future__ import annotations

from blurc.model import Edges, Form, Shape, Sparse
from blurc.runtime.kernels.sparse.gather import Gather
from blurc.runtime.kernels.sparse.masked import Masked
from blurc.runtime.kernels.sparse.segments import Segments

FORMS: dict[Form, type[Gather | Masked | Segments]] = {"masked": Masked, "gather": Gather, "segments": Segments}


def sparse(form: Form | None, topology: Sparse | Edges, pre: Shape, post: Shape) -> Masked | Gather | Segments:
    """The kernel of a sparse projection between populations of these shapes."""
    assert form is not None, "passes/sparse_form.py gives every sparse projection a form"
    return FORMS[form](topology, pre, post)


__all__ = ["Gather", "Masked", "Segments", "sparse"]
