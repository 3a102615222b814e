"""The gradient of a value in the genome, in reverse mode or in forward mode.

Reverse mode keeps about sqrt(T) states of an episode of T steps and computes the others again, whatever the number of
meta-parameters. Forward mode carries one derivative of the state for each meta-parameter along and keeps nothing else,
whatever the number of steps. Both give the same numbers up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import jax
from jax.flatten_util import ravel_pytree

Mode = Literal["forward", "reverse"]
# (genome, *others) -> (a scalar, what else comes out).
Function = Callable[..., tuple[jax.Array, Any]]


def value_and_gradient(of: Function, mode: Mode) -> Callable[..., tuple[tuple[jax.Array, Any], Any]]:
    """(genome, *others) -> ((value, what else comes out), the gradient of the value), shaped like the genome."""
    return _forward(of) if mode == "forward" else jax.value_and_grad(of, has_aux=True)


def _forward(of: Function) -> Callable[..., tuple[tuple[jax.Array, Any], Any]]:
    def run(genome: Any, *others: Any) -> tuple[tuple[jax.Array, Any], Any]:
        vector, unravel = ravel_pytree(genome)

        def value(v: jax.Array) -> tuple[jax.Array, tuple[jax.Array, Any]]:
            found = of(unravel(v), *others)
            return found[0], found

        slopes, found = jax.jacfwd(value, has_aux=True)(vector)
        return found, unravel(slopes)

    return run
