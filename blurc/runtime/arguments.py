"""Checks the arrays, numbers and random keys that callers pass to compiled code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, TypeGuard, TypeVar, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.typing import ArrayLike
from numpy.typing import NDArray

from blurc.diagnostics import BlurError, Diagnostic
from blurc.guards import check_room

ArraysLike: TypeAlias = ArrayLike | Mapping[str, ArrayLike]  # {population: array} if there are several
GenomeValues: TypeAlias = Mapping[str, ArrayLike | Mapping[str, ArrayLike]]
Signals: TypeAlias = Mapping[str, ArrayLike]
T = TypeVar("T")
# An array, or {population: array} for several outputs. Few networks have several: a union with the dict would make
# every caller narrow it, so the other half is Any, as in typeshed.
Readout: TypeAlias = jax.Array | Any


def mapping(value: object) -> Mapping[str, object] | None:
    """`value` if it is a mapping: not every caller has a type checker."""
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else None


def array(value: object, code: str, what: str, help_: str, type_: np.dtype[Any] | None = None) -> jax.Array:
    """The value as an array. Its numbers are not read: they may be traced."""
    found = value if isinstance(value, jax.Array) else _untraced(value, code, what, help_, type_)
    if not is_numeric(found):
        raise error(code, f"{what} must contain numbers, found {kind_of(found)}", help_)
    return jnp.asarray(found, type_)


def _untraced(value: Any, code: str, what: str, help_: str, type_: np.dtype[Any] | None) -> ArrayLike:
    """An array from a number or a list, possibly of tracers."""
    if isinstance(value, np.ndarray):
        check_room(value.size, what, help_)  # a broadcast array may take none yet
    if is_array(value):
        return value
    if isinstance(value, str | bytes):  # NumPy would read "3" as a number
        raise error(code, f"{what} is not an array of numbers: {value!r}", help_)
    try:
        return jnp.asarray(value, type_)
    except jax.errors.JAXTypeError:  # a misuse of a traced value, which JAX explains best
        raise
    except (TypeError, ValueError, OverflowError) as problem:
        reason = str(problem).splitlines()[0].split(". ")[0] if isinstance(value, list | tuple) else kind_of(value)
        raise error(code, f"{what} is not an array of numbers: {reason}", help_) from None


def is_array(value: object) -> TypeGuard[jax.Array | NDArray[Any]]:
    return isinstance(value, np.ndarray | jax.Array)


def is_numeric(value: object) -> TypeGuard[ArrayLike]:
    """A number or an array of numbers or booleans."""
    if not isinstance(value, np.ndarray | np.generic | jax.Array):
        return isinstance(value, int | float)
    if is_gone(value):
        return False
    dtype: Any = cast("Any", value).dtype  # a key's dtype has no kind, and the kind of bfloat16 is "V"
    return getattr(dtype, "kind", "V") in set("biuf") or jnp.issubdtype(dtype, np.floating)


def is_gone(value: object) -> bool:
    """Whether an array's memory was given away, as `train(.., donate=True)` does with the state."""
    return isinstance(value, jax.Array) and not isinstance(value, Tracer) and value.is_deleted()


def unshared(state: T) -> T:
    """The state with a copy of every array that stands in it a second time: donation takes each only once."""
    taken: set[int] = set()

    def own(leaf: Any) -> Any:
        shared = id(leaf) in taken
        taken.add(id(leaf))
        return jnp.copy(leaf) if shared else leaf

    return jax.tree.map(own, state)


def kind_of(value: object) -> str:
    deleted = "deleted " if is_gone(value) else ""
    return f"{deleted}{value.dtype}{list(value.shape)}" if is_array(value) else type(value).__name__


def check_key(key: object) -> None:
    """Requires one random key, typed or raw."""
    if is_array(key):
        typed = jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
        if key.shape == () if typed else _is_raw_key(key):
            return
    message = f"expected one random key, found {kind_of(key)}"
    raise error("E906", message, "make one with jax.random.key(0)")


def _is_raw_key(key: jax.Array | NDArray[Any]) -> bool:
    """A threefry key, which artifacts take, or one of the kind that JAX is set to."""
    if key.dtype != np.uint32:
        return False
    return key.shape == (2,) or key.shape == jax.eval_shape(_usual_raw_key).shape


def _usual_raw_key() -> jax.Array:
    return jax.random.key_data(jax.random.key(0))


def error(code: str, message: str, help_: str) -> BlurError:
    return BlurError(Diagnostic(code, message, None, (), help_))
