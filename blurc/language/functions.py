"""The built-in functions: names, arities and where they are allowed. No arithmetic here.

The arithmetic is deliberately implemented twice, independently: in NumPy in `reference/arithmetic.py`, which defines
the meaning, and in JAX in `runtime/kernels/elementwise.py`.
"""

from __future__ import annotations

# Elementwise functions of one argument, with a derivative: allowed in `fn` slots and with `'`.
UNARY: tuple[str, ...] = (
    "linear", "tanh", "relu", "sigmoid", "softplus", "gelu", "exp", "log", "sqrt", "abs", "sign", "step", "square",
    "sin", "cos", "erf", "floor",
)  # fmt: skip

# Elementwise functions of several arguments; clip(x, low, high), where(condition, x, y).
NARY: dict[str, tuple[int, int | None]] = {"min": (2, None), "max": (2, None), "clip": (3, 3), "where": (3, 3)}

# Across the neurons of a population (softmax, population_*), those of a channel (place_*), or the batch (standardize).
WHOLE: tuple[str, ...] = ("population_mean", "population_sum", "population_max")  # one value for the population
PLACES: tuple[str, ...] = ("place_mean", "place_sum", "place_max")  # one value for each channel, over its places
POPULATION: tuple[str, ...] = ("softmax", "standardize", *WHOLE, *PLACES)

TOTALS: tuple[str, ...] = ("incoming", "outgoing")
RUNNING: tuple[str, ...] = ("outgoing_until",)  # a neuron's running total, up to a synapse
REDUCERS: tuple[str, ...] = ("batch_mean", "batch_sum")
STATISTICS: tuple[str, ...] = ("running_mean", "running_var")  # that a neuron keeps over steps
PROJECTION: tuple[str, ...] = ("projection_mean", "projection_sum", "projection_max")  # across its synapses

DRAWS: dict[str, tuple[int, int]] = {"noise": (1, 1), "uniform": (2, 2)}  # random numbers

ELEMENTWISE: tuple[str, ...] = (*UNARY, *NARY)
ALL: tuple[str, ...] = (*ELEMENTWISE, *POPULATION, *TOTALS, *RUNNING, *REDUCERS, *PROJECTION, *STATISTICS, *DRAWS)

# Numbers of a projection, which synapses know. Not functions, but names that a genome cannot declare, as those are.
FANS: tuple[str, ...] = ("fan_in", "fan_out")  # also in start values
PROJECTION_NUMBERS: tuple[str, ...] = (*FANS, "plastic")

STANDARDIZE_EPS = 1e-5
RUNNING_RATE = 0.1  # how much of a running statistic is new, unless the rule says so

# For messages about `softmax` in a slot, which takes functions of one number.
NO_SOFTMAX = "`softmax` looks at a whole population, so the rule applies it itself: "


def arity(function: str) -> tuple[int, int | None]:
    """The minimum and maximum number of arguments (None: no maximum)."""
    return NARY.get(function) or DRAWS.get(function, (1, 1))
