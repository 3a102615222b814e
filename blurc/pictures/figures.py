"""Figures of matplotlib: one look for all of them, and files.

The same figure gives the same bytes with the same matplotlib.
"""

from __future__ import annotations

import io
from typing import Any

from matplotlib import rc_context  # pyright: ignore[reportUnknownVariableType]
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

LOOK: dict[Any, Any] = {"font.family": "DejaVu Sans", "svg.hashsalt": "blurc", "svg.fonttype": "path"}
COLOURS = ("#3b78b5", "#c8702a", "#34855a", "#7a4fa3")
INK, SOFT, GRID = "#22252b", "#6b717d", "#e6e8ec"


def figure(width: float = 6.4, height: float = 3.8) -> Figure:
    return Figure(figsize=(width, height), facecolor="white", layout="constrained")


def dress(axes: Axes, title: str, x: str, y: str, *, percent: bool = False) -> None:
    """Titles and a grid for curves. percent: whether y runs from 0 to 1."""
    axes.set_title(title, loc="left", fontsize=11, color=INK, pad=10)
    axes.set_xlabel(x, fontsize=9, color=SOFT)
    axes.set_ylabel(y, fontsize=9, color=SOFT)
    if percent:
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.tick_params(which="both", colors=SOFT, labelsize=8.5, length=0)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GRID)


def legend(axes: Axes) -> None:
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="best")


def to_bytes(figure: Figure, form: str, dpi: float = 200) -> bytes:
    """`form` is "svg" or "png"."""
    with rc_context(LOOK):
        file = io.BytesIO()
        figure.savefig(file, format=form, dpi=dpi, metadata={"Date": None} if form == "svg" else {"Software": None})
    return file.getvalue()
