"""Numbers over time as a line, in SVG."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

WIDTH, HEIGHT, MARGIN = 320, 36, 2  # pixels
COLOUR = "#3b78b5"


def line(values: Sequence[float | None]) -> str:
    """From the least to the greatest value; broken where there is none."""
    known = [value for value in values if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)

    def place(number: int, value: float) -> str:
        x = MARGIN + (WIDTH - 2 * MARGIN) * number / max(1, len(values) - 1)
        share = (value - low) / (high - low) if high > low else 0.5
        return f"{x:.1f},{HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * share:.1f}"

    pieces = [
        " ".join(place(number, value) for number, value in piece if value is not None)
        for there, piece in groupby(enumerate(values), lambda found: found[1] is not None)
        if there
    ]
    shown = "".join(f'<polyline points="{points}"/>' for points in pieces)
    style = f'fill="none" stroke="{COLOUR}" stroke-width="1.5" stroke-linecap="round"'
    return f'<svg width="{WIDTH}" height="{HEIGHT}" {style}>{shown}</svg>'
