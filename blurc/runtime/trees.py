"""`jax.tree.map` with types: what is done to every array of a pytree leaves the pytree of the same type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

Tree = TypeVar("Tree")


def map_tree(f: Callable[[Array], ArrayLike], tree: Tree) -> Tree:
    return jax.tree.map(f, tree)


def map_pair(f: Callable[[Array, Array], ArrayLike], one: Tree, other: Tree) -> Tree:
    """`f` of the arrays at the same places of two pytrees."""
    return jax.tree.map(f, one, other)


def stack_trees(trees: Sequence[Tree]) -> Tree:
    """Pytrees of one structure as one, whose arrays have them along a new first axis."""

    def stack(*arrays: Array) -> Array:
        return jnp.stack(arrays)

    return jax.tree.map(stack, *trees)
