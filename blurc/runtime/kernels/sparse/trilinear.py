"""The three products of a sparse projection are the three derivatives of one form,

    T(w, x, y) = sum over sites s, r, c, m, b of  w[r, c, s] * x[c, m, b, pre(s)] * y[r, m, b, post(s)]

    to_post    dT/dy, `[r, m, b, n_post]`
    to_pre     dT/dx, `[c, m, b, n_pre]`
    outer      dT/dw, `[r, c, s]`

so the derivatives of each are the other two, and none is slower or larger than its function. (JAX's own rules would
store one value per synapse and example.) A form implements the three; this file fits dims to r, c and m. A missing w is
ones.

Known limitation: reverse mode only, to any order; `jax.jvp` refuses functions with custom derivatives.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from blurc.model import Edges, Index, Shape, Sparse, sites
from blurc.runtime.kernels.elementwise import Factor


@dataclass(frozen=True)
class Trilinear:
    """A kernel, given the three products. Each factor has its own dims or none; `mixes` applies synapse matrices to
    neuron vectors."""

    topology: Sparse | Edges
    pre: Shape
    post: Shape

    def sum_post(self, w: jax.Array | None, x: jax.Array) -> jax.Array:
        raise NotImplementedError

    def sum_pre(self, w: jax.Array | None, y: jax.Array) -> jax.Array:
        raise NotImplementedError

    def sum_batch(self, x: jax.Array, y: jax.Array) -> jax.Array:
        """One example at a time: a sum over all at once would need an array of synapses x batch. It is also faster,
        though it reads and writes the result once per example."""

        def example(b: Any) -> jax.Array:
            xs, ys = (lax.dynamic_index_in_dim(v, b, axis=-2, keepdims=False) for v in (x, y))
            return jnp.sum(take(xs, self.pre_of)[None] * take(ys, self.post_of)[:, None], axis=-2)

        return lax.fori_loop(1, x.shape[-2], lambda b, total: total + example(b), example(0))

    def to_post(self, synapse: Factor, neuron: Factor, mixes: bool, gate: Factor = None) -> jax.Array:
        """`sum_s synapse[.., s] * neuron[.., b, pre(s)]` over the sites s of each postsynaptic neuron."""
        if synapse is None and neuron is None:
            return _count(self.post_of, self.n_post)
        mixes, neuron = mixes and neuron is not None, _all(neuron, self.n_pre)
        if synapse is None:
            return _folded(lambda x: _to_post(self, None, x), neuron)
        return _product(lambda w, x: _to_post(self, w, x), self._every(synapse), neuron, mixes)

    def to_pre(self, synapse: Factor, neuron: Factor, mixes: bool, gate: Factor = None) -> jax.Array:
        """`sum_s synapse[.., s] * neuron[.., b, post(s)]` over the sites s of each presynaptic neuron."""
        if synapse is None and neuron is None:
            return _count(self.pre_of, self.n_pre)
        mixes, neuron = mixes and neuron is not None, _all(neuron, self.n_post)
        if synapse is None:
            return _folded(lambda y: _to_pre(self, None, y), neuron)

        def turned(w: jax.Array, y: jax.Array) -> jax.Array:
            return _to_pre(self, jnp.swapaxes(w, 0, 1), y)

        return _product(turned, self._every(synapse), neuron, mixes)

    def outer(self, pre: jax.Array, post: jax.Array) -> jax.Array:
        """`sum_b pre[.., b, pre(s)] * post[.., b, post(s)]` for every site s."""
        dims = jnp.broadcast_shapes(pre.shape[:-2], post.shape[:-2])
        if _single(pre) or _single(post):
            x, y = _flat(pre, pre.shape[:-2]), _flat(post, post.shape[:-2])
            each: Any = _outer(self, x[:, None], y[:, None])
        else:
            x, y = _flat(pre, dims), _flat(post, dims)
            each = jax.vmap(partial(_outer, self))(x[:, None, None], y[:, None, None])
        return jnp.reshape(each, (*dims, 1, self.count))

    def at_pre(self, x: jax.Array) -> jax.Array:
        """`[*dims, 1, n_pre]` as `[*dims, 1, S]`."""
        return take(x, self.pre_of)

    def at_post(self, x: jax.Array) -> jax.Array:
        return take(x, self.post_of)

    @cached_property
    def n_pre(self) -> int:
        return math.prod(self.pre)

    @cached_property
    def n_post(self) -> int:
        return math.prod(self.post)

    @property
    def pre_of(self) -> Index:
        """The presynaptic neuron of every site."""
        return sites(self.topology, self.pre, self.post).pre

    @property
    def post_of(self) -> Index:
        """The postsynaptic neuron of every site, ascending."""
        return sites(self.topology, self.pre, self.post).post

    @property
    def count(self) -> int:
        return len(self.pre_of)

    def _every(self, synapse: jax.Array) -> jax.Array:
        return jnp.broadcast_to(synapse, (*synapse.shape[:-2], 1, self.count))


def take(x: jax.Array, index: Any) -> jax.Array:
    """Entries of the last axis. Indices are valid and not negative; checking them would cost time."""
    return x.at[..., index].get(mode="promise_in_bounds", wrap_negative_indices=False)


def _product(product: Any, synapse: jax.Array, neuron: jax.Array, mixes: bool) -> jax.Array:
    """`product(w[r, c, s], x[c, m, b, n]) -> [r, m, b, n']` for arbitrary dims."""
    of_neuron, batch = neuron.shape[:-2], neuron.shape[-2]
    if mixes:
        rows, columns = synapse.shape[:2]
        x = neuron.reshape(columns, math.prod(of_neuron[1:]), *neuron.shape[-2:])
        y = product(synapse[..., 0, :], x)
        return y.reshape(rows, *of_neuron[1:], batch, y.shape[-1])
    dims = jnp.broadcast_shapes(synapse.shape[:-2], of_neuron)
    if _single(synapse):
        y = product(synapse.reshape(1, 1, -1), _flat(neuron, of_neuron)[None])
    elif _single(neuron):
        y = product(_flat(synapse, synapse.shape[:-2]), _flat(neuron, of_neuron)[None])
    else:
        y = jax.vmap(product)(_flat(synapse, dims)[:, None], _flat(neuron, dims)[:, None, None])
    return y.reshape(*dims, batch, y.shape[-1])


def _folded(total: Any, neuron: jax.Array) -> jax.Array:
    dims = neuron.shape[:-2]
    y = total(_flat(neuron, dims)[None])
    return y.reshape(*dims, *y.shape[-2:])


def _single(x: jax.Array) -> bool:
    """Whether there are no dims, or only of size 1."""
    return math.prod(x.shape[:-2]) == 1


def _flat(x: jax.Array, dims: tuple[int, ...]) -> jax.Array:
    """With all dims merged into one axis."""
    return jnp.broadcast_to(x, (*dims, *x.shape[-2:])).reshape(math.prod(dims), *x.shape[-2:])


def _all(neuron: Factor, n: int) -> jax.Array:
    if neuron is None:
        return jnp.ones((1, n))
    return jnp.broadcast_to(neuron, (*neuron.shape[:-1], n))


def _count(index: Index, n: int) -> jax.Array:
    return jnp.asarray(np.bincount(index, minlength=n)[None], jnp.result_type(float))


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _to_post(form: Trilinear, w: jax.Array | None, x: jax.Array) -> jax.Array:
    return form.sum_post(w, x)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _to_pre(form: Trilinear, w: jax.Array | None, y: jax.Array) -> jax.Array:
    return form.sum_pre(w, y)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _outer(form: Trilinear, x: jax.Array, y: jax.Array) -> jax.Array:
    return form.sum_batch(x, y)


def _kept(function: Any) -> Any:
    return lambda form, *factors: (function(form, *factors), factors)


def _back_post(form: Trilinear, factors: Any, y: jax.Array) -> Any:
    w, x = factors
    return None if w is None else _outer(form, x, y), _to_pre(form, w, y)


def _back_pre(form: Trilinear, factors: Any, x: jax.Array) -> Any:
    w, y = factors
    return None if w is None else _outer(form, x, y), _to_post(form, w, x)


def _back_outer(form: Trilinear, factors: Any, w: jax.Array) -> Any:
    x, y = factors
    return _to_pre(form, w, y), _to_post(form, w, x)


_to_post.defvjp(_kept(_to_post), _back_post)
_to_pre.defvjp(_kept(_to_pre), _back_pre)
_outer.defvjp(_kept(_outer), _back_outer)
