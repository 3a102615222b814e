"""What is kept of training, so that it can go on: in `checkpoint.py`'s file."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from blurc.diagnostics import BlurError, BlurWarning, Diagnostic, counted
from blurc.tasks import Batches
from blurc.training.checkpoint import ANEW, Checkpoint
from blurc.training.learner import Point
from blurc.training.progress import Clock, Progress


@dataclass
class KeptTraining:
    """The genome, the state and the noise key between two chunks of steps, the curve, and the answers on the way.

    checkpoint: where.
    chunk: steps of a chunk.
    steps: in all.
    saved: up to which step the file goes: "step 200"; "" if there is none.
    """

    checkpoint: Checkpoint
    chunk: int
    steps: int
    saved: str = field(default="", init=False)
    _found: tuple[dict[str, Any], list[np.ndarray]] | None = field(init=False)
    _reached: tuple[list[Any], dict[str, Any]] | None = None  # arrays and the rest, if they are not in the file yet

    def __post_init__(self) -> None:
        """Raises `BlurError` as `Checkpoint.read` does."""
        self._found = self.checkpoint.read()
        if self._found:
            self._came_to(self._found[0])

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
            _last(self._write, "the last steps")
        elif self.checkpoint.is_due:
            self._write()

    def interrupted(self) -> None:
        """Progress itself may have been in the middle of a change."""
        if self._reached:
            self._write()

    def _write(self) -> None:
        assert self._reached
        leaves, about = self._reached
        self.checkpoint.write([*map(_bare, leaves)], about)
        self._came_to(about)
        self._reached = None

    def _came_to(self, about: Mapping[str, Any]) -> None:
        self.saved = f"step {min(about['chunks'] * self.chunk, self.steps):,}"


@dataclass
class KeptLifetimes:
    """The scores of lifetimes that are over.

    checkpoint: where.
    count: of lifetimes in all.
    saved: how many are in the file: "3 lifetimes"; "" if there is none.
    """

    checkpoint: Checkpoint
    count: int
    saved: str = field(default="", init=False)
    _over: int = field(default=0, init=False)
    _lives: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def __post_init__(self) -> None:
        """Raises `BlurError` as `Checkpoint.read` does."""
        if found := self.checkpoint.read():
            self._lives = found[0]["lives"]
            self._came_to()

    def found(self, name: str, seed: int) -> tuple[list[float], int | None] | None:
        """The scores of a lifetime, and at which step it diverged; None if it is still to be lived. name: of the
        row."""
        kept = self._lives.get(name, {}).get(str(seed))
        return (kept["scores"], kept["lost"]) if kept else None

    def keep(self, name: str, seed: int, scores: Sequence[float], lost: int | None) -> None:
        """After every lifetime, also one that was found."""
        self._over += 1
        if self.found(name, seed) is None:
            self._lives.setdefault(name, {})[str(seed)] = {"scores": [*scores], "lost": lost}
            if self._over == self.count:
                _last(self._write, "the last lifetime")
            else:
                self._write()

    def _write(self) -> None:
        self.checkpoint.write([], {"lives": self._lives})
        self._came_to()

    def _came_to(self) -> None:
        self.saved = counted(sum(map(len, self._lives.values())), "lifetime")


def _last(write: Callable[[], None], lacking: str) -> None:
    """Warns (W901) where it fails: all is learned, and the result is not lost with the file."""
    try:
        write()
    except BlurError as error:
        (failed,) = error.diagnostics
        help = f"the result is complete; the checkpoint lacks {lacking}, or is missing"
        warnings.warn(BlurWarning(Diagnostic("W901", failed.message, help=help, severity="warning")), stacklevel=2)


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
