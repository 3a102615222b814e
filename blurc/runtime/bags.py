"""Checks the ids that callers pass for an input by ids."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from blurc.runtime.arguments import array, error, is_array, is_gone, kind_of


def bags(value: object, population: str, count: int, leading: tuple[str, ...]) -> jax.Array:
    """Ids of 0 .. count - 1, `[*leading]` or, several for each example, `[*leading, m]`, as int32 `[*leading, m]`.

    -1 is nothing. Ids out of range are refused where their numbers are known; traced ones become -1.
    """
    axes = ", ".join(leading)
    help = f"give each example one of the ids 0 .. {count - 1:,} as an integer, [{axes}], or several, [{axes}, m]"
    what = f"x of `{population}`"
    given: Any = value if is_array(value) else array(value, "E901", what, help)
    if is_gone(given) or getattr(given.dtype, "kind", "") not in ("i", "u"):
        one_hot = given.shape[-1:] == (count,) and given.ndim > len(leading)
        instead = f"{help}; from one-hot rows, x.argmax(axis=-1)" if one_hot else help
        raise error("E922", f"{what} must contain integers, its ids, found {kind_of(given)}", instead)
    if given.ndim not in (len(leading), len(leading) + 1) or 0 in given.shape[len(leading) :]:
        raise error("E901", f"{what} has shape {list(given.shape)}, but ids are [{axes}] or [{axes}, m]", help)
    _check_range(given, what, count)
    return _int32(given, count).reshape((*given.shape[: len(leading)], -1))


def _check_range(given: Any, what: str, count: int) -> None:
    if isinstance(given, Tracer) or (isinstance(given, jax.Array) and not given.is_fully_addressable) or not given.size:
        return
    numbers = np.asarray(given)
    wrong = numbers.max() >= count or (numbers.dtype.kind == "i" and numbers.min() < -1)
    if wrong:
        at = np.unravel_index(int(np.argmax((numbers >= count) | (numbers < -1))), numbers.shape)
        where = f" at [{', '.join(map(str, at))}]" if at else ""
        message = f"{what} has the id {numbers[at]}{where}, but its ids are 0 .. {count - 1:,}"
        raise error("E922", message, "number the ids from 0; -1 is nothing, as at the end of a shorter list")


def _int32(given: Any, count: int) -> jax.Array:
    if isinstance(given, Tracer) and given.dtype.itemsize >= 4 and given.dtype != np.int32:
        given = jnp.where((given >= 0) & (given < count), given, -1)
    return jnp.asarray(given, jnp.int32)
