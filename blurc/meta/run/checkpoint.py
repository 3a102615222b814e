"""Checkpoints: everything a run needs to resume bit for bit, in one file that is written atomically.

An `.npz` without pickle: the leaves of a pytree as arrays, in JAX's order, and JSON metadata `about` with a SHA-256 of
both. The reader knows the structure from the experiment; a file with different leaves is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from blurc.diagnostics import BlurError, Diagnostic
from blurc.storage import npz, why, write_file

FORMAT = 7


def save(path: Path, tree: Any, about: Mapping[str, Any]) -> None:
    """Raises `OSError`."""
    write_file(path, packed(tree, about))


def packed(tree: Any, about: Mapping[str, Any]) -> bytes:
    """The bytes of a checkpoint."""
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]
    about = {**about, "format": FORMAT}
    text = json.dumps({**about, "sha256": _digest(about, leaves)}, sort_keys=True)
    file = io.BytesIO()
    arrays = {f"leaf{i}": leaf for i, leaf in enumerate(leaves)}
    np.savez(file, allow_pickle=False, about=np.frombuffer(text.encode(), np.uint8), **arrays)
    return file.getvalue()


def unpacked(data: bytes, like: Any) -> tuple[Any, dict[str, Any]]:
    """What `packed` was given, from another process; the pytree as `load` does."""
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        leaves = [file[f"leaf{i}"] for i in range(len(file.files) - 1)]
        about = json.loads(bytes(file["about"]).decode())
    wanted, structure = jax.tree.flatten(like)
    return structure.unflatten(_as_wanted(leaves, wanted)), about


def about(path: Path) -> dict[str, Any]:
    """The metadata of a checkpoint. Raises `BlurError` (E615, E616)."""
    return _read(path)[0]


def load(path: Path, like: Any) -> Any:
    """The pytree, with the structure, shapes and dtypes of `like`. Where a leaf of `like` has a leading axis of length
    0, any length is accepted. Raises `BlurError` (E615 to E617)."""
    _, found = _read(path)
    wanted, structure = jax.tree.flatten(like)
    if len(found) != len(wanted) or not all(map(_alike, found, wanted)):
        message = f"`{path}` does not match this experiment: its arrays are different"
        raise BlurError(Diagnostic("E617", message, help="resume it with the experiment that started it"))
    return structure.unflatten(_as_wanted(found, wanted))


def _as_wanted(found: Sequence[np.ndarray], wanted: Sequence[Any]) -> list[Any]:
    return [f if isinstance(w, np.ndarray) else jnp.asarray(f) for f, w in zip(found, wanted, strict=True)]


def _alike(found: np.ndarray, wanted: Any) -> bool:
    shape = found.shape[1:] if wanted.shape[:1] == (0,) else found.shape
    return found.dtype == wanted.dtype and shape == (wanted.shape[1:] if wanted.shape[:1] == (0,) else wanted.shape)


def _read(path: Path) -> tuple[dict[str, Any], list[np.ndarray]]:
    try:
        with npz.opened(path) as file:
            about = json.loads(bytes(file.array("about")).decode())
            most = path.stat().st_size  # bytes, for nothing in it is compressed
            leaves = [file.array(f"leaf{i}", most) for i in range(len(file.names) - 1)]
    except FileNotFoundError:
        message = f"there is no checkpoint `{path}`"
        raise BlurError(Diagnostic("E615", message, help="start the run without --resume")) from None
    except OSError as error:
        raise BlurError(Diagnostic("E616", f"cannot read `{path}`: {why(error)}")) from None
    except (npz.Damaged, npz.Unfit, ValueError, RecursionError):
        raise _damaged(path, "it is not a complete blurc checkpoint") from None
    if not isinstance(about, dict) or not isinstance(about.get("format"), int):
        raise _damaged(path, "it is not a blurc checkpoint")
    if about["format"] != FORMAT:
        message = f"`{path}` was made with another version of blurc: its format is {about['format']}, not {FORMAT}"
        help = "resume with that version, or begin again from its genome.yaml (`start:`)"
        raise BlurError(Diagnostic("E617", message, help=help))
    if about.pop("sha256", None) != _digest(about, leaves):
        raise _damaged(path, "its contents have changed since it was saved")
    return about, leaves


def _damaged(path: Path, reason: str) -> BlurError:
    help = "delete the run folder and start over; its metrics.jsonl and genome.yaml are still readable"
    return BlurError(Diagnostic("E616", f"cannot resume from `{path}`: {reason}", help=help))


def _digest(about: Mapping[str, Any], leaves: Sequence[np.ndarray]) -> str:
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for leaf in leaves:
        digest.update(f"{leaf.dtype} {leaf.shape} ".encode())
        digest.update(np.ascontiguousarray(leaf).tobytes())
    return digest.hexdigest()
