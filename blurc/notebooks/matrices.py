"""Arrays as HTML: matrices as tables of cells, blue where they are positive, orange where they are negative, stronger
further from 0. The colours are translucent, so that they suit light and dark pages."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.floating[Any]]

MOST_CELLS = 64  # in a row or column
MOST_TEXTS = 8  # cells in a row that still show their numbers
POSITIVE, NEGATIVE = "59,120,181", "200,112,42"  # red, green, blue


HEAD = "text-align:left;vertical-align:top"


def matrices(arrays: Iterable[tuple[str, Array]]) -> str:
    """Names and arrays, one below the other."""
    rows = (f"<tr><th style='{HEAD}'>{escape(name)}</th><td>{_shown(array)}</td></tr>" for name, array in arrays)
    return f"<table>{''.join(rows)}</table>"


def _shown(array: Array) -> str:
    if not array.size:
        return "no numbers"
    if array.ndim > 2 or max(array.shape, default=1) > MOST_CELLS:
        shape = " × ".join(map(str, array.shape))
        return f"{shape} numbers from {np.min(array):.4g} to {np.max(array):.4g}, mean {np.mean(array):.4g}"
    return _table(np.atleast_2d(array))


def _table(array: Array) -> str:
    finite = np.abs(array[np.isfinite(array)])
    most = float(finite.max()) if finite.size else 0.0
    written = array.shape[1] <= MOST_TEXTS
    rows = "".join(f"<tr>{''.join(_cell(x, most, written) for x in row)}</tr>" for row in array.tolist())
    return f"<table style='border-collapse:collapse'>{rows}</table>"


def _cell(value: float, most: float, written: bool) -> str:
    share = abs(value) / most if most and np.isfinite(value) else 0.0
    colour = f"rgba({POSITIVE if value > 0 else NEGATIVE},{share:.2f})"
    text = f"{value:.4g}"
    size = "padding:2px 6px" if written else "padding:0;width:8px;height:8px"
    return f"<td style='background:{colour};text-align:right;{size}' title='{text}'>{text if written else ''}</td>"
