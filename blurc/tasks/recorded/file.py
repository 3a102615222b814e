"""Recordings in a user's own arrays, as an `.npz` file has them.

x                [recordings, steps, ..]: the inputs, in the order in which they were shown
recorded_WHAT    [recordings, steps, ..]: a population; NaN is a value that is missing
y                [recordings, steps, ..]: what a teacher said, if there was one
signal_NAME      [recordings, steps, ..]: a signal of the rule, such as a reward
start_PROJECTION [recordings, n_pre, n_post]: its first synapses, where they are known; of a rule with several channels
                 start_PROJECTION.CHANNEL

With time, an axis of it follows that of the steps. Nothing is rescaled. A fixed fifth of the recordings is held out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from blurc.diagnostics import BlurError, Diagnostic
from blurc.storage import Array, npz, why
from blurc.tasks.answers import Complaint, floats
from blurc.tasks.choice import TaskChoice
from blurc.tasks.dataset import split
from blurc.tasks.recorded.recordings import Recordings, Replay, Shown

RECORDED, SIGNAL, START = "recorded_", "signal_", "start_"
FITTING = {"data", "name", "weight", "record", "time", "where"}
SEED = 0  # selects the fifth that is held out


def load(choice: TaskChoice) -> Recordings:
    """The recordings that `choice.record` names. Raises `BlurError` (E802, E803, E804, E811)."""
    _check(choice)
    path = Path(choice.data)
    arrays = _read(path, choice.record)
    if found := [*_problems(arrays, choice)]:
        raise BlurError([Diagnostic("E804", f"{path}: {what}", help=help) for what, help in found])
    count, lead = len(arrays["x"]), 3 if choice.time else 2
    train, test = split(count, SEED)
    order = np.concatenate([train, test]) if len(train) else test
    made = {name: floats(array[order]) for name, array in arrays.items()}
    columns = {name: array.reshape(*array.shape[:lead], -1) for name, array in made.items()}
    recorded = {name: columns[RECORDED + name] for name in choice.record}
    values = [array[np.isfinite(array)] for array in recorded.values()]
    shown = Shown(
        jnp.asarray(columns["x"]),
        jnp.asarray(columns["y"]) if "y" in made else None,
        {name: jnp.asarray(array) for name, array in _named(made, SIGNAL)},
        {name: jnp.asarray(np.nan_to_num(array)) for name, array in recorded.items()},
        {name: jnp.asarray(np.isfinite(array).astype(np.float32)) for name, array in recorded.items()},
    )
    start: dict[str, dict[str, jnp.ndarray]] = {}
    for name, array in _named(made, START):
        projection, _, channel = name.partition(".")
        start.setdefault(projection, {})[channel] = jnp.asarray(array)
    kind = "binary" if all(((a == 0) | (a == 1)).all() for a in values) else "values"
    time = made["x"].shape[2] if choice.time else 0
    return Recordings(choice.name or path.stem, choice.record, Replay(shown, start), len(train) or count, time, kind)


def _check(choice: TaskChoice) -> None:
    """Raises `BlurError` (E811) for what recordings do not have."""
    wrong = [f"`{name}` is not for recordings" for name in choice.given if name not in FITTING]
    if not choice.data.lower().endswith(".npz"):
        wrong = [f"`record` is for recordings in a FILE.npz, not for {choice.data}"]
    if len(set(choice.record)) < len(choice.record):
        wrong.append(f"`record` lists something twice: {', '.join(choice.record)}")
    if wrong:
        raise BlurError([Diagnostic("E811", what, help="leave it out") for what in wrong])


def _read(path: Path, record: tuple[str, ...]) -> dict[str, Array]:
    """The arrays that count. Raises `BlurError`."""
    try:
        with npz.opened(path) as archive:
            needed = ["x", *(RECORDED + name for name in record)]
            if lacking := [name for name in needed if name not in archive.names]:
                there = f"it contains {', '.join(archive.names) or 'no arrays'}"
                recorded = [name.removeprefix(RECORDED) for name in archive.names if name.startswith(RECORDED)]
                help = f"numpy.savez(FILE, x=inputs, {needed[1]}=activity)"
                help = f"recorded are {', '.join(recorded)}: `record: [{recorded[0]}]`" if recorded else help
                message = f"{path}: there is no array `{lacking[0]}`"
                raise BlurError(Diagnostic("E804", message, notes=(there,), help=help))
            more = [n for n in archive.names if n == "y" or n.startswith((SIGNAL, START))]
            return {name: archive.array(name) for name in (*needed, *more)}
    except (npz.Damaged, npz.Unfit) as error:
        code = "E803" if isinstance(error, npz.Damaged) else "E804"
        raise BlurError(Diagnostic(code, f"{path}: {error}")) from None
    except OSError as error:
        raise BlurError(Diagnostic("E802", f"cannot read {path}: {why(error)}")) from None


def _problems(arrays: Mapping[str, Array], choice: TaskChoice) -> Iterator[Complaint]:
    x, axes = arrays["x"], ["recordings", "steps", *(["time"] if choice.time else [])]
    if x.ndim <= len(axes) or not x.size:
        wanted = f"[{', '.join(axes)}, inputs]"
        either = "save x[None] for a single recording, or x[..., None] for a single input"
        help = either if x.ndim == len(axes) else None
        yield f"`x` has shape {list(x.shape)}, expected {wanted} with no axis of size 0", help
        return
    for name, array in arrays.items():
        expected = x.shape[:1] if name.startswith(START) else x.shape[: len(axes)]
        if array.shape[: len(expected)] != expected or not array.size:
            sizes = ", ".join(map(str, expected))
            yield f"`{name}` has shape {list(array.shape)}, expected [{sizes}, ..], as `x` begins", None
        elif name.startswith(RECORDED):
            if where := _first(name, array, np.isinf(floats(array))):
                yield f"{where}, expected a finite float32 number", "save NaN where a value is missing"
        elif where := _first(name, array, ~np.isfinite(floats(array))):
            yield f"{where}, expected finite float32 numbers", None
    recorded = [array for name, array in arrays.items() if name.startswith(RECORDED) and len(array) == len(x)]
    known = [np.isfinite(floats(array)).reshape(len(x), -1).any(axis=1) for array in recorded if array.size]
    if known and not (some := np.logical_or.reduce(known)).all():
        nothing = f"nothing of {', '.join(choice.record)} is known in recording {int(np.argmin(some))}"
        yield nothing, "leave such recordings out"


def _first(name: str, array: Array, wrong: NDArray[np.bool_]) -> str:
    """The first of the values that are wrong, with its place; empty if there is none."""
    if not wrong.any():
        return ""
    at = np.unravel_index(int(np.argmax(wrong)), array.shape)
    return f"`{name}[{', '.join(map(str, at))}]` is {array[at]}"


def _named(arrays: Mapping[str, Array], prefix: str) -> Iterator[tuple[str, Array]]:
    return ((name.removeprefix(prefix), array) for name, array in arrays.items() if name.startswith(prefix))
