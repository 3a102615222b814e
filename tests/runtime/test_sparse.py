"""Sparse projections: three forms that compute the same, and how one is chosen. More kinds of factors, and derivatives
checked against differences, are in test_kernels.py."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

from blurc.model.sites import sites
from blurc.model.topology import Conv, Dense, Edges, Shape, Sparse
from blurc.plan.passes.sparse_form import sparse_form
from blurc.runtime.kernels.sparse import FORMS, sparse
from blurc.runtime.kernels.sparse.gather import CHUNK, Gather
from blurc.runtime.kernels.sparse.masked import Masked
from blurc.runtime.kernels.sparse.segments import Segments

BATCH = 5


def edges(pairs: Any) -> Edges:
    pre, post = np.array(sorted(set(pairs), key=lambda pair: pair[::-1]), "<i4").reshape(-1, 2).T
    return Edges("some.csv", pre.tobytes(), post.tobytes())


def star(n: int) -> Edges:
    """All to the first, the first to all, and some without any."""
    return edges([*((i, 0) for i in range(n - 5)), *((0, i) for i in range(n - 5))])


GRAPHS: dict[str, tuple[Sparse | Edges, Shape, Shape]] = {
    "fixed fan-in": (Sparse(None, 4, 1), (3, 10), (20,)),
    "all of them": (Sparse(None, 6, 1), (6,), (4,)),
    "random": (Sparse(0.2, None, 2), (30,), (4, 5)),
    "lateral": (Sparse(0.1, None, 3), (40,), (40,)),
    "long lists": (Sparse(0.5, None, 4), (100,), (30,)),
    "long lists of fixed length": (Sparse(None, 2 * CHUNK + 9, 4), (100,), (30,)),
    "a hub": (star(60), (60,), (60,)),
    "one pair": (edges([(2, 1)]), (3,), (2,)),
    "no pairs": (edges([]), (3,), (2,)),
}

graphs = pytest.mark.parametrize("graph", list(GRAPHS))


@pytest.fixture(autouse=True)
def _float64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def kernels(graph: str) -> dict[str, Any]:
    return {form: sparse(form, *GRAPHS[graph]) for form in FORMS}


def numbers(graph: str, *dims: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of synapses, presynaptic and postsynaptic neurons."""
    topology, pre, post = GRAPHS[graph]
    random = np.random.default_rng(seed)
    sizes = (1, sites(topology, pre, post).count), (BATCH, math.prod(pre)), (BATCH, math.prod(post))
    w, x, y = (random.normal(size=(*dims, *size)) for size in sizes)
    return w, x, y


def everything(kernel: Any, w: Any, x: Any, y: Any) -> Any:
    """Of [3, 2, ..] synapses and [2, ..] neurons."""
    mixed = kernel.to_post(w, x, True), kernel.to_pre(w, y, True)
    return mixed, kernel.to_post(w[0, 0], x, False), kernel.to_pre(w[0], y[0], False), kernel.outer(x[0], y)


def close(found: Any, expected: Any) -> None:
    def same(a: Any, b: Any) -> None:
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-11)

    jax.tree.map(same, found, expected)


@graphs
@pytest.mark.parametrize("form", FORMS)
def test_sums_over_the_sites(graph: str, form: str) -> None:
    kernel, at = kernels(graph)[form], sites(*GRAPHS[graph])
    w, x, y = numbers(graph)
    post, pre, each = np.zeros_like(y), np.zeros_like(x), np.zeros_like(w)
    for i, j, s in zip(at.pre, at.post, at.synapse, strict=True):
        post[:, j] += w[0, s] * x[:, i]
        pre[:, i] += w[0, s] * y[:, j]
        each[0, s] += x[:, i] @ y[:, j]

    def products(w: Any, x: Any, y: Any) -> Any:
        return kernel.to_post(w, x, False), kernel.to_pre(w, y, False), kernel.outer(x, y)

    close(jax.jit(products)(w, x, y), (post, pre, each))


def loss(kernel: Any, w: Any, x: Any, y: Any) -> Any:
    """Reads every product, and every product of a product."""
    forth = jnp.tanh(kernel.to_post(w, x, False) + kernel.to_post(None, x, False))
    back = jnp.tanh(kernel.to_pre(w, y * forth, False) + kernel.to_pre(w, None, False))
    return jnp.sum(jnp.tanh(kernel.outer(back, forth)) * w) + jnp.sum(kernel.to_pre(None, forth, False) * back)


def test_the_forms_agree() -> None:
    graph = "a hub"
    w, _, _ = numbers(graph, 3, 2)
    _, x, y = numbers(graph, 2)

    def step(kernel: Any, w: Any, x: Any, y: Any) -> Any:
        return everything(kernel, w, x, y), jax.grad(lambda *a: loss(kernel, *a), argnums=(0, 1, 2))(w[0], x, y)

    found = {form: jax.jit(step, static_argnums=0)(k, w, x, y) for form, k in kernels(graph).items()}
    close(found["gather"], found["masked"])
    close(found["segments"], found["masked"])


