"""What callers pass to compiled code: arrays, numbers and random keys, or diagnostics where it is something else."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from blurc.diagnostics import BlurError, Diagnostic


def array(value: Any, code: str, what: str, help_: str, type_: Any = None) -> jax.Array:
    """An array of what a caller passed. Of its numbers nothing is read: they may be traced."""
    if not isinstance(value, jax.Array):
        value = _untraced(value, code, what, help_, type_)
    if not is_numeric(value):
        raise error(code, f"{what} holds no numbers, found {kind_of(value)}", help_)
    return jnp.asarray(value, type_)


def _untraced(value: Any, code: str, what: str, help_: str, type_: Any) -> Any:
    """An array of a number, or of a list, of tracers perhaps."""
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, str | bytes):  # NumPy would read "3" as a number
        raise error(code, f"{what} is no array of numbers: {value!r}", help_)
    try:
        return jnp.asarray(value, type_)
    except jax.errors.JAXTypeError:  # a mistake around a traced value, which JAX explains best
        raise
    except (TypeError, ValueError, OverflowError) as problem:
        reason = (
            str(problem).splitlines()[0].split(". ")[0] if isinstance(value, list | tuple) else kind_of(value)
        )
        raise error(code, f"{what} is no array of numbers: {reason}", help_) from None


def is_numeric(value: Any) -> bool:
    """A number or an array of numbers or booleans."""
    if not isinstance(value, np.ndarray | np.generic | jax.Array):
        return isinstance(value, int | float)
    # The kind of bfloat16 is "V".
    return getattr(value.dtype, "kind", "V") in set("biuf") or jnp.issubdtype(value.dtype, np.floating)


def kind_of(value: Any) -> str:
    if isinstance(value, np.ndarray | jax.Array):
        return f"{value.dtype}{list(value.shape)}"
    return type(value).__name__


def check_key(key: Any) -> None:
    """One random key, typed or raw."""
    found = type(key).__name__
    if isinstance(key, jax.Array | np.ndarray):
        typed = jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
        if key.shape == () if typed else _is_raw_key(key):
            return
        found = f"{key.dtype}{list(key.shape)}"
    raise error("E906", f"one random key is needed, found {found}", "make one with jax.random.key(0)")


def _is_raw_key(key: Any) -> bool:
    """Of threefry, which artifacts take, or of the kind that JAX is set to."""
    if key.dtype != np.uint32:
        return False
    return key.shape == (2,) or key.shape == jax.eval_shape(_usual_raw_key).shape


def _usual_raw_key() -> jax.Array:
    return jax.random.key_data(jax.random.key(0))


def error(code: str, message: str, help_: str) -> BlurError:
    return BlurError(Diagnostic(code, message, None, (), help_))
