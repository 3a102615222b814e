"""The formulas of objectives: (outputs [.., n], targets [.., n], mask [..] or None) -> a scalar.

Those of numbers and of zeros and ones also take a mask [.., n], of what was recorded.

They take arrays of NumPy and of JAX, in their precision. Only the softmax cross entropy imports JAX, when it is called.
"""

from __future__ import annotations

from typing import Any

MARGIN = 1e-6  # of a probability from 0 and 1, below which its logarithm would be huge


def _mean(values: Any, mask: Any) -> Any:
    """Over everything that counts."""
    return values.mean() if mask is None else (values * mask).sum() / mask.sum()


def _mean_error(errors: Any, mask: Any) -> Any:
    """Of errors [.., n], over all outputs of the examples that a mask [..] counts, or over those that a mask [.., n]
    counts."""
    by_output = mask is not None and mask.ndim == errors.ndim
    return _mean(errors if by_output else errors.mean(axis=-1), mask)


def cross_entropy(outputs: Any, targets: Any, mask: Any) -> Any:
    """Of the softmax of the outputs. XLA may compute outputs twice and round them differently when subtracting the
    maximum. Huge outputs can then exceed it, and the exponential overflows although all of them are finite. They are
    kept below it in value only: a `where` or `minimum` would take from the largest output its gradient, or half."""
    import jax  # as jax is not needed to name an objective
    import optax

    @jax.custom_jvp
    def at_most_zero(below: Any) -> Any:
        return jax.numpy.where(below > 0, 0.0, below)

    at_most_zero.defjvps(lambda tangent, _, __: tangent)
    below = outputs - jax.lax.stop_gradient(outputs.max(axis=-1, keepdims=True))
    return _mean(optax.softmax_cross_entropy(at_most_zero(below), targets), mask)


def accuracy(outputs: Any, targets: Any, mask: Any) -> Any:
    right = outputs.argmax(axis=-1) == targets.argmax(axis=-1)
    return _if_finite(outputs, _mean(right.astype(outputs.dtype), mask))


def binary_accuracy(outputs: Any, targets: Any, mask: Any) -> Any:
    xp = outputs.__array_namespace__()
    right = (outputs > 0.5) == (targets > 0.5)
    return _if_finite(outputs, _mean_error(xp.where(right, 1.0, 0.0).astype(outputs.dtype), mask))


def _if_finite(outputs: Any, value: Any) -> Any:
    """NaN if an output is not finite: argmax would treat a NaN as the winning class."""
    xp = outputs.__array_namespace__()
    return xp.where(xp.isfinite(outputs).all(), value, xp.nan)


def binary_cross_entropy(outputs: Any, targets: Any, mask: Any) -> Any:
    """Of outputs as probabilities."""
    xp = outputs.__array_namespace__()
    p = xp.clip(outputs, MARGIN, 1 - MARGIN)
    return _mean_error(-(targets * xp.log(p) + (1 - targets) * xp.log(1 - p)), mask)


def binary_cross_entropy_of_logits(outputs: Any, targets: Any, mask: Any) -> Any:
    """Of outputs whose sigmoid is a probability. Its gradient does not vanish where they are far from 0, as that of a
    clipped probability does."""
    xp = outputs.__array_namespace__()
    return _mean((xp.logaddexp(outputs, 0.0) - targets * outputs).mean(axis=-1), mask)


def mse(outputs: Any, targets: Any, mask: Any) -> Any:
    return _mean_error((outputs - targets) ** 2, mask)


def signless(outputs: Any, targets: Any, mask: Any) -> Any:
    """For each output the smaller of the errors of both signs."""
    xp = outputs.__array_namespace__()

    def each(errors: Any) -> Any:
        return xp.stack([_mean(errors[..., i], mask) for i in range(errors.shape[-1])])

    return xp.minimum(each((outputs - targets) ** 2), each((outputs + targets) ** 2)).mean()


def mae(outputs: Any, targets: Any, mask: Any) -> Any:
    return _mean_error(abs(outputs - targets), mask)


def r2(outputs: Any, targets: Any, mask: Any) -> Any:
    """1 - (squared errors) / (squared distances of the targets from their mean), both summed over all outputs, so that
    a constant output does no harm. 1 is perfect, 0 is no better than the mean."""
    n = targets.shape[-1]
    rows = targets.reshape(-1, n)
    if mask is None:
        centre = rows.mean(axis=0)
    else:
        weight = mask.reshape(len(rows), -1)  # [examples, 1 or n]
        counted = weight.sum(axis=0)
        centre = (rows * weight).sum(axis=0) / (counted + (counted == 0))
    return 1 - mse(outputs, targets, mask) / mse(centre, targets, mask)


def mean_return(outputs: Any, targets: Any, mask: Any) -> Any:
    """The mean return of the episodes that end, or, where none does, of those that go on in the end.

    outputs: the sum of the rewards of an episode so far [steps, batch]. targets: 1 where it ends, else 0, [steps,
    batch]. The mask has no meaning here."""
    xp = outputs.__array_namespace__()
    ends = targets.sum()
    ended = (outputs * targets).sum() / xp.maximum(ends, 1)
    return xp.where(ends > 0, ended, outputs[-1].mean())
