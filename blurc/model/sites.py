"""Where the synapses of a projection act: a topology, on two populations, as a list of sites.

A site is a presynaptic neuron, a postsynaptic neuron and the synapse between them. Neurons are counted in row-major
order of their population, synapses in row-major order of `synapse_shape`.

topology       order of the sites
dense          presynaptic, then postsynaptic neuron
sparse, edges  postsynaptic, then presynaptic neuron; site i is synapse i
conv, pool     place in the window, place of the target, channels in, channels out
all others     postsynaptic neuron

Windows that reach over the end of the source have no sites there. Where there are no arrays of synapses (identity,
pool), every site is of synapse 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from blurc.model.topology import Conv, Dense, Edges, Identity, OneToOne, Pool, Shape, Shared, Sparse, Topology

Index = NDArray[np.int32]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sites:
    """One entry a site. The arrays are read-only, for all callers get the same."""

    pre: Index
    post: Index
    synapse: Index
    count: int  # how many synapses there are


@lru_cache(maxsize=64)
def sites(topology: Topology, pre_shape: Shape, post_shape: Shape) -> Sites:
    """All sites of a projection."""
    pre, post, synapse = _listed(topology, pre_shape, post_shape)
    count = math.prod(synapse_shape(topology, pre_shape, post_shape))
    return Sites(_frozen(pre), _frozen(post), _frozen(synapse), count)


@lru_cache(maxsize=1024)
def synapse_shape(topology: Topology, pre_shape: Shape, post_shape: Shape) -> Shape:
    """The natural shape of the synapse arrays, behind the axes of the channel."""
    n_pre, n_post = math.prod(pre_shape), math.prod(post_shape)
    match topology:
        case Dense():
            return n_pre, n_post
        case OneToOne():
            return (n_post,)
        case Identity() | Pool():
            return ()
        case Sparse(fan_in=fan_in):
            return (len(_pairs(topology, n_pre, n_post)[0]) if fan_in is None else fan_in * n_post,)
        case Edges():
            return (topology.count,)
        case Conv():
            return *topology.window, topology.channels(pre_shape), topology.channels(post_shape)
        case Shared():
            return 1, post_shape[-1]


def _frozen(numbers: Indices | Index) -> Index:
    frozen = numbers.astype(np.int32)
    frozen.setflags(write=False)
    return frozen


def _listed(topology: Topology, pre_shape: Shape, post_shape: Shape) -> tuple[Indices | Index, ...]:
    """The presynaptic neurons, postsynaptic neurons and synapses of all sites."""
    n_pre, n_post = math.prod(pre_shape), math.prod(post_shape)
    each = np.arange(n_post)
    match topology:
        case Dense():
            pre, post = np.divmod(np.arange(n_pre * n_post), n_post)
            return pre, post, np.arange(n_pre * n_post)
        case OneToOne():
            return each, each, each
        case Identity():
            return each, each, 0 * each
        case Sparse():
            pre, post = _pairs(topology, n_pre, n_post)
            return pre, post, np.arange(len(pre))
        case Edges():
            pre, post = np.frombuffer(topology.pre, "<i4"), np.frombuffer(topology.post, "<i4")
            return pre, post, np.arange(topology.count)
        case Conv():
            return _windows(topology, pre_shape, post_shape)
        case Pool():
            # "pool: windows of the source", channel by channel: only equal channels are connected.
            pre, post, synapse = _windows(topology, pre_shape, post_shape)
            c = topology.channels(pre_shape)
            same = pre % c == post % c
            return pre[same], post[same], 0 * synapse[same]
        case Shared():
            return 0 * each, each, each % post_shape[-1]
    raise AssertionError(f"{topology} is no topology")


# ---------------------------------------------------------------- windows


def _windows(topology: Conv | Pool, pre_shape: Shape, post_shape: Shape) -> tuple[Indices, Indices, Indices]:
    """Every value at a place of the source, with every value at each place of the target whose window holds it."""
    c_in, c_out = topology.channels(pre_shape), topology.channels(post_shape)
    into, out = np.arange(c_in)[:, None], np.arange(c_out)
    found: list[tuple[Indices, Indices, Indices]] = []
    for i, offset in enumerate(np.ndindex(*topology.window)):
        source, target = _places(topology, offset, topology.places(pre_shape), topology.places(post_shape))
        pre = source[:, None, None] * c_in + into
        post = target[:, None, None] * c_out + out
        synapse = (i * c_in + into) * c_out + out
        found.append(tuple(a.ravel() for a in np.broadcast_arrays(pre, post, synapse)))  # type: ignore[arg-type]
    pre, post, synapse = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    return pre, post, synapse


def _places(topology: Conv | Pool, offset: Shape, source: Shape, target: Shape) -> tuple[Indices, Indices]:
    """For one place in the window: the places of the source it is on, and those of the target that it belongs to.
    Along an axis, the window of target place o begins at source place o * stride - padding."""
    along = zip(offset, topology.stride, topology.pads(source), source, target, strict=True)
    axes = [(np.arange(m) * s - before + k, n) for k, s, (before, _), n, m in along]
    inside = [np.flatnonzero((at >= 0) & (at < n)) for at, n in axes]
    places = [at[chosen] for (at, _), chosen in zip(axes, inside, strict=True)]
    return _flat(places, source), _flat(inside, target)


def _flat(axes: list[Indices], shape: Shape) -> Indices:
    """All combinations of these places along the axes, in row-major order."""
    return np.ravel_multi_index(np.meshgrid(*axes, indexing="ij"), shape).ravel()


# ---------------------------------------------------------------- random pairs
# The streams of RandomState are frozen for good (NEP 19), those of Generator are not: a seed means the same synapses
# with every version of NumPy. Numbers are drawn in one sequence, so nothing depends on the sizes of blocks.


@lru_cache(maxsize=64)
def _pairs(topology: Sparse, n_pre: int, n_post: int) -> tuple[Indices, Indices]:
    """The presynaptic and postsynaptic neurons, sorted by postsynaptic, then presynaptic ones."""
    random = np.random.RandomState(topology.seed)
    if topology.fan_in is not None:
        chosen = _choices(random, n_pre, topology.fan_in, n_post)
        return chosen.ravel(), np.repeat(np.arange(n_post), topology.fan_in)
    assert topology.p is not None
    pre, post = np.divmod(_chosen(random, topology.p, n_pre * n_post), n_post)
    order = np.argsort(post, kind="stable")  # the presynaptic ones ascend already
    return pre[order], post[order]


def _chosen(random: np.random.RandomState, p: float, total: int) -> Indices:
    """Of the numbers below `total` each with probability p. How many are left out between two chosen ones has a
    geometric distribution, so that the work grows with what is chosen, not with the total."""
    mean = p * total
    block = int(mean + 4 * math.sqrt(mean)) + 16  # mostly enough
    with np.errstate(divide="ignore"):
        scale = np.log1p(-p)  # minus infinity where p is 1
    found: list[Indices] = []
    last = -1
    while last < total:
        gaps = np.minimum(np.floor(np.log1p(-random.random_sample(block)) / scale), total)
        found.append(last + np.cumsum(gaps.astype(np.int64) + 1))
        last = int(found[-1][-1])
    numbers = np.concatenate(found)
    return numbers[numbers < total]


def _choices(random: np.random.RandomState, n: int, k: int, rows: int) -> Indices:
    """In each row, k different numbers below n, sorted; every choice is equally likely."""
    if 2 * k > n:
        return np.sort(np.argsort(random.random_sample((rows, n)), axis=1)[:, :k], axis=1)
    drawn = np.sort(random.randint(n, size=(rows, k), dtype=np.int64), axis=1)
    while True:
        # What repeats a number of its row is drawn anew. No number is treated otherwise than another, so this
        # stays fair.
        again = np.zeros(drawn.shape, bool)
        again[:, 1:] = drawn[:, 1:] == drawn[:, :-1]
        if not again.any():
            return drawn
        drawn[again] = random.randint(n, size=int(again.sum()), dtype=np.int64)
        touched = again.any(axis=1)
        drawn[touched] = np.sort(drawn[touched], axis=1)
