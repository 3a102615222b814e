"""Kernels: what operations cost on a device. One topology a file; `elementwise.py` holds the functions of the language.

A topology is four operations on its synapse arrays, here `[*dims, A, B]` (`Projection.axes`):

    to_post    the weighted sum to the postsynaptic side; its totals, where one of the two factors is missing
    to_pre     the weighted sum to the presynaptic side, its transpose; likewise
    outer      the pre-by-post outer product, summed over the batch and over the places of a shared synapse
    at_pre, at_post    a value of a neuron, as its synapses see it

Dense projections, whose synapses have an order, also have running totals (`until`, `outer_until`).
"""

from blurc.runtime.kernels.choose import Kernel, kernel

__all__ = ["Kernel", "kernel"]
