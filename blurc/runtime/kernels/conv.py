"""Convolutions: windows of the source population connect to places of the target, sharing synapses.

Neuron values are `[*dims, batch, n]` with n = places * channels, channels last; synapses are `[*dims, A, B]` with A the
places in the window times the source channels, and B the target channels. The zeros of the padding have no synapses.

Every product is one XLA convolution, channels last, or a transpose of it. States and synapse channels are folded into
its axes: those that only one factor has go to the batch or the channels of the convolution, and so does the sum of a
synapse matrix times a neuron vector. Those that both factors have take one convolution each: grouped convolutions are
2 to 5 times slower on CPU.

Known inefficiency: under `jax.vmap` over genomes, JAX makes such grouped convolutions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from blurc.model import Conv, Shape
from blurc.runtime.kernels.elementwise import Factor
from blurc.runtime.kernels.windows import Grid, Sliding

Product = Callable[[jax.Array, jax.Array], jax.Array]  # neurons [N, *places, c], synapses [*window, c, d]


@dataclass(frozen=True)
class ConvKernel(Sliding):
    topology: Conv

    def to_post(self, synapse: Factor, neuron: Factor, mixes: bool, gate: Factor = None) -> jax.Array:
        if synapse is None and neuron is None:
            return self._counts(self.source, self.target, [i.sum(0) for i in self.windows.inside()])
        kernel = None if synapse is None else self._kernel(synapse)
        return self._weighted(self._forward, kernel, neuron, mixes, self.source, self.target)

    def to_pre(self, synapse: Factor, neuron: Factor, mixes: bool, gate: Factor = None) -> jax.Array:
        if synapse is None and neuron is None:
            return self._counts(self.target, self.source, [h.sum(0) for h in self._hits()])
        kernel = None if synapse is None else jnp.swapaxes(self._kernel(synapse), -1, -2)
        return self._weighted(self._backward, kernel, neuron, mixes, self.target, self.source)

    def outer(self, pre: jax.Array, post: jax.Array) -> jax.Array:
        pre, post = self.source.unfold(pre), self.target.unfold(post)
        rank = len(self.topology.window)
        result = _products_over_dims(self._kernel_product, pre, post, rank)
        dims = result.shape[: result.ndim - rank - 2]
        return result.reshape((*dims, -1, self.target.channels))

    def at_pre(self, x: jax.Array) -> jax.Array:
        means = self._means(self.source.unfold(x), self._hits())  # [*dims, 1, *window, c_in]
        return means.reshape((*x.shape[:-2], -1, 1))

    def at_post(self, x: jax.Array) -> jax.Array:
        means = self._means(self.target.unfold(x), self.windows.inside())  # [*dims, 1, *window or 1s, c_out]
        dims, c = x.shape[:-2], self.target.channels
        if means.shape[len(dims) + 1 : -1] == (1,) * len(self.topology.window):
            return means.reshape((*dims, 1, c))
        full = jnp.broadcast_to(means, (*dims, 1, *self.topology.window, c))
        size = math.prod(self.topology.window)
        each = full.reshape((*dims, size, 1, c))
        return jnp.broadcast_to(each, (*dims, size, self.source.channels, c)).reshape((*dims, -1, c))

    # ------------------------------------------------------------- products

    def _forward(self, x: jax.Array, kernel: jax.Array) -> jax.Array:
        if x.shape[-1] == 1:
            return lax.platform_dependent(x, kernel, cpu=self._shifted, default=self._convolution)
        return self._convolution(x, kernel)

    def _convolution(self, x: jax.Array, kernel: jax.Array) -> jax.Array:
        axes = "XYZ"[: len(self.topology.window)]
        return lax.conv_general_dilated(
            x,
            kernel,
            self.topology.stride,
            self.topology.pads(self.source.places),
            dimension_numbers=(f"N{axes}C", f"{axes}IO", f"N{axes}C"),
        )

    def _shifted(self, x: jax.Array, kernel: jax.Array) -> jax.Array:
        """For one channel, 2 to 5 times faster than XLA's on CPU: a sum over the places in the window."""
        weights = kernel.reshape((-1, kernel.shape[-1]))
        patches = self.windows.patches(x)
        first = next(patches) * weights[0]
        return sum((p * w for p, w in zip(patches, weights[1:], strict=True)), start=first)

    def _backward(self, y: jax.Array, kernel: jax.Array) -> jax.Array:
        kernel = jnp.swapaxes(kernel, -1, -2)
        x = _like(y, (y.shape[0], *self.source.places, kernel.shape[-2]))
        (result,) = jax.linear_transpose(lambda x: self._convolution(x, kernel), x)(y)
        return result

    def _kernel_product(self, x: jax.Array, y: jax.Array) -> jax.Array:
        kernel = _like(y, (*self.topology.window, x.shape[-1], y.shape[-1]))
        (result,) = jax.linear_transpose(lambda kernel: self._convolution(x, kernel), kernel)(y)
        return result

    # -------------------------------------------------------- weighted sums

    def _kernel(self, synapse: jax.Array) -> jax.Array:
        """`[*dims, A or 1, B or 1]` as `[*dims, *window, c_in, c_out]`."""
        dims, shape = synapse.shape[:-2], (*self.topology.window, self.source.channels, self.target.channels)
        full = jnp.broadcast_to(synapse, (*dims, math.prod(shape[:-1]), shape[-1]))
        return full.reshape((*dims, *shape))

    def _weighted(
        self, product: Product, kernel: Factor, neuron: Factor, mixes: bool, near: Grid, far: Grid
    ) -> jax.Array:
        """The weighted sum from one side to the other. `kernel` is `[*dims, *window, c_near, c_far]`."""
        if neuron is None:
            neuron, mixes = jnp.ones((1, 1)), False
        x = near.unfold(neuron)
        if kernel is None:  # the same for all channels
            x = jnp.sum(x, axis=-1, keepdims=True)
            kernel = jnp.ones((*self.topology.window, 1, 1), x.dtype)
        return far.fold(_over_dims(product, kernel, x, mixes, len(self.topology.window)))

    def _counts(self, near: Grid, far: Grid, along: list[np.ndarray]) -> jax.Array:
        """How many sites each neuron of a side has, given the number of window places along each axis."""
        counts = reduce(np.multiply.outer, along) * near.channels
        return far.fold(jnp.asarray(counts[None, ..., None], jnp.result_type(float)))

    # ----------------------------------------------------- means over places

    def _hits(self) -> list[np.ndarray]:
        """Along each axis, whether (or how often) place k of the window is ever at place i of the source: `[k, i]`."""
        w = self.windows
        places = zip(w.positions(), self.source.places, strict=True)
        return [np.stack([(at[:, None] == np.arange(n)).sum(0) for at in axis]) for axis, n in places]

    def _means(self, x: jax.Array, where: list[np.ndarray]) -> jax.Array:
        """For each place in the window, the mean of `x` over the places where it acts. Where that is the same for all
        places along an axis of the window, that axis has size 1."""
        rank = len(where)
        for i, acts in enumerate(where):
            weights = acts / np.maximum(acts.sum(1, keepdims=True), 1)
            if (weights == weights[:1]).all():
                weights = weights[:1]
            axis = x.ndim - 1 - rank + i
            mean = jnp.tensordot(x, jnp.asarray(weights, x.dtype), ((axis,), (1,)), precision="highest")
            x = jnp.moveaxis(mean, -1, axis)
        return x


