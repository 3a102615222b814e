"""Lines with heads and labels, and the styles of projections, which can be told apart without colour."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch, Polygon
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from blurc.pictures.layout import Piece, Point, Route
from blurc.pictures.view import Arrow

INK, SOFT, GREY = "#22252b", "#6b717d", "#b4b8c0"
NAME, SMALL = 10.5, 8.0  # points
HEAD = (0.11, 0.042)  # length and half width of an arrow head
DASHES, DOTS = (3.5, 2.0), (1.2, 1.6)


@dataclass(frozen=True)
class Style:
    forward: bool
    feedback: bool
    plastic: bool
    delayed: bool

    @property
    def label(self) -> str:
        way = "both ways" if self.forward and self.feedback else "forward only" if self.forward else "backward only"
        return ", ".join([way, *["fixed"] * (not self.plastic), *["delayed"] * self.delayed])

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
    (x, y), (u, v) = route.start, route.pieces[-1][1][-1]
    length = HEAD[0]
    vertices, codes = [(x + length * heads[0], y)], [Path.MOVETO]
    for kind, points in route.pieces:
        vertices += points
        codes += [Path.LINETO] if kind == "line" else [Path.CURVE4] * 3
    vertices[-1] = (u - length * heads[1], v)
    axes.add_patch(
        PathPatch(
            Path(vertices, codes), facecolor="none", edgecolor=look.colour, linewidth=look.width,
            linestyle=(0, look.dashes) if look.dashes else "-", capstyle="butt", zorder=depth,
        )
    )  # fmt: skip
    for there, tip, way in ((heads[0], (x, y), 1), (heads[1], (u, v), -1)):
        if there:
            axes.add_patch(head(tip, way, look.colour, depth))


def head(tip: Point, way: int, colour: str, depth: float) -> Polygon:
    (x, y), (length, half) = tip, HEAD
    base = x + way * length * 1.08
    return Polygon([(x, y), (base, y - half), (base, y + half)], facecolor=colour, edgecolor="none", zorder=depth + 1)


PLACES = (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8)  # along a line, in order of preference
Rectangle = tuple[float, float, float, float]  # left, right, top, bottom


def labels(
    axes: Axes, arrows: Iterable[tuple[Arrow, Route]], boxes: Iterable[Rectangle], depth: float, paper: str
) -> None:
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
        axes.text(
            x, y, arrow.label, fontsize=SMALL, color=SOFT, ha="center", va="center", zorder=depth + 1,
            bbox={"facecolor": paper, "edgecolor": "none", "pad": 1.2},
        )  # fmt: skip


def _around(at: Point, half: float) -> Rectangle:
    return at[0] - half, at[0] + half, at[1] - 0.075, at[1] + 0.075


def _meets(a: Rectangle, b: Rectangle) -> bool:
    return a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]


def _spots(route: Route) -> Iterator[Point]:
    starts = [route.start, *(points[-1] for _, points in route.pieces)]
    longest = sorted(zip(starts, route.pieces, strict=False), key=lambda s: -abs(s[1][1][-1][0] - s[0][0]))
    for start, piece in longest:
        yield from (_on(start, piece, t) for t in PLACES)


def _on(start: Point, piece: Piece, t: float) -> Point:
    kind, points = piece
    if kind == "line":
        (x, y), (u, v) = start, points[0]
        return x + t * (u - x), y + t * (v - y)
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    ends: Sequence[Point] = (start, *points)
    return sum(w * p[0] for w, p in zip(weights, ends, strict=True)), sum(
        w * p[1] for w, p in zip(weights, ends, strict=True)
    )
