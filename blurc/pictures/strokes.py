"""Lines with heads and labels, and the styles of projections, which can be told apart without colour."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch, Polygon
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from blurc.pictures.layout import Edges, Piece, Point, Route
from blurc.pictures.view import Arrow

INK, SOFT, GREY = "#22252b", "#6b717d", "#b4b8c0"
NAME, SMALL = 10.5, 8.0  # points
HEAD = (0.11, 0.042)  # length and half width of an arrow head
LOOP = (0.34, 0.36)  # width, and height of what bends it
DASHES, DOTS = (3.5, 2.0), (1.2, 1.6)


@dataclass(frozen=True)
class Style:
    forward: bool
    feedback: bool
    plastic: bool
    delayed: bool

    @property
    def label(self) -> str:
        both = self.forward and self.feedback
        carried = "activity and feedback" if both else "activity only" if self.forward else "feedback only"
        return ", ".join([carried, *["fixed"] * (not self.plastic), *["delayed"] * self.delayed])

    @property
    def colour(self) -> str:
        return INK if self.plastic else GREY

    @property
    def width(self) -> float:
        return 1.3 if self.plastic else 0.8

    @property
    def dashes(self) -> tuple[float, ...] | None:
        return DOTS if self.delayed else None if self.forward else DASHES


STYLES = tuple(
    Style(forward, feedback, plastic, delayed)
    for delayed, plastic in itertools.product((False, True), (True, False))
    for forward, feedback in ((True, True), (True, False), (False, True))
)


def style(a: Arrow) -> Style:
    return Style(a.forward, a.feedback, a.plastic, a.delayed)


@lru_cache(maxsize=4096)
def width(text: str, points: float, bold: bool = False) -> float:
    """In inches."""
    if not text:
        return 0.0
    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
    across = TextPath((0, 0), text, size=points, prop=font).vertices[:, 0]
    return float(across.max() - across.min()) / 72


def line(axes: Axes, route: Route, look: Style, heads: tuple[bool, bool], depth: float) -> None:
    """A line with a head at either or both ends. Lines leave and arrive level, so heads are horizontal."""
    (x, y), (u, v) = route.start, route.pieces[-1][-1]
    length = HEAD[0]
    within = ((x + length * heads[0], y), *route.pieces[:-1], (*route.pieces[-1][:-1], (u - length * heads[1], v)))
    _stroke(axes, within[0], within[1:], look, depth)
    for there, tip, way in ((heads[0], (x, y), 1), (heads[1], (u, v), -1)):
        if there:
            _head(axes, tip, (way, 0), look.colour, depth)


def loop(axes: Axes, at: Point, look: Style, depth: float) -> None:
    """An arc over the top of a box, from left to right."""
    (x, y), (w, h), length = at, LOOP, HEAD[0]
    ends = (x, y - length * look.feedback), (x + w, y - length * look.forward)
    _stroke(axes, ends[0], [((x, y - h), (x + w, y - h), ends[1])], look, depth - 0.5)
    for there, tip in ((look.feedback, (x, y)), (look.forward, (x + w, y))):
        if there:
            _head(axes, tip, (0, -1), look.colour, depth - 0.6)


def _stroke(axes: Axes, start: Point, pieces: Iterable[Piece], look: Style, depth: float) -> None:
    vertices, codes = [start], [Path.MOVETO]
    for points in pieces:
        vertices += points
        codes += [Path.LINETO] if len(points) == 1 else [Path.CURVE4] * 3
    dashes = (0, look.dashes) if look.dashes else "-"
    brush: dict[str, Any] = {"edgecolor": look.colour, "linewidth": look.width, "linestyle": dashes, "capstyle": "butt"}
    axes.add_patch(PathPatch(Path(vertices, codes), facecolor="none", zorder=depth, **brush))


def _head(axes: Axes, tip: Point, way: Point, colour: str, depth: float) -> None:
    """`way`: from the tip to the base, a unit vector."""
    (x, y), (dx, dy), (length, half) = tip, way, HEAD
    u, v = x + dx * length * 1.08, y + dy * length * 1.08
    corners = [tip, (u - half * dy, v - half * dx), (u + half * dy, v + half * dx)]
    axes.add_patch(Polygon(corners, facecolor=colour, edgecolor="none", zorder=depth + 1))


def write(axes: Axes, at: Point, text: str, depth: float, size: float = SMALL, **look: Any) -> None:
    look = {"color": SOFT, "ha": "center", "va": "center", **look}
    axes.text(*at, text, fontsize=size, zorder=depth, **look)


PLACES = (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8)  # along a line, in order of preference


def labels(axes: Axes, arrows: Iterable[tuple[Arrow, Route]], boxes: Iterable[Edges], depth: float, paper: str) -> None:
    """Each label on its line, clear of boxes and earlier labels if there is room."""
    taken = list(boxes)
    for arrow, route in arrows:
        if not arrow.label:
            continue
        half = width(arrow.label, SMALL) / 2 + 0.03
        spots = [route.label, *_spots(route)]
        free = (p for p in spots if not any(_meets(_around(p, half), other) for other in taken))
        x, y = next(free, route.label)
        taken.append(_around((x, y), half))
        write(axes, (x, y), arrow.label, depth + 1, bbox={"facecolor": paper, "edgecolor": "none", "pad": 1.2})


def _around(at: Point, half: float) -> Edges:
    return at[0] - half, at[0] + half, at[1] - 0.075, at[1] + 0.075


def _meets(a: Edges, b: Edges) -> bool:
    return a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]


def _spots(route: Route) -> Iterator[Point]:
    starts = [route.start, *(piece[-1] for piece in route.pieces)]
    longest = sorted(zip(starts, route.pieces, strict=False), key=lambda s: -abs(s[1][-1][0] - s[0][0]))
    for start, piece in longest:
        yield from (_on(start, piece, t) for t in PLACES)


def _on(start: Point, piece: Piece, t: float) -> Point:
    weights = (1 - t, t) if len(piece) == 1 else ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    x, y = (sum(w * p for w, p in zip(weights, ends, strict=True)) for ends in zip(start, *piece, strict=True))
    return x, y
