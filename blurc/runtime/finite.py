"""Looks for values that are not finite, where a caller asked for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from blurc.diagnostics import BlurError, Diagnostic

HELP = "leave such examples out, or replace the values; a state or genome with them is the result of diverged training"


def check_finite(**trees: Any) -> None:
    """Raises `BlurError` (E918) at the first value that is infinite or NaN. Traced arrays have no values yet.

    Args:
        **trees: dicts of dicts of arrays, by what they are called.
    """
    found = [(path, leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(trees) if _has_values(leaf)]
    sound = jax.device_get(_are_finite([leaf for _, leaf in found]))
    for (path, leaf), is_sound in zip(found, sound, strict=True):
        if not is_sound:
            raise BlurError(Diagnostic("E918", _where([part.key for part in path], np.asarray(leaf)), help=HELP))


def _has_values(leaf: object) -> bool:
    return not isinstance(leaf, Tracer) and jnp.issubdtype(jnp.result_type(leaf), jnp.floating)


@jax.jit
def _are_finite(leaves: Sequence[Any]) -> list[jax.Array]:
    return [jnp.isfinite(leaf).all() for leaf in leaves]


def _where(path: Sequence[str], array: Any) -> str:
    what, *inner = path
    at = np.unravel_index(int(np.argmin(np.isfinite(array))), array.shape)
    index = f"[{', '.join(map(str, at))}]" if at else ""
    return f"`{'/'.join(inner)}{index}` of {what} is {array[at]}"


def of_state(state: Any) -> Mapping[str, Any]:
    """Synapses, neurons and statistics of a state as one tree."""
    tree: dict[str, Any] = {}
    for part in state:
        for name, of in part.items():
            tree[name] = {**tree.get(name, {}), **of}
    return tree
