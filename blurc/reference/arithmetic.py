"""The functions of the language in NumPy, with their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from blurc.language import STANDARDIZE_EPS

Array: TypeAlias = NDArray[np.float64]


def softplus(x: Array) -> Array:
    return np.logaddexp(0.0, x)


def sigmoid(x: Array) -> Array:
    return np.exp(-softplus(-x))  # 1 / (1 + exp(-x)), without overflow


# Functions of one argument, with their derivatives.
UNARY: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "linear": (lambda x: x, lambda x: np.ones_like(x)),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "relu": (lambda x: np.maximum(x, 0.0), lambda x: np.where(x > 0, 1.0, 0.0)),
    "sigmoid": (sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
    "softplus": (softplus, sigmoid),
    "exp": (np.exp, np.exp),
    "log": (np.log, lambda x: 1 / x),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "abs": (np.abs, np.sign),
    "sign": (np.sign, lambda x: np.zeros_like(x)),
    "square": (np.square, lambda x: 2 * x),
}


def matmul(m: Array, x: Array) -> Array:
    """(M @ x)[r] = sum_c M[r, c] x[c], for each neuron or synapse. `x` may also be a matrix."""
    return np.einsum("rc...,c...->r..." if x.ndim < m.ndim else "rc...,cs...->rs...", m, x)


def clip(x: Array, low: Array, high: Array) -> Array:
    return np.minimum(np.maximum(x, low), high)


# Operators and functions of several arguments. NumPy broadcasting combines a scalar with a vector, as the axes of
# the shape come first.
NARY: dict[str, Callable[..., Array]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "pow": np.power,
    "neg": np.negative,
    "matmul": matmul,
    "min": lambda *xs: reduce(np.minimum, xs),
    "max": lambda *xs: reduce(np.maximum, xs),
    "clip": clip,
}


BATCH, NEURONS = -2, -1  # the last axes of a value in neuron scope


def softmax(z: Array) -> Array:
    """Over the neurons of the population, separately for each state component."""
    e = np.exp(z - z.max(axis=NEURONS, keepdims=True))
    return e / e.sum(axis=NEURONS, keepdims=True)


def standardize(z: Array) -> Array:
    """Each neuron and state: zero mean, unit variance over the batch. A value that does not vary over it becomes 0."""
    mean, variance = z.mean(axis=BATCH, keepdims=True), z.var(axis=BATCH, keepdims=True)
    return (z - mean) / np.sqrt(variance + STANDARDIZE_EPS)


POPULATION: dict[str, Callable[[Array], Array]] = {
    "softmax": softmax,
    "standardize": standardize,
    "population_mean": lambda z: z.mean(axis=NEURONS, keepdims=True),
    "population_sum": lambda z: z.sum(axis=NEURONS, keepdims=True),
}
