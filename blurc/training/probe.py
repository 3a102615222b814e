"""What is asked of a population in the place of the outputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from blurc.storage import limits, records

PROBES = ("ridge", "knn")


@dataclass(frozen=True)
class Probe:
    """Whose activity is read, and how.

    Attributes:
        population: its name.
        by: `ridge` or `knn`.
        state: the state to read; "": the one that the rule's readout reads.
        strength: of ridge regression, the squared weights' share of the loss, for standardised activities and errors.
        neighbours: of knn, how many.
    """

    population: limits.Word = field(metadata=records.SHORT)
    by: Annotated[str, limits.Limit.one_of(*PROBES)] = "ridge"
    state: str = ""
    strength: limits.Positive = 1e-3
    neighbours: limits.Count = 5
