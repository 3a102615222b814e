"""Figures of matplotlib as files: the same figure gives the same bytes with the same matplotlib."""

from __future__ import annotations

import io
from typing import Any

from matplotlib import rc_context  # pyright: ignore[reportUnknownVariableType]
from matplotlib.figure import Figure

LOOK: dict[Any, Any] = {"font.family": "DejaVu Sans", "svg.hashsalt": "blurc", "svg.fonttype": "path"}


def to_bytes(figure: Figure, form: str, dpi: float = 200) -> bytes:
    """`form` is "svg" or "png"."""
    with rc_context(LOOK):
        file = io.BytesIO()
        figure.savefig(file, format=form, dpi=dpi, metadata={"Date": None} if form == "svg" else {"Software": None})
    return file.getvalue()
