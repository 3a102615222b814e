"""How products with sparse synapses are computed, if the user chooses (`runtime/kernels/sparse`)."""

from __future__ import annotations

from typing import Literal as Lit
from typing import TypeAlias

from blurc.model.topology.topology import End, Misfit

Form: TypeAlias = Lit["masked", "gather", "segments"]
MOST_PAIRS = 2**31 - 1  # entries of a matrix: indices are 32-bit


def argument(form: Form | None) -> str:
    return f", form = {form}" if form else ""


def too_large(form: Form | None, source: End, target: End) -> Misfit | None:
    """A misfit if the form needs too large a matrix."""
    if form != "masked" or source.size * target.size <= MOST_PAIRS:
        return None
    return Misfit(
        f"`form = masked` makes a matrix of at most {MOST_PAIRS:,} pairs of neurons, but `{source.name}` and "
        f"`{target.name}` have {source.size * target.size:,}",
        "write `form = gather`, which needs no matrix, or leave out `form`",
    )
