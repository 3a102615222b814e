"""The sites of sliding windows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blurc.model.topology.topology import Listed, Shape
from blurc.model.topology.windows import Windows


def window_sites(topology: Windows, pre_shape: Shape, post_shape: Shape) -> Listed:
    """Every value at a source place, paired with every value at each target place whose window contains it."""
    c_in, c_out = topology.channels(pre_shape), topology.channels(post_shape)
    into, out = np.arange(c_in)[:, None], np.arange(c_out)
    found: list[list[NDArray[np.int64]]] = []
    for i, offset in enumerate(np.ndindex(*topology.window)):
        source, target = _places(topology, offset, topology.places(pre_shape), topology.places(post_shape))
        pre = source[:, None, None] * c_in + into
        post = target[:, None, None] * c_out + out
        synapse = (i * c_in + into) * c_out + out
        found.append([a.ravel() for a in np.broadcast_arrays(pre, post, synapse)])
    pre, post, synapse = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    return pre, post, synapse


def _places(
    topology: Windows, offset: Shape, source: Shape, target: Shape
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For one offset in the window: the source places it covers, and the target places those belong to. Along an axis,
    the window of target place o starts at source place o * stride - padding."""
    along = zip(offset, topology.stride, topology.pads(source), source, target, strict=True)
    axes = [(np.arange(m) * s - before + k, n) for k, s, (before, _), n, m in along]
    inside = [np.flatnonzero((at >= 0) & (at < n)) for at, n in axes]
    places = [at[chosen] for (at, _), chosen in zip(axes, inside, strict=True)]
    return _flat(places, source), _flat(inside, target)


def _flat(axes: list[NDArray[np.int64]], shape: Shape) -> NDArray[np.int64]:
    """All combinations of places along the axes, in row-major order."""
    return np.ravel_multi_index(np.meshgrid(*axes, indexing="ij"), shape).ravel()
