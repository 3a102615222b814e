"""The functions of the language in NumPy, with their derivatives."""

from __future__ import annotations

import math
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


def normal_density(x: Array) -> Array:
    return np.exp(-0.5 * x**2) / math.sqrt(2 * math.pi)


def normal_distribution(x: Array) -> Array:
    return 0.5 * erfc(-x / math.sqrt(2))


erf: Callable[[Array], Array] = np.vectorize(math.erf, otypes=[np.float64])
erfc: Callable[[Array], Array] = np.vectorize(math.erfc, otypes=[np.float64])


# Functions of one argument, with their derivatives.
UNARY: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "linear": (lambda x: x, lambda x: np.ones_like(x)),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "relu": (lambda x: np.maximum(x, 0.0), lambda x: np.where(x > 0, 1.0, 0.0)),
    "sigmoid": (sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
    "softplus": (softplus, sigmoid),
    "gelu": (lambda x: x * normal_distribution(x), lambda x: normal_distribution(x) + x * normal_density(x)),
    "exp": (np.exp, np.exp),
    "log": (np.log, lambda x: 1 / x),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "abs": (np.abs, np.sign),
    "sign": (np.sign, lambda x: np.zeros_like(x)),
    "step": (lambda x: np.where(x > 0, 1.0, 0.0), lambda x: np.zeros_like(x)),
    "square": (np.square, lambda x: 2 * x),
    "sin": (np.sin, np.cos),
    "cos": (np.cos, lambda x: -np.sin(x)),
    "erf": (erf, lambda x: 2 / math.sqrt(math.pi) * np.exp(-(x**2))),
    "floor": (np.floor, lambda x: np.zeros_like(x)),
}


def matmul(m: Array, x: Array) -> Array:
    """(M @ x)[r] = sum_c M[r, c] x[c], for each neuron or synapse. `x` may also be a matrix."""
    return np.einsum("rc...,c...->r..." if x.ndim < m.ndim else "rc...,cs...->rs...", m, x)


def clip(x: Array, low: Array, high: Array) -> Array:
    return np.minimum(np.maximum(x, low), high)


def where(condition: Array, x: Array, y: Array) -> Array:
    return np.where(condition != 0, x, y)


def comparison(compare: np.ufunc) -> Callable[[Array, Array], Array]:
    def holds(x: Array, y: Array) -> Array:
        return np.where(compare(x, y), 1.0, 0.0)

    return holds


# Operators and functions of several arguments. NumPy broadcasting combines a scalar with a vector, as the axes of
# the shape come first.
NARY: dict[str, Callable[..., Array]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "pow": np.power,
    "neg": np.negative,
    "hold": np.positive,
    "matmul": matmul,
    "min": lambda *xs: reduce(np.minimum, xs),
    "max": lambda *xs: reduce(np.maximum, xs),
    "clip": clip,
    "where": where,
    "less": comparison(np.less),
    "at_most": comparison(np.less_equal),
    "greater": comparison(np.greater),
    "at_least": comparison(np.greater_equal),
}


BATCH, NEURONS = -2, -1  # the last axes of a value in neuron scope
SYNAPSES = -1  # the last axis of a value in synapse scope


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
    "population_max": lambda z: z.max(axis=NEURONS, keepdims=True),
}

# Over the places of a population: of z [.., place, channel].
PLACES: dict[str, Callable[[Array], Array]] = {
    "place_mean": lambda z: z.mean(axis=-2, keepdims=True),
    "place_sum": lambda z: z.sum(axis=-2, keepdims=True),
    "place_max": lambda z: z.max(axis=-2, keepdims=True),
}

# Of the synapses of a projection. Where there are none, nothing reads the result, and it is 0.
PROJECTION: dict[str, Callable[[Array], Array]] = {
    "projection_mean": lambda w: w.sum(axis=SYNAPSES, keepdims=True) / max(1, w.shape[SYNAPSES]),
    "projection_sum": lambda w: w.sum(axis=SYNAPSES, keepdims=True),
    "projection_max": lambda w: w.max(axis=SYNAPSES, keepdims=True) if w.size else w.sum(SYNAPSES, keepdims=True),
}
