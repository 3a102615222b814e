"""The functions of the language: their names, arities and where they may stand. No arithmetic here.

The arithmetic is written twice, on purpose and independently: in NumPy in `reference/functions.py`, where it defines
the meaning, and in JAX in `kernels/elementwise.py`.
"""

from __future__ import annotations

# One argument, element by element, with a derivative: what `fn` slots hold and what `'` applies to.
UNARY: tuple[str, ...] = (
    "linear", "tanh", "relu", "sigmoid", "softplus", "exp", "log", "sqrt", "abs", "sign", "square",
)  # fmt: skip

# Element by element, several arguments; clip(x, low, high).
NARY: dict[str, tuple[int, int | None]] = {"min": (2, None), "max": (2, None), "clip": (3, 3)}

# Across the neurons of a population (softmax, population_*) or across the batch (standardize).
POPULATION: tuple[str, ...] = ("softmax", "standardize", "population_mean", "population_sum")

TOTALS: tuple[str, ...] = ("incoming", "outgoing")
RUNNING: tuple[str, ...] = ("outgoing_until",)  # the running total of a neuron, up to a synapse
REDUCERS: tuple[str, ...] = ("batch_mean", "batch_sum")

DRAWS: tuple[str, ...] = ("noise",)  # random numbers

ELEMENTWISE: tuple[str, ...] = (*UNARY, *NARY)
ALL: tuple[str, ...] = (*ELEMENTWISE, *POPULATION, *TOTALS, *RUNNING, *REDUCERS, *DRAWS)

STANDARDIZE_EPS = 1e-5

# What a message says where `softmax` is put into a slot, which takes functions of one number.
NO_SOFTMAX = "the rule applies `softmax` itself, in `feedback` and `readout`: "


def arity(function: str) -> tuple[int, int | None]:
    """The least and the greatest number of arguments (None: any number)."""
    return NARY.get(function, (1, 1))
