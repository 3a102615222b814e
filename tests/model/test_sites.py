"""Where synapses act: the sites of every topology, and the random choice of sparse ones."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from blurc.model.sites import sites, synapse_shape
from blurc.model.topology import Conv, Dense, Edges, Identity, OneToOne, Pool, Shared, Sparse, Topology

PAIRS = np.array([[1, 0], [3, 0], [0, 2]])  # sorted by their second column
EDGES = Edges("pairs.csv", PAIRS[:, 0].astype("<i4").tobytes(), PAIRS[:, 1].astype("<i4").tobytes())


def listed(topology: Topology, pre: tuple[int, ...], post: tuple[int, ...]) -> list[tuple[int, ...]]:
    """(presynaptic neuron, postsynaptic neuron, synapse) of every site."""
    found = sites(topology, pre, post)
    return list(zip(found.pre.tolist(), found.post.tolist(), found.synapse.tolist(), strict=True))


# ---------------------------------------------------------------- those that a line says


@pytest.mark.parametrize(
    ("topology", "pre", "post", "expected"),
    [
        (Dense(), (2,), (3,), [(0, 0, 0), (0, 1, 1), (0, 2, 2), (1, 0, 3), (1, 1, 4), (1, 2, 5)]),
        (OneToOne(), (2,), (2,), [(0, 0, 0), (1, 1, 1)]),
        (Identity(), (2,), (2,), [(0, 0, 0), (1, 1, 0)]),
        (EDGES, (4,), (3,), [(1, 0, 0), (3, 0, 1), (0, 2, 2)]),
        (Shared(), (1,), (2, 2), [(0, 0, 0), (0, 1, 1), (0, 2, 0), (0, 3, 1)]),
    ],
)
def test_the_sites_of_the_simple_topologies(topology, pre, post, expected):
    assert listed(topology, pre, post) == expected


@pytest.mark.parametrize(
    ("topology", "pre", "post", "shape"),
    [
        (Dense(), (2, 2), (3,), (4, 3)),
        (OneToOne(), (2, 2), (2, 2), (4,)),
        (Identity(), (4,), (4,), ()),
        (EDGES, (4,), (3,), (3,)),
        (Sparse(None, 2), (5,), (2, 3), (12,)),
        (Conv((3, 2), (1, 1), "same"), (4, 4, 5), (4, 4, 6), (3, 2, 5, 6)),
        (Conv((3,), (1,), "valid"), (4,), (2,), (3, 1, 1)),
        (Pool((2,), (2,), "valid", "max"), (4, 3), (2, 3), ()),
        (Shared(), (1,), (4, 4, 3), (1, 3)),
    ],
)
def test_the_natural_shape_of_synapses(topology, pre, post, shape):
    assert synapse_shape(topology, pre, post) == shape
    found = sites(topology, pre, post)
    assert found.count == math.prod(shape)
    assert found.synapse.max() < found.count


def test_the_arrays_are_shared_and_read_only():
    found = sites(Dense(), (2,), (3,))
    assert found is sites(Dense(), (2,), (3,))
    assert not any(a.flags.writeable for a in (found.pre, found.post, found.synapse))
    assert {a.dtype for a in (found.pre, found.post, found.synapse)} == {np.dtype(np.int32)}


# ---------------------------------------------------------------- windows


def windows_one_by_one(topology: Conv | Pool, pre: tuple[int, ...], post: tuple[int, ...]) -> set[tuple[int, ...]]:
    """The same as `sites`, from the definition: for each place of the target, each place of its window."""
    k = len(topology.window)
    c_in, c_out = math.prod(pre[k:]), math.prod(post[k:])
    found: set[tuple[int, ...]] = set()
    for target in np.ndindex(*post[:k]):
        for offset in np.ndindex(*topology.window):
            source = [
                o * s - p + w
                for o, s, (p, _), w in zip(target, topology.stride, topology.pads(pre[:k]), offset, strict=True)
            ]
            if not all(0 <= i < n for i, n in zip(source, pre[:k], strict=True)):
                continue
            for a, b in itertools.product(range(c_in), range(c_out)):
                i = np.ravel_multi_index([*source, a], (*pre[:k], c_in))
                j = np.ravel_multi_index([*target, b], (*post[:k], c_out))
                s = np.ravel_multi_index([*offset, a, b], (*topology.window, c_in, c_out))
                if isinstance(topology, Conv):
                    found.add((int(i), int(j), int(s)))
                elif a == b:
                    found.add((int(i), int(j), 0))
    return found


@settings(deadline=None)
@given(
    axes=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=3),
    channels=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    padding=st.sampled_from(["same", "valid"]),
    pool=st.booleans(),
)
def test_windows_hold_what_their_definition_says(axes, channels, padding, pool):
    places, window, stride = zip(*((max(n, w), w, s) for n, w, s in axes), strict=True)
    topology = Pool(window, stride, padding) if pool else Conv(window, stride, padding)
    pre, post = (*places, channels[0]), (*topology.out(places), channels[0] if pool else channels[1])
    found = listed(topology, pre, post)
    assert len(found) == len(set(found))
    assert set(found) == windows_one_by_one(topology, pre, post)


def test_populations_without_an_axis_of_channels_have_one():
    topology = Conv((2,), (1,), "valid")
    assert listed(topology, (3,), (2,)) == listed(topology, (3, 1), (2, 1))


# ---------------------------------------------------------------- random pairs


@pytest.mark.parametrize("topology", [Sparse(0.3, None, 1), Sparse(None, 3, 1), Sparse(None, 6, 1), Sparse(1.0, None)])
def test_sparse_pairs_are_different_and_sorted_by_their_postsynaptic_neuron(topology):
    found = sites(topology, (7,), (11,))
    pairs = list(zip(found.post.tolist(), found.pre.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    assert found.pre.min() >= 0
    assert found.pre.max() < 7
    assert found.post.max() < 11
    assert_array_equal(found.synapse, np.arange(found.count))


@pytest.mark.parametrize("fan_in", [1, 3, 4, 7])
def test_fan_in_is_what_every_postsynaptic_neuron_has(fan_in):
    found = sites(Sparse(None, fan_in, 5), (7,), (50,))
    assert_array_equal(np.bincount(found.post), np.full(50, fan_in))


@pytest.mark.parametrize("fan_in", [1, 3, 4, 6])
def test_every_presynaptic_neuron_is_as_likely(fan_in):
    counts = np.bincount(sites(Sparse(None, fan_in, 5), (7,), (20_000,)).pre)
    assert np.abs(counts - 20_000 * fan_in / 7).max() < 5 * np.sqrt(20_000 * fan_in / 7)


def test_pairs_with_probability_p_are_independent():
    """The number of pairs, of pairs in each row and column, and of neighbours that are both there."""
    n, p = 400, 0.2
    found = sites(Sparse(p, None, 9), (n,), (n,))
    there = np.zeros((n, n))
    there[found.pre, found.post] = 1
    near = 5 * np.sqrt(p * (1 - p))
    assert abs(there.mean() - p) < near / n
    assert np.abs(there.mean(0) - p).max() < near / np.sqrt(n)
    assert np.abs(there.mean(1) - p).max() < near / np.sqrt(n)
    assert abs((there[:, 1:] * there[:, :-1]).mean() - p * p) < 5 * p / n


def test_p_of_1_is_every_pair():
    assert sites(Sparse(1.0, None), (3,), (4,)).count == 12


def test_the_synapses_of_a_seed_are_these_for_good():
    """Networks that are saved, and results that are published, depend on it."""
    bernoulli = sites(Sparse(0.2, None, 3), (5,), (6,))
    assert list(zip(bernoulli.pre.tolist(), bernoulli.post.tolist(), strict=True)) == [
        (4, 2),
        (0, 3),
        (1, 3),
        (2, 3),
        (1, 5),
    ]
    assert sites(Sparse(None, 2, 3), (9,), (4,)).pre.reshape(4, 2).tolist() == [[3, 8], [7, 8], [0, 5], [3, 5]]
    assert sites(Sparse(None, 3, 3), (4,), (4,)).pre.reshape(4, 3).tolist() == [
        [0, 2, 3],
        [0, 2, 3],
        [0, 1, 2],
        [0, 1, 3],
    ]


def test_seeds_differ():
    assert listed(Sparse(0.5, None, 1), (9,), (9,)) != listed(Sparse(0.5, None, 2), (9,), (9,))
    assert listed(Sparse(None, 2, 1), (9,), (9,)) != listed(Sparse(None, 2, 2), (9,), (9,))


@pytest.mark.parametrize("topology", [Sparse(1e-4, None, 4), Sparse(None, 10, 4)])
def test_a_million_synapses_between_many_neurons_take_no_matrix(topology):
    """A matrix of the pairs would have 10,000,000,000 entries."""
    found = sites(topology, (100_000,), (100_000,))
    assert abs(found.count - 1_000_000) < 5_000
