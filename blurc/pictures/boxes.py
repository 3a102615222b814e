"""Boxes: their sizes, and how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyBboxPatch

from blurc.pictures.layout import Layout, Link, Place, Point, Route, arrange
from blurc.pictures.strokes import INK, LOOP, NAME, SMALL, loop, style, width, write
from blurc.pictures.view import Box, View

ROLES = {  # fill, border
    "input": ("#dbe9f8", "#3b78b5"),
    "hidden": ("#f0f0f4", "#7d8290"),
    "output": ("#dcf0e1", "#34855a"),
    "block": ("#fbf8f1", "#a8905c"),
    "port": ("#ffffff", "#a8905c"),
}
PAD, LINE, NAME_LINE = 0.18, 0.15, 0.23  # inches
CARD = 0.05  # offset between the boxes of a stack
DOT = 0.13  # a port without a name


@dataclass(frozen=True)
class Placed:
    """A view with the positions of its boxes, and of their contents."""

    view: View
    layout: Layout
    inside: dict[str, Placed]

    def moved(self, dx: float, dy: float) -> Placed:
        boxes = {k: replace(b, x=b.x + dx, y=b.y + dy) for k, b in self.layout.boxes.items()}
        routes = {k: _moved(r, dx, dy) for k, r in self.layout.routes.items()}
        inside = {k: placed.moved(dx, dy) for k, placed in self.inside.items()}
        return Placed(self.view, replace(self.layout, boxes=boxes, routes=routes), inside)


def _moved(route: Route, dx: float, dy: float) -> Route:
    def move(p: Point) -> Point:
        return p[0] + dx, p[1] + dy

    pieces = (tuple(move(p) for p in piece) for piece in route.pieces)
    return Route(move(route.start), tuple(pieces), move(route.label))


def placed(shown: View) -> Placed:
    inner = {box.key: placed(box.inside) for box in shown.boxes if box.inside}
    sizes = {box.key: _size(box, inner.get(box.key)) for box in shown.boxes}
    found = arrange(sizes, [Link(a.key, a.source, a.target, width(a.label, SMALL)) for a in shown.arrows])
    inside = {b.key: _put(inner[b.key], b, found.boxes[b.key]) for b in shown.boxes if b.inside}
    return Placed(shown, found, inside)


def _put(inner: Placed, box: Box, place: Place) -> Placed:
    """Centers the contents of a frame in the room under its text."""
    top = place.y - place.height / 2 + 2 * (_front(box, place)[1] - place.y) + NAME_LINE + LINE * len(box.lines)
    room = place.y + place.height / 2 - top
    return inner.moved(_front(box, place)[0] - inner.layout.width / 2, top + (room - inner.layout.height) / 2)


def _size(box: Box, inner: Placed | None) -> Point:
    if box.role == "port":
        return (width(box.title, SMALL) + 0.12 if box.title else DOT), DOT + 0.05
    words = max(width(box.title, NAME, bold=True), *(width(text, SMALL) for text in (*box.lines, "")))
    cards = CARD * min(box.copies - 1, 2)
    if inner is None:
        return max(0.95, words + 0.36) + cards, 0.38 + LINE * len(box.lines) + cards
    across = max(inner.layout.width + 2 * PAD, words + 0.36)
    return across + cards, inner.layout.height + NAME_LINE + LINE * len(box.lines) + 2 * PAD + cards


def draw(axes: Axes, box: Box, place: Place, depth: int, bias: bool) -> None:
    """`bias`: whether to mark boxes with a bias."""
    fill, border = ROLES[box.role]
    cards = min(box.copies - 1, 2)
    size = place.width - CARD * cards, place.height - CARD * cards
    x, middle = _front(box, place)
    for card in range(cards, -1, -1):
        _card(axes, (x + CARD * card, middle - CARD * card), size, fill, border, depth - 0.1 * card)
    left, top = x - size[0] / 2, middle - size[1] / 2
    y = top + 0.17 if box.inside else middle - 0.075 * len(box.lines)
    if box.role == "port":
        write(axes, (x, y), box.title, depth + 0.5)
    else:
        write(axes, (x, y), box.title, depth + 0.5, NAME, weight="bold", color=INK)
    for i, text in enumerate(box.lines):
        write(axes, (x, y + 0.19 + LINE * i), text, depth + 0.5)
    if box.bias and bias and not box.inside:
        axes.add_patch(dot((left + 0.13, top), border, depth))
    for i, arrow in enumerate(box.loops):
        loop(axes, (left + size[0] - 0.12 - (LOOP[0] + 0.1) * i - LOOP[0], top), style(arrow), depth)


def _front(box: Box, place: Place) -> Point:
    """The center of the front box of a stack."""
    shift = CARD * min(box.copies - 1, 2) / 2
    return place.x - shift, place.y + shift


def _card(axes: Axes, at: Point, size: Point, fill: str, border: str, depth: float) -> None:
    corner, shape = (at[0] - size[0] / 2, at[1] - size[1] / 2), f"round,pad=0,rounding_size={min(0.09, size[0] / 2)}"
    axes.add_patch(FancyBboxPatch(corner, *size, shape, facecolor=fill, edgecolor=border, linewidth=1.3, zorder=depth))


def dot(at: Point, border: str, depth: float) -> Circle:
    return Circle(at, 0.045, facecolor=border, edgecolor="white", linewidth=0.9, zorder=depth + 0.5)