@pytest.mark.parametrize("form", FORMS)
def test_a_batch_of_any_size(form: str) -> None:
    kernel = kernels("random")[form]
    w, x, y = numbers("random")

    def step(w: Any, x: Any, y: Any) -> Any:
        post = kernel.to_post(w, x, False)
        return post, jax.grad(lambda w: jnp.sum(jnp.tanh(kernel.outer(x, kernel.to_post(w, x, False) * y))))(w)

    (batch,) = export.symbolic_shape("batch")
    shapes = [jax.ShapeDtypeStruct((batch, v.shape[-1]), v.dtype) for v in (x, y)]
    exported = export.export(jax.jit(step))(jax.ShapeDtypeStruct(w.shape, w.dtype), *shapes)
    for n in (1, BATCH):
        close(exported.call(w, x[:n], y[:n]), jax.jit(step)(w, x[:n], y[:n]))


@pytest.mark.parametrize("form", FORMS)
def test_many_genomes_at_once(form: str) -> None:
    kernel = kernels("random")[form]
    each = [numbers("random", seed=seed) for seed in range(3)]

    def step(w: Any, x: Any, y: Any) -> Any:
        return kernel.to_post(w, x, False), kernel.outer(x, y), jax.grad(lambda w: loss(kernel, w, x, y))(w)

    together = jax.jit(jax.vmap(step))(*(np.stack(v) for v in zip(*each, strict=True)))
    close(together, jax.tree.map(lambda *v: np.stack(v), *(jax.jit(step)(*v) for v in each)))


@pytest.mark.parametrize("form", ["gather", "segments"])
def test_what_has_diverged_stays_where_it_is_connected(form: str) -> None:
    kernel, at = kernels("random")[form], sites(*GRAPHS["random"])
    w, x, _ = numbers("random")
    x[:, 0] = np.inf
    reached = set(at.post[at.pre == 0])
    found = np.asarray(kernel.to_post(w, x, False))
    assert {j for j in range(20) if not np.isfinite(found[:, j]).all()} == reached
    assert 0 < len(reached) < 20


# ------------------------------------------------------------------------- size


def step_of(kernel: Any) -> Any:
    def step(w: Any, x: Any) -> Any:
        post = kernel.to_post(w, x, False)
        return w + kernel.outer(kernel.to_pre(w, post, False), post)

    return jax.jit(step)


def shapes(n: int, fan_in: int, batch: int) -> tuple[Any, Any]:
    return jax.ShapeDtypeStruct((1, n * fan_in), jnp.float32), jax.ShapeDtypeStruct((batch, n), jnp.float32)


@pytest.mark.parametrize("form", [Gather, Segments])
def test_memory_grows_with_synapses_and_with_neurons_times_batch(form: Any) -> None:
    n, fan_in, batch = 4000, 50, 64
    kernel = form(Sparse(None, fan_in), (n,), (n,))
    memory = step_of(kernel).lower(*shapes(n, fan_in, batch)).compile().memory_analysis()
    each = 4 * max(n * fan_in, n * batch)
    assert memory.temp_size_in_bytes < 12 * each < 4 * min(n * n, n * fan_in * batch)


def run_large(n: int, form: Any, batch: int) -> None:
    """A step with 10 synapses a neuron."""
    kernel = form(Sparse(None, 10), (n,), (n,))
    w, x = (jnp.ones(s.shape, s.dtype) for s in shapes(n, 10, batch))
    found = step_of(kernel)(w, x)
    out = np.bincount(kernel.pre_of, minlength=n)[kernel.pre_of]
    np.testing.assert_array_equal(found, 1 + 100 * batch * out[None])


@pytest.mark.parametrize("form", [Gather, Segments])
def test_ten_thousand_neurons(form: Any) -> None:
    run_large(10_000, form, batch=8)


@pytest.mark.slow
@pytest.mark.parametrize("form", [Gather, Segments])
def test_a_hundred_thousand_neurons(form: Any) -> None:
    run_large(100_000, form, batch=8)


def test_a_matrix_that_no_index_reaches_is_refused() -> None:
    n = 60_000
    kernel = Masked(edges([(0, 0), (n - 1, n - 1)]), (n,), (n,))
    with pytest.raises(ValueError, match="form = gather"):
        jax.eval_shape(lambda w, x: kernel.to_post(w, x, False), jnp.ones((1, 2)), jnp.ones((1, n)))


# ------------------------------------------------------------------- the choice


def test_only_sparse_projections_have_a_form() -> None:
    assert sparse_form(Dense(), (100,), (100,)) == (None, "")
    assert sparse_form(Conv((3, 3), (1, 1), "same"), (5, 5), (5, 5)) == (None, "")


@pytest.mark.parametrize("form", FORMS)
def test_the_spec_has_the_last_word(form: Any) -> None:
    listed = star(60)
    for topology in (Sparse(0.1, None, 0, form), Edges("some.csv", listed.pre, listed.post, form)):
        assert sparse_form(topology, (60,), (60,)) == (form, "as the spec says")


@pytest.mark.parametrize(
    ("topology", "n", "form"),
    [
        (Sparse(0.5, None), 1000, "masked"),
        (Sparse(1.0, None), 300, "masked"),
        (Sparse(0.3, None), 30, "masked"),
        (Sparse(None, 10), 20_000, "gather"),
        (Sparse(0.001, None), 4000, "gather"),
        (star(20_000), 20_000, "segments"),
    ],
)
def test_the_choice_where_it_is_clear(topology: Sparse | Edges, n: int, form: str) -> None:
    assert sparse_form(topology, (n,), (n,))[0] == form


def test_the_choice_is_explained() -> None:
    form, why = sparse_form(Sparse(None, 10), (20_000,), (20_000,))
    assert form == "gather"
    assert "200,000 synapses" in why
