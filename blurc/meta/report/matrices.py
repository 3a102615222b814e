"""The meta-parameters by name: matrices as heat maps, everything else as rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from blurc.evaluation import heat
from blurc.genome import GenomeFile, named
from blurc.meta.report import style
from blurc.model import Model

MOST_CELLS = 64  # in a row or column of a heat map
MOST_TEXTS = 8  # cells in a row that still show their numbers
MOST_NUMBERS = 8  # written out in the table


def pictures(genome: GenomeFile, model: Model | None) -> Iterator[style.Picture]:
    for name, array in named(genome.values):
        if _is_drawn(array):
            rows, columns = (labels(size, model) for size in array.shape)
            small = max(array.shape) <= MOST_TEXTS
            texts = [[f"{x:.3g}" for x in row] for row in array] if small else ()
            title = f"{name} [{', '.join(map(str, array.shape))}]"
            panel = heat.Panel(title, array.astype(float), rows, columns, texts, signed=True)
            caption = f"{name}: from the state of the column to that of the row."
            yield style.Picture(heat.render([panel], style.FORM), caption, natural=True)


def table(genome: GenomeFile) -> list[tuple[str, str]]:
    """Names and values of everything that is not drawn."""
    return [(name, _shown(array)) for name, array in named(genome.values) if not _is_drawn(array)]


def _is_drawn(array: Any) -> bool:
    return array.ndim == 2 and array.size > 1 and max(array.shape) <= MOST_CELLS


def labels(size: int, model: Model | None) -> Sequence[str]:
    """The state entries along an axis of this length, `a[0]`, `a[1]`; plain numbers if the state is ambiguous."""
    states = [s.name for s in model.genome.states if tuple(s.shape) == (size,)] if model else []
    return [f"{states[0]}[{i}]" if len(states) == 1 else str(i) for i in range(size)]


def _shown(array: Any) -> str:
    if array.size <= MOST_NUMBERS:
        return ", ".join(f"{x:.4g}" for x in array.ravel())
    shape = " × ".join(map(str, array.shape))
    return f"{shape} numbers from {np.min(array):.4g} to {np.max(array):.4g}, mean {np.mean(array):.4g}"
