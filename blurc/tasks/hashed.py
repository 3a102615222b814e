"""Whether two tasks have the same examples."""

from __future__ import annotations

import hashlib

import jax
import numpy as np


def hashed(tree: object) -> str:
    """A hash of all arrays of a pytree."""
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(tree):
        digest.update(f"{leaf.dtype} {leaf.shape} ".encode())
        digest.update(np.ascontiguousarray(leaf).tobytes())
    return digest.hexdigest()