def _like(x: jax.Array, shape: tuple[Any, ...]) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, x.dtype)


# ------------------------------------------------------------- states and channels


def _over_dims(product: Product, kernel: jax.Array, x: jax.Array, mixes: bool, rank: int) -> jax.Array:
    """`kernel` `[*dims, *window, near, far]`, `x` `[*dims, batch, *places, near]`."""
    of_kernel, of_x = kernel.shape[: -rank - 2], x.shape[: -rank - 2]
    if mixes:
        result = _mix(product, kernel, _with_dims(x, rank, (of_kernel[1], math.prod(of_x[1:]))))
        return _with_dims(result, rank, (of_kernel[0], *of_x[1:]))
    dims = jnp.broadcast_shapes(of_kernel, of_x)
    n_kernel, n_x = math.prod(of_kernel), math.prod(of_x)
    if n_kernel == 1 or n_x == 1:
        result = _mix(product, _with_dims(kernel, rank, (n_kernel, 1)), _with_dims(x, rank, (1, n_x)))
        return _with_dims(result, rank, dims)
    kernels, xs = _flat_dims(kernel, rank, dims), _flat_dims(x, rank, dims)
    pairs = zip(kernels, xs, strict=True)
    return _with_dims(jnp.stack([product(x, kernel) for kernel, x in pairs]), rank, dims)


def _mix(product: Product, kernel: jax.Array, x: jax.Array) -> jax.Array:
    """`[r, c, *window, near, far]` with `[c, rest, batch, *places, near]`, summed over c in one product:
    `[r, rest, batch, *places, far]`."""
    r, c, *window, near, far = kernel.shape
    _, rest, batch, *places, _ = x.shape
    axes = range(2, 2 + len(window))
    kernel = jnp.transpose(kernel, (*axes, 1, kernel.ndim - 2, 0, kernel.ndim - 1))
    x = jnp.moveaxis(x, 0, -2).reshape((rest * batch, *places, c * near))
    y = product(x, kernel.reshape((*window, c * near, r * far)))
    return jnp.moveaxis(y.reshape((rest, batch, *y.shape[1:-1], r, far)), -2, 0)


def _products_over_dims(product: Product, x: jax.Array, y: jax.Array, rank: int) -> jax.Array:
    """Products of two sides, `[*dims, batch, *places, channels]`: `[*dims, *window, c, d]`."""
    dims = jnp.broadcast_shapes(x.shape[: -rank - 2], y.shape[: -rank - 2])
    n_x, n_y = (math.prod(a.shape[: -rank - 2]) for a in (x, y))
    xs, ys = _with_dims(x, rank, (n_x,)), _with_dims(y, rank, (n_y,))
    if n_x == 1 or n_y == 1:
        result = product(_into_channels(xs), _into_channels(ys))
        window, c, d = result.shape[:-2], x.shape[-1], y.shape[-1]
        result = result.reshape((*window, n_x, c, n_y, d))
        result = jnp.moveaxis(result, (rank, rank + 2), (0, 1))
        return result.reshape((*dims, *window, c, d))
    xs, ys = _flat_dims(x, rank, dims), _flat_dims(y, rank, dims)
    result = jnp.stack([product(a, b) for a, b in zip(xs, ys, strict=True)])
    return result.reshape((*dims, *result.shape[1:]))


def _into_channels(x: jax.Array) -> jax.Array:
    """`[dims, batch, *places, c]` as `[batch, *places, dims * c]`."""
    dims, *rest, c = x.shape
    return jnp.moveaxis(x, 0, -2).reshape((*rest, dims * c))


def _with_dims(x: jax.Array, rank: int, dims: Shape) -> jax.Array:
    """Replaces the axes in front of the last `rank` + 2."""
    return x.reshape((*dims, *x.shape[x.ndim - rank - 2 :]))


def _flat_dims(x: jax.Array, rank: int, dims: Shape) -> jax.Array:
    full = jnp.broadcast_to(x, (*dims, *x.shape[x.ndim - rank - 2 :]))
    return _with_dims(full, rank, (math.prod(dims),))
