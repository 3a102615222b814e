"""The look of a report's figures, and how they are embedded: as inline SVG."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from blurc.pictures import figures
from blurc.training import GRID, INK, SOFT

FORM = "svg"


@dataclass(frozen=True)
class Picture:
    """An SVG and its caption."""

    svg: bytes
    caption: str


def figure(width: float = 6.4, height: float = 3.8) -> Figure:
    return Figure(figsize=(width, height), facecolor="white", layout="constrained")


def dress(axes: Axes, title: str, x: str, y: str, *, percent: bool = False) -> None:
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


def picture(figure: Figure, caption: str) -> Picture:
    return Picture(figures.to_bytes(figure, FORM), caption)


def inline(shown: Picture, mark: str) -> str:
    """The SVG for inlining. `mark` prefixes its ids, which would otherwise clash with those of other figures."""
    text = shown.svg.decode()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.S)
    text = re.sub(r'\bid="', f'id="{mark}-', text)
    text = re.sub(r'(href="|url\()#', rf"\1#{mark}-", text)
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(shown.caption)}"', 1)
