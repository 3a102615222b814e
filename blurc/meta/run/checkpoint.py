"""Checkpoints of a search: everything it needs to resume bit for bit.

The leaves of a pytree, in JAX's order. The reader knows the structure from the experiment; a file with different leaves
is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from blurc.diagnostics import BlurError, Diagnostic
from blurc.storage import checkpoints

KIND = checkpoints.Kind(
    "a search",
    "",
    7,
    missing="start the run without --resume",
    damaged="delete the run folder and start over; its metrics.jsonl and genome.yaml are still readable",
    foreign="resume with that version, or begin again from its genome.yaml (`start:`)",
)


def save(path: Path, tree: Any, about: Mapping[str, Any]) -> None:
    """Raises `OSError`."""
    KIND.save(path, _leaves(tree), about)


def packed(tree: Any, about: Mapping[str, Any]) -> bytes:
    """The bytes of a checkpoint."""
    return KIND.packed(_leaves(tree), about)


def unpacked(data: bytes, like: Any) -> tuple[Any, dict[str, Any]]:
    """What `packed` was given, from another process; the pytree as `load` does."""
    leaves, about = checkpoints.unpacked(data)
    wanted, structure = jax.tree.flatten(like)
    return structure.unflatten(_as_wanted(leaves, wanted)), about


def about(path: Path) -> dict[str, Any]:
    """The metadata of a checkpoint. Raises `BlurError` (E615 to E617)."""
    return KIND.read(path)[0]


def load(path: Path, like: Any) -> Any:
    """The pytree, with the structure, shapes and dtypes of `like`. Where a leaf of `like` has a leading axis of length
    0, any length is accepted. Raises `BlurError` (E615 to E617)."""
    _, found = KIND.read(path)
    wanted, structure = jax.tree.flatten(like)
    if len(found) != len(wanted) or not all(map(_alike, found, wanted)):
        message = f"`{path}` does not match this experiment: its arrays are different"
        raise BlurError(Diagnostic("E617", message, help="resume it with the experiment that started it"))
    return structure.unflatten(_as_wanted(found, wanted))


def _leaves(tree: Any) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]


def _as_wanted(found: Sequence[np.ndarray], wanted: Sequence[Any]) -> list[Any]:
    return [f if isinstance(w, np.ndarray) else jnp.asarray(f) for f, w in zip(found, wanted, strict=True)]


def _alike(found: np.ndarray, wanted: Any) -> bool:
    shape = found.shape[1:] if wanted.shape[:1] == (0,) else found.shape
    return found.dtype == wanted.dtype and shape == (wanted.shape[1:] if wanted.shape[:1] == (0,) else wanted.shape)
