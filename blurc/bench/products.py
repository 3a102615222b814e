"""The bare matrix products of a `blur` step: what is left of it without everything else.

The same sizes, layout and kernels as in the compiled step: forward through every layer, backward through the layers
whose way back is live (all but the first), and an outer product per live channel. Each product reads the ones before
it, as in the step, so that XLA can neither drop them nor move them out of the loop.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import lax

from blurc.runtime import DenseKernel, map_tree

Layer = tuple[jax.Array, jax.Array | None]  # w, and v if it is live; each [k, n_pre, n_post]


def init(key: jax.Array, sizes: Sequence[int], k: int) -> list[Layer]:
    keys = jax.random.split(key, len(sizes) - 1)
    pairs = zip(keys, itertools.pairwise(sizes), strict=True)
    return [_layer(key, (k, *n), live=i > 0) for i, (key, n) in enumerate(pairs)]


def _layer(key: jax.Array, shape: tuple[int, int, int], live: bool) -> Layer:
    forth, back = jax.random.split(key)
    _, n_pre, n_post = shape
    v = jax.random.normal(back, shape) / n_post**0.5 if live else None
    return jax.random.normal(forth, shape) / n_pre**0.5, v


def _kernel(w: jax.Array) -> DenseKernel:
    return DenseKernel(*w.shape[-2:])


def _step(layers: list[Layer], x: jax.Array) -> list[Layer]:
    k = layers[0][0].shape[0]
    forth = [jnp.broadcast_to(x, (k, *x.shape))]
    for w, _ in layers:
        forth.append(_kernel(w).to_post(w, forth[-1], False))
    back = [forth[-1]]
    for w, v in reversed(layers[1:]):
        back.insert(0, _kernel(w).to_pre(v, back[0], False))
    back.insert(0, forth[0])
    return [_outers(layers[i], forth[i], back[i], back[i + 1]) for i in range(len(layers))]


def _outers(layer: Layer, forth: jax.Array, pre: jax.Array, post: jax.Array) -> Layer:
    # The two channels of a layer get different left sides, or XLA would share one product.
    w, v = layer
    kernel = _kernel(w)
    return kernel.outer(pre, post), None if v is None else kernel.outer(forth, post)


@jax.jit
def run(layers: list[Layer], xs: jax.Array) -> list[Layer]:
    """The products of one step per leading entry of `xs`. Returns the last outer products."""
    first = map_tree(jnp.zeros_like, layers)
    return lax.scan(lambda _, x: (_step(layers, x), None), first, xs)[0]
