"""Pictures of networks, as SVG and PNG: populations as boxes, projections as arrows, left to right.

The unit neuron is not drawn; if only some populations have a bias, a dot on the box marks them. The same network gives
the same bytes with the same matplotlib. `view.py` decides what is shown, `layout.py` where.
"""

from __future__ import annotations

from collections.abc import Iterator

from matplotlib import rc_context  # pyright: ignore[reportUnknownVariableType]
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from blurc.model import Network
from blurc.pictures import boxes, figures, strokes
from blurc.pictures.boxes import Placed, placed
from blurc.pictures.layout import Route
from blurc.pictures.strokes import NAME, SMALL, SOFT, STYLES, Style, width, write
from blurc.pictures.view import View, view

MARGIN, TITLE, LEGEND = 0.3, 0.4, 0.4  # inches
DPI = 200
MOST_PIXELS = 12_000  # a side; larger pictures get fewer dots per inch


def render(network: Network, form: str, *, full: bool = False) -> bytes:
    """`form` is "svg" or "png"."""
    with rc_context(figures.LOOK):
        figure = _figure(network, view(network, full=full))
    return figures.to_bytes(figure, form, min(DPI, MOST_PIXELS / max(figure.get_size_inches())))


def _figure(network: Network, shown: View) -> Figure:
    everything = placed(shown)
    layout = everything.layout
    text, entries = title(network, shown), list(legend(shown))
    inner = max(layout.width, width(text, NAME), sum(w for w, _ in entries))
    below = LEGEND if entries else 0.0
    across, down = inner + 2 * MARGIN, layout.height + 2 * MARGIN + TITLE + below
    figure = Figure(figsize=(across, down), facecolor="white")
    # One unit is one inch, (0, 0) is the corner of the layout, y points down.
    left = MARGIN + (inner - layout.width) / 2
    axes = figure.add_axes((0, 0, 1, 1), xlim=(-left, across - left), ylim=(down - MARGIN - TITLE, -MARGIN - TITLE))
    axes.axis("off")
    write(axes, (MARGIN - left, -TITLE), text, 3, NAME, ha="left")
    _draw(axes, everything, _some_have_a_bias(shown))
    _draw_legend(axes, entries, MARGIN - left, layout.height + LEGEND)
    return figure


def title(network: Network, shown: View) -> str:
    params = ", ".join(f"{name} = {value}" for name, value in network.params)
    name = f"{network.name} ({params})" if params else network.name
    count = sum(p.role != "unit" for p in network.populations)
    return f"{name}: {count:,} populations" if any(box.copies > 1 for box in shown.all_boxes()) else name


def _draw(axes: Axes, everything: Placed, bias: bool) -> None:
    for depth, level in _deeper(everything):
        places = level.layout.boxes
        arrows = [(a, level.layout.routes[a.key]) for a in level.view.arrows]
        for arrow, route in arrows:
            ahead, back = (arrow.feedback, arrow.forward) if arrow.turned else (arrow.forward, arrow.feedback)
            strokes.line(axes, route, strokes.style(arrow), (back, ahead), depth)
        for box in level.view.boxes:
            boxes.draw(axes, box, places[box.key], depth + 2, bias)
        paper = "white" if depth == 1 else boxes.ROLES["block"][0]
        strokes.labels(axes, arrows, (place.edges for place in places.values()), depth, paper)


def _deeper(everything: Placed, depth: int = 1) -> Iterator[tuple[int, Placed]]:
    """Contents are drawn over what contains them."""
    yield depth, everything
    for inner in everything.inside.values():
        yield from _deeper(inner, depth + 4)


LINE, SPACE = 0.5, 0.3


def _some_have_a_bias(shown: View) -> bool:
    """And some do not: otherwise a mark would say nothing."""
    return len({box.bias for box in shown.all_boxes() if not box.inside and box.role not in ("input", "port")}) > 1


def legend(shown: View) -> Iterator[tuple[float, Style | str]]:
    """What the arrows of this picture carry, and the bias mark, with the width that each needs."""
    used = {strokes.style(a) for a in shown.all_arrows()}
    for style in STYLES:
        if style in used:
            yield LINE + 0.1 + width(style.label, SMALL) + SPACE, style
    if _some_have_a_bias(shown):
        yield 0.18 + width("bias", SMALL), "bias"


def _draw_legend(axes: Axes, entries: list[tuple[float, Style | str]], x: float, y: float) -> None:
    for room, entry in entries:
        if isinstance(entry, str):
            axes.add_patch(boxes.dot((x + 0.05, y), SOFT, 1))
            write(axes, (x + 0.15, y), entry, 3, ha="left")
        else:
            end = (x + LINE, y)
            strokes.line(axes, Route((x, y), ((end,),), end), entry, (entry.feedback, entry.forward), 1)
            write(axes, (x + LINE + 0.1, y), entry.label, 3, ha="left")
        x += room
