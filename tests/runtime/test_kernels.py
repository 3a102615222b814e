"""Every kernel against the list of its sites: products, sums and means, site by site in float64.

To have one more checked, add it to KERNELS. Every kernel is put through all FORMS of the two factors that it has.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from blurc.model import topology as t
from blurc.model.sites import Sites, sites, synapse_shape
from blurc.plan.plan import Projection
from blurc.runtime.kernels import choose, elementwise

BATCH = 3
Shape = t.Shape


def conv(*window: int, stride: Any = 1, padding: t.Padding = "same") -> t.Conv:
    return t.Conv(window, _each(stride, window), padding)


def pool(kind: Any, *window: int, stride: Any = None, padding: t.Padding = "valid") -> t.Pool:
    return t.Pool(window, _each(window if stride is None else stride, window), padding, kind)


def _each(stride: Any, window: Shape) -> Shape:
    return stride if isinstance(stride, tuple) else (stride,) * len(window)


def windows(topology: t.Conv | t.Pool, pre: Shape, *channels: int) -> tuple[t.Topology, Shape, Shape]:
    """With the target that fits. `channels`: those of the target, none where it has no such axis."""
    return topology, pre, (*topology.out(topology.places(pre)), *channels)


def hub(form: t.Form) -> t.Edges:
    """From 2 to itself and three others, and back from two."""
    pairs = np.array([(2, 0), (2, 1), (3, 2), (2, 2), (1, 2), (2, 3)], "<i4")
    ordered = pairs[np.lexsort(pairs.T)]
    return t.Edges("hub.csv", ordered[:, 0].tobytes(), ordered[:, 1].tobytes(), form)


KERNELS: dict[str, tuple[t.Topology, Shape, Shape]] = {
    "dense": (t.Dense(), (2, 3), (4,)),
    "one to one": (t.OneToOne(), (2, 3), (6,)),
    "identity": (t.Identity(), (5,), (5,)),
    "shared": (t.Shared(), (1,), (2, 3, 4)),
    "shared, no places": (t.Shared(), (1,), (4,)),
    "conv 3x3": windows(conv(3, 3), (4, 5, 2), 3),
    "conv 3x3, stride 2": windows(conv(3, 3, stride=2), (6, 5, 2), 3),
    "conv 3x3, valid": windows(conv(3, 3, padding="valid"), (5, 4, 2), 3),
    "conv 3x2, strides 2 and 1": windows(conv(3, 2, stride=(2, 1)), (7, 4, 3), 2),
    "conv 2x2, valid, something left over": windows(conv(2, 2, stride=2, padding="valid"), (5, 4, 2), 2),
    "conv 1x1": windows(conv(1, 1), (3, 2, 2), 3),
    "conv, stride over window": windows(conv(2, 2, stride=3), (7, 8, 2), 2),
    "conv, window over source": windows(conv(5, 4), (2, 3, 2), 2),
    "conv, from one channel": windows(conv(3, 3, stride=2), (5, 6, 1), 2),
    "conv, no axis of channels": windows(conv(3, 3), (4, 4)),
    "conv, to one channel": windows(conv(2, 2), (4, 4, 3)),
    "conv of rank 1": windows(conv(4, stride=2), (9, 2), 3),
    "conv of rank 1, bare": windows(conv(3, padding="valid"), (6,)),
    "conv of rank 3": windows(conv(2, 3, 2, stride=(1, 2, 1)), (3, 4, 3, 2), 2),
}
for _kind in ("avg", "max"):
    KERNELS |= {
        f"{_kind} pool": windows(pool(_kind, 2, 2), (4, 6, 3), 3),
        f"{_kind} pool, something left over": windows(pool(_kind, 2, 2), (5, 6, 2), 2),
        f"{_kind} pool, overlapping": windows(pool(_kind, 3, 2, stride=(2, 1)), (7, 5, 2), 2),
        f"{_kind} pool, same": windows(pool(_kind, 3, 3, stride=2, padding="same"), (6, 5, 2), 2),
        f"{_kind} pool, padding first": windows(pool(_kind, 4, 3, stride=1, padding="same"), (2, 3, 2), 2),
        f"{_kind} pool, stride over window": windows(pool(_kind, 2, stride=3), (8, 2), 2),
        f"{_kind} pool of rank 1, bare": windows(pool(_kind, 2), (6,)),
        f"{_kind} pool of rank 3": windows(pool(_kind, 2, 1, 3), (4, 2, 6, 2), 2),
    }

for _form in ("masked", "gather", "segments"):
    KERNELS |= {
        f"sparse, {_form}": (t.Sparse(None, 2, 1, _form), (2, 3), (4,)),
        f"edges with a hub, {_form}": (hub(_form), (5,), (5,)),
    }

# Compiling takes long. These are combinations of what the others have alone, and are checked with -m slow only.
SLOW = (
    "shared, no places",
    "conv 3x3",
    "conv 3x3, valid",
    "conv 1x1",
    "conv 2x2, valid, something left over",
    "conv, stride over window",
    "conv, no axis of channels",
    "conv, to one channel",
    "conv of rank 1",
    "avg pool, something left over",
    "avg pool, overlapping",
    "avg pool, padding first",
    "avg pool, stride over window",
    "avg pool of rank 1, bare",
    "avg pool of rank 3",
    "max pool, something left over",
    "max pool, same",
    "max pool of rank 1, bare",
    "max pool of rank 3",
    "edges with a hub, masked",
    "edges with a hub, segments",
    "sparse, gather",
)

# The only ones for what depends little on the kernel; all with -m slow.
FEW = (
    "edges with a hub, gather",
    "sparse, segments",
    "shared",
    "conv 3x2, strides 2 and 1",
    "conv, from one channel",
    "max pool, overlapping",
)


def marked(slow: Callable[[str], bool], synapses: bool = False) -> list[Any]:
    """The names of kernels, as parameters; with `synapses` of those that have any."""
    names = [name for name, (topology, *_) in KERNELS.items() if topology.has_synapses or not synapses]
    return [pytest.param(name, marks=pytest.mark.slow) if slow(name) else name for name in names]


@dataclass(frozen=True)
class Form:
    """The dims of the two factors, None for a missing one; `thin`: which axes are 1, "a" and "b" of the synapses, "n"
    and "batch" of the neurons."""

    synapse: Shape | None
    neuron: Shape | None
    mixes: bool = False
    thin: tuple[str, ...] = ()


FORMS: dict[str, Form] = {
    "numbers": Form((), ()),
    "vectors": Form((2,), (2,)),
    "matrices": Form((2, 3), (2, 3)),
    "a number and a vector": Form((), (3,)),
    "a vector and a number": Form((3,), ()),
    "mixed": Form((2, 3), (3,), mixes=True),
    "mixed to one": Form((1, 2), (2,), mixes=True),
    "mixed with a matrix": Form((2, 3), (3, 2), mixes=True),
    "no synapse": Form(None, ()),
    "no synapse, vector": Form(None, (2,)),
    "no synapse, one for all neurons": Form(None, (), thin=("n",)),
    "no synapse, one for all": Form(None, (2,), thin=("n", "batch")),
    "no neuron": Form((), None),
    "no neuron, vector": Form((2,), None),
    "no neuron, matrix": Form((2, 3), None, mixes=True),
    "no neuron, one synapse": Form((), None, thin=("a", "b")),
    "neither": Form(None, None),
    "one for all neurons": Form((2,), (2,), thin=("n",)),
    "one for all examples": Form((2,), (2,), thin=("batch",)),
    "synapses vary over b": Form((), (), thin=("a",)),
    "synapses vary over a": Form((2,), (), thin=("b",)),
    "all synapses equal": Form((2,), (2,), thin=("a", "b")),
    "all synapses equal, mixed": Form((2, 3), (3,), mixes=True, thin=("a", "b")),
    "nothing varies": Form((), (), thin=("a", "b", "n", "batch")),
}


VECTORS, MIXED = FORMS["vectors"], FORMS["mixed"]


@dataclass(frozen=True)
class Case:
    """A kernel and numbers for it."""

    topology: t.Topology
    pre: Shape
    post: Shape

    @property
    def kernel(self) -> Any:
        return choose.kernel(self.projection)

    @property
    def projection(self) -> Projection:
        shape = synapse_shape(self.topology, self.pre, self.post)
        return Projection(
            "x->y", "x", "y", self.pre, self.post, self.topology, True, False, 0, shape, self.axes, self.form
        )

    @property
    def form(self) -> t.Form | None:
        return self.topology.form if isinstance(self.topology, t.Sparse | t.Edges) else None

    @property
    def axes(self) -> tuple[int, int]:
        shape = synapse_shape(self.topology, self.pre, self.post)
        return (math.prod(shape[:-1]), shape[-1]) if shape else (1, 1)

    @property
    def sites(self) -> Sites:
        return sites(self.topology, self.pre, self.post)

    @property
    def n(self) -> tuple[int, int]:
        return math.prod(self.pre), math.prod(self.post)

    @property
    def gate(self) -> np.ndarray | None:
        """Negative, that zeros for padding would win; with many equals."""
        if not (isinstance(self.topology, t.Pool) and self.topology.kind == "max"):
            return None
        gate = -np.random.default_rng(1).integers(1, 4, (BATCH, self.n[0])).astype(float)
        gate[0, 0] = -np.inf
        return gate

    def synapse(self, form: Form, seed: int = 2) -> np.ndarray | None:
        if form.synapse is None:
            return None
        a, b = (1 if name in form.thin else n for name, n in zip("ab", self.axes, strict=True))
        return np.random.default_rng(seed).normal(size=(*form.synapse, a, b))

    def neuron(self, form: Form, side: int, seed: int = 3) -> np.ndarray | None:
        if form.neuron is None:
            return None
        n = 1 if "n" in form.thin else self.n[side]
        batch = 1 if "batch" in form.thin else BATCH
        return np.random.default_rng(seed).normal(size=(*form.neuron, batch, n))


# ------------------------------------------------------------------ by sites


def exists(case: Case, gate: np.ndarray | None) -> np.ndarray:
    """Which sites there are, `[batch or 1, sites]`."""
    if gate is None:
        return np.ones((1, len(case.sites.pre)))
    there = np.zeros((len(gate), len(case.sites.pre)))
    for post in range(case.n[1]):
        own = np.flatnonzero(case.sites.post == post)
        best = gate[:, case.sites.pre[own]].argmax(1)
        there[np.arange(len(gate)), own[best]] = 1
    return there


def weighted(case: Case, form: Form, side: int, gate: np.ndarray | None) -> np.ndarray:
    """The sum towards the neurons of `side`, 0 for the presynaptic and 1 for the postsynaptic ones."""
    near, far = (case.sites.pre, case.sites.post)[:: 1 if side else -1]
    w, x = case.synapse(form), case.neuron(form, 1 - side)
    w = np.ones((1, 1)) if w is None else w
    x = np.ones((1, 1)) if x is None else x
    w = np.broadcast_to(w, (*w.shape[:-2], *case.axes)).reshape((*w.shape[:-2], 1, -1))[..., case.sites.synapse]
    x = np.broadcast_to(x, (*x.shape[:-1], case.n[1 - side]))[..., near]
    mixes = form.mixes and form.neuron is not None
    each = np.einsum("rcs,c...bs->r...bs", w[..., 0, :], x) if mixes else w * x
    return added(each * exists(case, gate), far, case.n[side])


def added(each: np.ndarray, where: np.ndarray, n: int) -> np.ndarray:
    """The last axis, summed into `n` places."""
    total = np.zeros((n, *each.shape[:-1]))
    np.add.at(total, where, np.moveaxis(each, -1, 0))
    return np.moveaxis(total, 0, -1)


def same(found: Any, expected: np.ndarray, what: str) -> None:
    found = np.asarray(found)
    scale = max(1.0, np.abs(expected).max(initial=0))
    np.testing.assert_allclose(
        np.broadcast_to(found, expected.shape), expected, rtol=0, atol=1e-12 * scale, err_msg=what
    )
    assert found.ndim == expected.ndim, what


# --------------------------------------------------------------------- tests


@pytest.fixture(autouse=True)
def _float64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


@pytest.fixture(params=marked(lambda name: name in SLOW))
def case(request: pytest.FixtureRequest) -> Case:
    return Case(*KERNELS[request.param])


@pytest.fixture(params=marked(lambda name: name in SLOW, synapses=True))
def plastic(request: pytest.FixtureRequest) -> Case:
    return Case(*KERNELS[request.param])


@pytest.fixture(params=marked(lambda name: name not in FEW))
def some(request: pytest.FixtureRequest) -> Case:
    return Case(*KERNELS[request.param])


@pytest.mark.parametrize("side", [0, 1], ids=["to_pre", "to_post"])
def test_weighted_sums(case: Case, side: int) -> None:
    def every(factors: Any, gate: Any) -> Any:
        product = case.kernel.to_post if side else case.kernel.to_pre
        return {name: product(*factors[name], FORMS[name].mixes, gate) for name in FORMS}

    factors = {name: (case.synapse(form), case.neuron(form, 1 - side)) for name, form in FORMS.items()}
    found = jax.jit(every)(factors, case.gate)
    for name, form in FORMS.items():
        same(found[name], weighted(case, form, side, case.gate), name)
        assert isinstance(case.topology, t.Dense) or found[name].shape[-1] == case.n[side], name


@pytest.mark.parametrize("side", [0, 1], ids=["to_pre", "to_post"])
def test_one_gate_for_all_examples(side: int) -> None:
    case, form = Case(*KERNELS["max pool, same"]), FORMS["vectors"]
    assert case.gate is not None
    gate = case.gate[1:2]
    product = case.kernel.to_post if side else case.kernel.to_pre
    found = jax.jit(lambda w, x: product(w, x, False, gate))(case.synapse(form), case.neuron(form, 1 - side))
    same(found, weighted(case, form, side, gate), "one gate")


OUTER: dict[str, tuple[Shape, Shape]] = {
    "numbers": ((), ()),
    "vectors": ((2,), (2,)),
    "matrices": ((2, 3), (2, 3)),
    "presynaptic vectors": ((3,), ()),
    "postsynaptic vectors": ((), (3,)),
}


def test_outer_products(plastic: Case) -> None:
    case, kernel, at = plastic, plastic.kernel, plastic.sites
    values = {
        name: (case.neuron(Form(None, pre), 0, seed=4), case.neuron(Form(None, post), 1, seed=5))
        for name, (pre, post) in OUTER.items()
    }
    found = jax.jit(lambda values: {name: kernel.outer(*both) for name, both in values.items()})(values)
    for name, (pre, post) in values.items():
        assert pre is not None
        assert post is not None
        total = added((pre[..., at.pre] * post[..., at.post]).sum(-2), at.synapse, at.count)
        same(found[name], total.reshape((*total.shape[:-1], *case.axes)), name)


SEEN = (Form(None, ()), Form(None, (2,)), Form(None, (2, 3)), Form(None, (2,), thin=("n",)))


def test_neurons_as_synapses_see_them(plastic: Case) -> None:
    case, at, views = plastic, plastic.sites, (plastic.kernel.at_pre, plastic.kernel.at_post)
    forms = [(replace(form, thin=("batch", *form.thin)), side) for form in SEEN for side in (0, 1)]
    given = [case.neuron(form, side) for form, side in forms]
    every = jax.jit(lambda xs: [views[side](x) for x, (_, side) in zip(xs, forms, strict=True)])(given)
    count = added(np.ones(len(at.synapse)), at.synapse, at.count)
    acts = count > 0
    for x, found, (_, side) in zip(given, map(np.asarray, every), forms, strict=True):
        assert x is not None
        assert found.ndim == x.ndim
        full = np.broadcast_to(x, (*x.shape[:-1], case.n[side]))[..., 0, (at.pre, at.post)[side]]
        mean = added(full, at.synapse, at.count)[..., acts] / count[acts]
        seen = np.broadcast_to(found, (*found.shape[:-2], *case.axes)).reshape((*found.shape[:-2], -1))
        same(seen[..., acts], mean, "mean")


def test_derivatives(some: Case) -> None:
    """Of first and second order, against differences along a direction."""
    case, kernel, gate = some, some.kernel, some.gate
    at = [(case.synapse(VECTORS, s), case.neuron(VECTORS, 0, s + 1), case.neuron(VECTORS, 1, s + 2)) for s in (7, 17)]

    def loss(w: Any, x: Any, y: Any) -> Any:
        forth, back = kernel.to_post(w, x, False, gate), kernel.to_pre(w, y, False, gate)
        total = jnp.sum(jnp.tanh(forth) * y) + jnp.sum(jnp.tanh(back) * x)
        if not case.topology.has_synapses:
            return total
        change = kernel.outer(jnp.tanh(x), jnp.tanh(y))
        seen = kernel.at_pre(x.mean(-2, keepdims=True)) * kernel.at_post(y.mean(-2, keepdims=True))
        return total + jnp.sum(jnp.tanh(change) * w * seen)

    def along(direction: Any, f: Any) -> Any:
        return lambda *here: sum(jnp.vdot(a, b) for a, b in zip(f(*here), direction, strict=True))

    first = jax.grad(loss, argnums=(0, 1, 2))
    second = jax.grad(along(at[1], first), argnums=(0, 1, 2))
    here = jax.jit(lambda *here: (loss(*here), first(*here), second(*here)))
    low, (_, slope, curvature), high = (
        here(*(a + step * b for a, b in zip(*at, strict=True))) for step in (-1e-5, 0.0, 1e-5)
    )
    rise = sum(np.vdot(a, b) for a, b in zip(slope, at[1], strict=True))
    np.testing.assert_allclose(rise, (high[0] - low[0]) / 2e-5, rtol=1e-6, atol=1e-6)
    for found, a, b in zip(curvature, low[1], high[1], strict=True):
        np.testing.assert_allclose(found, (b - a) / 2e-5, rtol=1e-6, atol=1e-6)


def test_symbolic_batch(some: Case) -> None:
    case, kernel, gate = some, some.kernel, some.gate
    w, x, y = case.synapse(MIXED), case.neuron(MIXED, 0), case.neuron(MIXED, 1)

    def all_(w: Any, x: Any, y: Any, gate: Any) -> Any:
        forth, back = kernel.to_post(w, x, True, gate), kernel.to_pre(w, y, True, gate)
        plain = kernel.to_post(w[0], x, False, gate), kernel.to_pre(None, y[0], False, gate)
        outer = kernel.outer(x, y) if case.topology.has_synapses else None
        return forth, back, plain, outer

    (batch,) = jax.export.symbolic_shape("batch")

    def symbolic(a: Any) -> Any:
        return None if a is None else jax.ShapeDtypeStruct((*a.shape[:-2], batch, a.shape[-1]), a.dtype)

    whole = jax.ShapeDtypeStruct(w.shape, w.dtype)  # type: ignore[union-attr]
    shapes = whole, symbolic(x), symbolic(y), symbolic(gate)
    exported = jax.export.export(jax.jit(all_), platforms=("cpu", "cuda", "tpu"))(*shapes)
    found = jax.tree.leaves(jax.jit(exported.call)(w, x, y, gate))
    for a, b in zip(found, jax.tree.leaves(jax.jit(all_)(w, x, y, gate)), strict=True):
        same(a, np.asarray(b), "exported")


@pytest.mark.parametrize("states", [11, 12])
def test_mixing_states_is_exact_on_gpus_whatever_their_number(states: int) -> None:
    mixing, x = jnp.ones((states, states)), jnp.ones((states, 2, 3))
    program = str(jax.make_jaxpr(lambda m, x: elementwise.matmul(m, x, states))(mixing, x))
    assert ("dot_general" in program) == ("Precision.HIGHEST" in program) == (states == 12)
