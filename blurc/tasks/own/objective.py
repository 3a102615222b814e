"""A function (outs, targets) -> scalar of a user's own as an objective."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from blurc.diagnostics import BlurError, Diagnostic
from blurc.tasks.objective import Objective, Values
from blurc.tasks.own import checks, file
from blurc.tasks.own.guard import guarded

FINITE = "keep what is divided by, and what a root or a logarithm is taken of, above 0: `jnp.maximum(x, 1e-6)`"


@dataclass(frozen=True, eq=False)
class OwnFormula:
    """Calls the function with outputs and targets [.., *shape]; without a shape as they are. What a mask leaves out is
    0 in both; the function may take the mask [..] besides (of recorded activity [.., n]), which is all ones where there
    is none. Two of the same function are equal, and of the same method of two objects of a class whose attributes are
    equal."""

    function: Callable[..., Any]
    title: str
    shape: tuple[int, ...] | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OwnFormula) or self.shape != other.shape:
            return False
        return self.function == other.function or _are_methods_of_equals(self.function, other.function)

    def __hash__(self) -> int:
        return hash((self.shape, getattr(self.function, "__func__", self.function)))

    def __call__(self, outputs: Any, targets: Any, mask: Any) -> Any:
        if self.shape is not None:
            outputs, targets = (jnp.reshape(a, (*a.shape[:-1], *self.shape)) for a in (outputs, targets))
        masks: tuple[Any, ...] = ()
        if checks.takes_mask(self.function):
            masks = (jnp.ones(targets.shape[: targets.ndim - len(self.shape or (1,))]) if mask is None else mask,)
        with guarded(f"`{self.title}`"):
            value = self.function(jnp.asarray(outputs), jnp.asarray(targets), *masks)
        shape = () if isinstance(value, float | int) else getattr(value, "shape", None)
        if shape != ():
            found = f"a `{type(value).__name__}`" if shape is None else f"an array {checks.listed(shape)}"
            message = f"`{self.title}` returns {found}, expected a scalar"
            raise BlurError(Diagnostic("E815", message, notes=checks.defined(self.function)))
        return jnp.asarray(value, jnp.float32)


def _are_methods_of_equals(one: Any, other: Any) -> bool:
    method = getattr(one, "__func__", None)
    if method is None or method is not getattr(other, "__func__", None):
        return False
    of, of_other = one.__self__, other.__self__
    try:
        return type(of) is type(of_other) and bool(vars(of) == vars(of_other))
    except (TypeError, ValueError):  # there is no dictionary of attributes, or an array is one of them
        return False


def named(at: file.Named) -> Objective:
    """The function that a name in a file stands for. Raises `BlurError` (E814, E815)."""
    function = file.attribute(at)
    if not callable(function):
        message = f"`{at.title}` is a `{type(function).__name__}`, expected a function (outs, targets)"
        raise BlurError(Diagnostic("E815", message))
    checks.check_score(function, at.title)
    return objective(OwnFormula(function, at.title), at.name, function)


def objective(formula: OwnFormula, name: str, of: Any) -> Objective:
    """of: what has the attribute `greater_is_better`, if it is not False."""
    greater = getattr(of, "greater_is_better", False)
    if not isinstance(greater, bool):
        message = f"`greater_is_better` of `{formula.title}` is {greater!r}, expected True or False"
        raise BlurError(Diagnostic("E815", message))
    return Objective(name, name.replace("_", " "), formula, greater)


def tried(of: Objective, y: Values, mask: Values | None = None) -> tuple[Objective, NDArray[np.float32]]:
    """The objective, which knows whether it has a gradient, and its value for random outputs and the targets y
    [examples, n]. Raises `BlurError` (E815), also if its value is never finite."""
    key = jax.random.key(0, impl="threefry2x32")
    outs, y, score = jax.random.normal(key, y.shape), jnp.asarray(y), jax.jit(of.score)
    value = np.asarray(score(outs, y, mask))
    if not np.isfinite(value):
        _check_finite(of, score, y, mask, key, value)
    try:
        slope = np.asarray(jax.jit(jax.grad(of.score))(outs, y, mask))
    except (BlurError, TypeError, ValueError, NotImplementedError):  # such as a loop, which has no reverse mode
        return replace(of, differentiable=False), value
    return replace(of, differentiable=bool((slope != 0).any())), value


def _check_finite(
    of: Objective, score: Callable[..., Any], y: jax.Array, mask: Any, key: jax.Array, value: Any
) -> None:
    """Raises `BlurError` (E815) if the value for probabilities is not finite either, be the targets y or others: some
    objectives take a logarithm of the outputs, and some divide by what few targets do not have."""
    shares = jax.random.uniform(key, y.shape, minval=0.1, maxval=0.9)
    if any(np.isfinite(score(shares, targets, mask)) for targets in (y, shares[::-1])):
        return
    assert isinstance(of.formula, OwnFormula)
    message = f"`{of.formula.title}` returns {float(value)} for outputs that are finite"
    raise BlurError(Diagnostic("E815", message, notes=checks.defined(of.formula.function), help=FINITE))
