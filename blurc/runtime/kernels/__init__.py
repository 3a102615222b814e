"""Kernels: the operations that cost time. One topology per file; `elementwise.py` has the functions of the language.

A topology defines these operations on its synapse arrays, here `[*dims, A, B]` (`Projection.axes`):

    to_post    the weighted sum to the postsynaptic side; if a factor is missing, the total of the other
    to_pre     the weighted sum to the presynaptic side, its transpose; likewise
    outer      the pre-by-post outer product, summed over the batch and over the places of a shared synapse
    at_pre, at_post    a neuron's value as seen by its synapses

A rule with channels `per example` also has values of every example and site; `sites.py` has those of all topologies.
Dense projections, whose synapses have an order, also have running totals (`until`, `outer_until`), and rows that
inputs by ids gather and add to (`ids.py`).
"""

from blurc.runtime.kernels.choose import Kernel, kernel
from blurc.runtime.kernels.sites import at_sites

__all__ = ["Kernel", "at_sites", "kernel"]
