"""Genomes as vectors, for methods that only work with those."""

from __future__ import annotations

from typing import Any

import jax
from jax.flatten_util import ravel_pytree

from blurc.runtime import map_tree


def first(genomes: Any) -> Any:
    """The first of the genomes [replicas]."""
    return map_tree(lambda x: x[0], genomes)


def vector(genome: Any) -> jax.Array:
    return ravel_pytree(genome)[0]


def genomes(vectors: jax.Array, like: Any) -> Any:
    """Vectors [candidates, n] as genomes shaped like `like`."""
    return jax.vmap(ravel_pytree(like)[1])(vectors)
