"""Pictures of networks, as SVG and PNG: populations as boxes, projections as arrows, left to right.

The unit neuron is not drawn; a dot on a box says that it has a bias. The same network gives the same bytes
with the same matplotlib. Where things stand is `layout.py`'s business.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Circle, FancyBboxPatch, PathPatch, Polygon
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from blurc.model import Network, Population, Projection
from blurc.pictures.dot import own_label
from blurc.pictures.layout import Arrow, Box, Point, Route, arrange

INK, SOFT, GREY = "#22252b", "#6b717d", "#b4b8c0"
ROLES = {  # fill, border
    "input": ("#dbe9f8", "#3b78b5"),
    "hidden": ("#f0f0f4", "#7d8290"),
    "output": ("#dcf0e1", "#34855a"),
}
NAME, SMALL = 10.5, 8.0  # points
MARGIN, TITLE, LEGEND = 0.3, 0.4, 0.4  # inches
HEAD = (0.11, 0.042)  # length and half width of an arrow head
DPI = 200
MOST_PIXELS = 12_000  # a side; larger pictures get fewer dots per inch


@dataclass(frozen=True)
class Style:
    """How the projections of a kind are drawn; the kinds are told apart without colour too."""

    label: str
    forward: bool
    feedback: bool
    plastic: bool
    dashes: tuple[float, ...] | None = None

    @property
    def colour(self) -> str:
        return INK if self.plastic else GREY

    @property
    def width(self) -> float:
        return 1.3 if self.plastic else 0.8


STYLES = (
    Style("both ways", True, True, True),
    Style("forward only", True, False, True),
    Style("backward only", False, True, True, (3.5, 2.0)),
    Style("both ways, fixed", True, True, False),
    Style("forward only, fixed", True, False, False),
    Style("backward only, fixed", False, True, False, (3.5, 2.0)),
)


def render(network: Network, form: str) -> bytes:
    """`form` is "svg" or "png"."""
    with rc_context({"font.family": "DejaVu Sans", "svg.hashsalt": "blurc", "svg.fonttype": "path"}):
        figure = _figure(network)
        file = io.BytesIO()
        dots = min(DPI, MOST_PIXELS / max(figure.get_size_inches()))
        metadata = {"Date": None} if form == "svg" else {"Software": None}
        figure.savefig(file, format=form, dpi=dots, metadata=metadata)
    return file.getvalue()


def _figure(network: Network) -> Figure:
    shown = Shown.of(network)
    layout = arrange({p.name: _size(p) for p in shown.populations}, shown.arrows)
    title, legend = _title(network), list(_legend(shown))
    inner = max(layout.width, _width(title, NAME), sum(width for width, _ in legend))
    width, height = inner + 2 * MARGIN, layout.height + 2 * MARGIN + TITLE + LEGEND
    figure = Figure(figsize=(width, height), facecolor="white")
    # One unit is one inch, (0, 0) the corner of the layout, y points down.
    left = MARGIN + (inner - layout.width) / 2
    axes = figure.add_axes(
        (0, 0, 1, 1), xlim=(-left, width - left), ylim=(height - MARGIN - TITLE, -MARGIN - TITLE)
    )
    axes.axis("off")
    axes.text(MARGIN - left, -TITLE, title, fontsize=NAME, color=SOFT, va="center")
    for projection, reverse in zip(shown.projections, shown.reversed, strict=True):
        _draw_projection(axes, projection, reverse, layout.routes[projection.name])
    for population in shown.populations:
        _draw_population(axes, population, layout.boxes[population.name])
    _draw_legend(axes, legend, MARGIN - left, layout.height + LEGEND)
    return figure


def _title(network: Network) -> str:
    params = ", ".join(f"{name} = {value}" for name, value in network.params)
    return f"{network.name} ({params})" if params else network.name


# ---------------------------------------------------------------- what is drawn


@dataclass(frozen=True)
class Shown:
    """The populations and projections of a picture. An arrow goes from left to right: where its projection
    would close a cycle (a backward-only one that leads back), it is drawn the other way round."""

    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    reversed: tuple[bool, ...]
    arrows: tuple[Arrow, ...]

    @staticmethod
    def of(network: Network) -> Shown:
        populations = tuple(p for p in network.populations if p.role != "unit")
        names = {p.name for p in populations}
        every = [e for e in network.projections if e.source in names]
        # What carries forward forms no cycle, so it comes first; the rest goes along as far as it can.
        projections = tuple(sorted(every, key=lambda e: not e.forward))
        after: dict[str, set[str]] = {name: set() for name in names}
        turned: list[bool] = []
        for e in projections:
            turned.append(not e.forward and _leads(after, e.target, e.source))
            a, b = (e.target, e.source) if turned[-1] else (e.source, e.target)
            after[a].add(b)
        arrows = tuple(
            Arrow(
                e.name,
                *((e.target, e.source) if t else (e.source, e.target)),
                _width(own_label(e) or "", SMALL),
            )
            for e, t in zip(projections, turned, strict=True)
        )
        return Shown(populations, projections, tuple(turned), arrows)


def _leads(after: dict[str, set[str]], start: str, end: str) -> bool:
    seen, todo = set[str](), [start]
    while todo:
        name = todo.pop()
        if name == end:
            return True
        if name not in seen:
            seen.add(name)
            todo += after[name]
    return False


def _width(text: str, points: float, bold: bool = False) -> float:
    """Of a text, in inches."""
    if not text:
        return 0.0
    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
    return float(TextPath((0, 0), text, size=points, prop=font).get_extents().width) / 72


# ---------------------------------------------------------------- populations


def _lines(p: Population) -> list[str]:
    """What stands under the name."""
    shape = " × ".join(map(str, p.shape)) or "1"
    slots = [f"{slot} = {function}" for slot, function in p.slots]
    return [f"{p.role}  {shape}", *slots]


def _size(p: Population) -> Point:
    lines = _lines(p)
    width = max(_width(p.name, NAME, bold=True), *(_width(line, SMALL) for line in lines))
    return max(0.95, width + 0.36), 0.38 + 0.15 * len(lines)


def _draw_population(axes: Axes, p: Population, box: Box) -> None:
    fill, border = ROLES[p.role]
    left, top = box.x - box.width / 2, box.y - box.height / 2
    axes.add_patch(
        FancyBboxPatch(
            (left, top), box.width, box.height, boxstyle="round,pad=0,rounding_size=0.09",
            facecolor=fill, edgecolor=border, linewidth=1.3, zorder=3,
        )
    )  # fmt: skip
    lines = _lines(p)
    y = box.y - 0.075 * len(lines)
    axes.text(box.x, y, p.name, fontsize=NAME, weight="bold", color=INK, ha="center", va="center", zorder=4)
    for i, line in enumerate(lines):
        axes.text(
            box.x, y + 0.19 + 0.15 * i, line, fontsize=SMALL, color=SOFT, ha="center", va="center", zorder=4
        )
    if p.bias and p.role != "input":
        axes.add_patch(_dot((left + 0.13, top), border))


def _dot(at: Point, border: str) -> Circle:
    return Circle(at, 0.045, facecolor=border, edgecolor="white", linewidth=0.9, zorder=5)


# ---------------------------------------------------------------- projections


def _style(e: Projection) -> Style:
    return next(s for s in STYLES if (s.forward, s.feedback, s.plastic) == (e.forward, e.feedback, e.plastic))


def _draw_projection(axes: Axes, e: Projection, reverse: bool, route: Route) -> None:
    style = _style(e)
    forward, feedback = style.forward, style.feedback
    _draw_line(axes, route, style, (forward, feedback) if reverse else (feedback, forward))
    if label := own_label(e):
        x, y = route.label
        axes.text(
            x, y, label, fontsize=SMALL, color=SOFT, ha="center", va="center", zorder=2,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2},
        )  # fmt: skip


def _draw_line(axes: Axes, route: Route, style: Style, heads: tuple[bool, bool]) -> None:
    """A line with a head at its start, its end, or both. Lines leave and arrive level, so heads lie flat."""
    (x, y), (u, v) = route.start, route.pieces[-1][1][-1]
    length = HEAD[0]
    vertices, codes = [(x + length * heads[0], y)], [Path.MOVETO]
    for kind, points in route.pieces:
        vertices += points
        codes += [Path.LINETO] if kind == "line" else [Path.CURVE4] * 3
    vertices[-1] = (u - length * heads[1], v)
    axes.add_patch(
        PathPatch(
            Path(vertices, codes), facecolor="none", edgecolor=style.colour, linewidth=style.width,
            linestyle=(0, style.dashes) if style.dashes else "-", capstyle="butt", zorder=1,
        )
    )  # fmt: skip
    for there, tip, way in ((heads[0], (x, y), 1), (heads[1], (u, v), -1)):
        if there:
            axes.add_patch(_head(tip, way, style.colour))


def _head(tip: Point, way: int, colour: str) -> Polygon:
    (x, y), (length, half) = tip, HEAD
    base = x + way * length * 1.08
    return Polygon([(x, y), (base, y - half), (base, y + half)], facecolor=colour, edgecolor="none", zorder=2)


# ---------------------------------------------------------------- legend

LINE, SPACE = 0.5, 0.3


def _legend(shown: Shown) -> Iterator[tuple[float, Style | str]]:
    """The kinds of projection in this picture, and the bias: with the room that each needs."""
    used = {_style(e) for e in shown.projections}
    for style in STYLES:
        if style in used:
            yield LINE + 0.1 + _width(style.label, SMALL) + SPACE, style
    if any(p.bias and p.role != "input" for p in shown.populations):
        yield 0.18 + _width("bias", SMALL), "bias"


def _draw_legend(axes: Axes, legend: list[tuple[float, Style | str]], x: float, y: float) -> None:
    for width, entry in legend:
        if isinstance(entry, str):
            axes.add_patch(_dot((x + 0.05, y), SOFT))
            axes.text(x + 0.15, y, entry, fontsize=SMALL, color=SOFT, va="center")
        else:
            end = (x + LINE, y)
            route = Route((x, y), (("line", (end,)),), end)
            _draw_line(axes, route, entry, (entry.feedback, entry.forward))
            axes.text(x + LINE + 0.1, y, entry.label, fontsize=SMALL, color=SOFT, va="center")
        x += width
