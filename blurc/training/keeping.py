"""What is kept of training, so that it can go on: in `checkpoint.py`'s file."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from blurc.diagnostics import BlurError, BlurWarning, Diagnostic
from blurc.tasks import Batches
from blurc.training.checkpoint import ANEW, Checkpoint
from blurc.training.learner import Point
from blurc.training.progress import Clock, Progress


@dataclass
class KeptTraining:
    """The genome, the state and the noise key between two chunks of steps, the curve, and the answers on the way."""

    checkpoint: Checkpoint
    _found: tuple[dict[str, Any], list[np.ndarray]] | None = field(init=False)
    _reached: tuple[list[Any], dict[str, Any]] | None = None  # arrays and the rest, if they are not in the file yet

    def __post_init__(self) -> None:
        """Raises `BlurError` as `Checkpoint.read` does."""
        self._found = self.checkpoint.read()

    def resumed(self, progress: Progress, batches: Iterable[Batches]) -> None:
        """Raises `BlurError` (E617) if the arrays are not those of the network."""
        if not self._found:
            return
        about, leaves = self._found
        self._found = None  # which may be large
        wanted, structure = jax.tree.flatten(progress.carry)
        carried, outputs = leaves[: len(wanted)], leaves[len(wanted) :]
        if [_form(leaf) for leaf in map(_bare, wanted)] != [_form(leaf) for leaf in carried]:
            message = f"the arrays in `{self.checkpoint.path}` are not those of this network"
            raise BlurError(Diagnostic("E617", message, help=f"resume with the network that it was made with, {ANEW}"))
        progress.carry = structure.unflatten(map(_as, carried, wanted))
        progress.chunks, progress.shown = about["chunks"], about["shown"]
        progress.points += [Point(**point) for point in about["points"]]
        progress.training, progress.compiling = Clock(about["training"]), Clock(about["compiling"])
        for output, batch in zip(outputs, islice(batches, len(outputs)), strict=True):
            progress.way.add(output, batch)

    def keep(self, progress: Progress, done: bool) -> None:
        about = {
            "chunks": progress.chunks,
            "shown": progress.shown,
            "points": [asdict(point) for point in progress.points],
            "training": progress.training.seconds,
            "compiling": progress.compiling.seconds,
        }
        self._reached = [*jax.tree.leaves(progress.carry), *(chunk[0] for chunk in progress.way.chunks)], about
        if done:
            self._write_last()
        elif self.checkpoint.is_due:
            self._write()

    def interrupted(self) -> None:
        """Progress itself may have been in the middle of a change."""
        if self._reached:
            self._write()

    def _write_last(self) -> None:
        """Warns (W901) where it fails: training is over, and its result is not lost with the file."""
        try:
            self._write()
        except BlurError as error:
            (failed,) = error.diagnostics
            help = "the result is complete; the checkpoint lacks the last steps, or is missing"
            warnings.warn(BlurWarning(Diagnostic("W901", failed.message, help=help, severity="warning")), stacklevel=2)

    def _write(self) -> None:
        assert self._reached
        leaves, about = self._reached
        self.checkpoint.write([*map(_bare, leaves)], about)
        self._reached = None


@dataclass
class KeptLifetimes:
    """The scores of lifetimes that are over."""

    checkpoint: Checkpoint
    _lives: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def __post_init__(self) -> None:
        """Raises `BlurError` as `Checkpoint.read` does."""
        if found := self.checkpoint.read():
            self._lives = found[0]["lives"]

    def found(self, name: str, seed: int) -> tuple[list[float], int | None] | None:
        """The scores of a lifetime, and at which step it diverged; None if it is still to be lived. name: of the
        row."""
        kept = self._lives.get(name, {}).get(str(seed))
        return (kept["scores"], kept["lost"]) if kept else None

    def keep(self, name: str, seed: int, scores: Sequence[float], lost: int | None) -> None:
        if self.found(name, seed) is None:
            self._lives.setdefault(name, {})[str(seed)] = {"scores": [*scores], "lost": lost}
            self.checkpoint.write([], {"lives": self._lives})


def _bare(leaf: Any) -> np.ndarray:
    return np.asarray(jax.random.key_data(leaf) if _is_key(leaf) else leaf)


def _as(found: np.ndarray, wanted: Any) -> Any:
    """As it was in the carry, and where it was."""
    if not isinstance(wanted, jax.Array):
        return found
    value = jnp.asarray(found)
    if _is_key(wanted):
        value = jax.random.wrap_key_data(value, impl=jax.random.key_impl(wanted))
    return jax.device_put(value, wanted.sharding) if len(wanted.sharding.device_set) > 1 else value


def _form(leaf: np.ndarray) -> tuple[Any, ...]:
    return leaf.dtype, leaf.shape


def _is_key(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
